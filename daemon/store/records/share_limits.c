/*
 * share_limits.c - counting and bounding what is pinned and what is being uploaded; see share.h.
 *
 * A segment is counted once, by the first reader that pins it, with a number of bytes that
 * stays in the segment's own word until the last reader is gone; so what is taken off is what
 * was added, whatever became of the segment or of the quota meanwhile. The last reader goes
 * under the namespace's lock, since the namespace may be freed as soon as nothing is pinned.
 */
#include "daemon/store/records/share_limits.h"

enum {
    PRESSED_MS = 1000, /* a share is pressed for so long after something had to wait */
    LATEST_MS = 1000,  /* an upload that began so much later than the first one waits behind it */
    FIRST_MS = 500,    /* one that has not asked for so long is not the first any more */
    FREE_SHARE = 16,   /* memory is short where less than a sixteenth of it is free */
};

#define EVERYTHING (UINT64_MAX / 2) /* bytes: whatever is held is in the way */

/* Eighths. */
enum { EIGHTHS = 8, PINS_ALL = 4, PINS_OF_POOL = 3, UPLOADS_ALL = 3, UPLOADS_OF_POOL = 2 };

static void add(uint64_t *counter, uint64_t bytes)
{
    __atomic_fetch_add(counter, bytes, __ATOMIC_RELAXED);
}

static void take_off(uint64_t *counter, uint64_t bytes)
{
    __atomic_fetch_sub(counter, bytes, __ATOMIC_RELAXED);
}

static uint64_t value_of(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void set(uint64_t *field, uint64_t value)
{
    __atomic_store_n(field, value, __ATOMIC_RELAXED);
}

/* --- bounds ------------------------------------------------------------------------ */

void share_set_quotas(struct store *store, const struct store_policy *policy)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < policy->declared_count; i++) {
        sum += policy->declared[i].memory;
    }
    set(&store->quotas, sum);
}

/* What no quota claims. */
static uint64_t pool_size(const struct store *store)
{
    uint64_t all = budget_open(&store->budget);
    uint64_t quotas = value_of(&store->quotas);
    return quotas < all ? all - quotas : 0;
}

static bool fits(const uint64_t *counter, uint64_t bytes, uint64_t most)
{
    uint64_t used = value_of(counter);
    return used == 0 || used + bytes <= most;
}

static bool is_recent(const uint64_t *moment, uint64_t now, uint64_t within)
{
    uint64_t then = value_of(moment);
    return then != 0 && (now <= then || now - then < within);
}

static void want(struct store *store, struct want *want, uint64_t bytes, uint64_t now)
{
    set(&store->wanted, now);
    set(&want->bytes, bytes);
    set(&want->asked, now);
}

/* Something has to wait, and what has come free since is not enough for it. */
static bool is_wanted(const struct want *want, const uint64_t *counter, uint64_t most, uint64_t now)
{
    return is_recent(&want->asked, now, PRESSED_MS) && !fits(counter, value_of(&want->bytes), most);
}

/* --- pinned segments ----------------------------------------------------------------- */

bool share_admits_pin(struct store *store, struct namespace *ns, const struct segment *segment,
                      uint64_t bytes, uint64_t now)
{
    uint64_t quota = namespace_quota(ns);
    uint64_t size = quota != 0 ? quota : pool_size(store);
    uint64_t most = size / EIGHTHS * (quota != 0 ? PINS_ALL : PINS_OF_POOL);
    if (segment_is_pinned(segment)) {
        return true;
    }
    if (!fits(&ns->share.pinned, bytes, most)) {
        want(store, &ns->share.pins, bytes, now);
        return false;
    }
    if (quota == 0 && !fits(&store->pool.pinned, bytes, size / EIGHTHS * PINS_ALL)) {
        want(store, &store->pool.pins, bytes, now);
        return false;
    }
    return true;
}

