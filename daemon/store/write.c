/*
 * write.c - whole values in: put, and the records that are rewritten because of
 * what they held before (touch, incr, decr).
 *
 * Each tries, and when it lacks room makes some and tries again.
 */
#include <stdio.h>

#include "daemon/store/change.h"
#include "daemon/store/stream.h"

static void written(struct change *change)
{
    struct store *store = change->lane->store;
    lane_count(&lane_counters(change->lane, change->at->ns->id)->sets, 1);
    change_end(change);
    index_grow(&store->index);
}

/* With room in `segment`: the record goes there. False when the index has none. */
static bool place_record(struct change *change, struct segment *segment, struct record *record,
                         uint64_t expires)
{
    struct slot slot;
    if (!change_slot(change, &slot)) {
        return false;
    }
    uint32_t place = append_record(change->lane->store, segment, record, expires);
    change_commit(change, &slot, place);
    return true;
}

/* --- put ---------------------------------------------------------------------- */

enum attempt { ATTEMPT_ENDED, ATTEMPT_AGAIN };

struct put {
    enum store_mode mode;
    struct store_ttl ttl;
    struct record record;
};

static enum attempt retry(struct change *change, enum lack lack, enum store_status *status)
{
    *status = STORE_NO_MEMORY;
    return change_make_room(change, lack) ? ATTEMPT_AGAIN : ATTEMPT_ENDED;
}

static enum attempt end(struct change *change, enum store_status why, enum store_status *status)
{
    *status = why;
    change_fail(change);
    return ATTEMPT_ENDED;
}

static enum attempt try_put(struct change *change, struct put *put, enum store_status *status)
{
    struct store *store = change->lane->store;
    uint64_t expires = 0;
    *status = namespace_expiry(change->at->ns, put->ttl, change->now, &expires);
    if (*status != STORE_OK) {
        return end(change, *status, status);
    }
    if (put->mode == STORE_ADD) {
        change_look(change);
        if (change->lives) {
            return end(change, STORE_EXISTS, status);
        }
        change_unlook(change);
    }
    struct segment *segment = NULL;
    uint32_t size = append_size(store, &put->record, expires);
    enum room room = append_room(store, change->at->generation, expires, size, APPENDER_WRITER,
                                 change->now, &segment);
    if (room != ROOM_FOUND) {
        return retry(change, upkeep_lack(room), status);
    }
    change_look(change);
    if (!place_record(change, segment, &put->record, expires)) {
        return retry(change, LACK_BUDGET, status);
    }
    written(change);
    return ATTEMPT_ENDED;
}

enum store_status store_put(struct lane *lane, struct store_key *at, enum store_mode mode,
                            struct store_ttl ttl, uint32_t client_flags, struct slice value,
                            uint64_t now)
{
    struct store *store = lane->store;
    if (value.length > __atomic_load_n(&store->max_value, __ATOMIC_RELAXED)) {
        return STORE_TOO_LARGE;
    }
    if (value.length + at->key.length + RECORD_HEADER_MAX >= store->span_size) {
        return stream_put(lane, at, mode, ttl, client_flags, value, now);
    }
    struct put put = {.mode = mode,
                      .ttl = ttl,
                      .record = {.key = at->key,
                                 .value = value.bytes,
                                 .value_length = (uint32_t)value.length,
                                 .client_flags = client_flags}};
    enum store_status status = STORE_NO_MEMORY;
    for (int i = 0; i < UPKEEP_ATTEMPTS; i++) {
        struct change change;
        status = change_begin(&change, lane, at, CHANGE_OR_CREATE, now);
        if (status != STORE_OK || try_put(&change, &put, &status) == ATTEMPT_ENDED) {
            break;
        }
    }
    return status;
}

/* --- rewriting ------------------------------------------------------------------ */

/*
 * Says what becomes of a live record: fills *fresh and *expires from change->old.
 * With fresh->span set the record was changed where it lies, and nothing is to be
 * appended.
 */
typedef enum store_status compose(struct change *change, void *context, struct record *fresh,
                                  uint64_t *expires);

struct rewrite {
    compose *compose;
    void *context;
};

