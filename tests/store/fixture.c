/*
 * fixture.c - see fixture.h. Nothing here knows how the store works: only store.h.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOUSEKEEP_ROUNDS = 1000000 };

/* What the machine's clock says when the store's says `now`. */
static void read_clock(struct box *box)
{
    box->clock.uptime = (uint64_t)((int64_t)box->now - box->found.clock_offset);
}

static void create(struct box *box)
{
    struct store_options options = {.memory = box->memory,
                                    .max_value = box->max_value,
                                    .file = box->file,
                                    .threads = box->threads,
                                    .clock = box->clock,
                                    .recovery = &box->found};

    for (size_t i = 0; i < sizeof options.secret; i++) {
        options.secret[i] = (uint8_t)(i * 37 + 11);
        options.file_secret[i] = (uint8_t)(i * 41 + 5);
    }
    free(box->found.aside);
    box->store = store_create(&options);
    ck_assert_ptr_nonnull(box->store);
    box->lane = store_lane_create(box->store);
    ck_assert_ptr_nonnull(box->lane);
    if (box->file != NULL)
        box->now = (uint64_t)((int64_t)box->clock.uptime + box->found.clock_offset);
    box_declare(box, NULL, 0, STORE_NEVER);
}

/* Any test may be told to run over a file: BOX_ARENA is the directory. The file has no name
 * any more once it is open, so nothing is left behind. */
static void create_over_file(struct box *box, const char *directory)
{
    static unsigned made;
    char path[256];

    snprintf(path, sizeof path, "%s/kvcached-box-%ld-%u", directory, (long)getpid(), made++);
    box->file = path;
    box->threads = 1;
    box->clock = (struct store_clock){.boot = {1}, .uptime = box->now};
    create(box);
    unlink(path);
    box->file = NULL;
}

void box_open(struct box *box, uint64_t memory, uint64_t max_value)
{
    const char *directory = getenv("BOX_ARENA");

    *box = (struct box){.now = 1000, .memory = memory, .max_value = max_value};
    if (directory != NULL)
        create_over_file(box, directory);
    else
        create(box);
}

void box_close(struct box *box)
{
    box_check(box);
    box_crash(box);
    free(box->found.aside);
    box->found.aside = NULL;
}

/* --- with a file ------------------------------------------------------------ */

void box_open_file(struct box *box, uint64_t memory, uint64_t max_value, const char *path)
{
    *box = (struct box){.now = 1000,
                        .memory = memory,
                        .max_value = max_value,
                        .file = path,
                        .threads = 1,
                        .clock = {.boot = {1}, .uptime = 1000, .wall = 1700000000000}};
    create(box);
}

void box_crash(struct box *box)
{
    read_clock(box);
    store_lane_destroy(&box->lane);
    ck_assert_ptr_null(box->lane);
    store_destroy(&box->store);
    ck_assert_ptr_null(box->store);
}

void box_stop(struct box *box)
{
    read_clock(box);
    store_lane_destroy(&box->lane);
    store_close(&box->store, &box->clock);
    ck_assert_ptr_null(box->store);
}

void box_start(struct box *box)
{
    create(box);
}

void box_restart(struct box *box)
{
    box_check(box);
    box_crash(box);
    box_start(box);
    box_check(box);
}

void box_reboot(struct box *box, int64_t passed)
{
    box_stop(box);
    box->clock.boot[0]++;
    box->clock.uptime = 500;
    box->clock.wall = (uint64_t)((int64_t)box->clock.wall + passed);
    box_start(box);
}

void box_check(struct box *box)
{
    store_enter(box->lane);
    const char *wrong = store_check(box->lane, box->now);
    store_leave(box->lane);
    ck_assert_msg(wrong == NULL, "store_check: %s", wrong);
    BOX_THAT(box_is_within(box));
}

void box_set_memory(struct box *box, uint64_t memory)
{
    box->memory = memory;
    box->excused = box_figures(box).memory_used;
    store_enter(box->lane);
    enum store_resize result = store_set_memory(box->lane, memory);
    store_leave(box->lane);
    ck_assert_int_eq(result, STORE_RESIZED);
    ck_assert_uint_eq(box_figures(box).memory_limit, memory);
}

