/*
 * check_share.h - whether pinned memory and memory that is being written are counted right.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_CHECK_SHARE_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_CHECK_SHARE_H

#include "daemon/store/records/state.h"

/* For store_check, with no other thread inside. NULL, or what is wrong: a constant. */
const char *check_shares(const struct store *store);

#endif
