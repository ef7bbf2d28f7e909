/*
 * threads_store.c - many threads in one store, while purge, eviction, compaction,
 * flushing, listing and the growing of the index go on; meant for
 * ThreadSanitizer, and right without it.
 *
 * Every record has one owner that writes it and knows what it wrote; the others
 * read. A value tells its version and can be checked by anyone. With little
 * memory a record may be missing, but never an old one come back; with ample
 * memory nothing may be missing.
 *
 * In some of the runs every worker changes the memory now and then.
 *
 * THREADS, THREADS_OPS and THREADS_SEED say how many, how long and what.
 */
#include "daemon/store/store_stats.h"
#include "tests/store/threads/threads.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    NAMESPACES = 4,
    FLUSHED = 2,      /* the number of the namespace that is flushed now and then */
    KEYS = 3000,      /* of each namespace */
    LARGE_KEYS = 240, /* those that are streamed to, so that ample memory is ample */
    VIEWS = 4,
};

struct owned {
    bool there;
    uint64_t version;
    uint64_t expires;
};

struct held {
    bool held;
    uint64_t place;
    uint64_t version;
    struct store_view view;
};

/* What a worker keeps to itself. */
struct own {
    bool ample;
    uint64_t least, most; /* bytes of memory that it sets; 0: it does not */
    uint64_t version;     /* last written */
    struct owned owned[NAMESPACES][KEYS];
    uint64_t seen[NAMESPACES][KEYS]; /* the version that was read last */
    struct held views[VIEWS];
    struct store_write *write;
    unsigned write_ns;
    size_t write_key;
    uint64_t write_length;
    uint64_t write_done;
    uint64_t write_version;
    struct store_cursor *cursor;
    unsigned cursor_ns;
    /* The record that an operation is about. */
    unsigned ns;
    size_t key;
    char name[16];
    char key_bytes[16];
    struct store_key at;
};

static struct fixture fixture;

static uint64_t place_of(unsigned ns, size_t key)
{
    return (uint64_t)ns * KEYS + key + 1;
}

static void find(struct worker *worker, unsigned ns, size_t key)
{
    struct own *own = worker->own;
    own->ns = ns;
    own->key = key;
    snprintf(own->name, sizeof own->name, "ns%u", ns);
    snprintf(own->key_bytes, sizeof own->key_bytes, "key-%zu", key);
    if (store_locate(worker->thread, slice_of(own->name), slice_of(own->key_bytes), &own->at) !=
        STORE_OK) {
        test_threads_wrong(worker->team, "locate");
    } else if (test_threads_below(worker, 2)) {
        store_fetch(worker->thread, &own->at);
    }
}

static void find_any(struct worker *worker)
{
    find(worker, (unsigned)test_threads_below(worker, NAMESPACES),
         (size_t)test_threads_below(worker, KEYS));
}

/* One of those that this worker owns, of the first `range` keys. */
static struct owned *find_mine(struct worker *worker, size_t range)
{
    struct own *own = worker->own;
    unsigned count = worker->team->count;
    size_t key = (size_t)test_threads_below(worker, range / count) * count + worker->number;
    find(worker, (unsigned)test_threads_below(worker, NAMESPACES), key);
    return &own->owned[own->ns][own->key];
}

static bool is_mine(const struct worker *worker, size_t key)
{
    return key % worker->team->count == worker->number;
}

static size_t some_length(struct worker *worker)
{
    uint64_t dice = test_threads_below(worker, 100);
    uint64_t most = dice == 0 ? CREW_VALUE_MAX : dice < 10 ? 2000 : 200;
    return CREW_VALUE_MIN + (size_t)test_threads_below(worker, most - CREW_VALUE_MIN);
}

static struct store_ttl some_ttl(struct worker *worker)
{
    if (test_threads_below(worker, 3) == 0) {
        return TTL_NEVER;
    }
    return TTL_FOR(1 + test_threads_below(worker, 1ULL << (4 + test_threads_below(worker, 16))));
}

static void settle(struct owned *owned, uint64_t version, struct store_ttl ttl, uint64_t now)
{
    owned->there = true;
    owned->version = version;
    owned->expires = ttl.kind == STORE_TTL_NEVER ? STORE_NEVER : now + 1 + ttl.milliseconds;
}

/* The store says that one of the worker's own is missing. By now: others may have
 * seen a later time and purged it. */