bool box_is_within(struct box *box)
{
    enum { SMALL = 64 * BOX_KIB, SHARE = 64 }; /* pages of tables, and what must not fail */
    struct store_figures figures = box_figures(box);

    if (figures.memory_used <= figures.memory_limit) {
        box->excused = 0;
        return true;
    }
    bool within = figures.memory_used <= box->excused + box->excused / SHARE + SMALL;
    if (within && figures.memory_used < box->excused)
        box->excused = figures.memory_used;
    return within;
}

void box_expect_within(struct box *box)
{
    struct store_figures figures = box_figures(box);

    box_check(box);
    if (figures.memory_used > figures.memory_limit)
        ck_abort_msg("%ju bytes are used, of %ju", (uintmax_t)figures.memory_used,
                     (uintmax_t)figures.memory_limit);
}

void box_shrink(struct box *box, uint64_t memory)
{
    box_set_memory(box, memory);
    box_housekeep(box);
    box_expect_within(box);
}

static void apply(struct box *box, const struct store_policy *policy)
{
    store_enter(box->lane);
    bool applied = store_set_policy(box->store, box->lane, policy, box->now);
    store_leave(box->lane);
    ck_assert(applied);
}

void box_declare_slowly(struct box *box, const struct store_policy *policy, size_t effort)
{
    enum store_progress progress = STORE_GOES_ON;

    store_enter(box->lane);
    ck_assert(store_policy_begin(box->lane, policy));
    store_leave(box->lane);
    while (progress == STORE_GOES_ON) {
        store_enter(box->lane);
        if (effort > 0)
            store_housekeep(box->lane, box->now, effort);
        progress = store_policy_step(box->lane, box->now);
        store_leave(box->lane);
    }
    ck_assert_int_eq(progress, STORE_DONE);
}

void box_declare(struct box *box, const struct store_namespace_options *declared, size_t count,
                 uint64_t ttl)
{
    apply(box, &(struct store_policy){.declared = declared,
                                      .declared_count = count,
                                      .undeclared = {.ttl = ttl},
                                      .max_value = box->max_value});
}

void box_declare_only(struct box *box, const struct store_namespace_options *declared, size_t count)
{
    apply(box, &(struct store_policy){.declared = declared,
                                      .declared_count = count,
                                      .declared_only = true,
                                      .max_value = box->max_value});
}

void box_housekeep(struct box *box)
{
    bool more = true;

    for (int round = 0; more && round < HOUSEKEEP_ROUNDS; round++) {
        store_enter(box->lane);
        more = store_housekeep(box->lane, box->now, BOX_EFFORT);
        store_leave(box->lane);
    }
    ck_assert_msg(!more, "housekeeping never ends");
}

void box_rest(struct box *box)
{
    for (int lull = 0; lull < 3; lull++) {
        box_housekeep(box);
        box_wait(box, 1000);
    }
    box_housekeep(box);
}

void box_wait(struct box *box, uint64_t milliseconds)
{
    box->now += milliseconds;
}

void box_outlive(struct box *box, uint64_t ttl)
{
    box_wait(box, ttl + 1);
}

/* --- one record --------------------------------------------------------- */

/* Enters and locates; the caller leaves. */
static enum store_status enter_at(struct box *box, struct slice name, struct slice key,
                                  struct store_key *at)
{
    store_enter(box->lane);
    enum store_status status = store_locate(box->lane, name, key, at);
    if (status == STORE_OK)
        store_fetch(box->lane, at);
    return status;
}

static enum store_status write_bytes(struct box *box, struct slice name, struct slice key,
                                     enum store_mode mode, struct store_ttl ttl, struct slice value)
{
    struct store_key at;
    enum store_status status = enter_at(box, name, key, &at);

    if (status == STORE_OK)
        status = store_put(box->lane, &at, TERMS(mode, ttl), value, box->now, NULL);
    store_leave(box->lane);
    return status;
}

enum store_status box_put_bytes(struct box *box, struct slice name, struct slice key,
                                struct store_ttl ttl, struct slice value)
{
    return write_bytes(box, name, key, STORE_SET, ttl, value);
}

enum store_status box_put(struct box *box, const char *name, const char *key, struct store_ttl ttl,
                          const char *value)
{
    return write_bytes(box, slice_of(name), slice_of(key), STORE_SET, ttl, slice_of(value));
}

