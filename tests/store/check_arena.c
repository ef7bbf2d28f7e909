/*
 * check_arena.c - an arena over a file: blocks that come and go, a file system that is
 * full, frames that are in use already.
 *
 * A small file system to fill is mounted where that is allowed; elsewhere those tests pass
 * over it.
 */
#include "daemon/store/arena/arena.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/arena/file.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { MIB = 1 << 20, MEMORY = 8 * MIB };

static struct file file;
static struct store_recovery recovery;
static struct store_options options;

static void begin(void)
{
    scratch_make();
    options = (struct store_options){.memory = MEMORY,
                                     .file = strdup(scratch_path("arena")),
                                     .clock = {.boot = {1}, .uptime = 5000, .wall = 1000000},
                                     .file_secret = "sixteen bytes..."};
}

static void end(void)
{
    file_close(&file);
    free((char *)options.file);
    scratch_remove();
}

static void make_it(void)
{
    ck_assert_int_eq(file_open(&file, &options, &recovery), FILE_NEW);
}

static uint64_t taken(void)
{
    struct stat found;
    ck_assert_int_eq(fstat(file.fd, &found), 0);
    return (uint64_t)found.st_blocks * 512;
}

/* --- a file system without room ------------------------------------------------------------ */

/* For this process only, so that it goes with it whatever happens. */
static bool mount_small(char *where, const char *size)
{
    strcpy(where, scratch_path("small"));
    return mkdir(where, 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", where, "tmpfs", 0, size) == 0;
}

START_TEST(memory_must_fit)
{
    char where[256];
    if (!mount_small(where, "size=4m")) {
        rmdir(where);
        return;
    }
    free((char *)options.file);
    options.file = strdup(scratch_path("small/arena"));
    enum file_state state = file_open(&file, &options, &recovery);
    int why = errno;
    bool left = scratch_has("small/arena");
    ck_assert_int_eq(umount(where), 0);
    rmdir(where);
    ck_assert_int_eq(state, FILE_FAILED);
    ck_assert_int_eq(why, ENOSPC);
    ck_assert(!left);
}
END_TEST

/* All the frames that can be had; how many. */
static uint32_t take_all(struct arena *arena)
{
    uint32_t count = 0;
    while (arena_alloc(arena, arena->frame_order, 0) != 0) {
        count++;
    }
    return count;
}

static void starve_and_recover(struct arena *arena, struct budget *budget, const char *other)
{
    uint64_t size = arena_frame_size(arena);
    uint32_t count = take_all(arena);
    ck_assert_uint_gt(count, 10);
    ck_assert_uint_lt(count, arena->frames - 1);
    ck_assert(arena->starved);
    ck_assert_uint_eq(arena_available(arena), 0);
    ck_assert_uint_eq(budget_used(budget), count * size);
    memset(arena->base + size, 'x', count * size); /* no page of them is missing */
    /* What is free goes round without the file system. */
    arena_free(arena, 1u << arena->frame_order, arena->frame_order);
    ck_assert_uint_eq(arena_available(arena), 1);
    ck_assert_uint_eq(take_all(arena), 1);
    /* It is asked again after a second, and when there is room it gives. */
    arena_retry(arena, 5000);
    ck_assert_uint_eq(take_all(arena), 0);
    ck_assert_int_eq(unlink(other), 0);
    arena_retry(arena, 5999);
    ck_assert_uint_eq(take_all(arena), 0);
    arena_retry(arena, 6000);
    ck_assert_uint_ge(take_all(arena), 16);
}

START_TEST(without_room_there_are_no_cold_frames)
{
    char where[256];
    if (!mount_small(where, "size=16m")) {
        rmdir(where);
        return;
    }
    free((char *)options.file);
    options.file = strdup(scratch_path("small/arena"));
    options.memory = 15 * MIB;
    struct budget budget = {.limit = 32 * MIB};
    struct arena arena;
    make_it();
    /* Others fill the file system after that. */
    int fd = open(scratch_path("small/other"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(posix_fallocate(fd, 0, 8 * MIB), 0);
    close(fd);
    ck_assert(arena_init(&arena, options.memory, UINT64_MAX, &budget, &file));
    starve_and_recover(&arena, &budget, scratch_path("small/other"));
    arena_deinit(&arena);
    file_close(&file);
    ck_assert_int_eq(umount(where), 0);
    rmdir(where);
}
END_TEST

/* --- an arena over it --------------------------------------------------------------------- */

START_TEST(trimmed_frames_are_the_systems)
{
    struct budget budget = {.limit = MEMORY};
    struct arena arena;
    make_it();
    uint64_t before = taken();
    ck_assert(arena_init(&arena, MEMORY, UINT64_MAX, &budget, &file));
    ck_assert_ptr_eq(arena.base, file.base);
    uint32_t first = arena_alloc(&arena, arena.frame_order, 0);
    uint32_t second = arena_alloc(&arena, 0, 0);
    ck_assert_uint_ne(first, 0);
    ck_assert_uint_ne(second, 0);
    uint64_t size = arena_frame_size(&arena);
    ck_assert_uint_eq(taken(), before + 2 * size);
    arena_free(&arena, first, arena.frame_order);
    arena_free(&arena, second, 0);
    ck_assert_uint_eq(arena_trim(&arena, 1, 10), 1);
    ck_assert_uint_eq(taken(), before + size);
    ck_assert_uint_eq(budget_used(&budget), size);
    arena_deinit(&arena);
}
END_TEST

static void use_units(uint64_t *used, uint32_t unit, uint8_t order)
{
    for (uint32_t i = unit; i < unit + (1u << order); i++) {
        used[i / 64] |= UINT64_C(1) << i % 64;
    }
}

START_TEST(what_is_in_use_is_adopted)
{
    struct budget budget = {.limit = MEMORY};
    struct arena arena;
    static uint64_t used[MEMORY / ARENA_UNIT / 32];
    make_it();
    uint64_t before = taken();
    ck_assert(arena_init(&arena, MEMORY, UINT64_MAX, &budget, &file));
    uint32_t frame = 1u << arena.frame_order;
    uint64_t size = arena_frame_size(&arena);
    ck_assert(file_back(&file, size, 6 * size));
    memset(used, 0, sizeof used);
    use_units(used, 2 * frame, arena.frame_order);
    use_units(used, 4 * frame + 4, 2);
    use_units(used, 4 * frame + 31, 0);
    memset(arena.base + 2 * size, 'x', size);
    memset(arena.base + 4 * size, 'x', size);
    arena_adopt(&arena, used);
    ck_assert_uint_eq(taken(), before + 2 * size);
    ck_assert_uint_eq(budget_used(&budget), 2 * size);
    ck_assert_uint_eq(arena_in_use(&arena), 2);
    /* All that is free of frame 4 can be had, and nothing else of it, before another frame. */
    uint32_t units = 0;
    for (uint32_t unit; (unit = arena_alloc(&arena, 0, 0)) >> arena.frame_order == 4; units++) {
        ck_assert_uint_eq(used[unit / 64] >> unit % 64 & 1, 0);
        use_units(used, unit, 0);
    }
    ck_assert_uint_eq(units, frame - 5);
    ck_assert_uint_eq(arena_in_use(&arena), 3);
    /* And goes back together with what was in use. */
    for (uint32_t unit = 4 * frame; unit < 5 * frame; unit++) {
        arena_free(&arena, unit, 0);
    }
    arena_free(&arena, 2 * frame, arena.frame_order);
    ck_assert_uint_eq(arena_in_use(&arena), 1);
    arena_deinit(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena");
    TCase *arena = tcase_create("over a file");
    tcase_add_checked_fixture(arena, begin, end);
    tcase_add_test(arena, memory_must_fit);
    tcase_add_test(arena, without_room_there_are_no_cold_frames);
    tcase_add_test(arena, trimmed_frames_are_the_systems);
    tcase_add_test(arena, what_is_in_use_is_adopted);
    suite_add_tcase(suite, arena);

    return suite_run(suite);
}
