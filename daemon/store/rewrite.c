/*
 * rewrite.c - the frame of a write; see rewrite.h.
 *
 * It tries, and when it lacks room makes some and tries again.
 */
#include "daemon/store/rewrite.h"

enum attempt { ATTEMPT_ENDED, ATTEMPT_AGAIN };

/* --- terms ------------------------------------------------------------------------ */

static enum store_status compare(const struct change *change, const struct store_terms *terms,
                                 bool *stale)
{
    if (!change->lives) {
        return terms->makes ? STORE_OK : STORE_NOT_FOUND;
    }
    uint64_t version = found_version(change->lane->store, &change->old);
    *stale = terms->or_stale && terms->expected < version;
    return version == terms->expected || *stale ? STORE_OK : STORE_CHANGED;
}

enum store_status rewrite_allowed(const struct change *change, const struct store_terms *terms,
                                  bool *stale)
{
    enum store_status status = STORE_OK;
    *stale = false;
    if (terms->compares && terms->mode != STORE_ADD) {
        status = compare(change, terms, stale);
    }
    if (status != STORE_OK || terms->mode == STORE_SET) {
        return status;
    }
    if (terms->mode == STORE_ADD) {
        return change->lives ? STORE_EXISTS : STORE_OK;
    }
    bool may_make = terms->mode != STORE_REPLACE && terms->makes;
    return change->lives || may_make ? STORE_OK : STORE_NOT_FOUND;
}

enum store_status rewrite_expiry(const struct change *change, struct store_ttl ttl,
                                 uint64_t *expires)
{
    if (ttl.kind == STORE_TTL_KEEP && change->lives) {
        *expires = change->old.expires;
        return STORE_OK;
    }
    return namespace_expiry(change->at->ns, ttl, change->now, expires);
}

void rewrite_copy(const struct change *change, struct draft *draft)
{
    const struct found *old = &change->old;
    draft->record = old->record;
    draft->expires = old->expires;
    if (old->record.noted) {
        draft->record.read_at = record_read_at(old->bytes);
    } else {
        draft->record.noted = true;
        draft->record.read_at = record_time(change->now);
        draft->record.notes = slot_reads(&old->slot) > 0 ? NOTE_READ : 0;
    }
    if ((draft->record.notes & NOTE_TOLD) != 0) {
        draft->record.version = found_version(change->lane->store, old);
    }
}

uint64_t rewrite_later_version(const struct change *change, uint64_t version)
{
    struct store *store = change->lane->store;
    /* Nobody knows the version of a record without notes. */
    bool known = change->found && change->old.record.noted;
    return known && version <= found_version(store, &change->old)
               ? segments_next_version(&store->segments)
               : 0;
}

/* --- the frame -------------------------------------------------------------------- */

static enum attempt retry(struct change *change, enum lack lack, enum store_status *status)
{
    *status = STORE_NO_MEMORY;
    return change_make_room(change, lack) ? ATTEMPT_AGAIN : ATTEMPT_ENDED;
}

static enum attempt refuse(struct change *change)
{
    change_fail(change);
    return ATTEMPT_ENDED;
}

static enum attempt finish(struct change *change, const struct rewrite *rewrite,
                           const struct draft *draft)
{
    if (rewrite->finish != NULL) {
        rewrite->finish(change, rewrite->context, draft);
    }
    change_end(change);
    return ATTEMPT_ENDED;
}

/* With room in `segment`: the record goes there. False when the index has none. */
static bool place_record(struct change *change, struct segment *segment, struct draft *draft)
{
    struct store *store = change->lane->store;
    struct record *record = &draft->record;
    struct slot slot;
    if (!change_slot(change, &slot)) {
        return false;
    }
    draft->version = segment->version + segment->used;
    if (record->version == 0) {
        record->version = rewrite_later_version(change, draft->version);
    }
    if (record->version != 0) {
        record->noted = true; /* there is no room for a version without notes */
        draft->version = record->version;
    }
    append_fresh(store, segment);
    uint32_t offset = segment->used;
    uint32_t place = append_record(store, segment, record, draft->expires);
    age_count_record(change->lane, change->at->generation, segment->used - offset);
    change_commit(change, &slot, place);
    return true;
}

static enum store_status compose(struct change *change, const struct rewrite *rewrite,
                                 struct draft *draft)
{
    draft->in_place = false;
    return rewrite->compose(change, rewrite->context, draft);
}

static enum attempt try_rewrite(struct change *change, const struct rewrite *rewrite,
                                struct draft *draft, enum store_status *status)
{
    struct store *store = change->lane->store;
    struct segment *segment = NULL;
    if (!rewrite->blind) {
        change_look(change);
    }
    *status = compose(change, rewrite, draft);
    if (*status != STORE_OK) {
        return refuse(change);
    }
    if (draft->in_place) {
        return finish(change, rewrite, draft);
    }
    if (!rewrite->blind) {
        change_unlook(change);
    }
    struct append append = {.expires = draft->expires,
                            .size = append_size(store, &draft->record, draft->expires),
                            .who = APPENDER_WRITER,
                            .queue = ghost_queue(&store->ghost, change->at->hash)};
    enum room room = append_room(store, change->at->generation, &append, change->now, &segment);
    if (room != ROOM_FOUND) {
        return retry(change, upkeep_lack(room), status);
    }
    change_look(change);
    *status = rewrite->blind ? STORE_OK : compose(change, rewrite, draft);
    if (*status != STORE_OK) {
        return refuse(change);
    }
    if (append_size(store, &draft->record, draft->expires) > append.size) {
        change_end(change);
        return ATTEMPT_AGAIN; /* the old one has just gone, and the new one grew by it */
    }
    if (!place_record(change, segment, draft)) {
        return retry(change, LACK_BUDGET, status);
    }
    return finish(change, rewrite, draft);
}

enum store_status rewrite_record(struct lane *lane, struct store_key *at,
                                 const struct rewrite *rewrite, uint64_t now, uint64_t *version)
{
    struct draft draft = {.version = 0};
    enum store_status status = STORE_NO_MEMORY;
    bool ended = false;
    for (int i = 0; i < UPKEEP_ATTEMPTS && !ended; i++) {
        struct change change;
        status = change_begin(&change, lane, at, rewrite->create, now);
        ended =
            status != STORE_OK || try_rewrite(&change, rewrite, &draft, &status) == ATTEMPT_ENDED;
    }
    if (!ended) { /* others took whatever room was made: the namespace was made in vain */
        status = STORE_NO_MEMORY;
        work_add_namespace(&lane->store->work, at->ns);
    }
    if (status == STORE_OK && rewrite->create == CHANGE_OR_CREATE && rewrite->finish == NULL) {
        index_grow(&lane->store->index); /* takes buckets' locks: finish may have kept one */
    }
    if (status == STORE_OK && version != NULL) {
        *version = draft.version;
    }
    return status;
}
