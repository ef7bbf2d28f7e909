/*
 * fixture.c - see fixture.h. Nothing here knows how the store works: only store.h.
 */
#include "tests/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HOUSEKEEP_ROUNDS = 1000000 };

/* What the machine's clock says when the store's says `now`. */
static void read_clock(struct fixture *fixture)
{
    fixture->clock.uptime = (uint64_t)((int64_t)fixture->now - fixture->found.clock_offset);
}

static void create(struct fixture *fixture)
{
    struct store_options options = {.memory = fixture->memory,
                                    .max_value = fixture->max_value,
                                    .file = fixture->file,
                                    .threads = fixture->threads,
                                    .clock = fixture->clock,
                                    .recovery = &fixture->found};
    for (size_t i = 0; i < sizeof options.secret; i++) {
        options.secret[i] = (uint8_t)(i * 37 + 11);
        options.file_secret[i] = (uint8_t)(i * 41 + 5);
    }
    free(fixture->found.aside);
    fixture->store = store_create(&options);
    ck_assert_ptr_nonnull(fixture->store);
    fixture->thread = store_thread_create(fixture->store);
    ck_assert_ptr_nonnull(fixture->thread);
    if (fixture->file != NULL) {
        fixture->now = (uint64_t)((int64_t)fixture->clock.uptime + fixture->found.clock_offset);
    }
    fixture_declare(fixture, NULL, 0, STORE_NEVER);
}

/* Any test may be told to run over a file: FIXTURE_ARENA is the directory. The file has no name
 * any more once it is open, so nothing is left behind. */
static void create_over_file(struct fixture *fixture, const char *directory)
{
    static unsigned made;
    char path[256];
    snprintf(path, sizeof path, "%s/kvcached-box-%ld-%u", directory, (long)getpid(), made++);
    fixture->file = path;
    fixture->threads = 1;
    fixture->clock = (struct store_clock){.boot = {1}, .uptime = fixture->now};
    create(fixture);
    unlink(path);
    fixture->file = NULL;
}

void fixture_open(struct fixture *fixture, uint64_t memory, uint64_t max_value)
{
    const char *directory = getenv("FIXTURE_ARENA");
    *fixture = (struct fixture){.now = 1000, .memory = memory, .max_value = max_value};
    if (directory != NULL) {
        create_over_file(fixture, directory);
    } else {
        create(fixture);
    }
}

void fixture_close(struct fixture *fixture)
{
    fixture_check(fixture);
    fixture_crash(fixture);
    free(fixture->found.aside);
    fixture->found.aside = NULL;
}

/* --- with a file ------------------------------------------------------------ */

void fixture_open_file(struct fixture *fixture, uint64_t memory, uint64_t max_value,
                       const char *path)
{
    *fixture = (struct fixture){.now = 1000,
                                .memory = memory,
                                .max_value = max_value,
                                .file = path,
                                .threads = 1,
                                .clock = {.boot = {1}, .uptime = 1000, .wall = 1700000000000}};
    create(fixture);
}

void fixture_crash(struct fixture *fixture)
{
    read_clock(fixture);
    store_thread_destroy(&fixture->thread);
    ck_assert_ptr_null(fixture->thread);
    store_destroy(&fixture->store);
    ck_assert_ptr_null(fixture->store);
}

void fixture_stop(struct fixture *fixture)
{
    read_clock(fixture);
    store_thread_destroy(&fixture->thread);
    store_close(&fixture->store, &fixture->clock);
    ck_assert_ptr_null(fixture->store);
}

void fixture_start(struct fixture *fixture)
{
    create(fixture);
}

void fixture_restart(struct fixture *fixture)
{
    fixture_check(fixture);
    fixture_crash(fixture);
    fixture_start(fixture);
    fixture_check(fixture);
}

