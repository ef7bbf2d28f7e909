/*
 * inspect.c - reading with notes: store_inspect, for protocols that tell clients when a record
 * was read last, and its version, or have one of several clients renew it.
 *
 * Most looks change nothing but the notes and are a GET that costs a little more.
 * Where the record has no notes yet, is to live longer, or is to be made, it is
 * written, and viewed before its bucket is unlocked.
 */
#include "daemon/store/access/modify.h"
#include "daemon/store/access/write_stats.h"
#include "daemon/store/records/span.h"
#include "daemon/store/records/view.h"

struct inspection {
    const struct store_terms *terms;
    struct store_view *view;
    bool made;
    uint64_t ended; /* the record's expiry before it was looked at */
};

/* Whether this reader shall renew the record. */
static bool wins(const struct found *found, const struct inspection *inspection, uint64_t now)
{
    uint64_t refresh = inspection->terms->refresh;
    if (!inspection->terms->contends || (found->record.notes & NOTE_WON) != 0) {
        return false;
    }
    bool ends = inspection->ended != SEGMENT_NEVER && inspection->ended > now;
    return (found->record.notes & NOTE_STALE) != 0 ||
           (ends && refresh > 0 && store_left(inspection->ended, now) < refresh);
}

/* What the notes say, before this look changes them. */
static void tell(struct store *store, const struct found *found, uint64_t now,
                 struct store_view *view)
{
    const struct record *record = &found->record;
    view->version = found_version(store, found);
    view->size = record_footprint(&store->segments, record);
    view->number = found->segment->generation->ns->id;
    if (record->noted) {
        view->idle = record_idle(found->bytes, now);
        view->read_before = (record->notes & NOTE_READ) != 0;
        view->stale = (record->notes & NOTE_STALE) != 0;
        view->taken = (record->notes & NOTE_WON) != 0;
    } else {
        view->read_before = slot_reads(&found->slot) > 0;
    }
}

static void note(const struct found *found, const struct inspection *inspection, uint64_t now)
{
    const struct store_terms *terms = inspection->terms;
    uint8_t notes = found->record.notes;
    if (terms->tells_version) {
        notes |= NOTE_TOLD;
    }
    if (inspection->view->won) {
        notes |= NOTE_WON;
    }
    if (notes != found->record.notes) {
        record_set_notes(found->bytes, notes);
    }
    if (!terms->peeks) {
        record_note_read(found->bytes, notes, now);
    }
}

/* The bucket is locked; the view takes its lock over. */
static void take_view(struct store *store, struct bucket *home, struct found *found,
                      struct inspection *inspection, uint64_t now)
{
    struct store_view *view = inspection->view;
    *view = (struct store_view){0};
    view_open(store, home, found, view);
    tell(store, found, now, view);
    view->made = inspection->made;
    view->won = inspection->made || wins(found, inspection, now);
    if (found->record.noted) {
        note(found, inspection, now);
    }
    if (!inspection->terms->peeks) {
        slot_count_read(&found->slot);
    }
    view_unlock(home, view);
}

/* Whether the record has to be written for that. */
static bool must_write(const struct inspection *inspection, const struct found *found)
{
    const struct store_terms *terms = inspection->terms;
    return terms->ttl.kind != STORE_TTL_KEEP || (!found->record.noted && !terms->peeks);
}

/* STORE_OK, STORE_NOT_FOUND; false: it takes a write. */
static bool inspect_in_place(struct store_thread *thread, struct store_key *at,
                             struct inspection *inspection, uint64_t now, enum store_status *status)
{
    struct store *store = thread->store;
    struct found found;
    *status = STORE_NOT_FOUND;
    if (!lookup_refresh(thread, at)) {
        return !inspection->terms->makes;
    }
    struct bucket *home = index_lock(&store->index, at->hash);
    bool lives = lookup(store, home, at, &found) && found_lives(&found, now);
    if (!lives || must_write(inspection, &found)) {
        index_unlock(home);
        return !lives && !inspection->terms->makes;
    }
    if (view_is_pinned(&found.record) && !view_may_pin(store, found.segment, &found.record, now)) {
        index_unlock(home);
        *status = STORE_CROWDED;
        return true;
    }
    inspection->ended = found.expires;
    take_view(store, home, &found, inspection, now);
    *status = STORE_OK;
    return true;
}

