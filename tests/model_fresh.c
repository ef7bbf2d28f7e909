/*
 * model_fresh.c - random operations, and a model that knows of each record how much was written
 * after it: until that is the promised share, the record is there.
 *
 * A record is looked at once, without being read, by the next write after which it might be gone.
 * What was written is counted here without what is noted of a large record, so never too high.
 * Beside the writes there are readers that hold values, values that are sent slowly, and listings
 * that stand still.
 */
#include "tests/box.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    SHARE = 32, /* of the memory or of the quota: what has to be written first */
    SPACES = 64,
    KEYS = 1 << 16, /* of all namespaces */
    DUE = 1 << 17,
    VIEWS = 8,
    WRITES = 4,
    CURSORS = 4,
    LARGEST = 16 * BOX_MIB,
    FIRST = 1024, /* bytes */
};

/* How a run goes. */
struct course {
    const char *name;
    uint64_t memory;
    uint64_t quota;    /* of the first namespaces; 0: none */
    unsigned quotas;   /* how many have one */
    unsigned spaces;   /* namespaces */
    unsigned sizes;    /* see length_of */
    unsigned ttls;     /* octaves; 0: none expires */
    unsigned held;     /* per mill of steps: views, */
    unsigned uploads;  /* begun uploads, */
    unsigned cursors;  /* and listings */
    unsigned keeps;    /* per mill: housekeeping */
    bool fill_quietly; /* nothing is held, so that nothing may be refused */
};

/* One that was stored, until it may be gone. */
struct due {
    uint32_t key;
    uint32_t version; /* of the key, as the model counts */
    uint64_t written; /* of its clock, when it was stored */
};

/* What counts for a quota, or for the pool. */
struct clock {
    uint64_t written;
    uint64_t share;
    struct due due[DUE];
    uint32_t first, end;
};

struct upload {
    struct store_write *write;
    uint32_t key;
    uint64_t length, done;
};

static struct box box;
static struct course course;
static uint64_t chance, step;
static struct clock clocks[SPACES + 1]; /* the last one is the pool's */
static uint32_t versions[KEYS];         /* of the record that is promised; 0: none is */
static uint32_t version;
static uint64_t stored, refused;
static char bytes[LARGEST];
static struct store_view views[VIEWS];
static bool viewed[VIEWS];
static struct upload uploads[WRITES];
static struct store_cursor *cursors[CURSORS];

static uint64_t below(uint64_t bound)
{
    return box_random(&chance) % bound;
}

static bool happens(unsigned per_mill)
{
    return below(1000) < per_mill;
}

/* --- names ------------------------------------------------------------------------ */

static unsigned space_of(uint32_t key)
{
    return key % course.spaces;
}

static struct clock *clock_of(uint32_t key)
{
    unsigned space = space_of(key);
    return &clocks[space < course.quotas ? space : SPACES];
}

static void locate(uint32_t key, struct store_key *at)
{
    static char name[16], text[16];
    int name_length = snprintf(name, sizeof name, "n%u", space_of(key));
    int key_length = snprintf(text, sizeof text, "k%" PRIu32, key);
    store_enter(box.lane);
    BOX_OK(store_locate(box.lane, (struct slice){name, (size_t)name_length},
                        (struct slice){text, (size_t)key_length}, at));
}

/* --- the promise ------------------------------------------------------------------- */

static bool is_there(uint32_t key)
{
    struct store_key at;
    uint64_t expires = 0;
    locate(key, &at);
    enum store_status status = store_expiry(box.lane, &at, box.now, &expires);
    store_leave(box.lane);
    return status == STORE_OK;
}

static void expect(const struct clock *clock, const struct due *due)
{
    if (versions[due->key] == due->version && !is_there(due->key))
        ck_abort_msg("%s, step %" PRIu64 ": key %" PRIu32 " in n%u is gone after %" PRIu64
                     " of %" PRIu64 " bytes",
                     course.name, step, due->key, space_of(due->key), clock->written - due->written,
                     clock->share);
}

/* So much is about to be written. */
static void look_at_due(struct clock *clock, uint64_t length)
{
    while (clock->first != clock->end) {
        const struct due *due = &clock->due[clock->first % DUE];
        if (clock->written + length - due->written < clock->share)
            return;
        expect(clock, due);
        clock->first++;
    }
}