static void accept_missing(struct worker *worker, struct owned *owned)
{
    struct own *own = worker->own;
    uint64_t now = test_threads_now(worker->team);
    bool lives = owned->there && (owned->expires == STORE_NEVER || now < owned->expires);
    struct store_stats stats;
    owned->there = false;
    if (!lives || !own->ample || own->ns == FLUSHED) {
        return;
    }
    store_enter(worker->thread);
    store_stats(worker->thread, &stats);
    store_leave(worker->thread);
    test_threads_wrong(worker->team, "ns%u %zu, version %ju is lost; %ju evictions", own->ns,
                       own->key, (uintmax_t)owned->version, (uintmax_t)stats.counters.evictions);
}

/* Full memory may refuse, ample memory may not. */
static bool was_done(struct worker *worker, enum store_status status)
{
    struct own *own = worker->own;
    bool full = status == STORE_NO_MEMORY || status == STORE_CROWDED;

    if (status != STORE_OK && (own->ample || !full)) {
        test_threads_wrong(worker->team, "ns%u %zu: status %d", own->ns, own->key, (int)status);
    }
    return status == STORE_OK;
}

/* --- one record --------------------------------------------------------- */

static void put(struct worker *worker)
{
    struct own *own = worker->own;
    uint64_t version = own->version + 1;
    struct store_ttl ttl = some_ttl(worker);
    store_enter(worker->thread);
    struct owned *owned = find_mine(worker, KEYS);
    struct slice value =
        test_threads_value(worker, place_of(own->ns, own->key), version, some_length(worker));
    uint64_t now = test_threads_now(worker->team);
    struct store_terms terms = {.ttl = ttl, .client_flags = (uint32_t)version};
    enum store_status status = store_put(worker->thread, &own->at, &terms, value, now, NULL);
    store_leave(worker->thread);
    own->version = version;
    if (was_done(worker, status)) {
        settle(owned, version, ttl, now);
    }
}

static void delete (struct worker *worker)
{
    struct own *own = worker->own;
    store_enter(worker->thread);
    struct owned *owned = find_mine(worker, KEYS);
    uint64_t now = test_threads_now(worker->team);
    enum store_status status = store_delete(worker->thread, &own->at, NULL, now);
    store_leave(worker->thread);
    if (status == STORE_NOT_FOUND) {
        accept_missing(worker, owned);
    } else if (was_done(worker, status) && !owned->there) {
        test_threads_wrong(worker->team, "ns%u %zu was deleted, but had gone before", own->ns,
                           own->key);
    }
    owned->there = false;
}

static void touch(struct worker *worker)
{
    struct own *own = worker->own;
    struct store_ttl ttl = some_ttl(worker);
    store_enter(worker->thread);
    struct owned *owned = find_mine(worker, KEYS);
    uint64_t now = test_threads_now(worker->team);
    enum store_status status = store_touch(worker->thread, &own->at, ttl, now);
    store_leave(worker->thread);
    if (status == STORE_NOT_FOUND) {
        accept_missing(worker, owned);
    } else if (was_done(worker, status) && !owned->there) {
        test_threads_wrong(worker->team, "ns%u %zu was touched, but had gone before", own->ns,
                           own->key);
    } else if (status == STORE_OK) {
        settle(owned, owned->version, ttl, now);
    }
}

static void release(struct worker *worker, struct held *held)
{
    uint64_t version = 0;
    if (!held->held) {
        return;
    }
    if (!test_threads_is_view(worker, &held->view, held->place, &version) ||
        version != held->version) {
        test_threads_wrong(worker->team, "a view's bytes have changed");
    }
    store_view_put(&held->view);
    held->held = false;
}