enum store_status box_add(struct box *box, const char *name, const char *key, struct store_ttl ttl,
                          const char *value)
{
    return write_bytes(box, slice_of(name), slice_of(key), STORE_ADD, ttl, slice_of(value));
}

enum store_status box_get_bytes(struct box *box, struct slice name, struct slice key,
                                struct store_view *view)
{
    struct store_key at;
    enum store_status status = enter_at(box, name, key, &at);

    if (status == STORE_OK)
        status = store_get(box->lane, &at, box->now, view);
    if (status == STORE_OK && !view->pinned) {
        bool fits = view->length <= sizeof box->copy;
        if (fits && view->length > 0)
            memcpy(box->copy, view->bytes, view->length);
        store_view_put(view);
        view->bytes = box->copy;
        BOX_THAT(fits);
    }
    store_leave(box->lane);
    return status;
}

enum store_status box_get(struct box *box, const char *name, const char *key,
                          struct store_view *view)
{
    return box_get_bytes(box, slice_of(name), slice_of(key), view);
}

void box_give_back(struct store_view *view)
{
    if (view->pinned)
        store_view_put(view);
}

enum store_status box_delete(struct box *box, const char *name, const char *key)
{
    struct store_key at;
    enum store_status status = enter_at(box, slice_of(name), slice_of(key), &at);

    if (status == STORE_OK)
        status = store_delete(box->lane, &at, NULL, box->now);
    store_leave(box->lane);
    return status;
}

enum store_status box_touch(struct box *box, const char *name, const char *key,
                            struct store_ttl ttl)
{
    struct store_key at;
    enum store_status status = enter_at(box, slice_of(name), slice_of(key), &at);

    if (status == STORE_OK)
        status = store_touch(box->lane, &at, ttl, box->now);
    store_leave(box->lane);
    return status;
}

enum store_status box_left(struct box *box, const char *name, const char *key, uint64_t *left)
{
    struct store_key at;
    uint64_t expires = STORE_NEVER;
    enum store_status status = enter_at(box, slice_of(name), slice_of(key), &at);

    if (status == STORE_OK)
        status = store_expiry(box->lane, &at, box->now, &expires);
    store_leave(box->lane);
    *left = expires == STORE_NEVER ? BOX_NEVER : store_left(expires, box->now);
    return status;
}

static enum store_status add_number(struct box *box, const char *name, const char *key, uint64_t by,
                                    bool subtract, uint64_t *result)
{
    struct store_key at;
    struct store_sum sum = {.by = by, .subtract = subtract};
    enum store_status status = enter_at(box, slice_of(name), slice_of(key), &at);

    if (status == STORE_OK)
        status = store_add_number(box->lane, &at, TERMS(STORE_SET, TTL_KEEP), &sum, box->now);
    store_leave(box->lane);
    *result = sum.number;
    return status;
}

enum store_status box_incr(struct box *box, const char *name, const char *key, uint64_t by,
                           uint64_t *result)
{
    return add_number(box, name, key, by, false, result);
}

enum store_status box_decr(struct box *box, const char *name, const char *key, uint64_t by,
                           uint64_t *result)
{
    return add_number(box, name, key, by, true, result);
}

bool box_has(struct box *box, const char *name, const char *key)
{
    struct store_view view;
    enum store_status status = box_get(box, name, key, &view);

    if (status == STORE_OK)
        box_give_back(&view);
    return status == STORE_OK;
}

void box_expect_bytes(struct box *box, struct slice name, struct slice key, struct slice value)
{
    struct store_view view;
    enum store_status status = box_get_bytes(box, name, key, &view);

    if (status != STORE_OK)
        ck_abort_msg("%.*s %.*s at %ju: status %d", (int)name.length, name.bytes, (int)key.length,
                     key.bytes, (uintmax_t)box->now, (int)status);
    uint64_t length = view.length;
    bool same = !view.pinned && slice_equal((struct slice){view.bytes, length}, value);
    box_give_back(&view);
    BOX_THAT(length == value.length);
    BOX_THAT(same);
}

void box_expect(struct box *box, const char *name, const char *key, const char *value)
{
    box_expect_bytes(box, slice_of(name), slice_of(key), slice_of(value));
}

