/*
 * large_write.h - large records: what the other files of the store need of large_write.c.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_LARGE_WRITE_H
#define KVCACHED_DAEMON_STORE_ACCESS_LARGE_WRITE_H

#include "daemon/store/records/state.h"

/* store_put for a record that needs segments of its own. */
enum store_status large_put(struct store_thread *thread, struct store_key *at,
                            const struct store_terms *terms, struct slice value, uint64_t now,
                            uint64_t *version);

/* APPEND and PREPEND where the record that results needs them. */
enum store_status large_append(struct store_thread *thread, struct store_key *at,
                               const struct store_terms *terms, struct slice value, uint64_t now,
                               uint64_t *version);
/* The same with the value of a write that is whole, which ends with this, but for
 * STORE_CROWDED. `value` is a view of it. */
enum store_status large_append_written(struct store_thread *thread, struct store_key *at,
                                       const struct store_terms *terms, struct store_write **write,
                                       const struct store_view *value, uint64_t now,
                                       uint64_t *version);

/* store_write_begin, store_write_space and store_write_commit, for parts of a request that
 * counts as a whole. The bytes of the value are all there, and will be given at once: its blocks
 * may be as large as it is, and it never waits. */
enum store_status large_write_begin(struct store_thread *thread, struct store_key *at,
                                    const struct store_terms *terms, uint64_t length, uint64_t now,
                                    struct store_write **write);
enum store_status large_write_space(struct store_thread *thread, struct store_write *write,
                                    uint64_t now, struct iovec *space);
enum store_status large_write_commit(struct store_thread *thread, struct store_write **write,
                                     uint64_t now, uint64_t *version);

#endif