void fixture_reboot(struct fixture *fixture, int64_t passed)
{
    fixture_stop(fixture);
    fixture->clock.boot[0]++;
    fixture->clock.uptime = 500;
    fixture->clock.wall = (uint64_t)((int64_t)fixture->clock.wall + passed);
    fixture_start(fixture);
}

void fixture_check(struct fixture *fixture)
{
    store_enter(fixture->thread);
    const char *wrong = store_check(fixture->thread, fixture->now);
    store_leave(fixture->thread);
    ck_assert_msg(wrong == NULL, "store_check: %s", wrong);
    FIXTURE_THAT(fixture_is_within(fixture));
}

void fixture_set_memory(struct fixture *fixture, uint64_t memory)
{
    fixture->memory = memory;
    fixture->excused = fixture_figures(fixture).memory_used;
    store_enter(fixture->thread);
    enum store_resize result = store_set_memory(fixture->thread, memory);
    store_leave(fixture->thread);
    ck_assert_int_eq(result, STORE_RESIZED);
    ck_assert_uint_eq(fixture_figures(fixture).memory_limit, memory);
}

bool fixture_is_within(struct fixture *fixture)
{
    enum { SMALL = 64 * FIXTURE_KIB, SHARE = 64 }; /* pages of tables, and what must not fail */
    struct store_stats stats = fixture_figures(fixture);
    if (stats.memory_used <= stats.memory_limit) {
        fixture->excused = 0;
        return true;
    }
    bool within = stats.memory_used <= fixture->excused + fixture->excused / SHARE + SMALL;
    if (within && stats.memory_used < fixture->excused) {
        fixture->excused = stats.memory_used;
    }
    return within;
}

void fixture_expect_within(struct fixture *fixture)
{
    struct store_stats stats = fixture_figures(fixture);
    fixture_check(fixture);
    if (stats.memory_used > stats.memory_limit) {
        ck_abort_msg("%ju bytes are used, of %ju", (uintmax_t)stats.memory_used,
                     (uintmax_t)stats.memory_limit);
    }
}

void fixture_shrink(struct fixture *fixture, uint64_t memory)
{
    fixture_set_memory(fixture, memory);
    fixture_housekeep(fixture);
    fixture_expect_within(fixture);
}

static void apply(struct fixture *fixture, const struct store_policy *policy)
{
    store_enter(fixture->thread);
    bool applied = store_set_policy(fixture->store, fixture->thread, policy, fixture->now);
    store_leave(fixture->thread);
    ck_assert(applied);
}

void fixture_declare_slowly(struct fixture *fixture, const struct store_policy *policy,
                            size_t effort)
{
    enum store_progress progress = STORE_GOES_ON;
    store_enter(fixture->thread);
    ck_assert(store_policy_begin(fixture->thread, policy));
    store_leave(fixture->thread);
    while (progress == STORE_GOES_ON) {
        store_enter(fixture->thread);
        if (effort > 0) {
            store_housekeep(fixture->thread, fixture->now, effort);
        }
        progress = store_policy_step(fixture->thread, fixture->now);
        store_leave(fixture->thread);
    }
    ck_assert_int_eq(progress, STORE_DONE);
}

void fixture_declare(struct fixture *fixture, const struct store_namespace_options *declared,
                     size_t count, uint64_t ttl)
{
    apply(fixture, &(struct store_policy){.declared = declared,
                                          .declared_count = count,
                                          .undeclared = {.ttl = ttl},
                                          .max_value = fixture->max_value});
}

void fixture_declare_only(struct fixture *fixture, const struct store_namespace_options *declared,
                          size_t count)
{
    apply(fixture, &(struct store_policy){.declared = declared,
                                          .declared_count = count,
                                          .declared_only = true,
                                          .max_value = fixture->max_value});
}

void fixture_housekeep(struct fixture *fixture)
{
    bool more = true;
    for (int round = 0; more && round < HOUSEKEEP_ROUNDS; round++) {
        store_enter(fixture->thread);
        more = store_housekeep(fixture->thread, fixture->now, FIXTURE_EFFORT);
        store_leave(fixture->thread);
    }
    ck_assert_msg(!more, "housekeeping never ends");
}