/* Before it is written. What a namespace with a quota writes counts for the pool, too. */
static void count(uint32_t key, uint64_t length)
{
    struct clock *clock = clock_of(key);
    look_at_due(&clocks[SPACES], length);
    clocks[SPACES].written += length;
    if (clock != &clocks[SPACES]) {
        look_at_due(clock, length);
        clock->written += length;
    }
}

/* The first record of a namespace counts for the block that it takes. */
static bool is_empty(uint32_t key)
{
    char name[16];
    snprintf(name, sizeof name, "n%u", space_of(key));
    return box_items(&box, name) == 0;
}

static void promise(uint32_t key)
{
    struct clock *clock = clock_of(key);
    versions[key] = ++version;
    if (clock->end - clock->first == DUE) {
        expect(clock, &clock->due[clock->first % DUE]);
        clock->first++;
    }
    clock->due[clock->end++ % DUE] = (struct due){key, version, clock->written};
    stored++;
    if (!is_there(key))
        ck_abort_msg("%s, step %" PRIu64 ": key %" PRIu32 " is gone at once", course.name, step,
                     key);
}

/* --- acts ----------------------------------------------------------------------------- */

static uint64_t length_of(void)
{
    uint64_t quarter = course.memory / 4;
    switch (course.sizes) {
    case 0:
        return 400;
    case 1:
        return below(120);
    case 2:
        return below(10) ? below(1000) : below(60000);
    case 3:
        return 9000 + below(30000);
    case 4:
        return below(100) ? below(2000) : 200000 + below(400000);
    case 5:
        return below(8000);
    case 6:
        return UINT64_C(1) << below(17);
    case 7:
        return below(50) ? below(20000) : below(quarter);
    case 8:
        return below(300000);
    default:
        return quarter - below(3) * 1000;
    }
}

static struct store_ttl choose_ttl(void)
{
    if (course.ttls == 0)
        return TTL_NEVER;
    return TTL_FOR((UINT64_C(1000000) << below(course.ttls)) + below(1000000));
}

/* Of a small record, what it takes; of a large one, its bytes. */
static uint64_t size_of(const struct store_key *at, uint64_t length)
{
    struct store_view view;
    struct store_terms terms = {.ttl = TTL_KEEP, .peeks = true, .uncounted = true};
    struct store_key copy = *at;
    if (length >= 4096 || store_look(box.lane, &copy, &terms, box.now, &view) != STORE_OK)
        return length;
    uint64_t size = view.size;
    store_view_put(&view);
    return size;
}

static void judge(enum store_status status, uint32_t key, uint64_t evicted)
{
    if (status == STORE_TOO_LARGE) {
        ck_assert_uint_eq(box_figures(&box).counters.evictions, evicted);
    } else if (status != STORE_CROWDED) {
        ck_assert_int_eq(status, STORE_NO_MEMORY);
        if (course.fill_quietly)
            ck_abort_msg("%s, step %" PRIu64 ": key %" PRIu32 " is refused", course.name, step,
                         key);
        refused++;
    }
}

/* What would be counted first is looked at when the write is over, as far as it is to be there
 * still. */
static void put(void)
{
    uint32_t key = (uint32_t)below(KEYS);
    uint64_t length = length_of();
    struct store_key at;
    uint64_t evicted = box_figures(&box).counters.evictions;
    struct store_terms terms = {.ttl = choose_ttl()};
    uint64_t first = is_empty(key) ? FIRST : 0;
    look_at_due(clock_of(key), length + 32 + first);
    look_at_due(&clocks[SPACES], length + 32 + first);
    locate(key, &at);
    enum store_status status =
        store_put(box.lane, &at, &terms, (struct slice){bytes, length}, box.now, NULL);
    uint64_t size = status == STORE_OK ? size_of(&at, length) : 0;
    store_leave(box.lane);
    if (status == STORE_OK) {
        versions[key] = 0;
        count(key, size + first);
        promise(key);
    } else {
        judge(status, key, evicted);
    }
}

static void delete (void)
{
    struct store_key at;
    uint32_t key = (uint32_t)below(KEYS);
    locate(key, &at);
    store_delete(box.lane, &at, NULL, box.now);
    store_leave(box.lane);
    versions[key] = 0;
}