/* What was read is a value of that place, not older than what was read before. */
static void judge(struct worker *worker, const struct store_view *seen, bool right,
                  uint64_t version, uint64_t now)
{
    struct own *own = worker->own;
    struct owned *owned = &own->owned[own->ns][own->key];
    if (!right) {
        test_threads_wrong(worker->team, "ns%u %zu: wrong bytes", own->ns, own->key);
    } else if (seen->expires != STORE_NEVER && seen->expires <= now) {
        test_threads_wrong(worker->team, "ns%u %zu is served late", own->ns, own->key);
    } else if (version < own->seen[own->ns][own->key]) {
        test_threads_wrong(worker->team, "ns%u %zu: an old version is back", own->ns, own->key);
    } else if (seen->client_flags != (uint32_t)version) {
        test_threads_wrong(worker->team, "ns%u %zu: flags of another version", own->ns, own->key);
    } else if (is_mine(worker, own->key) &&
               (!owned->there || version != owned->version || seen->expires != owned->expires)) {
        test_threads_wrong(worker->team, "ns%u %zu: version %ju until %ju, wrote %ju until %ju%s",
                           own->ns, own->key, (uintmax_t)version, (uintmax_t)seen->expires,
                           (uintmax_t)owned->version, (uintmax_t)owned->expires,
                           owned->there ? "" : ", gone since");
    }
    own->seen[own->ns][own->key] = version;
}

static void get(struct worker *worker)
{
    struct own *own = worker->own;
    struct store_view view;
    struct held *slot = &own->views[test_threads_below(worker, VIEWS)];
    uint64_t version = 0;
    release(worker, slot);
    store_enter(worker->thread);
    find_any(worker);
    uint64_t place = place_of(own->ns, own->key);
    uint64_t now = test_threads_now(worker->team);
    enum store_status status = store_get(worker->thread, &own->at, now, &view);
    struct store_view seen = view;
    bool right = status == STORE_OK && test_threads_is_view(worker, &view, place, &version);
    if (status == STORE_OK && right && view.pinned) {
        *slot = (struct held){true, place, version, view};
    } else if (status == STORE_OK) {
        store_view_put(&view);
    }
    store_leave(worker->thread);
    if (status == STORE_OK) {
        judge(worker, &seen, right, version, now);
    } else if (status == STORE_CROWDED) {
        was_done(worker, status);
    } else if (is_mine(worker, own->key)) {
        accept_missing(worker, &own->owned[own->ns][own->key]);
    }
}

/* --- in parts ----------------------------------------------------------- */

static void begin_write(struct worker *worker)
{
    struct own *own = worker->own;
    store_enter(worker->thread);
    find_mine(worker, LARGE_KEYS);
    own->write_ns = own->ns;
    own->write_key = own->key;
    own->write_length =
        CREW_VALUE_MIN + test_threads_below(worker, CREW_VALUE_MAX - CREW_VALUE_MIN);
    own->write_done = 0;
    own->write_version = own->version + 1;
    struct store_terms terms = {.ttl = TTL_NEVER, .client_flags = (uint32_t)own->write_version};
    enum store_status status =
        store_write_begin(worker->thread, &own->at, &terms, own->write_length,
                          test_threads_now(worker->team), &own->write);
    store_leave(worker->thread);
    if (!was_done(worker, status)) {
        own->write = NULL;
    }
}

/* A version that was taken at the beginning could be older than what has been
 * written since. So nothing else is written between begin and commit: a write is
 * finished here in one go, in turns of enter and leave. */
static void stream(struct worker *worker)
{
    struct own *own = worker->own;
    enum store_status status = STORE_OK;
    struct iovec space;
    begin_write(worker);
    if (own->write == NULL) {
        return;
    }
    own->version = own->write_version;
    while (status == STORE_OK && own->write_done < own->write_length) {
        store_enter(worker->thread);
        status =
            store_write_space(worker->thread, own->write, test_threads_now(worker->team), &space);
        store_leave(worker->thread);
        if (!was_done(worker, status)) {
            break;
        }
        test_threads_fill(space.iov_base, own->write_done, space.iov_len,
                          place_of(own->write_ns, own->write_key), own->write_version);
        store_write_advance(own->write, space.iov_len);
        own->write_done += space.iov_len;
    }
    store_enter(worker->thread);
    uint64_t now = test_threads_now(worker->team);
    if (status == STORE_OK && test_threads_below(worker, 10)) {
        status = store_write_commit(worker->thread, &own->write, now, NULL);
        if (was_done(worker, status)) {
            settle(&own->owned[own->write_ns][own->write_key], own->write_version, TTL_NEVER, now);
        }
    } else {
        store_write_abort(worker->thread, &own->write);
    }
    store_leave(worker->thread);
}

/* --- whole namespaces --------------------------------------------------- */