void fixture_rest(struct fixture *fixture)
{
    for (int lull = 0; lull < 3; lull++) {
        fixture_housekeep(fixture);
        fixture_wait(fixture, 1000);
    }
    fixture_housekeep(fixture);
}

void fixture_wait(struct fixture *fixture, uint64_t milliseconds)
{
    fixture->now += milliseconds;
}

void fixture_outlive(struct fixture *fixture, uint64_t ttl)
{
    fixture_wait(fixture, ttl + 1);
}

/* --- one record --------------------------------------------------------- */

/* Enters and locates; the caller leaves. */
static enum store_status enter_at(struct fixture *fixture, struct slice name, struct slice key,
                                  struct store_key *at)
{
    store_enter(fixture->thread);
    enum store_status status = store_locate(fixture->thread, name, key, at);
    if (status == STORE_OK) {
        store_fetch(fixture->thread, at);
    }
    return status;
}

static enum store_status write_bytes(struct fixture *fixture, struct slice name, struct slice key,
                                     enum store_mode mode, struct store_ttl ttl, struct slice value)
{
    struct store_key at;
    enum store_status status = enter_at(fixture, name, key, &at);
    if (status == STORE_OK) {
        status = store_put(fixture->thread, &at, TERMS(mode, ttl), value, fixture->now, NULL);
    }
    store_leave(fixture->thread);
    return status;
}

enum store_status fixture_put_bytes(struct fixture *fixture, struct slice name, struct slice key,
                                    struct store_ttl ttl, struct slice value)
{
    return write_bytes(fixture, name, key, STORE_SET, ttl, value);
}

enum store_status fixture_put(struct fixture *fixture, const char *name, const char *key,
                              struct store_ttl ttl, const char *value)
{
    return write_bytes(fixture, slice_of(name), slice_of(key), STORE_SET, ttl, slice_of(value));
}

enum store_status fixture_add(struct fixture *fixture, const char *name, const char *key,
                              struct store_ttl ttl, const char *value)
{
    return write_bytes(fixture, slice_of(name), slice_of(key), STORE_ADD, ttl, slice_of(value));
}

enum store_status fixture_get_bytes(struct fixture *fixture, struct slice name, struct slice key,
                                    struct store_view *view)
{
    struct store_key at;
    enum store_status status = enter_at(fixture, name, key, &at);
    if (status == STORE_OK) {
        status = store_get(fixture->thread, &at, fixture->now, view);
    }
    if (status == STORE_OK && !view->pinned) {
        bool fits = view->length <= sizeof fixture->copy;
        if (fits && view->length > 0) {
            memcpy(fixture->copy, view->bytes, view->length);
        }
        store_view_put(view);
        view->bytes = fixture->copy;
        FIXTURE_THAT(fits);
    }
    store_leave(fixture->thread);
    return status;
}

enum store_status fixture_get(struct fixture *fixture, const char *name, const char *key,
                              struct store_view *view)
{
    return fixture_get_bytes(fixture, slice_of(name), slice_of(key), view);
}

void fixture_give_back(struct store_view *view)
{
    if (view->pinned) {
        store_view_put(view);
    }
}

enum store_status fixture_delete(struct fixture *fixture, const char *name, const char *key)
{
    struct store_key at;
    enum store_status status = enter_at(fixture, slice_of(name), slice_of(key), &at);
    if (status == STORE_OK) {
        status = store_delete(fixture->thread, &at, NULL, fixture->now);
    }
    store_leave(fixture->thread);
    return status;
}

enum store_status fixture_touch(struct fixture *fixture, const char *name, const char *key,
                                struct store_ttl ttl)
{
    struct store_key at;
    enum store_status status = enter_at(fixture, slice_of(name), slice_of(key), &at);
    if (status == STORE_OK) {
        status = store_touch(fixture->thread, &at, ttl, fixture->now);
    }
    store_leave(fixture->thread);
    return status;
}

