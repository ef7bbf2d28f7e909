/*
 * connection.h - a handle's connection. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_CONNECTION_H
#define KVCACHED_SCRIPTS_CLIENTS_C_CONNECTION_H

#include "scripts/clients/c/kvcached.h"

/* Makes a connection in place of one that there is, and authenticates. What is to be sent and
 * awaited stays. */
enum kvc_result connection_open(struct kvc *kvc);

#endif
