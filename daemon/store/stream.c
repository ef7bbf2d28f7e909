/*
 * stream.c - large records, written in parts as they arrive.
 *
 * Such a record has a segment of its own, and pieces: blocks of halving sizes, so
 * that less than a kilobyte of the last one is unused. They are taken from the
 * arena as the bytes come, none larger than what has come already, so that a value that
 * is announced and not sent takes no more than twice what was sent of it.
 * Until the commit the segments belong to the writer alone, and cannot be evicted. So a
 * write takes blocks only once it was granted as much as its value is long, which bounds
 * what all of them take (share.h); one whose bytes are all there ends at once, and needs no
 * grant.
 *
 * In a file the pieces get their labels before the commit and the head's label is the
 * commit: without a head that knows them, pieces are nobody's. What of the value lies in a
 * segment is summed as it is filled, and the sum waits in the label, which nobody reads
 * before it has an owner.
 */
#include "daemon/store/stream.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/rewrite.h"
#include "daemon/store/tally.h"

struct store_write {
    struct store *store;
    struct namespace *ns; /* held */
    struct store_terms terms;
    struct record record; /* key: points to `key` */
    uint64_t given;       /* bytes of the value that are there */
    bool promised;        /* all bytes of the value are there, to be given at once */
    struct grant grant;   /* of a write that is not promised: to take memory for it */
    uint64_t begun;       /* ms */
    uint64_t memory;      /* bytes of its blocks */
    uint32_t head;        /* its segment, or 0: nothing was taken yet */
    uint32_t last;        /* the piece that is being filled */
    uint64_t born;        /* the head's version as it was made: what its pieces know it by */
    char key[STORE_KEY_MAX];
};

/* --- beginning --------------------------------------------------------------- */

/* Not above what the quota, or half of all memory, could ever hold. */
static bool could_fit(const struct store *store, const struct namespace *ns, uint64_t length)
{
    uint64_t quota = namespace_quota(ns);
    uint64_t most = quota != 0 ? quota : store_memory(store) / 2;
    return length + STORE_KEY_MAX + RECORD_HEADER_MAX + ARENA_UNIT <= most;
}

static enum store_status may_begin(struct change *change, const struct store_terms *terms,
                                   uint64_t length)
{
    uint64_t expires = 0;
    bool stale = false;
    if (!could_fit(change->lane->store, change->at->ns, length)) {
        return STORE_TOO_LARGE;
    }
    change_look(change);
    enum store_status status = rewrite_allowed(change, terms, &stale);
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
    write->store = store;
    write->ns = NULL;
    write->terms = *terms;
    write->record = (struct record){.key = {write->key, at->key.length},
                                    .value_length = (uint32_t)length,
                                    .client_flags = terms->client_flags,
                                    .noted = true,
                                    .notes = terms->tells_version ? NOTE_TOLD : 0,
                                    .span = true};
    write->given = write->memory = 0;
    write->promised = false;
    write->grant = (struct grant){0, false};
    write->head = write->last = 0;
    write->born = 0;
    return write;
}

static enum store_status begin(struct lane *lane, struct store_key *at,
                               const struct store_terms *terms, uint64_t length, uint64_t now,
                               struct store_write **result)
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
        status = may_begin(&change, terms, length);
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
    uint64_t bytes = write->record.value_length + STORE_KEY_MAX + RECORD_HEADER_MAX;
    return write->promised || write->grant.bytes != 0 ||
           share_grant(write->store, write->ns, bytes, write->begun, now, &write->grant);
}

enum store_status stream_begin(struct lane *lane, struct store_key *at,
                               const struct store_terms *terms, uint64_t length, uint64_t now,
                               struct store_write **write)
{
    enum store_status status = begin(lane, at, terms, length, now, write);
    if (status == STORE_OK) {
        (*write)->promised = true;
    }
    return status;
}

bool store_write_presses(const struct store_write *write, const struct store_pressure *pressure)
{
    return write->grant.bytes != 0 && share_upload_presses(write->store, write->ns, pressure);
}

/* --- taking space ------------------------------------------------------------- */

/* The largest block that the bytes would fill, a frame at most; the first must
 * hold header and key. */
static uint8_t block_for(const struct store *store, uint64_t bytes, uint64_t least)
{
    uint8_t order = store->arena.frame_order;
    while (order > 0 && arena_block_size(order) >= bytes + ARENA_UNIT) {
        order--;
    }
    uint8_t fit = arena_order_for(least);
    return order > fit ? order : fit;
}

static uint32_t header_and_key(const struct store_write *write)
{
    return record_header_size(&write->record) + (uint32_t)write->record.key.length;
}

