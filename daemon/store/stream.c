/*
 * stream.c - large records, written in parts as they arrive.
 *
 * Blocks are taken from the arena as the bytes come (span.h), none larger than what has come
 * already, so that a value that is announced and not sent takes no more than twice what was sent
 * of it. Until the commit they belong to the writer alone, and cannot be evicted. So a write takes
 * blocks only once it was granted as much as its value is long, which bounds what all of them
 * take (share.h); one whose bytes are all there ends at once, and needs no grant.
 */
#include "daemon/store/stream.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/fit.h"
#include "daemon/store/rewrite.h"
#include "daemon/store/span.h"
#include "daemon/store/tally.h"

enum {
    QUOTA_BLOCKS = 32, /* no block is a larger part of the quota: what was there before has to
                          go piece by piece, too */
};

struct store_write {
    struct namespace *ns; /* held */
    struct store_terms terms;
    struct grant grant; /* of a write that is not promised: to take memory for it */
    uint64_t begun;     /* ms */
    struct span span;   /* its key is `key` */
    char key[STORE_KEY_MAX];
};

/* --- beginning --------------------------------------------------------------- */

static enum store_status may_begin(struct change *change, const struct store_terms *terms,
                                   uint64_t length, bool at_once)
{
    struct store *store = change->lane->store;
    uint64_t expires = 0;
    bool stale = false;
    enum store_status status = fit_value(store, change->at->ns, length, at_once);
    if (status == STORE_NO_MEMORY) {
        share_note_want(store, change->at->ns, change->now);
    }
    if (status != STORE_OK) {
        return status;
    }
    change_look(change);
    status = rewrite_allowed(change, terms, &stale);
    if (status == STORE_OK) {
        status = rewrite_expiry(change, terms->ttl, &expires);
    }
    change_unlook(change);
    return status;
}

static struct store_write *create(struct store *store, const struct store_key *at,
                                  const struct store_terms *terms, uint64_t length)
{
    struct store_write *write = malloc(sizeof *write);
    if (write == NULL) {
        return NULL;
    }
    memcpy(write->key, at->key.bytes, at->key.length);
    write->ns = NULL;
    write->terms = *terms;
    write->grant = (struct grant){0, false};
    write->span = (struct span){.store = store,
                                .record = {.key = {write->key, at->key.length},
                                           .value_length = (uint32_t)length,
                                           .client_flags = terms->client_flags,
                                           .noted = true,
                                           .notes = terms->tells_version ? NOTE_TOLD : 0,
                                           .span = true}};
    return write;
}

static enum store_status begin(struct lane *lane, struct store_key *at,
                               const struct store_terms *terms, uint64_t length, bool at_once,
                               uint64_t now, struct store_write **result)
{
    struct change change;
    if (length > __atomic_load_n(&lane->store->max_value, __ATOMIC_RELAXED)) {
        return STORE_TOO_LARGE;
    }
    struct store_write *write = create(lane->store, at, terms, length);
    if (write == NULL) {
        return STORE_NO_MEMORY;
    }
    enum store_status status = change_begin(&change, lane, at, CHANGE_OR_CREATE, now);
    if (status == STORE_OK) {
        status = may_begin(&change, terms, length, at_once);
        if (status == STORE_OK) {
            __atomic_fetch_add(&at->ns->holds, 1, __ATOMIC_RELAXED);
            change_end(&change);
        } else {
            change_fail(&change);
        }
    }
    if (status != STORE_OK) {
        free(write);
        return status;
    }
    write->ns = at->ns;
    write->begun = now;
    *result = write;
    return STORE_OK;
}

/* Whether it may take memory. */
static bool is_granted(struct store_write *write, uint64_t now)
{
    uint64_t bytes = write->span.record.value_length + STORE_KEY_MAX + RECORD_HEADER_MAX;
    return write->span.promised || write->grant.bytes != 0 ||
           share_grant(write->span.store, write->ns, bytes, write->begun, now, &write->grant);
}

enum store_status stream_begin(struct lane *lane, struct store_key *at,
                               const struct store_terms *terms, uint64_t length, uint64_t now,
                               struct store_write **write)
{
    enum store_status status = begin(lane, at, terms, length, true, now, write);
    if (status == STORE_OK) {
        (*write)->span.promised = true;
    }
    return status;
}

bool store_write_presses(const struct store_write *write, const struct store_pressure *pressure)
{
    return write->grant.bytes != 0 && share_upload_presses(write->span.store, write->ns, pressure);
}

/* --- taking space ------------------------------------------------------------- */