/* --- where it is written ---------------------------------------------------------- */

static enum store_status compose_made(struct write_txn *txn, struct inspection *inspection,
                                      struct draft *draft)
{
    const struct store_terms *terms = inspection->terms;
    if (!terms->makes) {
        return STORE_NOT_FOUND;
    }
    inspection->made = true;
    draft->record = (struct record){.key = txn->at->key,
                                    .value = "",
                                    .version = terms->version,
                                    .read_at = record_time(txn->now),
                                    .noted = true};
    return namespace_expiry(txn->at->ns, terms->make, txn->now, &draft->expires);
}

static enum store_status compose_inspected(struct write_txn *txn, void *context,
                                           struct draft *draft)
{
    struct inspection *inspection = context;
    const struct found *old = &txn->old;
    inspection->made = false;
    if (!txn->lives) {
        return compose_made(txn, inspection, draft);
    }
    if (view_is_pinned(&old->record) &&
        !view_may_pin(txn->thread->store, old->segment, &old->record, txn->now)) {
        return STORE_CROWDED;
    }
    inspection->ended = old->expires;
    modify_copy(txn, draft);
    enum store_status status = modify_expiry(txn, inspection->terms->ttl, &draft->expires);
    if (status == STORE_OK && (old->record.span || !must_write(inspection, old))) {
        if (inspection->terms->ttl.kind != STORE_TTL_KEEP) {
            span_set_life(txn->thread->store, old->segment, draft->expires,
                          (old->record.notes & NOTE_STALE) != 0);
        }
        draft->in_place = true;
    }
    return status;
}

static void view_written(struct write_txn *txn, void *context, const struct draft *draft)
{
    (void)draft;
    struct store *store = txn->thread->store;
    struct found found;
    if (lookup(store, txn->home, txn->at, &found)) { /* it is: the bucket is locked */
        take_view(store, txn->home, &found, context, txn->now);
        txn->home = NULL;
    }
}

static enum store_status inspect_by_writing(struct store_thread *thread, struct store_key *at,
                                            struct inspection *inspection, uint64_t now)
{
    struct modification modification = {.create = inspection->terms->makes ? WRITE_OR_CREATE
                                                                           : WRITE_EXISTING,
                                        .compose = compose_inspected,
                                        .finish = view_written,
                                        .context = inspection};
    return modify_record(thread, at, &modification, now, NULL);
}

/* A record that was made was not there to be found. */
static void count(struct store_thread *thread, const struct store_key *at,
                  const struct inspection *inspection, enum store_status status)
{
    struct store_counters *counters = store_thread_counters(thread, write_stats_id(at));
    bool made = inspection->made && status == STORE_OK;
    bool hit = status == STORE_OK && !inspection->made;
    if (made) {
        store_thread_count(&counters->made, 1);
    }
    if (inspection->terms->uncounted) {
        return;
    }
    if (inspection->terms->ttl.kind == STORE_TTL_KEEP) {
        store_thread_count(hit ? &counters->hits : &counters->misses, 1);
    } else if (hit) {
        store_thread_count(&counters->touches, 1);
    }
}

enum store_status store_inspect(struct store_thread *thread, struct store_key *at,
                                const struct store_terms *terms, uint64_t now,
                                struct store_view *view)
{
    struct inspection inspection = {.terms = terms, .view = view};
    enum store_status status = STORE_OK;
    if (!inspect_in_place(thread, at, &inspection, now, &status)) {
        status = inspect_by_writing(thread, at, &inspection, now);
    }
    if (status != STORE_CROWDED) {
        count(thread, at, &inspection, status);
    }
    return status;
}
