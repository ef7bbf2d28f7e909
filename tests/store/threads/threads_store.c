/*
 * threads_store.c - many threads in one store, while purge, eviction, compaction,
 * flushing, listing and the growing of the index go on; meant for
 * ThreadSanitizer, and right without it.
 *
 * Every record has one owner that writes it and knows what it wrote; everybody
 * reads. A value tells its version and can be checked by anyone. With little
 * memory a record may be missing, but never an old one come back; with ample
 * memory nothing may be missing.
 *
 * In some of the runs every worker changes the memory now and then.
 *
 * THREADS, THREADS_OPS and THREADS_SEED say how many, how long and what.
 */
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

static struct box box;

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
    if (store_locate(worker->lane, slice_of(own->name), slice_of(own->key_bytes), &own->at) !=
        STORE_OK)
        crew_wrong(worker->crew, "locate");
    else if (crew_below(worker, 2))
        store_fetch(worker->lane, &own->at);
}

static void find_any(struct worker *worker)
{
    find(worker, (unsigned)crew_below(worker, NAMESPACES), (size_t)crew_below(worker, KEYS));
}

/* One of those that this worker owns, of the first `range` keys. */
static struct owned *find_mine(struct worker *worker, size_t range)
{
    struct own *own = worker->own;
    unsigned count = worker->crew->count;
    size_t key = (size_t)crew_below(worker, range / count) * count + worker->number;

    find(worker, (unsigned)crew_below(worker, NAMESPACES), key);
    return &own->owned[own->ns][own->key];
}

static bool is_mine(const struct worker *worker, size_t key)
{
    return key % worker->crew->count == worker->number;
}

static size_t some_length(struct worker *worker)
{
    uint64_t dice = crew_below(worker, 100);
    uint64_t most = dice == 0 ? CREW_VALUE_MAX : dice < 10 ? 2000 : 200;

    return CREW_VALUE_MIN + (size_t)crew_below(worker, most - CREW_VALUE_MIN);
}

static struct store_ttl some_ttl(struct worker *worker)
{
    if (crew_below(worker, 3) == 0)
        return TTL_NEVER;
    return TTL_FOR(1 + crew_below(worker, 1ULL << (4 + crew_below(worker, 16))));
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
    uint64_t now = crew_now(worker->crew);
    bool lives = owned->there && (owned->expires == STORE_NEVER || now < owned->expires);
    struct store_figures figures;

    owned->there = false;
    if (!lives || !own->ample || own->ns == FLUSHED)
        return;
    store_enter(worker->lane);
    store_figures(worker->lane, &figures);
    store_leave(worker->lane);
    crew_wrong(worker->crew, "ns%u %zu, version %ju is lost; %ju evictions", own->ns, own->key,
               (uintmax_t)owned->version, (uintmax_t)figures.counters.evictions);
}

/* Full memory may refuse, ample memory may not. */
static bool was_done(struct worker *worker, enum store_status status)
{
    struct own *own = worker->own;

    bool full = status == STORE_NO_MEMORY || status == STORE_CROWDED;

    if (status != STORE_OK && (own->ample || !full))
        crew_wrong(worker->crew, "ns%u %zu: status %d", own->ns, own->key, (int)status);
    return status == STORE_OK;
}

/* --- one record --------------------------------------------------------- */

static void put(struct worker *worker)
{
    struct own *own = worker->own;
    uint64_t version = own->version + 1;
    struct store_ttl ttl = some_ttl(worker);

    store_enter(worker->lane);
    struct owned *owned = find_mine(worker, KEYS);
    struct slice value =
        crew_value(worker, place_of(own->ns, own->key), version, some_length(worker));
    uint64_t now = crew_now(worker->crew);
    struct store_terms terms = {.ttl = ttl, .client_flags = (uint32_t)version};
    enum store_status status = store_put(worker->lane, &own->at, &terms, value, now, NULL);
    store_leave(worker->lane);
    own->version = version;
    if (was_done(worker, status))
        settle(owned, version, ttl, now);
}