static uint8_t next_order(const struct store_write *write)
{
    uint64_t most = namespace_quota(write->ns) / QUOTA_BLOCKS;
    uint8_t order = span_next_order(&write->span);
    while (most != 0 && order > 1 && arena_block_size(order) > most) { /* 1: header and key fit */
        order--;
    }
    return order;
}

/* One more block. ROOM_FOUND, or what was lacking. */
static enum room take_piece(struct store_write *write, uint8_t order, uint64_t now)
{
    struct generation *generation = namespace_generation(write->ns);
    uint64_t bytes = arena_block_size(order);
    if (!append_quota_allows(generation, bytes)) {
        return ROOM_QUOTA;
    }
    if (!span_add(&write->span, generation, order, APPEND_RESERVE, now)) {
        return ROOM_ARENA;
    }
    __atomic_fetch_add(&write->ns->share.writing, bytes, __ATOMIC_RELAXED);
    return ROOM_FOUND;
}

static enum store_status need_piece(struct lane *lane, struct store_write *write, uint64_t now)
{
    uint8_t order = next_order(write);
    for (int i = 0; i < UPKEEP_ATTEMPTS; i++) {
        enum room room = take_piece(write, order, now);
        if (room == ROOM_FOUND) {
            return STORE_OK;
        }
        if (!upkeep_make_room(lane, upkeep_lack(room), write->ns, now)) {
            break;
        }
    }
    return STORE_NO_MEMORY;
}

enum store_status stream_space(struct lane *lane, struct store_write *write, uint64_t now,
                               struct iovec *space)
{
    char *bytes = NULL;
    uint64_t left = write->span.record.value_length - write->span.given;
    if (!is_granted(write, now)) {
        return STORE_CROWDED;
    }
    uint32_t room = span_room(&write->span, &bytes);
    if (room == 0) {
        enum store_status status = need_piece(lane, write, now);
        if (status != STORE_OK) {
            return status;
        }
        room = span_room(&write->span, &bytes);
    }
    space->iov_base = bytes;
    space->iov_len = room < left ? room : left;
    return STORE_OK;
}

void store_write_set_ttl(struct store_write *write, struct store_ttl ttl)
{
    write->terms.ttl = ttl;
}

void store_write_advance(struct store_write *write, size_t bytes)
{
    span_advance(&write->span, bytes);
    age_count(write->span.store, namespace_generation(write->ns), bytes);
}

/* --- the end ------------------------------------------------------------------ */

/* Its blocks are the generation's now, or free. */
static void uncount(struct store_write *write)
{
    __atomic_fetch_sub(&write->ns->share.writing, write->span.memory, __ATOMIC_RELAXED);
    write->span.memory = 0;
}

static void end_write(struct store_write **write)
{
    struct store *store = (*write)->span.store;
    struct namespace *ns = (*write)->ns;
    uncount(*write);
    share_revoke(store, ns, &(*write)->grant);
    /* The last touch of the namespace is under its lock: it may go after that. */
    lock_take(&ns->lock);
    __atomic_fetch_sub(&ns->holds, 1, __ATOMIC_RELAXED);
    work_add_namespace(&store->work, ns);
    lock_give(&ns->lock);
    free(*write);
    *write = NULL;
}

void store_write_abort(struct lane *lane, struct store_write **write)
{
    (void)lane;
    span_drop(&(*write)->span);
    end_write(write);
}

/* What is only known now: its version, its notes and when it was written. */
static uint64_t complete(struct change *change, struct store_write *write, bool stale)
{
    struct segments *segments = &change->lane->store->segments;
    struct segment *head = segment_at(segments, write->span.head);
    char *bytes = segment_bytes(segments, head) + segments->lead;
    uint64_t version = write->terms.version;
    if (version == 0) {
        version = rewrite_later_version(change, span_version(change->lane->store, head));
    }
    if (version != 0) {
        span_set_version(change->lane->store, head, version);
    }
    if (stale) {
        unsigned won = change->old.record.notes & NOTE_WON;
        record_set_notes(bytes, (uint8_t)(write->span.record.notes | NOTE_STALE | won));
    }
    record_set_read_at(bytes, record_time(change->now));
    return span_version(change->lane->store, head);
}

/* It is as young as what is written now, however long its bytes were on their way. */
static void publish(struct change *change, struct store_write *write, struct slot *slot,
                    uint64_t expires, bool stale)
{
    struct store *store = change->lane->store;
    struct generation *generation = change->at->generation;
    struct segment *head = segment_at(&store->segments, write->span.head);
    uint32_t serial = __atomic_load_n(&store->segments.serial, __ATOMIC_RELAXED);
    __atomic_store_n(&head->generation, generation, __ATOMIC_RELAXED);
    __atomic_store_n(&head->serial, serial, __ATOMIC_RELAXED);
    age_begin(store, head, generation, true);
    age_seal(store, head);
    uncount(write);
    span_publish(change, &write->span, slot, expires, stale);
    if (!append_quota_allows(generation, 0)) { /* several at once may overrun it */
        work_add_namespace(&store->work, generation->ns);
    }
}