enum store_status fixture_left(struct fixture *fixture, const char *name, const char *key,
                               uint64_t *left)
{
    struct store_key at;
    uint64_t expires = STORE_NEVER;
    enum store_status status = enter_at(fixture, slice_of(name), slice_of(key), &at);
    if (status == STORE_OK) {
        status = store_expiry(fixture->thread, &at, fixture->now, &expires);
    }
    store_leave(fixture->thread);
    *left = expires == STORE_NEVER ? FIXTURE_NEVER : store_left(expires, fixture->now);
    return status;
}

static enum store_status add_number(struct fixture *fixture, const char *name, const char *key,
                                    uint64_t by, bool subtract, uint64_t *result)
{
    struct store_key at;
    struct store_sum sum = {.by = by, .subtract = subtract};
    enum store_status status = enter_at(fixture, slice_of(name), slice_of(key), &at);
    if (status == STORE_OK) {
        status =
            store_add_number(fixture->thread, &at, TERMS(STORE_SET, TTL_KEEP), &sum, fixture->now);
    }
    store_leave(fixture->thread);
    *result = sum.number;
    return status;
}

enum store_status fixture_incr(struct fixture *fixture, const char *name, const char *key,
                               uint64_t by, uint64_t *result)
{
    return add_number(fixture, name, key, by, false, result);
}

enum store_status fixture_decr(struct fixture *fixture, const char *name, const char *key,
                               uint64_t by, uint64_t *result)
{
    return add_number(fixture, name, key, by, true, result);
}

bool fixture_has(struct fixture *fixture, const char *name, const char *key)
{
    struct store_view view;
    enum store_status status = fixture_get(fixture, name, key, &view);
    if (status == STORE_OK) {
        fixture_give_back(&view);
    }
    return status == STORE_OK;
}

void fixture_expect_bytes(struct fixture *fixture, struct slice name, struct slice key,
                          struct slice value)
{
    struct store_view view;
    enum store_status status = fixture_get_bytes(fixture, name, key, &view);
    if (status != STORE_OK) {
        ck_abort_msg("%.*s %.*s at %ju: status %d", (int)name.length, name.bytes, (int)key.length,
                     key.bytes, (uintmax_t)fixture->now, (int)status);
    }
    uint64_t length = view.length;
    bool same = !view.pinned && slice_equal((struct slice){view.bytes, length}, value);
    fixture_give_back(&view);
    FIXTURE_THAT(length == value.length);
    FIXTURE_THAT(same);
}

void fixture_expect(struct fixture *fixture, const char *name, const char *key, const char *value)
{
    fixture_expect_bytes(fixture, slice_of(name), slice_of(key), slice_of(value));
}

void fixture_expect_gone(struct fixture *fixture, const char *name, const char *key)
{
    uint64_t left;
    if (fixture_has(fixture, name, key)) {
        ck_abort_msg("%s %s is still there at %ju", name, key, (uintmax_t)fixture->now);
    }
    FIXTURE_THAT(fixture_left(fixture, name, key, &left) == STORE_NOT_FOUND);
}

void fixture_expect_left(struct fixture *fixture, const char *name, const char *key, uint64_t left)
{
    struct store_view view;
    uint64_t got = 0;
    uint64_t expires = left == FIXTURE_NEVER ? STORE_NEVER : fixture->now + 1 + left;
    FIXTURE_OK(fixture_left(fixture, name, key, &got));
    if (got != left) {
        ck_abort_msg("%s %s has %ju ms left, not %ju", name, key, (uintmax_t)got, (uintmax_t)left);
    }
    FIXTURE_OK(fixture_get(fixture, name, key, &view));
    got = view.expires;
    fixture_give_back(&view);
    FIXTURE_THAT(got == expires);
}