static void delete (struct worker *worker)
{
    struct own *own = worker->own;

    store_enter(worker->lane);
    struct owned *owned = find_mine(worker, KEYS);
    uint64_t now = crew_now(worker->crew);
    enum store_status status = store_delete(worker->lane, &own->at, NULL, now);
    store_leave(worker->lane);
    if (status == STORE_NOT_FOUND)
        accept_missing(worker, owned);
    else if (was_done(worker, status) && !owned->there)
        crew_wrong(worker->crew, "ns%u %zu was deleted, but had gone before", own->ns, own->key);
    owned->there = false;
}

static void touch(struct worker *worker)
{
    struct own *own = worker->own;
    struct store_ttl ttl = some_ttl(worker);

    store_enter(worker->lane);
    struct owned *owned = find_mine(worker, KEYS);
    uint64_t now = crew_now(worker->crew);
    enum store_status status = store_touch(worker->lane, &own->at, ttl, now);
    store_leave(worker->lane);
    if (status == STORE_NOT_FOUND)
        accept_missing(worker, owned);
    else if (was_done(worker, status) && !owned->there)
        crew_wrong(worker->crew, "ns%u %zu was touched, but had gone before", own->ns, own->key);
    else if (status == STORE_OK)
        settle(owned, owned->version, ttl, now);
}

static void release(struct worker *worker, struct held *held)
{
    uint64_t version = 0;

    if (!held->held)
        return;
    if (!crew_is_view(worker, &held->view, held->place, &version) || version != held->version)
        crew_wrong(worker->crew, "a view's bytes have changed");
    store_view_put(&held->view);
    held->held = false;
}

/* What was read is a value of that place, not older than what was read before. */
static void judge(struct worker *worker, const struct store_view *seen, bool right,
                  uint64_t version, uint64_t now)
{
    struct own *own = worker->own;
    struct owned *owned = &own->owned[own->ns][own->key];

    if (!right)
        crew_wrong(worker->crew, "ns%u %zu: wrong bytes", own->ns, own->key);
    else if (seen->expires != STORE_NEVER && seen->expires <= now)
        crew_wrong(worker->crew, "ns%u %zu is served late", own->ns, own->key);
    else if (version < own->seen[own->ns][own->key])
        crew_wrong(worker->crew, "ns%u %zu: an old version is back", own->ns, own->key);
    else if (seen->client_flags != (uint32_t)version)
        crew_wrong(worker->crew, "ns%u %zu: flags of another version", own->ns, own->key);
    else if (is_mine(worker, own->key) &&
             (!owned->there || version != owned->version || seen->expires != owned->expires))
        crew_wrong(worker->crew, "ns%u %zu: version %ju until %ju, wrote %ju until %ju%s", own->ns,
                   own->key, (uintmax_t)version, (uintmax_t)seen->expires,
                   (uintmax_t)owned->version, (uintmax_t)owned->expires,
                   owned->there ? "" : ", gone since");
    own->seen[own->ns][own->key] = version;
}

static void get(struct worker *worker)
{
    struct own *own = worker->own;
    struct store_view view;
    struct held *slot = &own->views[crew_below(worker, VIEWS)];
    uint64_t version = 0;

    release(worker, slot);
    store_enter(worker->lane);
    find_any(worker);
    uint64_t place = place_of(own->ns, own->key);
    uint64_t now = crew_now(worker->crew);
    enum store_status status = store_get(worker->lane, &own->at, now, &view);
    struct store_view seen = view;
    bool right = status == STORE_OK && crew_is_view(worker, &view, place, &version);
    if (status == STORE_OK && right && view.pinned)
        *slot = (struct held){true, place, version, view};
    else if (status == STORE_OK)
        store_view_put(&view);
    store_leave(worker->lane);
    if (status == STORE_OK)
        judge(worker, &seen, right, version, now);
    else if (status == STORE_CROWDED)
        was_done(worker, status);
    else if (is_mine(worker, own->key))
        accept_missing(worker, &own->owned[own->ns][own->key]);
}

/* --- in parts ----------------------------------------------------------- */

