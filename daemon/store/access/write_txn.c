/*
 * write_txn.c - locking for a write, and putting the new record in place; see
 * write_txn.h.
 */
#include "daemon/store/access/write_txn.h"

/* Makes the namespace, making room for it first if need be. */
static enum store_status make_namespace(struct change *change)
{
    struct store *store = change->lane->store;
    enum store_status why = STORE_OK;
    do {
        change->at->ns =
            namespaces_obtain(&store->namespaces, change->at->name, lane_maker(change->lane), &why);
    } while (change->at->ns == NULL && why == STORE_NO_MEMORY &&
             upkeep_make_room(change->lane, LACK_BUDGET, NULL, change->now));
    if (why == STORE_TOO_MANY_NAMESPACES) {
        work_hurry(&store->work); /* it may be but because many are just going */
    }
    return change->at->ns != NULL ? STORE_OK : why;
}

static enum store_status find_or_make(struct change *change, enum create create)
{
    enum store_status status = STORE_OK;
    if (!lookup_refresh(change->lane, change->at)) {
        status = create == CHANGE_EXISTING ? STORE_NOT_FOUND : make_namespace(change);
        if (status == STORE_OK) {
            lookup_refresh(change->lane, change->at);
        }
    }
    return status;
}

enum store_status change_begin(struct change *change, struct lane *lane, struct store_key *at,
                               enum create create, uint64_t now)
{
    *change = (struct change){.lane = lane, .at = at, .now = now};
    for (;;) {
        enum store_status status = find_or_make(change, create);
        if (status != STORE_OK) {
            return status;
        }
        index_prefetch(&lane->store->index, at->hash);
        lock_take(&at->ns->lock);
        if (!at->ns->gone) {
            lookup_refresh(lane, at);
            return STORE_OK;
        }
        /* It was empty and is just being removed: look again. */
        lock_give(&at->ns->lock);
        at->ns = NULL;
        at->generation = NULL;
    }
}

void change_look(struct change *change)
{
    struct store *store = change->lane->store;
    change->home = index_lock(&store->index, change->at->hash);
    change->found = lookup(store, change->home, change->at, &change->old);
    change->lives = change->found && found_lives(&change->old, change->now);
}

void change_unlook(struct change *change)
{
    index_unlock(change->home);
    change->home = NULL;
}

bool change_slot(struct change *change, struct slot *slot)
{
    if (change->found) {
        *slot = change->old.slot;
        return true;
    }
    return index_free_slot(&change->lane->store->index, change->home, slot);
}

void change_commit(struct change *change, struct slot *slot, uint32_t place)
{
    if (change->found) {
        const struct found *old = &change->old;
        slot_set_place(slot, place);
        bury(change->lane, old->segment, old->bytes, &old->record,
             change->lives ? BURIED_REPLACED : BURIED_EXPIRED);
    } else {
        index_fill(&change->lane->store->index, slot, change->at->hash, place);
    }
}

void change_end(struct change *change)
{
    if (change->home != NULL) {
        change_unlook(change);
    }
    lock_give(&change->at->ns->lock);
}

void change_fail(struct change *change)
{
    if (change->at->ns->generation->first == 0) {
        work_add_namespace(&change->lane->store->work, change->at->ns);
    }
    change_end(change);
}

bool change_make_room(struct change *change, enum lack lack)
{
    struct namespace *ns = change->at->ns;
    change_end(change);
    bool made = upkeep_make_room(change->lane, lack, ns, change->now);
    if (!made) { /* it may have been made in vain; before that, it is still wanted */
        work_add_namespace(&change->lane->store->work, ns);
    }
    return made;
}