static void hold(void)
{
    unsigned i = (unsigned)below(VIEWS);
    if (viewed[i]) {
        store_view_put(&views[i]);
        viewed[i] = false;
        return;
    }
    struct store_key at;
    locate((uint32_t)below(KEYS), &at);
    bool got = store_get(box.lane, &at, box.now, &views[i]) == STORE_OK;
    viewed[i] = got && views[i].pinned;
    if (got && !viewed[i])
        store_view_put(&views[i]);
    store_leave(box.lane);
}

static void begin(struct upload *upload)
{
    struct store_key at;
    struct store_terms terms = {.ttl = choose_ttl()};
    uint64_t evicted = box_figures(&box).counters.evictions;
    upload->key = (uint32_t)below(KEYS);
    upload->length = length_of() + 5000;
    upload->done = 0;
    locate(upload->key, &at);
    enum store_status status =
        store_write_begin(box.lane, &at, &terms, upload->length, box.now, &upload->write);
    store_leave(box.lane);
    if (status != STORE_OK)
        judge(status, upload->key, evicted);
}

static void end(struct upload *upload)
{
    store_enter(box.lane);
    enum store_status status = store_write_commit(box.lane, &upload->write, box.now, NULL);
    store_leave(box.lane);
    if (status == STORE_OK)
        promise(upload->key);
    else
        judge(status, upload->key, 0);
}

/* A few kilobytes more of it. */
static void feed(struct upload *upload)
{
    struct iovec space;
    uint64_t most = below(40000) + 1;
    if (most > upload->length - upload->done)
        most = upload->length - upload->done;
    look_at_due(clock_of(upload->key), most);
    look_at_due(&clocks[SPACES], most);
    store_enter(box.lane);
    enum store_status status = store_write_space(box.lane, upload->write, box.now, &space);
    if (status == STORE_OK) {
        most = most < space.iov_len ? most : space.iov_len;
        store_write_advance(upload->write, most);
    } else if (status != STORE_CROWDED || happens(100)) {
        store_write_abort(box.lane, &upload->write);
    }
    store_leave(box.lane);
    if (status == STORE_OK) {
        count(upload->key, most);
        upload->done += most;
        if (upload->done == upload->length)
            end(upload);
    } else {
        judge(status, upload->key, 0);
    }
}

static void send(void)
{
    struct upload *upload = &uploads[below(WRITES)];
    if (upload->write == NULL)
        begin(upload);
    else if (happens(20))
        store_write_abort(box.lane, &upload->write);
    else
        feed(upload);
}

static bool visit(void *context, struct store_entry *entry)
{
    (void)context;
    (void)entry;
    return true;
}

static void list(void)
{
    struct store_cursor **cursor = &cursors[below(CURSORS)];
    char name[16];
    int length = snprintf(name, sizeof name, "n%u", (unsigned)below(course.spaces));
    store_enter(box.lane);
    if (*cursor == NULL)
        store_cursor_open(box.lane, (struct slice){name, (size_t)length}, cursor);
    else if (happens(100) || store_cursor_step(box.lane, *cursor, box.now, below(30), visit, NULL))
        store_cursor_close(cursor);
    store_leave(box.lane);
}

static void keep_house(void)
{
    store_enter(box.lane);
    store_housekeep(box.lane, box.now, 1 + below(2000));
    store_leave(box.lane);
}

static void act(void)
{
    box.now += happens(10);
    if (happens(course.held))
        hold();
    if (happens(course.uploads))
        send();
    if (happens(course.cursors))
        list();
    if (happens(course.keeps))
        keep_house();
    if (happens(20))
        delete ();
    put();
}

/* --- a run ------------------------------------------------------------------------------- */

static void declare(void)
{
    static char names[SPACES][8];
    static struct store_namespace_options quotas[SPACES];
    for (unsigned i = 0; i < course.quotas; i++) {
        int length = snprintf(names[i], sizeof names[i], "n%u", i);
        quotas[i] = (struct store_namespace_options){.name = {names[i], (size_t)length},
                                                     .ttl = STORE_NEVER,
                                                     .max_ttl = STORE_NEVER,
                                                     .memory = course.quota};
        clocks[i].share = course.quota / SHARE;
    }
    box_declare(&box, quotas, course.quotas, STORE_NEVER);
    clocks[SPACES].share = (course.memory - course.quotas * course.quota) / SHARE;
}

