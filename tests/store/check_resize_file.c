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

enum { MEMORY = 8 * BOX_MIB };

static struct box box;
static struct image image;
static char path[256];

static void setup(void)
{
    scratch_make_in_memory();
    snprintf(path, sizeof path, "%s", scratch_path("arena"));
    box_open_file(&box, MEMORY, BOX_MIB, path);
}

static void teardown(void)
{
    if (box.store != NULL)
        box_close(&box);
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
    uint64_t used = box_figures(&box).memory_used;
    uint64_t blocks = taken();

    ck_assert_msg(blocks < used + BOX_MIB, "%ju bytes are used, the file takes %ju",
                  (uintmax_t)used, (uintmax_t)blocks);
}

START_TEST(it_takes_what_is_used)
{
    static const size_t lengths[] = {100, 9000, 200000};
    size_t size = lengths[_i];
    uint64_t before = length();

    for (int round = 0; round < 3; round++) {
        box_set_memory(&box, 8 * MEMORY);
        ck_assert(round > 0 || length() == before + 7 * MEMORY);
        box_pour(&box, "ns", 0, 16 * MEMORY / size, size);
        ck_assert_uint_gt(taken(), 4 * MEMORY);
        expect_taken();
        box_shrink(&box, MEMORY);
        ck_assert_uint_le(taken(), MEMORY + BOX_MIB);
        expect_taken();
        ck_assert_uint_eq(length(), before + 7 * MEMORY);
    }
}
END_TEST

/* --- restarts ------------------------------------------------------------------- */

START_TEST(a_restart_with_the_new_memory)
{
    box_pour(&box, "ns", 0, 5000, 1000);
    box_set_memory(&box, 4 * MEMORY);
    box_pour(&box, "ns", 5000, 15000, 1000);
    ck_assert_uint_eq(box_count_alive(&box, "ns", 0, 20000, 1000), 20000);
    box_restart(&box);
    ck_assert_int_eq(box.found.arena, STORE_ARENA_KEPT);
    ck_assert_uint_eq(box.found.records, 20000);
    ck_assert_uint_eq(box.found.beyond + box.found.evicted + box.found.damaged_segments, 0);
    ck_assert_uint_eq(box_count_alive(&box, "ns", 0, 20000, 1000), 20000);
    box_shrink(&box, MEMORY);
    size_t left = box_count_alive(&box, "ns", 0, 20000, 1000);
    ck_assert_uint_gt(left, 5000);
    box_reboot(&box, 1000);
    ck_assert_uint_eq(box.found.records, left);
    ck_assert_uint_eq(box.found.evicted, 0);
    ck_assert_uint_eq(box_count_alive(&box, "ns", 0, 20000, 1000), left);
}
END_TEST

/* The command is forgotten: the configuration has the memory of before. */
START_TEST(a_restart_with_the_old_memory)
{
    static const size_t lengths[] = {30, 1000, 9000};
    size_t size = lengths[_i];
    size_t count = 2 * MEMORY / (size + 20);

    box_set_memory(&box, 4 * MEMORY);
    box_pour(&box, "ns", 0, count, size);
    ck_assert_uint_eq(box_figures(&box).counters.evictions, 0);
    box.memory = MEMORY;
    box_crash(&box);
    box_start(&box);
    box_check(&box);
    ck_assert_uint_gt(box.found.evicted, count / 3);
    size_t left = box_figures(&box).items;
    ck_assert_uint_eq(box.found.records, left);
    ck_assert_msg(left * size > MEMORY / (_i ? 2 : 4), "%zu of %zu are left", left, count);
    ck_assert_uint_eq(box_count_alive(&box, "ns", 0, count, size), left);
    expect_taken();
}
END_TEST

/* Whatever moment it ends at, a start finds what was there at that moment, whole. */
START_TEST(killed_while_it_shrinks)
{
    enum { SMALL = 6000, LARGE = 60, SPANS = 700 };
    bool more = true;

    box_set_memory(&box, 3 * MEMORY);
    box_pour(&box, "small", 0, SMALL, 300);
    box_pour(&box, "spans", 0, SPANS, 9000);
    box_pour(&box, "large", 0, LARGE, 100000);
    box_pour(&box, "small", SMALL, SMALL, 300);
    ck_assert_uint_eq(box_figures(&box).counters.evictions, 0);
    box_set_memory(&box, MEMORY);
    for (unsigned kills = 0; more; kills++) {
        for (int slice = 0; slice < 40 && more; slice++) {
            store_enter(box.lane);
            more = store_housekeep(box.lane, box.now, 200);
            store_leave(box.lane);
        }
        size_t small = box_count_alive(&box, "small", 0, 2 * SMALL, 300);
        size_t spans = box_count_alive(&box, "spans", 0, SPANS, 9000);
        size_t large = box_count_alive(&box, "large", 0, LARGE, 100000);
        box.memory = 3 * MEMORY; /* so that the start itself evicts nothing */
        box_crash(&box);
        box_start(&box);
        ck_assert_uint_eq(box.found.duplicates + box.found.evicted + box.found.damaged_segments +
                              box.found.damaged_records,
                          0);
        ck_assert_uint_eq(box_count_alive(&box, "small", 0, 2 * SMALL, 300), small);
        ck_assert_uint_eq(box_count_alive(&box, "spans", 0, SPANS, 9000), spans);
        ck_assert_uint_eq(box_count_alive(&box, "large", 0, LARGE, 100000), large);
        box_check(&box);
        box_set_memory(&box, MEMORY);
        ck_assert_uint_lt(kills, 10000);
    }
    ck_assert_uint_le(box_figures(&box).memory_used, MEMORY);
    ck_assert_uint_gt(box_figures(&box).bytes, MEMORY / 2);
}
END_TEST