/* Where in the last piece the next byte goes, and how many it holds from there. */
static uint32_t room_left(const struct store_write *write, uint32_t *offset)
{
    if (write->last == 0) {
        return 0;
    }
    const struct segment *last = segment_at(&write->store->segments, write->last);
    *offset = last->used;
    return segment_capacity(last) - last->used;
}

static void link_piece(struct store_write *write, uint32_t number)
{
    struct segments *segments = &write->store->segments;
    struct segment *piece = segment_at(segments, number);
    if (write->head == 0) {
        write->head = number;
        write->born = piece->version;
        record_write(segment_bytes(segments, piece) + segments->lead, &write->record);
        __atomic_store_n(&piece->used, segments->lead + header_and_key(write), __ATOMIC_RELAXED);
    } else {
        segment_at(segments, write->last)->piece = number;
        __atomic_store_n(&piece->previous, write->head, __ATOMIC_RELAXED);
    }
    write->last = number;
    write->memory += segment_capacity(piece);
    __atomic_fetch_add(&write->ns->share.writing, segment_capacity(piece), __ATOMIC_RELAXED);
}

/* How large the next block is to be. */
static uint8_t next_order(const struct store_write *write)
{
    const struct store *store = write->store;
    uint64_t least = write->head == 0 ? store->segments.lead + header_and_key(write) + 1u : 1;
    uint64_t left = write->record.value_length - write->given + (least - 1);
    uint64_t earned = write->promised ? left : write->given;
    if (earned < ARENA_UNIT) {
        earned = ARENA_UNIT;
    }
    return block_for(store, left < earned ? left : earned, least);
}

/* One more block. ROOM_FOUND, or what was lacking. */
static enum room take_piece(struct store_write *write, uint8_t order, uint64_t now)
{
    struct store *store = write->store;
    struct generation *generation = namespace_generation(write->ns);
    if (!append_quota_allows(generation, arena_block_size(order))) {
        return ROOM_QUOTA;
    }
    uint32_t number = segment_create(&store->segments, generation,
                                     write->head == 0 ? SEGMENT_WRITING : SEGMENT_PIECE, order,
                                     APPEND_RESERVE, now);
    if (number == 0) {
        return ROOM_ARENA;
    }
    link_piece(write, number);
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
    uint32_t offset = 0;
    uint64_t left = write->record.value_length - write->given;
    if (!is_granted(write, now)) {
        return STORE_CROWDED;
    }
    uint32_t room = room_left(write, &offset);
    if (room == 0) {
        enum store_status status = need_piece(lane, write, now);
        if (status != STORE_OK) {
            return status;
        }
        room = room_left(write, &offset);
    }
    const struct segments *segments = &write->store->segments;
    space->iov_base = segment_bytes(segments, segment_at(segments, write->last)) + offset;
    space->iov_len = room < left ? room : left;
    return STORE_OK;
}

/* The bytes of the value in the last piece are all there, and still in the cache. */
static void sum_piece(struct store_write *write)
{
    struct segments *segments = &write->store->segments;
    struct segment *last = segment_at(segments, write->last);
    uint32_t from = write->last == write->head ? segments->lead + header_and_key(write) : 0;
    segments->file->labels[write->last].sum = label_sum_of(
        segments->file, last->version, segment_bytes(segments, last) + from, last->used - from);
}

void store_write_set_ttl(struct store_write *write, struct store_ttl ttl)
{
    write->terms.ttl = ttl;
}

void store_write_advance(struct store_write *write, size_t bytes)
{
    struct segment *last = segment_at(&write->store->segments, write->last);
    uint32_t used = last->used + (uint32_t)bytes;
    __atomic_store_n(&last->used, used, __ATOMIC_RELAXED);
    write->given += bytes;
    bool filled = used == segment_capacity(last) || write->given == write->record.value_length;
    if (write->store->segments.file != NULL && filled) {
        sum_piece(write);
    }
}

/* --- the end ------------------------------------------------------------------ */

/* Its blocks are the generation's now, or free. */
static void uncount(struct store_write *write)
{
    __atomic_fetch_sub(&write->ns->share.writing, write->memory, __ATOMIC_RELAXED);
    write->memory = 0;
}

static void end_write(struct store_write **write)
{
    struct store *store = (*write)->store;
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
    struct segments *segments = &lane->store->segments;
    if ((*write)->head != 0) {
        segment_put(segments, segment_at(segments, (*write)->head));
    }
    end_write(write);
}

static void set_expiry(struct store *store, struct segment *segment, uint64_t expires)
{
    __atomic_store_n(&segment->latest, expires, __ATOMIC_RELAXED);
    segment->earliest = expires;
    expire_reschedule(&store->expire, segment, expires);
}