static void let_go(void)
{
    for (unsigned i = 0; i < VIEWS; i++)
        if (viewed[i])
            store_view_put(&views[i]);
    for (unsigned i = 0; i < WRITES; i++)
        if (uploads[i].write != NULL)
            store_write_abort(box.lane, &uploads[i].write);
    for (unsigned i = 0; i < CURSORS; i++)
        if (cursors[i] != NULL)
            store_cursor_close(&cursors[i]);
}

static const struct course courses[] = {
#define KIB *BOX_KIB
#define MIB *(uint64_t)BOX_MIB
    {"small records", 4 MIB, .spaces = 1, .sizes = 0, .keeps = 20, .fill_quietly = true},
    {"tiny records", 4 MIB, .spaces = 1, .sizes = 1, .keeps = 0, .fill_quietly = true},
    {"times to live", 4 MIB, .spaces = 1, .sizes = 1, .ttls = 20, .fill_quietly = true},
    {"namespaces", 4 MIB, .spaces = 60, .sizes = 2, .ttls = 4, .keeps = 5, .fill_quietly = true},
    {"many namespaces", 4 MIB, .spaces = 5000, .sizes = 1, .keeps = 5},
    {"a quota", 16 MIB, 4 MIB, 1, 2, .sizes = 5, .ttls = 10, .keeps = 20, .fill_quietly = true},
    {"quotas", 16 MIB, 512 KIB, 16, 20, .sizes = 2, .ttls = 3, .keeps = 5, .fill_quietly = true},
    {"large and small", 16 MIB, 0, 0, 3, .sizes = 4, .keeps = 20, .fill_quietly = true},
    {"up to a quarter", 16 MIB, 0, 0, 3, .sizes = 7, .ttls = 5, .keeps = 20, .fill_quietly = true},
    {"a quarter each", 4 MIB, 0, 0, 3, .sizes = 9, .keeps = 20, .fill_quietly = true},
    {"quarters", 48 MIB, 32 MIB, 1, 3, .sizes = 9, .keeps = 20, .fill_quietly = true},
    {"powers", 4 MIB, 1 MIB, 1, 3, .sizes = 6, .ttls = 8, .keeps = 20, .fill_quietly = true},
    {"middling", 64 MIB, 16 MIB, 2, 4, .sizes = 8, .ttls = 8, .keeps = 20, .fill_quietly = true},
    {"all, small", 4 MIB, 1 MIB, 1, 5, 2, 8, 50, 200, 20, 20, false},
    {"all, of any size", 16 MIB, 4 MIB, 1, 5, 7, 8, 50, 200, 20, 20, false},
    {"all, large", 48 MIB, 4 MIB, 2, 5, 8, 8, 100, 500, 20, 20, false},
    {"all, a quarter", 16 MIB, 4 MIB, 1, 5, 9, 2, 100, 500, 20, 20, false},
    {"all, tiny", 16 MIB, 256 KIB, 8, 50, 1, 8, 50, 50, 20, 20, false},
    {"all, powers", 64 MIB, 4 MIB, 4, 9, 6, 8, 50, 100, 20, 20, false},
};

START_TEST(what_was_stored_is_there_until_a_share_was_written)
{
    uint64_t steps = box_setting("MODEL_OPS", 2000000) / 20;
    if (box_setting("MODEL_COURSE", (uint64_t)_i) != (uint64_t)_i)
        return;
    course = courses[_i];
    chance = box_setting("MODEL_SEED", 1) + (uint64_t)_i;
    box_open(&box, course.memory, LARGEST);
    declare();
    /* Bytes as much as steps, where records are large. */
    uint64_t most = 100 * course.memory;
    for (step = 1; step <= steps && clocks[SPACES].written < most; step++)
        act();
    for (unsigned i = 0; i <= SPACES; i++)
        look_at_due(&clocks[i], clocks[i].share);
    ck_assert_uint_lt(refused * 10, stored);
    let_go();
    box_check(&box);
    box_close(&box);
    if (box_setting("MODEL_TELLS", 0) != 0)
        printf("%s: %" PRIu64 " steps, %" PRIu64 " stored, %" PRIu64 " refused\n", course.name,
               step, stored, refused);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fresh records");
    TCase *model = tcase_create("model");
    tcase_set_timeout(model, 4 * BOX_TIMEOUT);
    tcase_add_loop_test(model, what_was_stored_is_there_until_a_share_was_written, 0,
                        sizeof courses / sizeof courses[0]);
    suite_add_tcase(suite, model);
    return suite_run(suite);
}
