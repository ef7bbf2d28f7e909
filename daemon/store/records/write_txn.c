/*
 * write_txn.c - locking for a write, and putting the new record in place; see
 * write_txn.h.
 */
#include "daemon/store/records/write_txn.h"

void write_txn_find(struct write_txn *txn)
{
    struct store *store = txn->thread->store;
    txn->home = index_lock(&store->index, txn->at->hash);
    txn->found = lookup(store, txn->home, txn->at, &txn->old);
    txn->lives = txn->found && found_lives(&txn->old, txn->now);
}

void write_txn_commit(struct write_txn *txn, struct slot *slot, uint32_t place, uint32_t size)
{
    if (txn->found) {
        const struct found *old = &txn->old;
        slot_set_place(slot, place);
        record_supersede(txn->thread, old->segment, old->bytes, &old->record,
                         txn->lives ? RETIRED_REPLACED : RETIRED_EXPIRED, size);
    } else {
        generation_count(txn->at->generation, 1, size);
        index_fill(&txn->thread->store->index, slot, txn->at->hash, place);
    }
}

void write_txn_fail(struct write_txn *txn)
{
    if (txn->at->ns->generation->first == 0) {
        backlog_add_namespace(&txn->thread->store->backlog, txn->at->ns);
    }
    write_txn_end(txn);
}