static void count_pinned(struct store *store, struct namespace *ns, uint64_t word)
{
    uint64_t bytes = segment_counted(word);
    add(&ns->share.pinned, bytes);
    if ((word & SEGMENT_POOL) != 0) {
        add(&store->pool.pinned, bytes);
    }
}

static void discount_pinned(struct store *store, struct namespace *ns, uint64_t word)
{
    uint64_t bytes = segment_counted(word);
    take_off(&ns->share.pinned, bytes);
    if ((word & SEGMENT_POOL) != 0) {
        take_off(&store->pool.pinned, bytes);
    }
}

void share_pin(struct store *store, struct segment *segment, uint64_t bytes)
{
    struct namespace *ns = segment->generation->ns;
    uint64_t first = SEGMENT_PIN | (bytes + ARENA_UNIT - 1) >> ARENA_UNIT_SHIFT << SEGMENT_COUNTED;
    if (namespace_quota(ns) == 0) {
        first |= SEGMENT_POOL;
    }
    uint64_t word = value_of(&segment->references);
    bool counted = false;
    for (;;) {
        bool is_first = !segment_has_pins(word);
        if (is_first && !counted) { /* before others can take it off again */
            count_pinned(store, ns, first);
            counted = true;
        }
        uint64_t next = word + (is_first ? first : SEGMENT_PIN);
        if (__atomic_compare_exchange_n(&segment->references, &word, next, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED)) {
            if (counted && !is_first) {
                discount_pinned(store, ns, first);
            }
            return;
        }
    }
}

