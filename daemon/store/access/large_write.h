/*
 * large_write.h - a large record that is written in parts.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_LARGE_WRITE_H
#define KVCACHED_DAEMON_STORE_ACCESS_LARGE_WRITE_H

#include "daemon/store/records/share.h"
#include "daemon/store/records/span.h"

struct store_write {
    struct namespace *ns; /* held */
    struct store_terms terms;
    struct grant grant; /* of a write that is not promised: to take memory for it */
    uint64_t begun;     /* ms */
    struct span span;   /* its key is `key` */
    char key[STORE_KEY_MAX];
};

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

/* Where the record is to be written; good until the write ends. */
struct store_key large_write_key(const struct store_write *write);

/* When all bytes were given: what has to hold before a commit. STORE_OK, STORE_NO_MEMORY, or
 * STORE_UNDECLARED: the policy does not allow the namespace any more. */
enum store_status large_write_complete(struct store_thread *thread, struct store_write *write,
                                       uint64_t now);

#endif
