/*
 * modify.c - the frame of a write; see modify.h.
 *
 * It tries, and when it lacks room makes some and tries again.
 */
#include "daemon/store/access/modify.h"

enum attempt { ATTEMPT_ENDED, ATTEMPT_AGAIN };

/* --- terms ------------------------------------------------------------------------ */

static enum store_status compare(const struct write_txn *txn, const struct store_terms *terms,
                                 bool *stale)
{
    if (!txn->lives) {
        return terms->makes ? STORE_OK : STORE_NOT_FOUND;
    }
    uint64_t version = found_version(txn->thread->store, &txn->old);
    *stale = terms->or_stale && terms->expected < version;
    return version == terms->expected || *stale ? STORE_OK : STORE_CHANGED;
}

enum store_status modify_allowed(const struct write_txn *txn, const struct store_terms *terms,
                                 bool *stale)
{
    enum store_status status = STORE_OK;
    *stale = false;
    if (terms->compares && terms->mode != STORE_ADD) {
        status = compare(txn, terms, stale);
    }
    if (status != STORE_OK || terms->mode == STORE_SET) {
        return status;
    }
    if (terms->mode == STORE_ADD) {
        return txn->lives ? STORE_EXISTS : STORE_OK;
    }
    bool may_make = terms->mode != STORE_REPLACE && terms->makes;
    return txn->lives || may_make ? STORE_OK : STORE_NOT_FOUND;
}

enum store_status modify_expiry(const struct write_txn *txn, struct store_ttl ttl,
                                uint64_t *expires)
{
    if (ttl.kind == STORE_TTL_KEEP && txn->lives) {
        *expires = txn->old.expires;
        return STORE_OK;
    }
    return namespace_expiry(txn->at->ns, ttl, txn->now, expires);
}

void modify_copy(const struct write_txn *txn, struct draft *draft)
{
    const struct found *old = &txn->old;
    draft->record = old->record;
    draft->expires = old->expires;
    if (old->record.noted) {
        draft->record.read_at = record_read_at(old->bytes);
    } else {
        draft->record.noted = true;
        draft->record.read_at = record_time(txn->now);
        draft->record.notes = slot_reads(&old->slot) > 0 ? NOTE_READ : 0;
    }
    if ((draft->record.notes & NOTE_TOLD) != 0) {
        draft->record.version = found_version(txn->thread->store, old);
    }
}

uint64_t modify_later_version(const struct write_txn *txn, uint64_t version)
{
    struct store *store = txn->thread->store;
    /* No client was told the version of a record without notes. */
    bool known = txn->found && txn->old.record.noted;
    return known && version <= found_version(store, &txn->old)
               ? segments_next_version(&store->segments)
               : 0;
}

/* --- the frame -------------------------------------------------------------------- */

static enum attempt retry(struct write_txn *txn, enum lack lack, enum store_status *status)
{
    *status = STORE_NO_MEMORY;
    return write_txn_make_room(txn, lack) ? ATTEMPT_AGAIN : ATTEMPT_ENDED;
}

static enum attempt refuse(struct write_txn *txn)
{
    write_txn_fail(txn);
    return ATTEMPT_ENDED;
}

static enum attempt finish(struct write_txn *txn, const struct modification *modification,
                           const struct draft *draft)
{
    if (modification->finish != NULL) {
        modification->finish(txn, modification->context, draft);
    }
    write_txn_end(txn);
    return ATTEMPT_ENDED;
}

/* With room in `segment`: the record goes there. False when the index has none. */
static bool place_record(struct write_txn *txn, struct segment *segment, struct draft *draft)
{
    struct store *store = txn->thread->store;
    struct record *record = &draft->record;
    struct slot slot;
    if (!write_txn_slot(txn, &slot)) {
        return false;
    }
    draft->version = segment->version + segment->used;
    if (record->version == 0) {
        record->version = modify_later_version(txn, draft->version);
    }
    if (record->version != 0) {
        record->noted = true; /* there is no room for a version without notes */
        draft->version = record->version;
    }
    age_note_fresh(store, segment);
    uint32_t size;
    uint32_t place = append_record(store, segment, record, draft->expires, &size);
    age_count_record(txn->thread, txn->at->generation, size);
    write_txn_commit(txn, &slot, place, size);
    return true;
}

static enum store_status compose(struct write_txn *txn, const struct modification *modification,
                                 struct draft *draft)
{
    draft->in_place = false;
    return modification->compose(txn, modification->context, draft);
}

static enum attempt try_modify(struct write_txn *txn, const struct modification *modification,
                               struct draft *draft, enum store_status *status)
{
    struct store *store = txn->thread->store;
    struct segment *segment = NULL;
    if (!modification->blind) {
        write_txn_find(txn);
    }
    *status = compose(txn, modification, draft);
    if (*status != STORE_OK) {
        return refuse(txn);
    }
    if (draft->in_place) {
        return finish(txn, modification, draft);
    }
    if (!modification->blind) {
        write_txn_unlock(txn);
    }
    uint64_t records = __atomic_load_n(&store->index.entries, __ATOMIC_RELAXED);
    struct append append = {.expires = draft->expires,
                            .size = append_size(store, &draft->record, draft->expires),
                            .appender = APPENDER_WRITER,
                            .queue = ghost_queue(&store->ghost, txn->at->hash, records)};
    enum room room = append_room(store, txn->at->generation, &append, txn->now, &segment);
    if (room != ROOM_FOUND) {
        return retry(txn, housekeep_lack(room), status);
    }
    write_txn_find(txn);
    if (!modification->blind) {
        *status = compose(txn, modification, draft);
        if (*status != STORE_OK) {
            return refuse(txn);
        }
        if (append_size(store, &draft->record, draft->expires) > append.size) {
            write_txn_end(txn);
            return ATTEMPT_AGAIN; /* the old one has just gone, and the new one grew by it */
        }
    }
    if (!place_record(txn, segment, draft)) {
        return retry(txn, LACK_BUDGET, status);
    }
    return finish(txn, modification, draft);
}

enum store_status modify_record(struct store_thread *thread, struct store_key *at,
                                const struct modification *modification, uint64_t now,
                                uint64_t *version)
{
    struct draft draft; /* composed before anything of it is read but this */
    draft.version = 0;
    enum store_status status = STORE_NO_MEMORY;
    bool ended = false;
    for (int i = 0; i < HOUSEKEEP_ATTEMPTS && !ended; i++) {
        struct write_txn txn;
        status = write_txn_begin(&txn, thread, at, modification->create, now);
        ended =
            status != STORE_OK || try_modify(&txn, modification, &draft, &status) == ATTEMPT_ENDED;
    }
    if (!ended) { /* others took whatever room was made: the namespace was made in vain */
        status = STORE_NO_MEMORY;
        backlog_add_namespace(&thread->store->backlog, at->ns);
    }
    if (status == STORE_OK && modification->create == WRITE_OR_CREATE &&
        modification->finish == NULL) {
        index_grow(&thread->store->index); /* takes buckets' locks: finish may have kept one */
    }
    if (status == STORE_OK && version != NULL) {
        *version = draft.version;
    }
    return status;
}