static void begin_write(struct worker *worker)
{
    struct own *own = worker->own;

    store_enter(worker->lane);
    find_mine(worker, LARGE_KEYS);
    own->write_ns = own->ns;
    own->write_key = own->key;
    own->write_length = CREW_VALUE_MIN + crew_below(worker, CREW_VALUE_MAX - CREW_VALUE_MIN);
    own->write_done = 0;
    own->write_version = own->version + 1;
    struct store_terms terms = {.ttl = TTL_NEVER, .client_flags = (uint32_t)own->write_version};
    enum store_status status = store_write_begin(worker->lane, &own->at, &terms, own->write_length,
                                                 crew_now(worker->crew), &own->write);
    store_leave(worker->lane);
    if (!was_done(worker, status))
        own->write = NULL;
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
    if (own->write == NULL)
        return;
    own->version = own->write_version;
    while (status == STORE_OK && own->write_done < own->write_length) {
        store_enter(worker->lane);
        status = store_write_space(worker->lane, own->write, crew_now(worker->crew), &space);
        store_leave(worker->lane);
        if (!was_done(worker, status))
            break;
        crew_fill(space.iov_base, own->write_done, space.iov_len,
                  place_of(own->write_ns, own->write_key), own->write_version);
        store_write_advance(own->write, space.iov_len);
        own->write_done += space.iov_len;
    }
    store_enter(worker->lane);
    uint64_t now = crew_now(worker->crew);
    if (status == STORE_OK && crew_below(worker, 10)) {
        status = store_write_commit(worker->lane, &own->write, now, NULL);
        if (was_done(worker, status))
            settle(&own->owned[own->write_ns][own->write_key], own->write_version, TTL_NEVER, now);
    } else {
        store_write_abort(worker->lane, &own->write);
    }
    store_leave(worker->lane);
}

/* --- whole namespaces --------------------------------------------------- */

static void flush(struct worker *worker)
{
    uint64_t records;
    char name[16];

    if (crew_below(worker, 20))
        return;
    snprintf(name, sizeof name, "ns%d", FLUSHED);
    store_enter(worker->lane);
    if (store_flush(worker->lane, slice_of(name), crew_now(worker->crew), &records) != STORE_OK)
        crew_wrong(worker->crew, "flush");
    store_leave(worker->lane);
}

static bool visit(void *context, struct store_entry *entry)
{
    struct worker *worker = context;
    struct own *own = worker->own;
    char text[16] = "";
    size_t key = KEYS;
    uint64_t version;

    if (entry->key.length < sizeof text)
        memcpy(text, entry->key.bytes, entry->key.length);
    bool right = sscanf(text, "key-%zu", &key) == 1 && key < KEYS;
    uint64_t place = place_of(own->cursor_ns, key);
    if (right && entry->large != NULL)
        right = crew_is_view(worker, entry->large, place, &version);
    else if (right)
        right = crew_is_value(entry->value, place, &version);
    if (!right)
        crew_wrong(worker->crew, "listing: wrong bytes at '%s'", text);
    return crew_below(worker, 100) != 0;
}

static void list(struct worker *worker)
{
    struct own *own = worker->own;
    char name[16];

    store_enter(worker->lane);
    if (own->cursor == NULL) {
        own->cursor_ns = (unsigned)crew_below(worker, NAMESPACES);
        snprintf(name, sizeof name, "ns%u", own->cursor_ns);
        if (store_cursor_open(worker->lane, slice_of(name), &own->cursor) != STORE_OK)
            crew_wrong(worker->crew, "listing cannot be opened");
        else if (crew_below(worker, 2) == 0)
            store_cursor_want_notes(own->cursor);
    }
    bool ended =
        own->cursor == NULL ||
        store_cursor_step(worker->lane, own->cursor, crew_now(worker->crew), 100, visit, worker);
    store_leave(worker->lane);
    if (own->cursor != NULL && (ended || crew_below(worker, 50) == 0))
        store_cursor_close(&own->cursor);
}