/* --- writes in parts ---------------------------------------------------- */

enum store_status fixture_begin(struct fixture *fixture, const char *name, const char *key,
                                enum store_mode mode, struct store_ttl ttl, uint64_t length,
                                struct store_write **write)
{
    struct store_key at;
    enum store_status status = enter_at(fixture, slice_of(name), slice_of(key), &at);
    if (status == STORE_OK) {
        status =
            store_write_begin(fixture->thread, &at, TERMS(mode, ttl), length, fixture->now, write);
    }
    store_leave(fixture->thread);
    return status;
}

enum store_status fixture_write_pattern(struct fixture *fixture, struct store_write *write,
                                        uint64_t *done, uint64_t until, size_t part, uint64_t seed)
{
    while (*done < until) {
        struct iovec space = {NULL, 0};
        store_enter(fixture->thread);
        enum store_status status = store_write_space(fixture->thread, write, fixture->now, &space);
        store_leave(fixture->thread);
        if (status != STORE_OK) {
            return status;
        }
        FIXTURE_THAT(space.iov_len >= 1);
        size_t count = space.iov_len < part ? space.iov_len : part;
        if (count > until - *done) {
            count = (size_t)(until - *done);
        }
        fixture_pattern(space.iov_base, *done, count, seed);
        store_write_advance(write, count);
        *done += count;
    }
    return STORE_OK;
}

enum store_status fixture_commit(struct fixture *fixture, struct store_write **write)
{
    store_enter(fixture->thread);
    enum store_status status = store_write_commit(fixture->thread, write, fixture->now, NULL);
    store_leave(fixture->thread);
    ck_assert_ptr_null(*write);
    return status;
}

void fixture_abort(struct fixture *fixture, struct store_write **write)
{
    store_enter(fixture->thread);
    store_write_abort(fixture->thread, write);
    store_leave(fixture->thread);
    ck_assert_ptr_null(*write);
}

enum store_status fixture_stream_pattern(struct fixture *fixture, const char *name, const char *key,
                                         enum store_mode mode, struct store_ttl ttl, size_t length,
                                         size_t part, uint64_t seed)
{
    struct store_write *write = NULL;
    uint64_t done = 0;
    enum store_status status = fixture_begin(fixture, name, key, mode, ttl, length, &write);
    if (status != STORE_OK) {
        return status;
    }
    status = fixture_write_pattern(fixture, write, &done, length, part, seed);
    if (status == STORE_OK) {
        return fixture_commit(fixture, &write);
    }
    fixture_abort(fixture, &write);
    return status;
}

/* --- namespaces and figures --------------------------------------------- */

uint64_t fixture_flush(struct fixture *fixture, const char *name)
{
    uint64_t records = 0;
    store_enter(fixture->thread);
    enum store_status status = store_flush(fixture->thread, slice_of(name), fixture->now, &records);
    store_leave(fixture->thread);
    FIXTURE_OK(status);
    return records;
}

struct store_stats fixture_figures(struct fixture *fixture)
{
    struct store_stats stats;
    store_enter(fixture->thread);
    store_stats(fixture->thread, &stats);
    store_leave(fixture->thread);
    return stats;
}

enum store_status fixture_namespace(struct fixture *fixture, const char *name,
                                    struct store_namespace_stats *stats)
{
    store_enter(fixture->thread);
    enum store_status status = store_namespace_stats(fixture->thread, slice_of(name), stats);
    store_leave(fixture->thread);
    return status;
}

uint64_t fixture_items(struct fixture *fixture, const char *name)
{
    struct store_namespace_stats stats;
    return fixture_namespace(fixture, name, &stats) == STORE_OK ? stats.items : 0;
}

/* --- the program -------------------------------------------------------- */

uint64_t fixture_setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL && *text != '\0' ? strtoull(text, NULL, 0) : otherwise;
}