void box_expect_gone(struct box *box, const char *name, const char *key)
{
    uint64_t left;

    if (box_has(box, name, key))
        ck_abort_msg("%s %s is still there at %ju", name, key, (uintmax_t)box->now);
    BOX_THAT(box_left(box, name, key, &left) == STORE_NOT_FOUND);
}

void box_expect_left(struct box *box, const char *name, const char *key, uint64_t left)
{
    struct store_view view;
    uint64_t got = 0;
    uint64_t expires = left == BOX_NEVER ? STORE_NEVER : box->now + 1 + left;

    BOX_OK(box_left(box, name, key, &got));
    if (got != left)
        ck_abort_msg("%s %s has %ju ms left, not %ju", name, key, (uintmax_t)got, (uintmax_t)left);
    BOX_OK(box_get(box, name, key, &view));
    got = view.expires;
    box_give_back(&view);
    BOX_THAT(got == expires);
}

/* --- writes in parts ---------------------------------------------------- */

enum store_status box_begin(struct box *box, const char *name, const char *key,
                            enum store_mode mode, struct store_ttl ttl, uint64_t length,
                            struct store_write **write)
{
    struct store_key at;
    enum store_status status = enter_at(box, slice_of(name), slice_of(key), &at);

    if (status == STORE_OK)
        status = store_write_begin(box->lane, &at, TERMS(mode, ttl), length, box->now, write);
    store_leave(box->lane);
    return status;
}

enum store_status box_write_pattern(struct box *box, struct store_write *write, uint64_t *done,
                                    uint64_t until, size_t part, uint64_t seed)
{
    while (*done < until) {
        struct iovec space = {NULL, 0};
        store_enter(box->lane);
        enum store_status status = store_write_space(box->lane, write, box->now, &space);
        store_leave(box->lane);
        if (status != STORE_OK)
            return status;
        BOX_THAT(space.iov_len >= 1);
        size_t count = space.iov_len < part ? space.iov_len : part;
        if (count > until - *done)
            count = (size_t)(until - *done);
        box_pattern(space.iov_base, *done, count, seed);
        store_write_advance(write, count);
        *done += count;
    }
    return STORE_OK;
}

enum store_status box_commit(struct box *box, struct store_write **write)
{
    store_enter(box->lane);
    enum store_status status = store_write_commit(box->lane, write, box->now, NULL);
    store_leave(box->lane);
    ck_assert_ptr_null(*write);
    return status;
}

void box_abort(struct box *box, struct store_write **write)
{
    store_enter(box->lane);
    store_write_abort(box->lane, write);
    store_leave(box->lane);
    ck_assert_ptr_null(*write);
}

enum store_status box_stream_pattern(struct box *box, const char *name, const char *key,
                                     enum store_mode mode, struct store_ttl ttl, size_t length,
                                     size_t part, uint64_t seed)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    enum store_status status = box_begin(box, name, key, mode, ttl, length, &write);

    if (status != STORE_OK)
        return status;
    status = box_write_pattern(box, write, &done, length, part, seed);
    if (status == STORE_OK)
        return box_commit(box, &write);
    box_abort(box, &write);
    return status;
}

/* --- namespaces and figures --------------------------------------------- */

uint64_t box_flush(struct box *box, const char *name)
{
    uint64_t records = 0;

    store_enter(box->lane);
    enum store_status status = store_flush(box->lane, slice_of(name), box->now, &records);
    store_leave(box->lane);
    BOX_OK(status);
    return records;
}

struct store_figures box_figures(struct box *box)
{
    struct store_figures figures;

    store_enter(box->lane);
    store_figures(box->lane, &figures);
    store_leave(box->lane);
    return figures;
}

enum store_status box_namespace(struct box *box, const char *name,
                                struct store_namespace_figures *figures)
{
    store_enter(box->lane);
    enum store_status status = store_namespace_figures(box->lane, slice_of(name), figures);
    store_leave(box->lane);
    return status;
}

uint64_t box_items(struct box *box, const char *name)
{
    struct store_namespace_figures figures;

    return box_namespace(box, name, &figures) == STORE_OK ? figures.items : 0;
}

/* --- the program -------------------------------------------------------- */

uint64_t box_setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : otherwise;
}