static enum attempt try_rewrite(struct change *change, const struct rewrite *rewrite,
                                enum store_status *status)
{
    struct record fresh;
    struct segment *segment = NULL;
    uint64_t expires = 0;
    change_look(change);
    if (!change->lives) {
        return end(change, STORE_NOT_FOUND, status);
    }
    *status = rewrite->compose(change, rewrite->context, &fresh, &expires);
    if (*status != STORE_OK || fresh.span) {
        return end(change, *status, status);
    }
    change_unlook(change);
    struct store *store = change->lane->store;
    uint32_t size = append_size(store, &fresh, expires);
    enum room room = append_room(store, change->at->generation, expires, size, APPENDER_WRITER,
                                 change->now, &segment);
    if (room != ROOM_FOUND) {
        return retry(change, upkeep_lack(room), status);
    }
    change_look(change);
    if (!change->lives) {
        return end(change, STORE_NOT_FOUND, status);
    }
    /* It has a slot already: this cannot fail. */
    (void)place_record(change, segment, &fresh, expires);
    change_end(change);
    return ATTEMPT_ENDED;
}

static enum store_status rewrite_record(struct lane *lane, struct store_key *at, uint64_t now,
                                        const struct rewrite *rewrite)
{
    enum store_status status = STORE_NO_MEMORY;
    for (int i = 0; i < UPKEEP_ATTEMPTS; i++) {
        struct change change;
        status = change_begin(&change, lane, at, CHANGE_EXISTING, now);
        if (status != STORE_OK || try_rewrite(&change, rewrite, &status) == ATTEMPT_ENDED) {
            break;
        }
    }
    return status;
}

static enum store_status compose_touched(struct change *change, void *context, struct record *fresh,
                                         uint64_t *expires)
{
    const struct store_ttl *ttl = context;
    const struct found *old = &change->old;
    enum store_status status = namespace_expiry(change->at->ns, *ttl, change->now, expires);
    *fresh = old->record;
    if (status == STORE_OK && old->record.span) {
        stream_set_expiry(change->lane->store, old->segment, *expires);
    }
    return status;
}

enum store_status store_touch(struct lane *lane, struct store_key *at, struct store_ttl ttl,
                              uint64_t now)
{
    struct rewrite rewrite = {compose_touched, &ttl};
    enum store_status status = rewrite_record(lane, at, now, &rewrite);
    if (status == STORE_OK) {
        lane_count(&lane_counters(lane, at->ns->id)->touches, 1);
    }
    return status;
}

enum { DIGITS_MAX = 20 /* of 2^64 - 1 */ };

struct addition {
    uint64_t by;
    bool subtract;
    uint64_t result;
    char digits[DIGITS_MAX + 1];
};

static bool parse_number(const char *digits, uint32_t length, uint64_t *number)
{
    *number = 0;
    if (length == 0 || length > DIGITS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(unsigned char)digits[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, digit, number)) {
            return false;
        }
    }
    return true;
}

static enum store_status compose_sum(struct change *change, void *context, struct record *fresh,
                                     uint64_t *expires)
{
    struct addition *addition = context;
    const struct record *old = &change->old.record;
    uint64_t number = 0;
    if (old->span || !parse_number(old->value, old->value_length, &number)) {
        return STORE_NOT_A_NUMBER;
    }
    if (addition->subtract) {
        addition->result = number > addition->by ? number - addition->by : 0;
    } else if (__builtin_add_overflow(number, addition->by, &addition->result)) {
        return STORE_OVERFLOW;
    }
    *fresh = *old;
    *expires = change->old.expires;
    fresh->value = addition->digits;
    fresh->value_length = (uint32_t)snprintf(addition->digits, sizeof addition->digits, "%llu",
                                             (unsigned long long)addition->result);
    return STORE_OK;
}

enum store_status store_add_number(struct lane *lane, struct store_key *at, uint64_t by,
                                   bool subtract, uint64_t now, uint64_t *result)
{
    struct addition addition = {.by = by, .subtract = subtract};
    struct rewrite rewrite = {compose_sum, &addition};
    enum store_status status = rewrite_record(lane, at, now, &rewrite);
    if (status == STORE_OK) {
        *result = addition.result;
        lane_count(&lane_counters(lane, at->ns->id)->sets, 1);
    }
    return status;
}