static void flush(struct worker *worker)
{
    uint64_t records;
    char name[16];
    if (test_threads_below(worker, 20)) {
        return;
    }
    snprintf(name, sizeof name, "ns%d", FLUSHED);
    store_enter(worker->thread);
    if (store_flush(worker->thread, slice_of(name), test_threads_now(worker->team), &records) !=
        STORE_OK) {
        test_threads_wrong(worker->team, "flush");
    }
    store_leave(worker->thread);
}

static bool visit(void *context, struct store_entry *entry)
{
    struct worker *worker = context;
    struct own *own = worker->own;
    char text[16] = "";
    size_t key = KEYS;
    uint64_t version;
    if (entry->key.length < sizeof text) {
        memcpy(text, entry->key.bytes, entry->key.length);
    }
    bool right = sscanf(text, "key-%zu", &key) == 1 && key < KEYS;
    uint64_t place = place_of(own->cursor_ns, key);
    if (right && entry->large != NULL) {
        right = test_threads_is_view(worker, entry->large, place, &version);
    } else if (right) {
        right = test_threads_is_value(entry->value, place, &version);
    }
    if (!right) {
        test_threads_wrong(worker->team, "listing: wrong bytes at '%s'", text);
    }
    return test_threads_below(worker, 100) != 0;
}

static void list(struct worker *worker)
{
    struct own *own = worker->own;
    char name[16];
    store_enter(worker->thread);
    if (own->cursor == NULL) {
        own->cursor_ns = (unsigned)test_threads_below(worker, NAMESPACES);
        snprintf(name, sizeof name, "ns%u", own->cursor_ns);
        if (store_cursor_open(worker->thread, slice_of(name), &own->cursor) != STORE_OK) {
            test_threads_wrong(worker->team, "listing cannot be opened");
        } else if (test_threads_below(worker, 2) == 0) {
            store_cursor_want_notes(own->cursor);
        }
    }
    bool ended = own->cursor == NULL ||
                 store_cursor_step(worker->thread, own->cursor, test_threads_now(worker->team), 100,
                                   visit, worker);
    store_leave(worker->thread);
    if (own->cursor != NULL && (ended || test_threads_below(worker, 50) == 0)) {
        store_cursor_close(&own->cursor);
    }
}

static void look_at_figures(struct worker *worker)
{
    struct store_namespace_stats stats;
    uint32_t next = 0;
    unsigned count = 0;
    store_enter(worker->thread);
    while (store_namespace_next(worker->thread, &next, &stats)) {
        count++;
    }
    struct store_stats all, cheap;
    store_stats(worker->thread, &all);
    store_memory_stats(worker->thread, &cheap);
    store_leave(worker->thread);
    struct store_file_stats file;
    store_file_stats(store_of(worker->thread), &file);
    if (count > NAMESPACES + 3 || all.namespaces > NAMESPACES + 3 ||
        cheap.namespaces > NAMESPACES + 3) {
        test_threads_wrong(worker->team, "there are %u namespaces", count);
    }
    if (file.memory_limit == 0 || store_memory(store_of(worker->thread)) == 0) {
        test_threads_wrong(worker->team, "there is no memory");
    }
}

/* As a worker of the daemon does that looks for connections to close. */
static void look_at_pressure(struct worker *worker)
{
    struct own *own = worker->own;
    struct store_pressure pressure;
    store_pressure(store_of(worker->thread), test_threads_now(worker->team), &pressure);
    if (pressure.scarce && pressure.calm) {
        test_threads_wrong(worker->team, "memory is scarce, and nothing presses");
    }
    for (size_t i = 0; i < VIEWS; i++) {
        if (own->views[i].held) {
            store_view_presses(&own->views[i].view, &pressure);
        }
    }
    if (own->write != NULL) {
        store_write_presses(own->write, &pressure);
    }
}

/* --- another memory ---------------------------------------------------------- */

static void set_memory(struct worker *worker, uint64_t memory)
{
    store_enter(worker->thread);
    enum store_resize result = store_set_memory(worker->thread, memory);
    store_leave(worker->thread);
    if (result != STORE_RESIZED) {
        test_threads_wrong(worker->team, "memory of %ju: %d", (uintmax_t)memory, (int)result);
    }
}

static void resize(struct worker *worker)
{
    const struct own *own = worker->own;
    if (own->least != 0) {
        uint64_t range = own->most - own->least + 1;
        set_memory(worker, own->least + test_threads_below(worker, range));
    }
}

/* --- everything at once ------------------------------------------------- */

