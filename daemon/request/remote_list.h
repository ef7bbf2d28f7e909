/*
 * remote_list.h - LIST, ALL, SURVEY and DUMP of a namespace in the cluster.
 *
 * For the thread of the worker.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_LIST_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_LIST_H

#include "daemon/request/remote.h"

verb_function remote_list;

#endif