static void look_at_figures(struct worker *worker)
{
    struct store_namespace_figures figures;
    uint32_t next = 0;
    unsigned count = 0;

    store_enter(worker->lane);
    while (store_namespace_next(worker->lane, &next, &figures))
        count++;
    store_leave(worker->lane);
    if (count > NAMESPACES + 3)
        crew_wrong(worker->crew, "there are %u namespaces", count);
}

/* --- another memory ---------------------------------------------------------- */

static void resize(struct worker *worker)
{
    struct own *own = worker->own;

    if (own->least == 0)
        return;
    uint64_t memory = own->least + crew_below(worker, own->most - own->least + 1);
    store_enter(worker->lane);
    enum store_resize result = store_set_memory(worker->lane, memory);
    store_leave(worker->lane);
    if (result != STORE_RESIZED)
        crew_wrong(worker->crew, "memory of %ju: %d", (uintmax_t)memory, (int)result);
}

/* --- everything at once ------------------------------------------------- */

static void churn(struct worker *worker)
{
    static const struct {
        unsigned weight;
        crew_work *act;
    } acts[] = {{300, put},  {400, get}, {60, delete},         {60, touch}, {20, stream},
                {100, list}, {5, flush}, {2, look_at_figures}, {2, resize}};
    struct own *own = worker->own;
    uint64_t steps = box_setting("THREADS_OPS", 10000);

    for (uint64_t step = 0; step < steps && !crew_failed(worker->crew); step++) {
        size_t chosen = 0;
        uint64_t dice = crew_below(worker, 949);
        while (dice >= acts[chosen].weight)
            dice -= acts[chosen++].weight;
        acts[chosen].act(worker);
        if (step % 16 == 0)
            crew_pass_time(worker->crew, 1 + crew_below(worker, 3));
    }
    for (size_t i = 0; i < VIEWS; i++)
        release(worker, &own->views[i]);
    if (own->cursor != NULL)
        store_cursor_close(&own->cursor);
}

/* The memory changes between two bounds, or not at all. */
static void run(uint64_t memory, uint64_t most, bool ample, crew_work *work)
{
    struct store_namespace_options options[] = {
        {.name = slice_of("ns0"), .memory = ample ? 0 : BOX_MIB}, {.name = slice_of("ns1")}};
    struct crew crew;

    box_open(&box, memory, BOX_MIB);
    box_declare(&box, options, 2, STORE_NEVER);
    crew_open(&crew, box.store, (unsigned)box_setting("THREADS", 6), sizeof(struct own));
    crew.most = most;
    for (unsigned i = 0; i < crew.count; i++) {
        struct own *own = crew.workers[i].own;
        own->ample = ample;
        own->least = most != 0 ? memory : 0;
        own->most = most;
    }
    crew_run(&crew, work);
    box.now = crew_now(&crew);
    box_set_memory(&box, memory);
    box_check(&box);
    box_rest(&box);
    ck_assert_uint_le(box_figures(&box).memory_used, memory);
    if (ample)
        ck_assert_uint_eq(box_figures(&box).counters.evictions, 0);
    crew_close(&crew);
    box_close(&box);
}

START_TEST(with_little_memory)
{
    run(_i ? 12 * BOX_MIB : STORE_MEMORY_MIN + BOX_MIB, 0, false, churn);
}
END_TEST

START_TEST(with_ample_memory)
{
    run(128 * BOX_MIB, 0, true, churn);
}
END_TEST

START_TEST(with_little_memory_that_changes)
{
    run(STORE_MEMORY_MIN + BOX_MIB, (_i ? 12 : 48) * BOX_MIB, false, churn);
}
END_TEST

START_TEST(with_ample_memory_that_changes)
{
    run(128 * BOX_MIB, 256 * BOX_MIB, true, churn);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store threads");
    TCase *threads = tcase_create("threads");

    tcase_set_timeout(threads, 2 * BOX_TIMEOUT);
    tcase_add_loop_test(threads, with_little_memory, 0, 2);
    tcase_add_test(threads, with_ample_memory);
    tcase_add_loop_test(threads, with_little_memory_that_changes, 0, 2);
    tcase_add_test(threads, with_ample_memory_that_changes);
    suite_add_tcase(suite, threads);
    return suite_run(suite);
}
