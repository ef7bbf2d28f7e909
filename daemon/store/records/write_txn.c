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

void write_txn_unlock(struct write_txn *txn)
{
    index_unlock(txn->home);
    txn->home = NULL;
}

bool write_txn_slot(struct write_txn *txn, struct slot *slot)
{
    if (txn->found) {
        *slot = txn->old.slot;
        return true;
    }
    return index_free_slot(&txn->thread->store->index, txn->home, slot);
}

void write_txn_commit(struct write_txn *txn, struct slot *slot, uint32_t place)
{
    if (txn->found) {
        const struct found *old = &txn->old;
        slot_set_place(slot, place);
        record_retire(txn->thread, old->segment, old->bytes, &old->record,
                      txn->lives ? RETIRED_REPLACED : RETIRED_EXPIRED);
    } else {
        index_fill(&txn->thread->store->index, slot, txn->at->hash, place);
    }
}

void write_txn_end(struct write_txn *txn)
{
    if (txn->home != NULL) {
        write_txn_unlock(txn);
    }
    lock_give(&txn->at->ns->lock);
}

void write_txn_fail(struct write_txn *txn)
{
    if (txn->at->ns->generation->first == 0) {
        backlog_add_namespace(&txn->thread->store->backlog, txn->at->ns);
    }
    write_txn_end(txn);
}