/* A file that an earlier version made has labels for four times its memory. */
START_TEST(a_file_that_cannot_grow_that_far)
{
    uint64_t most = store_memory_most(box.store);
    struct arena_head head;
    const size_t from = offsetof(struct arena_head, byte_order);

    ck_assert_uint_eq(most, UINT64_C(4) << 30);
    box_crash(&box);
    ck_assert(image_take(&image, box.store == NULL ? open(path, O_RDWR) : -1));
    memcpy(&head, image_at(&image, 0), sizeof head);
    head.frames_max = 4 * (MEMORY / 65536 + 1);
    head.check = seal_bytes(seal_seed(head.secret, SEAL_HEAD, 0), (const char *)&head + from,
                            offsetof(struct arena_head, check) - from);
    memcpy(image_at(&image, 0), &head, sizeof head);
    image.count = 1;
    image.runs[0].length = sizeof head;
    image.length = sizeof head;
    ck_assert(image_put(&image, path));
    box_start(&box);
    ck_assert_int_eq(box.found.arena, STORE_ARENA_KEPT);
    most = store_memory_most(box.store);
    ck_assert_uint_eq(most, 4 * (MEMORY + 65536));
    store_enter(box.lane);
    ck_assert_int_eq(store_set_memory(box.lane, most + 1), STORE_RESIZE_TOO_LARGE);
    store_leave(box.lane);
    box_set_memory(&box, most);
    box_pour(&box, "ns", 0, 20000, 1000);
    ck_assert_uint_eq(box_count_alive(&box, "ns", 0, 20000, 1000), 20000);
    box_restart(&box);
    ck_assert_uint_eq(box.found.beyond, 0);
    ck_assert_uint_eq(box_count_alive(&box, "ns", 0, 20000, 1000), 20000);
}
END_TEST

/* --- refused -------------------------------------------------------------------- */

static void expect_refused(uint64_t memory, int why)
{
    uint64_t before = length();

    store_enter(box.lane);
    errno = 0;
    enum store_resize result = store_set_memory(box.lane, memory);
    int said = errno;
    store_leave(box.lane);
    ck_assert_int_eq(result, STORE_RESIZE_FAILED);
    ck_assert_int_eq(said, why);
    ck_assert_uint_eq(box_figures(&box).memory_limit, MEMORY);
    ck_assert_uint_eq(length(), before);
}

START_TEST(a_file_that_may_not_be_that_long)
{
    struct rlimit limit;

    box_pour(&box, "ns", 0, 5000, 1000);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = length() + MEMORY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_refused(3 * MEMORY, EFBIG);
    box_pour(&box, "ns", 5000, 20000, 1000);
    box_housekeep(&box);
    ck_assert_uint_le(box_figures(&box).memory_used, MEMORY);
    box_set_memory(&box, 2 * MEMORY);
    box_pour(&box, "ns", 0, 12000, 1000);
    ck_assert_uint_eq(box_count_alive(&box, "ns", 0, 12000, 1000), 12000);
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
    box_close(&box);
    snprintf(path, sizeof path, "%s/arena", where);
    box_open_file(&box, MEMORY, BOX_MIB, path);
    box_pour(&box, "ns", 0, 5000, 1000);
    expect_refused(40 * BOX_MIB, ENOSPC);
    box_set_memory(&box, 16 * BOX_MIB);
    box_pour(&box, "ns", 5000, 8000, 1000);
    ck_assert_uint_eq(box_count_alive(&box, "ns", 0, 13000, 1000), 13000);
    box_shrink(&box, MEMORY);
    expect_refused(40 * BOX_MIB, ENOSPC);
    box_close(&box);
    box.store = NULL;
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
    tcase_set_timeout(resize, BOX_TIMEOUT);
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
