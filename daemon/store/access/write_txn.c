/*
 * write_txn.c - locking for a write, and putting the new record in place; see
 * write_txn.h.
 */
#include "daemon/store/access/write_txn.h"

/* Makes the namespace, making room for it first if need be. */
static enum store_status make_namespace(struct write_txn *txn)
{
    struct store *store = txn->thread->store;
    enum store_status why = STORE_OK;
    do {
        txn->at->ns = namespaces_obtain(&store->namespaces, txn->at->name,
                                        store_thread_creator(txn->thread), &why);
    } while (txn->at->ns == NULL && why == STORE_NO_MEMORY &&
             housekeep_make_room(txn->thread, LACK_BUDGET, NULL, txn->now));
    if (why == STORE_TOO_MANY_NAMESPACES) {
        backlog_hurry(&store->backlog); /* it may be but because many are just going */
    }
    return txn->at->ns != NULL ? STORE_OK : why;
}

static enum store_status find_or_make(struct write_txn *txn, enum create create)
{
    enum store_status status = STORE_OK;
    if (!lookup_refresh(txn->thread, txn->at)) {
        status = create == CHANGE_EXISTING ? STORE_NOT_FOUND : make_namespace(txn);
        if (status == STORE_OK) {
            lookup_refresh(txn->thread, txn->at);
        }
    }
    return status;
}

enum store_status write_txn_begin(struct write_txn *txn, struct store_thread *thread,
                                  struct store_key *at, enum create create, uint64_t now)
{
    *txn = (struct write_txn){.thread = thread, .at = at, .now = now};
    for (;;) {
        enum store_status status = find_or_make(txn, create);
        if (status != STORE_OK) {
            return status;
        }
        index_prefetch(&thread->store->index, at->hash);
        lock_take(&at->ns->lock);
        if (!at->ns->gone) {
            lookup_refresh(thread, at);
            return STORE_OK;
        }
        /* It was empty and is just being removed: look again. */
        lock_give(&at->ns->lock);
        at->ns = NULL;
        at->generation = NULL;
    }
}

void write_txn_look(struct write_txn *txn)
{
    struct store *store = txn->thread->store;
    txn->home = index_lock(&store->index, txn->at->hash);
    txn->found = lookup(store, txn->home, txn->at, &txn->old);
    txn->lives = txn->found && found_lives(&txn->old, txn->now);
}

void write_txn_unlook(struct write_txn *txn)
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
        write_txn_unlook(txn);
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

bool write_txn_make_room(struct write_txn *txn, enum lack lack)
{
    struct namespace *ns = txn->at->ns;
    write_txn_end(txn);
    bool made = housekeep_make_room(txn->thread, lack, ns, txn->now);
    if (!made) { /* it may have been made in vain; before that, it is still wanted */
        backlog_add_namespace(&txn->thread->store->backlog, ns);
    }
    return made;
}
