/*
 * modify.h - how every record is written: on terms, and depending on the record that was there.
 *
 * The namespace is locked from beginning to end, so no other thread writes the record
 * meanwhile. Its bucket is not, while room is being found: the old record may go
 * away (deleted, evicted, expired) but not change. So what is to be written is
 * composed twice, before there is room and when there is.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_MODIFY_H
#define KVCACHED_DAEMON_STORE_ACCESS_MODIFY_H

#include "daemon/store/access/write_begin.h"

struct draft {
    struct record record;
    uint64_t expires; /* on the store's clock, or SEGMENT_NEVER */
    bool in_place;    /* it is as it shall be: nothing is to be appended */
    uint64_t version; /* when it is written: the one that it got */
};

struct modification {
    enum write_create create;
    bool blind; /* compose does not look at the old record */
    /* Says what becomes of the record, from txn->lives and txn->old: fills the
     * draft, or refuses. May be called more than once. */
    enum store_status (*compose)(struct write_txn *txn, void *context, struct draft *draft);
    /* If not NULL: called when the record is as it shall be, its bucket still locked. May
     * keep that lock, with txn->home set to NULL. */
    void (*finish)(struct write_txn *txn, void *context, const struct draft *draft);
    void *context;
};

/* *version, if not NULL, is set when a record was written. */
enum store_status modify_record(struct store_thread *thread, struct store_key *at,
                                const struct modification *modification, uint64_t now,
                                uint64_t *version);

/* --- for compose: what terms mean ------------------------------------ */

/* Whether the record may be written on these terms: STORE_OK, or EXISTS, NOT_FOUND,
 * CHANGED. *stale: only as a stale one. */
enum store_status modify_allowed(const struct write_txn *txn, const struct store_terms *terms,
                                 bool *stale);

/* When it shall expire: `ttl`, where KEEP is what the old one has. */
enum store_status modify_expiry(const struct write_txn *txn, struct store_ttl ttl,
                                uint64_t *expires);

/* The record that lives, as it is, to be written once more under the same version
 * with notes. */
void modify_copy(const struct write_txn *txn, struct draft *draft);

/* A version that is above the old record's, for one that is about to be published as
 * `version`; 0 where that is right. */
uint64_t modify_later_version(const struct write_txn *txn, uint64_t version);

#endif
