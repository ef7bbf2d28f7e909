/*
 * large_write.c - large records, written in parts as they arrive.
 *
 * Blocks are taken from the arena as the bytes come (span.h), none larger than what has come
 * already, so that a value that is announced and not sent takes no more than twice what was sent
 * of it. Until the commit they belong to the writer alone, and cannot be evicted. So a write takes
 * blocks only once it was granted as much as its value is long, which bounds what all of them
 * take (share.h); a write that has all bytes from the beginning ends at once, and needs no grant.
 */
#include "daemon/store/access/large_write.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/access/modify.h"
#include "daemon/store/access/write_stats.h"
#include "daemon/store/records/fit.h"
#include "daemon/store/records/share_limits.h"
#include "daemon/store/records/span.h"

enum {
    QUOTA_BLOCKS = 32, /* no block is a larger part of the quota: what was there before has to
                          go piece by piece, too */
};

/* --- beginning --------------------------------------------------------------- */

static enum store_status may_begin(struct write_txn *txn, const struct store_terms *terms,
                                   uint64_t length, bool at_once)
{
    struct store *store = txn->thread->store;
    uint64_t expires = 0;
    bool stale = false;
    enum store_status status = fit_value(store, txn->at->ns, length, at_once);
    if (status == STORE_NO_MEMORY) {
        share_note_want(store, txn->at->ns, txn->now);
    }
    if (status != STORE_OK) {
        return status;
    }
    write_txn_find(txn);
    status = modify_allowed(txn, terms, &stale);
    if (status == STORE_OK) {
        status = modify_expiry(txn, terms->ttl, &expires);
    }
    write_txn_unlock(txn);
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

static enum store_status begin(struct store_thread *thread, struct store_key *at,
                               const struct store_terms *terms, uint64_t length, bool at_once,
                               uint64_t now, struct store_write **result)
{
    struct write_txn txn;
    if (length > __atomic_load_n(&thread->store->max_value, __ATOMIC_RELAXED)) {
        return STORE_TOO_LARGE;
    }
    struct store_write *write = create(thread->store, at, terms, length);
    if (write == NULL) {
        return STORE_NO_MEMORY;
    }
    enum store_status status = write_txn_begin(&txn, thread, at, WRITE_OR_CREATE, now);
    if (status == STORE_OK) {
        status = may_begin(&txn, terms, length, at_once);
        if (status == STORE_OK) {
            __atomic_fetch_add(&at->ns->references, 1, __ATOMIC_RELAXED);
            write_txn_end(&txn);
        } else {
            write_txn_fail(&txn);
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

enum store_status large_write_begin(struct store_thread *thread, struct store_key *at,
                                    const struct store_terms *terms, uint64_t length, uint64_t now,
                                    struct store_write **write)
{
    enum store_status status = begin(thread, at, terms, length, true, now, write);
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

static enum store_status need_piece(struct store_thread *thread, struct store_write *write,
                                    uint64_t now)
{
    uint8_t order = next_order(write);
    for (int i = 0; i < HOUSEKEEP_ATTEMPTS; i++) {
        enum room room = take_piece(write, order, now);
        if (room == ROOM_FOUND) {
            return STORE_OK;
        }
        if (!housekeep_make_room(thread, housekeep_lack(room), write->ns, now)) {
            break;
        }
    }
    return STORE_NO_MEMORY;
}

enum store_status large_write_space(struct store_thread *thread, struct store_write *write,
                                    uint64_t now, struct iovec *space)
{
    char *bytes = NULL;
    uint64_t left = write->span.record.value_length - write->span.given;
    if (!is_granted(write, now)) {
        return STORE_CROWDED;
    }
    uint32_t room = span_room(&write->span, &bytes);
    if (room == 0) {
        enum store_status status = need_piece(thread, write, now);
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
    __atomic_fetch_sub(&ns->references, 1, __ATOMIC_RELAXED);
    backlog_add_namespace(&store->backlog, ns);
    lock_give(&ns->lock);
    free(*write);
    *write = NULL;
}

void store_write_abort(struct store_thread *thread, struct store_write **write)
{
    (void)thread;
    span_drop(&(*write)->span);
    end_write(write);
}

/* What is only known now: its version, its notes and when it was written. */
static uint64_t complete(struct write_txn *txn, struct store_write *write, bool stale)
{
    struct segments *segments = &txn->thread->store->segments;
    struct segment *head = segment_at(segments, write->span.head);
    char *bytes = segment_bytes(segments, head) + segments->lead;
    uint64_t version = write->terms.version;
    if (version == 0) {
        version = modify_later_version(txn, span_version(txn->thread->store, head));
    }
    if (version != 0) {
        span_set_version(txn->thread->store, head, version);
    }
    if (stale) {
        unsigned won = txn->old.record.notes & NOTE_WON;
        record_set_notes(bytes, (uint8_t)(write->span.record.notes | NOTE_STALE | won));
    }
    record_set_read_at(bytes, record_time(txn->now));
    return span_version(txn->thread->store, head);
}

/* It is as young as what is written now, however long its bytes were on their way. */
static void publish(struct write_txn *txn, struct store_write *write, struct slot *slot,
                    uint64_t expires, bool stale)
{
    struct store *store = txn->thread->store;
    struct generation *generation = txn->at->generation;
    struct segment *head = segment_at(&store->segments, write->span.head);
    uint32_t serial = __atomic_load_n(&store->segments.serial, __ATOMIC_RELAXED);
    __atomic_store_n(&head->generation, generation, __ATOMIC_RELAXED);
    __atomic_store_n(&head->serial, serial, __ATOMIC_RELAXED);
    age_begin(store, head, generation, true);
    age_seal(store, head);
    uncount(write);
    span_publish(txn, &write->span, slot, expires, stale);
    if (!append_quota_allows(generation, 0)) { /* several at once may overrun it */
        backlog_add_namespace(&store->backlog, generation->ns);
    }
}

/* True when the write has ended, with *status. */
static bool try_commit(struct store_thread *thread, struct store_write *write, struct store_key *at,
                       uint64_t now, enum store_status *status, uint64_t *version)
{
    struct write_txn txn;
    struct slot slot;
    uint64_t expires = 0;
    bool stale = false;
    *status = write_txn_begin(&txn, thread, at, WRITE_OR_CREATE, now);
    if (*status != STORE_OK) {
        return true;
    }
    write_txn_find(&txn);
    *status = modify_allowed(&txn, &write->terms, &stale);
    if (*status == STORE_OK) {
        struct store_ttl keep = {STORE_TTL_KEEP, 0};
        *status = modify_expiry(&txn, stale ? keep : write->terms.ttl, &expires);
    }
    if (*status != STORE_OK) {
        write_txn_fail(&txn);
        return true;
    }
    if (!write_txn_slot(&txn, &slot)) {
        *status = STORE_NO_MEMORY;
        return !write_txn_make_room(&txn, LACK_BUDGET);
    }
    uint64_t got = complete(&txn, write, stale);
    if (write->terms.length != NULL) {
        *write->terms.length = write->span.record.value_length;
    }
    publish(&txn, write, &slot, expires, stale);
    write_txn_end(&txn);
    index_grow(&thread->store->index);
    if (version != NULL) {
        *version = got;
    }
    return true;
}

struct store_key large_write_key(const struct store_write *write)
{
    return (struct store_key){.name = {write->ns->name, write->ns->name_length},
                              .key = write->span.record.key,
                              .ns = write->ns};
}

enum store_status large_write_complete(struct store_thread *thread, struct store_write *write,
                                       uint64_t now)
{
    if (!namespace_is_allowed(&thread->store->namespaces, write->ns)) {
        return STORE_UNDECLARED;
    }
    enum store_status status = STORE_OK;
    if (write->span.head == 0) { /* an empty value has not asked for space yet */
        status = need_piece(thread, write, now);
        if (status == STORE_OK) {
            span_finish_empty(&write->span);
        }
    }
    return status;
}

enum store_status large_write_commit(struct store_thread *thread, struct store_write **write,
                                     uint64_t now, uint64_t *version)
{
    struct store_write *w = *write;
    struct store_key at = large_write_key(w);
    enum store_status status = large_write_complete(thread, w, now);
    bool ended = status != STORE_OK;
    if (!ended) {
        span_enter_pieces(&w->span);
    }
    for (int i = 0; i < HOUSEKEEP_ATTEMPTS && !ended; i++) {
        ended = try_commit(thread, w, &at, now, &status, version);
    }
    if (status != STORE_OK) {
        store_write_abort(thread, write);
    } else {
        end_write(write);
    }
    return status;
}

/* --- the same, counted ---------------------------------------------------------- */

enum store_status store_write_begin(struct store_thread *thread, struct store_key *at,
                                    const struct store_terms *terms, uint64_t length, uint64_t now,
                                    struct store_write **write)
{
    enum store_status status = begin(thread, at, terms, length, false, now, write);
    if (status == STORE_OK) {
        is_granted(*write, now);
    } else {
        write_stats_write(thread, write_stats_id(at), terms, status);
    }
    return status;
}

enum store_status store_write_space(struct store_thread *thread, struct store_write *write,
                                    uint64_t now, struct iovec *space)
{
    enum store_status status = large_write_space(thread, write, now, space);
    if (status != STORE_OK) {
        write_stats_write(thread, write->ns->id, &write->terms, status);
    }
    return status;
}