static void churn(struct worker *worker)
{
    static const struct {
        unsigned weight;
        test_threads_work *act;
    } acts[] = {{300, put},  {400, get}, {60, delete},         {60, touch},           {20, stream},
                {100, list}, {5, flush}, {2, look_at_figures}, {2, look_at_pressure}, {2, resize}};
    struct own *own = worker->own;
    uint64_t steps = fixture_setting("THREADS_OPS", 10000);

    for (uint64_t step = 0; step < steps && !test_threads_failed(worker->team); step++) {
        size_t chosen = 0;
        uint64_t dice = test_threads_below(worker, 951);
        while (dice >= acts[chosen].weight) {
            dice -= acts[chosen++].weight;
        }
        acts[chosen].act(worker);
        if (step % 16 == 0) {
            test_threads_pass_time(worker->team, 1 + test_threads_below(worker, 3));
        }
    }
    for (size_t i = 0; i < VIEWS; i++) {
        release(worker, &own->views[i]);
    }
    if (own->cursor != NULL) {
        store_cursor_close(&own->cursor);
    }
}

/* The first worker takes more and more memory. The others look at it meanwhile: they take as few
 * locks as may be, for these would order what they read behind what is written. */
static void grow(struct worker *worker)
{
    enum { STEPS = 200 };
    struct own *own = worker->own;
    for (uint64_t step = 1; step <= STEPS; step++) {
        test_threads_meet(worker);
        if (worker->number == 0) {
            set_memory(worker, own->least + (own->most - own->least) / STEPS * step);
        } else if (worker->number == 1) {
            look_at_pressure(worker);
        } else if (worker->number == 2) {
            look_at_figures(worker);
        } else {
            put(worker);
        }
    }
}

/* The memory changes between two bounds, or not at all. */
static void run(uint64_t memory, uint64_t most, bool ample, test_threads_work *work)
{
    struct store_namespace_options options[] = {
        {.name = slice_of("ns0"), .memory = ample ? 0 : FIXTURE_MIB}, {.name = slice_of("ns1")}};
    struct test_threads team;
    fixture_open(&fixture, memory, FIXTURE_MIB);
    fixture_declare(&fixture, options, 2, STORE_NEVER);
    test_threads_open(&team, fixture.store, (unsigned)fixture_setting("THREADS", 6),
                      sizeof(struct own));
    team.most = most;
    for (unsigned i = 0; i < team.count; i++) {
        struct own *own = team.workers[i].own;
        own->ample = ample;
        own->least = most != 0 ? memory : 0;
        own->most = most;
    }
    test_threads_run(&team, work);
    fixture.now = test_threads_now(&team);
    fixture_set_memory(&fixture, memory);
    fixture_check(&fixture);
    fixture_rest(&fixture);
    ck_assert_uint_le(fixture_figures(&fixture).memory_used, memory);
    if (ample) {
        ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    }
    test_threads_close(&team);
    fixture_close(&fixture);
}

START_TEST(with_little_memory)
{
    run(_i ? 12 * FIXTURE_MIB : STORE_MEMORY_MIN + FIXTURE_MIB, 0, false, churn);
}
END_TEST

START_TEST(with_ample_memory)
{
    run(128 * FIXTURE_MIB, 0, true, churn);
}
END_TEST

START_TEST(with_little_memory_that_changes)
{
    run(STORE_MEMORY_MIN + FIXTURE_MIB, (_i ? 12 : 48) * FIXTURE_MIB, false, churn);
}
END_TEST

START_TEST(with_ample_memory_that_changes)
{
    run(128 * FIXTURE_MIB, 256 * FIXTURE_MIB, true, churn);
}
END_TEST

START_TEST(with_memory_that_grows)
{
    run(STORE_MEMORY_MIN + FIXTURE_MIB, 256 * FIXTURE_MIB, false, grow);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store threads");
    TCase *threads = tcase_create("threads");
    tcase_set_timeout(threads, 2 * FIXTURE_TIMEOUT);
    tcase_add_loop_test(threads, with_little_memory, 0, 2);
    tcase_add_test(threads, with_ample_memory);
    tcase_add_loop_test(threads, with_little_memory_that_changes, 0, 2);
    tcase_add_test(threads, with_ample_memory_that_changes);
    tcase_add_test(threads, with_memory_that_grows);
    suite_add_tcase(suite, threads);
    return suite_run(suite);
}