void stream_set_life(struct store *store, struct segment *segment, uint64_t expires, bool stale)
{
    if (store->segments.file != NULL) {
        label_life(store->segments.file, segment_number(&store->segments, segment), expires, stale);
    }
    set_expiry(store, segment, expires);
}

/* --- in the file ---------------------------------------------------------------- */

/* In any order: without the head's label they are nobody's. */
static void enter_pieces(struct segments *segments, const struct store_write *write)
{
    uint32_t number = segment_at(segments, write->head)->piece;
    for (; number != 0; number = segment_at(segments, number)->piece) {
        struct segment *piece = segment_at(segments, number);
        struct label_facts facts = {.kind = LABEL_PIECE,
                                    .owner = write->head,
                                    .version = piece->version,
                                    .bound = write->born,
                                    .sum = segments->file->labels[number].sum};
        segment_describe(segments, piece, &facts);
        label_own(segments->file, number, facts.owner);
    }
}

/* Now the record exists there. */
static void enter_head(struct segments *segments, const struct store_write *write,
                       struct segment *head, uint64_t expires, bool stale)
{
    struct label_facts facts = {.kind = LABEL_SPAN,
                                .owner = head->generation->number,
                                .version = write->born,
                                .bound = head->version + segments->lead,
                                .sum = segments->file->labels[write->head].sum,
                                .expires = expires,
                                .stale = stale};
    segment_describe(segments, head, &facts);
    segment_guard(segments, head, segments->lead, header_and_key(write));
    label_own(segments->file, write->head, facts.owner);
}

/* The segments become the namespace's; the slot is turned to them. */
static void publish(struct change *change, struct store_write *write, struct slot *slot,
                    uint64_t expires, bool stale)
{
    struct store *store = change->lane->store;
    struct segment *head = segment_at(&store->segments, write->head);
    struct generation *generation = change->at->generation;
    uint32_t size = record_footprint(store, &write->record);
    __atomic_store_n(&head->generation, generation, __ATOMIC_RELAXED);
    if (store->segments.file != NULL) {
        enter_head(&store->segments, write, head, expires, stale);
    }
    __atomic_store_n(&head->live, size, __ATOMIC_RELAXED);
    uncount(write);
    generation_link(generation, &store->segments, head);
    __atomic_fetch_add(&generation->items, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&generation->bytes, size, __ATOMIC_RELAXED);
    __atomic_store_n(&head->state, SEGMENT_SEALED, __ATOMIC_RELEASE);
    set_expiry(store, head, expires);
    if (!append_quota_allows(generation, 0)) { /* several at once may overrun it */
        work_add_namespace(&store->work, generation->ns);
    }
    change_commit(change, slot, place_of(&store->segments, head, store->segments.lead));
}

/* What is only known now: its version, its notes and when it was written. */
static uint64_t complete(struct change *change, struct store_write *write, bool stale)
{
    struct segments *segments = &change->lane->store->segments;
    struct segment *head = segment_at(segments, write->head);
    char *bytes = segment_bytes(segments, head) + segments->lead;
    uint64_t version = write->terms.version;
    if (version == 0) {
        version = rewrite_later_version(change, stream_version(change->lane->store, head));
    }
    if (version != 0) {
        stream_set_version(change->lane->store, head, version);
    }
    if (stale) {
        unsigned won = change->old.record.notes & NOTE_WON;
        record_set_notes(bytes, (uint8_t)(write->record.notes | NOTE_STALE | won));
    }
    record_set_read_at(bytes, record_time(change->now));
    return stream_version(change->lane->store, head);
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
        *write->terms.length = write->record.value_length;
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
    return (struct store_view){.length = write->given,
                               .pinned = true,
                               .store = write->store,
                               .segment = write->head,
                               .offset = write->store->segments.lead + header_and_key(write)};
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
        .name = {w->ns->name, w->ns->name_length}, .key = w->record.key, .ns = w->ns};
    enum store_status status =
        namespace_is_allowed(&w->store->namespaces, w->ns) ? STORE_OK : STORE_UNDECLARED;
    if (status == STORE_OK && w->head == 0) { /* an empty value has not asked for space yet */
        status = need_piece(lane, w, now);
        if (status == STORE_OK && w->store->segments.file != NULL) {
            sum_piece(w);
        }
    }
    if (status == STORE_OK && is_joined(w)) {
        struct store_view value = written_value(w);
        return stream_join_written(lane, &at, &w->terms, write, &value, now, version);
    }
    bool ended = status != STORE_OK;
    if (!ended && w->store->segments.file != NULL) {
        enter_pieces(&w->store->segments, w);
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
    enum store_status status = begin(lane, at, terms, length, now, write);
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
