/*
 * check_resize_file.c - another memory for a store whose arena is a file: how long the
 * file is and what it takes, what a restart finds after that, at any moment of it, and what is
 * refused.
 */
#include "tests/store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/records/state.h"
#include "tests/store/crash/image.h"
#include "tests/support/scratch.h"

enum { MEMORY = 8 * FIXTURE_MIB };

static struct fixture fixture;
static struct image image;
static char path[256];

static void setup(void)
{
    scratch_make_in_memory();
    snprintf(path, sizeof path, "%s", scratch_path("arena"));
    fixture_open_file(&fixture, MEMORY, FIXTURE_MIB, path);
}

static void teardown(void)
{
    if (fixture.store != NULL) {
        fixture_close(&fixture);
    }
    image_free(&image);
    scratch_remove();
}

static uint64_t taken(void)
{
    struct stat found;
    ck_assert_int_eq(stat(path, &found), 0);
    return (uint64_t)found.st_blocks * 512;
}

static uint64_t length(void)
{
    struct stat found;
    ck_assert_int_eq(stat(path, &found), 0);
    return (uint64_t)found.st_size;
}

/* --- blocks ------------------------------------------------------------------ */

/* The file takes what is used, and a little: it has the names, and pages that are shared. */
static void expect_taken(void)
{
    uint64_t used = fixture_figures(&fixture).memory_used;
    uint64_t blocks = taken();
    ck_assert_msg(blocks < used + FIXTURE_MIB, "%ju bytes are used, the file takes %ju",
                  (uintmax_t)used, (uintmax_t)blocks);
}

START_TEST(it_takes_what_is_used)
{
    static const size_t lengths[] = {100, 9000, 200000};
    size_t size = lengths[_i];
    uint64_t before = length();
    for (int round = 0; round < 3; round++) {
        fixture_set_memory(&fixture, 8 * MEMORY);
        ck_assert(round > 0 || length() == before + 7 * MEMORY);
        fixture_pour(&fixture, "ns", 0, 16 * MEMORY / size, size);
        ck_assert_uint_gt(taken(), 4 * MEMORY);
        expect_taken();
        fixture_shrink(&fixture, MEMORY);
        ck_assert_uint_le(taken(), MEMORY + FIXTURE_MIB);
        expect_taken();
        ck_assert_uint_eq(length(), before + 7 * MEMORY);
    }
}
END_TEST

/* --- restarts ------------------------------------------------------------------- */

START_TEST(a_restart_with_the_new_memory)
{
    fixture_pour(&fixture, "ns", 0, 5000, 1000);
    fixture_set_memory(&fixture, 4 * MEMORY);
    fixture_pour(&fixture, "ns", 5000, 15000, 1000);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 20000, 1000), 20000);
    fixture_restart(&fixture);
    ck_assert_int_eq(fixture.found.arena, STORE_ARENA_KEPT);
    ck_assert_uint_eq(fixture.found.records, 20000);
    ck_assert_uint_eq(fixture.found.beyond + fixture.found.evicted + fixture.found.damaged_segments,
                      0);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 20000, 1000), 20000);
    fixture_shrink(&fixture, MEMORY);
    size_t left = fixture_count_alive(&fixture, "ns", 0, 20000, 1000);
    ck_assert_uint_gt(left, 5000);
    fixture_reboot(&fixture, 1000);
    ck_assert_uint_eq(fixture.found.records, left);
    ck_assert_uint_eq(fixture.found.evicted, 0);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 20000, 1000), left);
}
END_TEST

