/*
 * write_txn.h - the frame in which a record is written.
 *
 *   write_txn_begin   the namespace is locked: no other thread writes in it (write_begin.h)
 *   write_txn_find    the key's bucket is locked too, and its record found
 *   write_txn_unlock  the bucket is free again, say to make room
 *   write_txn_commit  the new record is in place of the old one
 *   write_txn_end     both are free
 *
 * While the namespace is locked a record can go away (deleted, evicted, expired)
 * but not be replaced or moved.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_WRITE_TXN_H
#define KVCACHED_DAEMON_STORE_RECORDS_WRITE_TXN_H

#include "daemon/store/records/lookup.h"

struct write_txn {
    struct store_thread *thread;
    struct store_key *at;
    uint64_t now;
    struct bucket *home; /* locked, or NULL */
    bool found;          /* there is a record, alive or expired */
    bool lives;          /* and it has not expired */
    struct found old;    /* set where one was found */
};

/* Nothing is locked, and no record was looked for. */
static inline void write_txn_init(struct write_txn *txn, struct store_thread *thread,
                                  struct store_key *at, uint64_t now)
{
    txn->thread = thread;
    txn->at = at;
    txn->now = now;
    txn->home = NULL;
    txn->found = txn->lives = false;
}

void write_txn_find(struct write_txn *txn);

static inline void write_txn_unlock(struct write_txn *txn)
{
    index_unlock(txn->home);
    txn->home = NULL;
}

/* A slot for the record, the old one's or a new one. False without memory. */
static inline bool write_txn_slot(struct write_txn *txn, struct slot *slot)
{
    if (txn->found) {
        *slot = txn->old.slot;
        return true;
    }
    return index_free_slot(&txn->thread->store->index, txn->home, slot);
}

/* Turns that slot to the record at `place`, which is in the segment already, takes `size` bytes and
 * is counted now; retires the old one. */
void write_txn_commit(struct write_txn *txn, struct slot *slot, uint32_t place, uint32_t size);

static inline void write_txn_end(struct write_txn *txn)
{
    if (txn->home != NULL) {
        write_txn_unlock(txn);
    }
    lock_give(&txn->at->ns->lock);
}

/* The same where nothing was written: the namespace may have been made in vain. */
void write_txn_fail(struct write_txn *txn);

#endif
