/*
 * large_append.h - whole values that make large records: put, append and prepend.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_LARGE_APPEND_H
#define KVCACHED_DAEMON_STORE_ACCESS_LARGE_APPEND_H

#include "daemon/store/store.h"

/* store_put, in all its modes, of a value that needs segments of its own. */
enum store_status large_put(struct store_thread *thread, struct store_key *at,
                            const struct store_terms *terms, struct slice value, uint64_t now,
                            uint64_t *version);

/* APPEND and PREPEND where the record that results needs them. */
enum store_status large_append(struct store_thread *thread, struct store_key *at,
                               const struct store_terms *terms, struct slice value, uint64_t now,
                               uint64_t *version);

#endif