/* The command is forgotten: the configuration has the memory of before. */
START_TEST(a_restart_with_the_old_memory)
{
    static const size_t lengths[] = {30, 1000, 9000};
    size_t size = lengths[_i];
    size_t count = 2 * MEMORY / (size + 20);
    fixture_set_memory(&fixture, 4 * MEMORY);
    fixture_pour(&fixture, "ns", 0, count, size);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    fixture.memory = MEMORY;
    fixture_crash(&fixture);
    fixture_start(&fixture);
    fixture_check(&fixture);
    ck_assert_uint_gt(fixture.found.evicted, count / 3);
    size_t left = fixture_figures(&fixture).items;
    ck_assert_uint_eq(fixture.found.records, left);
    ck_assert_msg(left * size > MEMORY / (_i ? 2 : 4), "%zu of %zu are left", left, count);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, count, size), left);
    expect_taken();
}
END_TEST

/* Whatever moment it ends at, a start finds what was there at that moment, whole. */
START_TEST(killed_while_it_shrinks)
{
    enum { SMALL = 6000, LARGE = 60, SPANS = 700 };
    bool more = true;
    fixture_set_memory(&fixture, 3 * MEMORY);
    fixture_pour(&fixture, "small", 0, SMALL, 300);
    fixture_pour(&fixture, "spans", 0, SPANS, 9000);
    fixture_pour(&fixture, "large", 0, LARGE, 100000);
    fixture_pour(&fixture, "small", SMALL, SMALL, 300);
    ck_assert_uint_eq(fixture_figures(&fixture).counters.evictions, 0);
    fixture_set_memory(&fixture, MEMORY);
    for (unsigned kills = 0; more; kills++) {
        for (int slice = 0; slice < 40 && more; slice++) {
            store_enter(fixture.thread);
            more = store_housekeep(fixture.thread, fixture.now, 200);
            store_leave(fixture.thread);
        }
        size_t small = fixture_count_alive(&fixture, "small", 0, 2 * SMALL, 300);
        size_t spans = fixture_count_alive(&fixture, "spans", 0, SPANS, 9000);
        size_t large = fixture_count_alive(&fixture, "large", 0, LARGE, 100000);
        fixture.memory = 3 * MEMORY; /* so that the start itself evicts nothing */
        fixture_crash(&fixture);
        fixture_start(&fixture);
        ck_assert_uint_eq(fixture.found.duplicates + fixture.found.evicted +
                              fixture.found.damaged_segments + fixture.found.damaged_records,
                          0);
        ck_assert_uint_eq(fixture_count_alive(&fixture, "small", 0, 2 * SMALL, 300), small);
        ck_assert_uint_eq(fixture_count_alive(&fixture, "spans", 0, SPANS, 9000), spans);
        ck_assert_uint_eq(fixture_count_alive(&fixture, "large", 0, LARGE, 100000), large);
        fixture_check(&fixture);
        fixture_set_memory(&fixture, MEMORY);
        ck_assert_uint_lt(kills, 10000);
    }
    ck_assert_uint_le(fixture_figures(&fixture).memory_used, MEMORY);
    ck_assert_uint_gt(fixture_figures(&fixture).bytes, MEMORY / 2);
}
END_TEST

/* A file that an earlier version made has labels for four times its memory. */
START_TEST(a_file_that_cannot_grow_that_far)
{
    uint64_t most = store_memory_most(fixture.store);
    struct arena_head head;
    const size_t from = offsetof(struct arena_head, byte_order);
    ck_assert_uint_eq(most, UINT64_C(4) << 30);
    fixture_crash(&fixture);
    ck_assert(image_take(&image, fixture.store == NULL ? open(path, O_RDWR) : -1));
    memcpy(&head, image_at(&image, 0), sizeof head);
    head.frames_max = 4 * (MEMORY / 65536 + 1);
    head.check =
        checksum_bytes(checksum_seed(head.secret, CHECKSUM_HEAD, 0), (const char *)&head + from,
                       offsetof(struct arena_head, check) - from);
    memcpy(image_at(&image, 0), &head, sizeof head);
    image.count = 1;
    image.runs[0].length = sizeof head;
    image.length = sizeof head;
    ck_assert(image_put(&image, path));
    fixture_start(&fixture);
    ck_assert_int_eq(fixture.found.arena, STORE_ARENA_KEPT);
    most = store_memory_most(fixture.store);
    ck_assert_uint_eq(most, 4 * (MEMORY + 65536));
    store_enter(fixture.thread);
    ck_assert_int_eq(store_set_memory(fixture.thread, most + 1), STORE_RESIZE_TOO_LARGE);
    store_leave(fixture.thread);
    fixture_set_memory(&fixture, most);
    fixture_pour(&fixture, "ns", 0, 20000, 1000);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 20000, 1000), 20000);
    fixture_restart(&fixture);
    ck_assert_uint_eq(fixture.found.beyond, 0);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 20000, 1000), 20000);
}
END_TEST

