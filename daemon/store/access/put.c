/*
 * put.c - whole values in: put in all its modes, touch, marking as stale, and taking the
 * value away.
 */
#include "daemon/store/access/large_append.h"
#include "daemon/store/access/modify.h"
#include "daemon/store/access/write_stats.h"
#include "daemon/store/records/span.h"

/* --- put ---------------------------------------------------------------------- */

struct put {
    const struct store_terms *terms;
    struct slice value;
    bool is_large; /* result: together with the old value it needs segments of its own */
};

static bool needs_span(const struct store *store, struct slice key, uint64_t length)
{
    return length + key.length + RECORD_HEADER_MAX + store->segments.guard >= store->span_size;
}

static uint8_t notes_for(const struct write_txn *txn, const struct store_terms *terms, bool stale)
{
    unsigned notes = terms->tells_version ? NOTE_TOLD : 0;
    if (stale) {
        notes |= NOTE_STALE | (txn->old.record.notes & NOTE_WON);
    }
    return (uint8_t)notes;
}

static void tell_length(const struct store_terms *terms, const struct draft *draft)
{
    if (terms->length != NULL) {
        *terms->length = draft->record.value_length;
    }
}

static enum store_status compose_value(struct write_txn *txn, void *context, struct draft *draft)
{
    const struct put *put = context;
    const struct store_terms *terms = put->terms;
    bool stale = false;
    enum store_status status = modify_allowed(txn, terms, &stale);
    if (status == STORE_OK) {
        struct store_ttl keep = {STORE_TTL_KEEP, 0};
        status = modify_expiry(txn, stale ? keep : terms->ttl, &draft->expires);
    }
    draft->record = (struct record){.key = txn->at->key,
                                    .value = put->value.bytes,
                                    .value_length = (uint32_t)put->value.length,
                                    .client_flags = terms->client_flags,
                                    .version = terms->version,
                                    .read_at = record_time(txn->now),
                                    .noted = terms->noted || terms->tells_version || stale,
                                    .notes = notes_for(txn, terms, stale)};
    if (terms->version != 0) {
        draft->record.noted = true;
    }
    tell_length(terms, draft);
    return status;
}

/* The old value and the new one, as one. */
static void append_value(const struct record *old, struct slice added, bool behind,
                         struct record *fresh)
{
    struct slice before = {old->value, old->value_length};
    fresh->value = behind ? before.bytes : added.bytes;
    fresh->rest = behind ? added : before;
    fresh->value_length = (uint32_t)(before.length + added.length);
    fresh->client_flags = old->client_flags;
}

static enum store_status compose_appended(struct write_txn *txn, void *context, struct draft *draft)
{
    struct put *put = context;
    struct put made = *put;
    struct store_terms terms = *put->terms;
    const struct record *old = &txn->old.record;
    terms.ttl = txn->lives ? (struct store_ttl){STORE_TTL_KEEP, 0} : terms.make;
    made.terms = &terms;
    enum store_status status = compose_value(txn, &made, draft);
    if (status != STORE_OK || !txn->lives) {
        return status;
    }
    uint64_t length = (uint64_t)old->value_length + put->value.length;
    if (length > __atomic_load_n(&txn->thread->store->max_value, __ATOMIC_RELAXED)) {
        return STORE_TOO_LARGE;
    }
    put->is_large = old->span || needs_span(txn->thread->store, txn->at->key, length);
    if (put->is_large) {
        return STORE_TOO_LARGE;
    }
    append_value(old, put->value, terms.mode == STORE_APPEND, &draft->record);
    tell_length(&terms, draft);
    return STORE_OK;
}

static bool is_blind(const struct store_terms *terms)
{
    return terms->mode == STORE_SET && !terms->compares;
}

static bool appends(const struct store_terms *terms)
{
    return terms->mode == STORE_APPEND || terms->mode == STORE_PREPEND;
}

static enum store_status put(struct store_thread *thread, struct store_key *at,
                             const struct store_terms *terms, struct slice value, uint64_t now,
                             uint64_t *version)
{
    struct store *store = thread->store;
    if (value.length > __atomic_load_n(&store->max_value, __ATOMIC_RELAXED)) {
        return STORE_TOO_LARGE;
    }
    if (needs_span(store, at->key, value.length)) {
        return large_put(thread, at, terms, value, now, version);
    }
    struct put put = {.terms = terms, .value = value};
    struct modification modification = {.create = WRITE_OR_CREATE,
                                        .blind = is_blind(terms),
                                        .compose =
                                            appends(terms) ? compose_appended : compose_value,
                                        .context = &put};
    enum store_status status = modify_record(thread, at, &modification, now, version);
    return put.is_large ? large_append(thread, at, terms, value, now, version) : status;
}

enum store_status store_put(struct store_thread *thread, struct store_key *at,
                            const struct store_terms *terms, struct slice value, uint64_t now,
                            uint64_t *version)
{
    enum store_status status = put(thread, at, terms, value, now, version);
    write_stats_write(thread, write_stats_id(at), terms, status);
    return status;
}