/* Of a segment with other readers. False: there is none. */
static bool leave_to_others(struct segment *segment)
{
    uint64_t word = value_of(&segment->references);
    while (segment_has_pins(word - SEGMENT_PIN)) {
        if (__atomic_compare_exchange_n(&segment->references, &word, word - SEGMENT_PIN, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

void share_unpin_locked(struct store *store, struct namespace *ns, struct segment *segment)
{
    uint64_t word = value_of(&segment->references);
    uint64_t next = 0;
    do {
        next = word - SEGMENT_PIN;
        if (!segment_has_pins(next)) {
            next &= SEGMENT_OWNER;
        }
    } while (!__atomic_compare_exchange_n(&segment->references, &word, next, true, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if (segment_has_pins(next)) {
        return;
    }
    if (next == 0) {
        take_off(&ns->share.orphaned, segment_counted(word));
        segment_free(&store->segments, segment);
    }
    discount_pinned(store, ns, word);
    if (!share_is_held(&ns->share) && ns->generation->first == 0) {
        backlog_add_namespace(&store->backlog, ns);
    }
}

void share_unpin(struct store *store, struct namespace *ns, struct segment *segment)
{
    if (!leave_to_others(segment)) {
        lock_take(&ns->lock);
        share_unpin_locked(store, ns, segment);
        lock_give(&ns->lock);
    }
}

void share_orphan(struct namespace *ns, struct segment *segment)
{
    uint64_t word = __atomic_sub_fetch(&segment->references, SEGMENT_OWNER, __ATOMIC_ACQ_REL);
    add(&ns->share.orphaned, segment_counted(word));
}

/* --- uploads --------------------------------------------------------------------------- */

/* Whether another has waited for much longer than this one. */
static bool comes_behind(const struct share *share, uint64_t begun, uint64_t now)
{
    return is_recent(&share->first_seen, now, FIRST_MS) &&
           value_of(&share->first) + LATEST_MS < begun;
}

static void note_waiting(struct store *store, struct share *share, uint64_t bytes, uint64_t begun,
                         uint64_t now)
{
    if (!is_recent(&share->first_seen, now, FIRST_MS) || begun <= value_of(&share->first)) {
        set(&share->first, begun);
        set(&share->first_seen, now);
    }
    want(store, &share->space, bytes, now);
}

/* Several threads at once may overrun it, by an upload each. */
static bool has_space(struct store *store, struct share *share, uint64_t bytes, uint64_t most,
                      uint64_t begun, uint64_t now)
{
    if (!comes_behind(share, begun, now) && fits(&share->announced, bytes, most)) {
        return true;
    }
    note_waiting(store, share, bytes, begun, now);
    return false;
}

bool share_grant(struct store *store, struct namespace *ns, uint64_t bytes, uint64_t begun,
                 uint64_t now, struct grant *grant)
{
    uint64_t quota = namespace_quota(ns);
    uint64_t size = quota != 0 ? quota : pool_size(store);
    uint64_t most = size / EIGHTHS * (quota != 0 ? UPLOADS_ALL : UPLOADS_OF_POOL);
    if (!has_space(store, &ns->share, bytes, most, begun, now)) {
        return false;
    }
    if (quota == 0 &&
        !has_space(store, &store->pool, bytes, size / EIGHTHS * UPLOADS_ALL, begun, now)) {
        return false;
    }
    *grant = (struct grant){.bytes = bytes, .pool = quota == 0};
    add(&ns->share.announced, bytes);
    if (grant->pool) {
        add(&store->pool.announced, bytes);
    }
    return true;
}

void share_revoke(struct store *store, struct namespace *ns, struct grant *grant)
{
    take_off(&ns->share.announced, grant->bytes);
    if (grant->pool) {
        take_off(&store->pool.announced, grant->bytes);
    }
    *grant = (struct grant){0, false};
}

/* --- pressure ---------------------------------------------------------------------------- */

void share_note_want(struct store *store, struct namespace *ns, uint64_t now)
{
    struct share *share = ns != NULL && namespace_quota(ns) != 0 ? &ns->share : &store->pool;
    want(store, &share->pins, EVERYTHING, now);
    want(store, &share->space, EVERYTHING, now);
}

bool share_is_lent(const struct store *store, const struct namespace *ns)
{
    const struct share *share = namespace_quota(ns) != 0 ? &ns->share : &store->pool;
    return value_of(&share->pinned) != 0 || value_of(&share->announced) != 0;
}

static bool exceeds_half(const uint64_t *counter, uint64_t most)
{
    return value_of(counter) > most / 2;
}

void store_pressure(struct store *store, uint64_t now, struct store_pressure *pressure)
{
    pressure->now = now;
    pressure->scarce = arena_available(&store->arena) < arena_frames(&store->arena) / FREE_SHARE &&
                       exceeds_half(&store->pool.pinned, pool_size(store) / EIGHTHS * PINS_OF_POOL);
    pressure->calm = !pressure->scarce && !is_recent(&store->wanted, now, PRESSED_MS);
}

bool store_view_presses(const struct store_view *view, const struct store_pressure *pressure)
{
    struct namespace *ns = view->ns;
    const struct store *store = view->store;
    uint64_t quota = namespace_quota(ns);
    uint64_t size = quota != 0 ? quota : pool_size(store);
    uint64_t most = size / EIGHTHS * (quota != 0 ? PINS_ALL : PINS_OF_POOL);
    if (is_wanted(&ns->share.pins, &ns->share.pinned, most, pressure->now)) {
        return true;
    }
    uint64_t most_of_all = size / EIGHTHS * PINS_ALL;
    if (quota != 0) {
        return false;
    }
    return is_wanted(&store->pool.pins, &store->pool.pinned, most_of_all, pressure->now) ||
           (pressure->scarce && (exceeds_half(&ns->share.pinned, most) ||
                                 exceeds_half(&store->pool.pinned, most_of_all)));
}

bool share_upload_presses(const struct store *store, const struct namespace *ns,
                          const struct store_pressure *pressure)
{
    uint64_t quota = namespace_quota(ns);
    uint64_t size = quota != 0 ? quota : pool_size(store);
    uint64_t most = size / EIGHTHS * (quota != 0 ? UPLOADS_ALL : UPLOADS_OF_POOL);
    return is_wanted(&ns->share.space, &ns->share.announced, most, pressure->now) ||
           (quota == 0 && is_wanted(&store->pool.space, &store->pool.announced,
                                    size / EIGHTHS * UPLOADS_ALL, pressure->now));
}
