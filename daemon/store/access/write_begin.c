/*
 * write_begin.c - beginning a write, and making room for it; see write_begin.h.
 */
#include "daemon/store/access/write_begin.h"

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

static enum store_status find_or_make(struct write_txn *txn, enum write_create create)
{
    enum store_status status = STORE_OK;
    if (!lookup_refresh(txn->thread, txn->at)) {
        status = create == WRITE_EXISTING ? STORE_NOT_FOUND : make_namespace(txn);
        if (status == STORE_OK) {
            lookup_refresh(txn->thread, txn->at);
        }
    }
    return status;
}

enum store_status write_txn_begin(struct write_txn *txn, struct store_thread *thread,
                                  struct store_key *at, enum write_create create, uint64_t now)
{
    write_txn_init(txn, thread, at, now);
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