/* True when the write has ended, with *status. */
static bool try_commit(struct lane *lane, struct store_write *write, struct store_key *at,
                       uint64_t now, enum store_status *status, uint64_t *version)
{
    struct change change;
    struct slot slot;
    uint64_t expires = 0;
    bool stale = false;
    *status = change_begin(&change, lane, at, CHANGE_OR_CREATE, now);
    if (*status != STORE_OK) {
        return true;
    }
    change_look(&change);
    *status = rewrite_allowed(&change, &write->terms, &stale);
    if (*status == STORE_OK) {
        struct store_ttl keep = {STORE_TTL_KEEP, 0};
        *status = rewrite_expiry(&change, stale ? keep : write->terms.ttl, &expires);
    }
    if (*status != STORE_OK) {
        change_fail(&change);
        return true;
    }
    if (!change_slot(&change, &slot)) {
        *status = STORE_NO_MEMORY;
        return !change_make_room(&change, LACK_BUDGET);
    }
    uint64_t got = complete(&change, write, stale);
    if (write->terms.length != NULL) {
        *write->terms.length = write->span.record.value_length;
    }
    publish(&change, write, &slot, expires, stale);
    change_end(&change);
    index_grow(&lane->store->index);
    if (version != NULL) {
        *version = got;
    }
    return true;
}

/* The value as it lies in the write's segments; good until the write ends. */
static struct store_view written_value(const struct store_write *write)
{
    const struct span *span = &write->span;
    return (struct store_view){.length = span->given,
                               .pinned = true,
                               .store = span->store,
                               .segment = span->head,
                               .offset = span->store->segments.lead + span_header_and_key(span)};
}

static bool is_joined(const struct store_write *write)
{
    return write->terms.mode == STORE_APPEND || write->terms.mode == STORE_PREPEND;
}

enum store_status stream_commit(struct lane *lane, struct store_write **write, uint64_t now,
                                uint64_t *version)
{
    struct store_write *w = *write;
    struct store_key at = {
        .name = {w->ns->name, w->ns->name_length}, .key = w->span.record.key, .ns = w->ns};
    enum store_status status =
        namespace_is_allowed(&lane->store->namespaces, w->ns) ? STORE_OK : STORE_UNDECLARED;
    if (status == STORE_OK && w->span.head == 0) { /* an empty value has not asked for space yet */
        status = need_piece(lane, w, now);
        if (status == STORE_OK) {
            span_finish_empty(&w->span);
        }
    }
    if (status == STORE_OK && is_joined(w)) {
        struct store_view value = written_value(w);
        return stream_join_written(lane, &at, &w->terms, write, &value, now, version);
    }
    bool ended = status != STORE_OK;
    if (!ended) {
        span_enter_pieces(&w->span);
    }
    for (int i = 0; i < UPKEEP_ATTEMPTS && !ended; i++) {
        ended = try_commit(lane, w, &at, now, &status, version);
    }
    if (status != STORE_OK) {
        store_write_abort(lane, write);
    } else {
        end_write(write);
    }
    return status;
}

/* --- the same, counted ---------------------------------------------------------- */

enum store_status store_write_begin(struct lane *lane, struct store_key *at,
                                    const struct store_terms *terms, uint64_t length, uint64_t now,
                                    struct store_write **write)
{
    enum store_status status = begin(lane, at, terms, length, false, now, write);
    if (status == STORE_OK) {
        is_granted(*write, now);
    } else {
        tally_write(lane, tally_id(at), terms, status);
    }
    return status;
}

enum store_status store_write_space(struct lane *lane, struct store_write *write, uint64_t now,
                                    struct iovec *space)
{
    enum store_status status = stream_space(lane, write, now, space);
    if (status != STORE_OK) {
        tally_write(lane, write->ns->id, &write->terms, status);
    }
    return status;
}

enum store_status store_write_commit(struct lane *lane, struct store_write **write, uint64_t now,
                                     uint64_t *version)
{
    struct store_terms terms = (*write)->terms;
    uint32_t id = (*write)->ns->id;
    enum store_status status = stream_commit(lane, write, now, version);
    tally_write(lane, id, &terms, status);
    return status;
}