/* --- touch -------------------------------------------------------------------- */

static enum store_status compose_touched(struct write_txn *txn, void *context, struct draft *draft)
{
    const struct store_ttl *ttl = context;
    const struct found *old = &txn->old;
    if (!txn->lives) {
        return STORE_NOT_FOUND;
    }
    modify_copy(txn, draft);
    draft->record.noted = old->record.noted;
    enum store_status status = modify_expiry(txn, *ttl, &draft->expires);
    if (status == STORE_OK && old->record.noted) {
        draft->record.read_at = record_time(txn->now);
        draft->record.notes |= NOTE_READ;
    }
    if (status == STORE_OK && old->record.span) {
        span_set_life(txn->thread->store, old->segment, draft->expires,
                      (old->record.notes & NOTE_STALE) != 0);
        record_note_read(old->bytes, old->record.notes, txn->now);
        draft->in_place = true;
    }
    return status;
}

enum store_status store_touch(struct store_thread *thread, struct store_key *at,
                              struct store_ttl ttl, uint64_t now)
{
    struct modification modification = {
        .create = WRITE_EXISTING, .compose = compose_touched, .context = &ttl};
    enum store_status status = modify_record(thread, at, &modification, now, NULL);
    if (status == STORE_OK) {
        store_thread_count(&store_thread_counters(thread, at->ns->id)->touches, 1);
    }
    return status;
}

/* --- stale -------------------------------------------------------------------- */

/* A large record is marked where it lies. */
static void mark_span(struct write_txn *txn, const struct store_terms *terms, uint8_t notes,
                      uint64_t expires)
{
    struct store *store = txn->thread->store;
    struct found *old = &txn->old;
    uint64_t version =
        terms->version != 0 ? terms->version : segments_next_version(&store->segments);
    record_set_notes(old->bytes, notes);
    span_set_version(store, old->segment, version);
    span_set_life(store, old->segment, expires, (notes & NOTE_STALE) != 0);
}

static enum store_status compose_stale(struct write_txn *txn, void *context, struct draft *draft)
{
    const struct store_terms *terms = context;
    bool lower = false;
    if (!txn->lives) {
        return STORE_NOT_FOUND;
    }
    enum store_status status = modify_allowed(txn, terms, &lower);
    if (status != STORE_OK) {
        return status;
    }
    modify_copy(txn, draft);
    draft->record.notes &= (uint8_t) ~(NOTE_WON | NOTE_TOLD);
    draft->record.notes |= NOTE_STALE;
    draft->record.version = terms->version;
    status = modify_expiry(txn, terms->ttl, &draft->expires);
    if (status == STORE_OK && draft->record.span) {
        mark_span(txn, terms, draft->record.notes, draft->expires);
        draft->in_place = true;
    }
    return status;
}

enum store_status store_make_stale(struct store_thread *thread, struct store_key *at,
                                   const struct store_terms *terms, uint64_t now)
{
    struct store_terms copy = *terms;
    copy.mode = STORE_SET;
    struct modification modification = {
        .create = WRITE_EXISTING, .compose = compose_stale, .context = &copy};
    return modify_record(thread, at, &modification, now, NULL);
}

/* --- a record without its value -------------------------------------------------- */

struct emptying {
    const struct store_terms *terms;
    bool stale;
};

static enum store_status compose_empty(struct write_txn *txn, void *context, struct draft *draft)
{
    const struct emptying *emptying = context;
    const struct store_terms *terms = emptying->terms;
    bool lower = false;
    if (!txn->lives) {
        return STORE_NOT_FOUND;
    }
    enum store_status status = modify_allowed(txn, terms, &lower);
    if (status != STORE_OK) {
        return status;
    }
    uint64_t kept = emptying->stale ? 0 : found_version(txn->thread->store, &txn->old);
    draft->record = (struct record){.key = txn->at->key,
                                    .value = "",
                                    .client_flags = terms->client_flags,
                                    .version = terms->version != 0 ? terms->version : kept,
                                    .read_at = record_time(txn->now),
                                    .noted = true,
                                    .notes = emptying->stale ? NOTE_STALE : 0};
    return modify_expiry(txn, terms->ttl, &draft->expires);
}

enum store_status store_empty(struct store_thread *thread, struct store_key *at,
                              const struct store_terms *terms, bool stale, uint64_t now)
{
    struct emptying emptying = {.terms = terms, .stale = stale};
    struct modification modification = {
        .create = WRITE_EXISTING, .compose = compose_empty, .context = &emptying};
    enum store_status status = modify_record(thread, at, &modification, now, NULL);
    if (status == STORE_OK) {
        struct store_counters *counters = store_thread_counters(thread, at->ns->id);
        store_thread_count(&counters->made, 1);
        store_thread_count(&counters->deletes, stale ? 0 : 1);
    }
    return status;
}