/* --- refused -------------------------------------------------------------------- */

static void expect_refused(uint64_t memory, int why)
{
    uint64_t before = length();
    store_enter(fixture.thread);
    errno = 0;
    enum store_resize result = store_set_memory(fixture.thread, memory);
    int said = errno;
    store_leave(fixture.thread);
    ck_assert_int_eq(result, STORE_RESIZE_FAILED);
    ck_assert_int_eq(said, why);
    ck_assert_uint_eq(fixture_figures(&fixture).memory_limit, MEMORY);
    ck_assert_uint_eq(length(), before);
}

START_TEST(a_file_that_may_not_be_that_long)
{
    struct rlimit limit;
    fixture_pour(&fixture, "ns", 0, 5000, 1000);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = length() + MEMORY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_refused(3 * MEMORY, EFBIG);
    fixture_pour(&fixture, "ns", 5000, 20000, 1000);
    fixture_housekeep(&fixture);
    ck_assert_uint_le(fixture_figures(&fixture).memory_used, MEMORY);
    fixture_set_memory(&fixture, 2 * MEMORY);
    fixture_pour(&fixture, "ns", 0, 12000, 1000);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 12000, 1000), 12000);
}
END_TEST

/* For this process only, so that it goes with it whatever happens. */
static bool mount_small(const char *where)
{
    return mkdir(where, 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", where, "tmpfs", 0, "size=24m") == 0;
}

START_TEST(a_file_system_without_room)
{
    char where[128];
    snprintf(where, sizeof where, "%s", scratch_path("small"));
    if (!mount_small(where)) {
        rmdir(where);
        return;
    }
    fixture_close(&fixture);
    snprintf(path, sizeof path, "%s/arena", where);
    fixture_open_file(&fixture, MEMORY, FIXTURE_MIB, path);
    fixture_pour(&fixture, "ns", 0, 5000, 1000);
    expect_refused(40 * FIXTURE_MIB, ENOSPC);
    fixture_set_memory(&fixture, 16 * FIXTURE_MIB);
    fixture_pour(&fixture, "ns", 5000, 8000, 1000);
    ck_assert_uint_eq(fixture_count_alive(&fixture, "ns", 0, 13000, 1000), 13000);
    fixture_shrink(&fixture, MEMORY);
    expect_refused(40 * FIXTURE_MIB, ENOSPC);
    fixture_close(&fixture);
    fixture.store = NULL;
    unlink(path);
    ck_assert_int_eq(umount(where), 0);
    rmdir(where);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store resize file");
    TCase *resize = tcase_create("resize");
    tcase_add_checked_fixture(resize, setup, teardown);
    tcase_set_timeout(resize, FIXTURE_TIMEOUT);
    tcase_add_loop_test(resize, it_takes_what_is_used, 0, 3);
    tcase_add_test(resize, a_restart_with_the_new_memory);
    tcase_add_loop_test(resize, a_restart_with_the_old_memory, 0, 3);
    tcase_add_test(resize, killed_while_it_shrinks);
    tcase_add_test(resize, a_file_that_cannot_grow_that_far);
    tcase_add_test(resize, a_file_that_may_not_be_that_long);
    tcase_add_test(resize, a_file_system_without_room);
    suite_add_tcase(suite, resize);
    return suite_run(suite);
}
