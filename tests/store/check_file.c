/*
 * check_file.c - the arena's file: made, kept, refused, emptied, set aside.
 */
#include "daemon/store/arena/file.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/store/arena/arena.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { MIB = 1 << 20, MEMORY = 8 * MIB };

static struct file file;
static struct store_recovery recovery;
static struct store_options options;

static void begin(void)
{
    scratch_make();
    memset(&recovery, 0, sizeof recovery);
    options = (struct store_options){.memory = MEMORY,
                                     .file = strdup(scratch_path("arena")),
                                     .clock = {.boot = {1}, .uptime = 5000, .wall = 1000000},
                                     .file_secret = "sixteen bytes..."};
}

static void end(void)
{
    file_close(&file);
    free(recovery.aside);
    free((char *)options.file);
    scratch_remove();
}

static enum file_state open_it(void)
{
    free(recovery.aside);
    memset(&recovery, 0, sizeof recovery);
    return file_open(&file, &options, &recovery);
}

static void make_it(void)
{
    ck_assert_int_eq(open_it(), FILE_NEW);
    ck_assert_int_eq(recovery.arena, STORE_ARENA_NEW);
    ck_assert_int_eq(recovery.clock_offset, 0);
}

static uint64_t taken(void)
{
    struct stat found;
    ck_assert_int_eq(fstat(file.fd, &found), 0);
    return (uint64_t)found.st_blocks * 512;
}

/* A byte of the file that is closed. */
static void flip(off_t at)
{
    unsigned char byte;
    int fd = open(options.file, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Of a file with so many frames. */
static uint64_t length_of(uint32_t frames)
{
    return (uint64_t)(file.base - file.map) + frames * arena_block_size(file.frame_order);
}

/* --- made and kept ---------------------------------------------------------------- */

START_TEST(a_new_one_is_sparse_and_its_owners)
{
    struct stat found;
    make_it();
    ck_assert_int_eq(fstat(file.fd, &found), 0);
    ck_assert_uint_eq(found.st_mode & 07777, 0600);
    ck_assert_uint_eq((uint64_t)found.st_size, length_of(file.frames));
    ck_assert_uint_lt(taken(), MIB);
    ck_assert_uint_ge((file.frames - 1) * arena_block_size(file.frame_order), MEMORY);
    ck_assert_uint_eq(file.segments_max, file.frames << file.frame_order);
    ck_assert_int_eq(memcmp(file.head->magic, LAYOUT_MAGIC, 8), 0);
}
END_TEST

START_TEST(what_lies_in_it_is_there_again)
{
    make_it();
    ck_assert(file_back(&file, 3 * 65536, 65536));
    ck_assert(file_back_segments(&file, 1500));
    ck_assert(file_back_namespace(&file, 600));
    strcpy(file.base + 3 * 65536, "a record");
    file.segments[1500].unit = 77;
    strcpy(file.namespaces[600].name, "a name");
    file_close(&file);
    ck_assert_int_eq(open_it(), FILE_KEPT);
    ck_assert_int_eq(recovery.arena, STORE_ARENA_KEPT);
    ck_assert_str_eq(file.base + 3 * 65536, "a record");
    ck_assert_uint_eq(file.segments[1500].unit, 77);
    ck_assert_str_eq(file.namespaces[600].name, "a name");
    ck_assert_uint_eq(file.frames, MEMORY / arena_block_size(file.frame_order) + 1);
}
END_TEST

START_TEST(entries_in_holes_are_passed_over)
{
    uint32_t first = 0, end_of_run = 0;
    make_it();
    ck_assert(!file_segment_run(&file, &first, &end_of_run));
    ck_assert(file_back_segments(&file, 1500));
    file.segments[1500].unit = 1;
    first = 0;
    ck_assert(file_segment_run(&file, &first, &end_of_run));
    ck_assert_uint_le(first, 1500);
    ck_assert_uint_gt(end_of_run, 1500);
    ck_assert_uint_le(end_of_run, 1536);
    first = end_of_run;
    ck_assert(!file_segment_run(&file, &first, &end_of_run));
    first = 2;
    ck_assert(file_back_namespace(&file, LAYOUT_NAMESPACES - 1));
    file.namespaces[LAYOUT_NAMESPACES - 1].name_length = 1;
    do {
        ck_assert(file_namespace_run(&file, &first, &end_of_run));
        ck_assert_uint_ge(first, 2);
        first = end_of_run;
    } while (end_of_run < LAYOUT_NAMESPACES);
    ck_assert_uint_eq(end_of_run, LAYOUT_NAMESPACES);
    ck_assert(!file_namespace_run(&file, &first, &end_of_run));
    ck_assert(!file_back_segments(&file, file.segments_max));
    ck_assert(!file_back_namespace(&file, LAYOUT_NAMESPACES));
}
END_TEST

START_TEST(blocks_come_and_go)
{
    uint64_t before;
    make_it();
    before = taken();
    ck_assert(file_back(&file, 65536, 4 * 65536));
    ck_assert_uint_eq(taken(), before + 4 * 65536);
    memset(file.base + 65536, 'x', 4 * 65536);
    ck_assert(file_back(&file, 65536, 65536));
    ck_assert_int_eq(file.base[65536], 'x');
    ck_assert(file_forget(&file, 65536, 65536));
    ck_assert_uint_eq(taken(), before + 3 * 65536);
    ck_assert_int_eq(file.base[65536], 0);
    ck_assert_int_eq(file.base[2 * 65536], 'x');
}
END_TEST

/* Of segments that there cannot be, also where the file has room for more of them. */
START_TEST(labels_beyond_the_arena_are_not_looked_at)
{
    uint32_t first = 0, end_of_run = 0;
    make_it();
    struct segment_entry *beyond = &file.segments[file.segments_max];
    ck_assert((char *)beyond + 65536 <= file.base);
    memset(beyond, 'x', 65536);
    ck_assert(!file_segment_run(&file, &first, &end_of_run));
    file_close(&file);
    options.memory = MEMORY * 2;
    ck_assert_int_eq(open_it(), FILE_KEPT);
    first = 0;
    ck_assert(file_segment_run(&file, &first, &end_of_run));
}
END_TEST

/* The file, which is closed, has labels for no more than so many frames: earlier versions made
 * them so. */
static void make_as_before(uint32_t frames_max)
{
    struct arena_head head;
    const size_t from = offsetof(struct arena_head, byte_order);
    int fd = open(options.file, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, &head, sizeof head, 0), sizeof head);
    head.frames_max = frames_max;
    head.check =
        checksum_bytes(checksum_seed(head.secret, CHECKSUM_HEAD, 0), (const char *)&head + from,
                       offsetof(struct arena_head, check) - from);
    ck_assert_int_eq(pwrite(fd, &head, sizeof head, 0), sizeof head);
    ck_assert_int_eq(ftruncate(fd, sizeof head), 0);
    close(fd);
}

START_TEST(memory_may_change)
{
    uint32_t frames;
    make_it();
    frames = file.frames;
    file_close(&file);
    options.memory = MEMORY * 2;
    ck_assert_int_eq(open_it(), FILE_KEPT);
    ck_assert_uint_eq(file.frames, 2 * (frames - 1) + 1);
    ck_assert_uint_eq(recovery.beyond, 0);
    file_close(&file);
    options.memory = MEMORY / 2;
    ck_assert_int_eq(open_it(), FILE_KEPT);
    ck_assert_uint_eq(file.frames, 2 * (frames - 1) + 1);
    file_close(&file);
    make_as_before(8 * MEMORY / 65536);
    options.memory = 8 * MEMORY;
    ck_assert_int_eq(open_it(), FILE_KEPT);
    ck_assert_uint_eq(file.frames, file.head->frames_max);
    ck_assert_uint_eq(recovery.beyond, 0);
    file_close(&file);
    options.memory = 8 * MEMORY + 12345;
    ck_assert_int_eq(open_it(), FILE_KEPT);
    ck_assert_uint_eq(file.frames, file.head->frames_max);
    ck_assert_uint_eq(recovery.beyond, 12345);
}
END_TEST

START_TEST(it_grows_while_it_is_open)
{
    make_it();
    uint32_t frames = file.frames;
    uint64_t last = (uint64_t)(2 * frames - 1) * 65536;
    uint64_t before = taken();
    ck_assert_uint_gt(file.frames_max, 4 * frames);
    ck_assert(file_grow(&file, 2 * frames));
    ck_assert_uint_eq(taken(), before);
    ck_assert(file_back(&file, last, 65536));
    memset(file.base + last, 'x', 65536);
    ck_assert(file_back_segments(&file, file.segments_max - 1));
    file.segments[file.segments_max - 1].unit = 7;
    ck_assert(file_grow(&file, frames)); /* it does not become less */
    ck_assert_uint_eq(file.frames, 2 * frames);
    file_close(&file);
    ck_assert_int_eq(open_it(), FILE_KEPT);
    ck_assert_uint_eq(file.frames, 2 * frames);
    ck_assert_int_eq(file.base[last + 65535], 'x');
    ck_assert_uint_eq(file.segments[file.segments_max - 1].unit, 7);
}
END_TEST

START_TEST(one_that_may_not_be_that_long_stays)
{
    struct rlimit limit;
    make_it();
    uint32_t frames = file.frames;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, SIG_IGN);
    limit.rlim_cur = length_of(2 * frames - 1);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert(!file_grow(&file, 2 * frames));
    ck_assert_int_eq(errno, EFBIG);
    ck_assert_uint_eq(file.frames, frames);
    ck_assert(file_grow(&file, 2 * frames - 1));
}
END_TEST

START_TEST(labels_come_and_go_by_the_page)
{
    make_it();
    uint64_t before = taken();
    ck_assert(file_back_segments(&file, 64));
    ck_assert(file_back_segments(&file, 127));
    ck_assert(file_back_segments(&file, 200));
    ck_assert_uint_eq(taken(), before + 2 * FILE_SEGMENTS_PER_PAGE * sizeof(struct segment_entry));
    memset(&file.segments[64], 'x', 64 * sizeof(struct segment_entry));
    file.segments[192].unit = file.segments[255].unit = 5;
    ck_assert(file_forget_segments(&file, 64));
    ck_assert_uint_eq(taken(), before + FILE_SEGMENTS_PER_PAGE * sizeof(struct segment_entry));
    ck_assert_uint_eq(file.segments[100].unit, 0);
    ck_assert_uint_eq(file.segments[192].unit, 5);
    ck_assert_uint_eq(file.segments[255].unit, 5);
}
END_TEST

/* --- refused -------------------------------------------------------------------------- */

START_TEST(one_that_another_has_is_refused)
{
    struct file second;
    make_it();
    ck_assert_int_eq(file_open(&second, &options, &recovery), FILE_FAILED);
    ck_assert_int_eq(errno, EWOULDBLOCK);
    ck_assert_int_eq(memcmp(file.head->magic, LAYOUT_MAGIC, 8), 0);
}
END_TEST

START_TEST(one_that_is_given_up_soon_is_waited_for)
{
    int wait_for_it[2];
    char byte;
    make_it();
    file_close(&file);
    ck_assert_int_eq(pipe(wait_for_it), 0);
    pid_t child = fork();
    if (child == 0) {
        bool kept = open_it() == FILE_KEPT;
        ck_assert_int_eq(write(wait_for_it[1], "", 1), 1);
        usleep(200000);
        _exit(kept ? 0 : 1);
    }
    ck_assert_int_eq(read(wait_for_it[0], &byte, 1), 1);
    ck_assert_int_eq(open_it(), FILE_KEPT);
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    close(wait_for_it[0]);
    close(wait_for_it[1]);
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused)
{
    ck_assert_int_eq(mkfifo(options.file, 0600), 0);
    ck_assert_int_eq(open_it(), FILE_FAILED);
    ck_assert_int_eq(errno, EINVAL);
    ck_assert_int_eq(unlink(options.file), 0);
    ck_assert_int_eq(symlink("/dev/null", options.file), 0);
    ck_assert_int_eq(open_it(), FILE_FAILED);
    ck_assert_int_eq(errno, ELOOP);
    ck_assert_int_eq(unlink(options.file), 0);
    ck_assert_int_eq(mkdir(options.file, 0700), 0);
    ck_assert_int_eq(open_it(), FILE_FAILED);
    ck_assert_int_eq(errno, EISDIR);
    ck_assert_int_eq(rmdir(options.file), 0);
}
END_TEST

START_TEST(one_that_was_made_in_vain_is_removed)
{
    make_it();
    file_drop(&file);
    ck_assert(!scratch_has("arena"));
    make_it();
    file_close(&file);
    ck_assert_int_eq(open_it(), FILE_KEPT);
    file_drop(&file);
    ck_assert(scratch_has("arena"));
}
END_TEST

/* Under a limit, in a child: it does not go away again. */
static int open_limited(uint64_t limit)
{
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit size = {limit, limit};
    if (setrlimit(RLIMIT_FSIZE, &size) != 0) {
        return 1;
    }
    return open_it() == FILE_FAILED && errno == EFBIG ? 0 : 2;
}

START_TEST(a_limit_on_files_is_an_error)
{
    pid_t child = fork();
    if (child == 0) {
        _exit(open_limited(4 * MIB));
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(!scratch_has("arena"));
}
END_TEST

/* --- set aside ------------------------------------------------------------------------- */

static void expect_aside(const char *why, const char *name)
{
    ck_assert_int_eq(open_it(), FILE_NEW);
    ck_assert_int_eq(recovery.arena, STORE_ARENA_ASIDE);
    ck_assert_msg(strstr(recovery.why, why) != NULL, "%s", recovery.why);
    ck_assert_str_eq(recovery.aside, scratch_path(name));
    ck_assert(scratch_has(name));
    ck_assert_int_eq(recovery.clock_offset, 0);
    file_close(&file);
    ck_assert_int_eq(open_it(), FILE_KEPT);
    ck_assert_int_eq(recovery.arena, STORE_ARENA_KEPT);
    file_close(&file);
}

START_TEST(what_is_something_else_is_set_aside)
{
    scratch_write("arena", "dear diary");
    expect_aside("too short", "arena.aside");
    ck_assert_str_eq(scratch_read("arena.aside"), "dear diary");
    scratch_write("arena", "dear diary, again");
    expect_aside("too short", "arena.aside.2");
    char page[8192];
    memset(page, '.', sizeof page);
    page[sizeof page - 1] = '\0';
    scratch_write("arena", page);
    expect_aside("no arena", "arena.aside.3");
    ck_assert_str_eq(scratch_read("arena.aside.3"), page);
}
END_TEST

START_TEST(a_damaged_head_is_set_aside)
{
    for (size_t at = 0; at < offsetof(struct arena_head, pad); at++) {
        make_it();
        file_close(&file);
        flip((off_t)at);
        ck_assert_int_eq(open_it(), FILE_NEW);
        ck_assert_int_eq(recovery.arena, STORE_ARENA_ASIDE);
        ck_assert_int_eq(unlink(recovery.aside), 0);
        file_close(&file);
        ck_assert_int_eq(unlink(options.file), 0);
    }
}
END_TEST

START_TEST(another_layout_is_set_aside)
{
    make_it();
    file.head->byte_order = 0x04030201;
    file_close(&file);
    expect_aside("another kind of processor", "arena.aside");
}
END_TEST

START_TEST(one_with_two_damaged_lives_is_set_aside)
{
    make_it();
    file.head->clocks[0].check ^= 1;
    file_close(&file);
    expect_aside("clock", "arena.aside");
}
END_TEST

START_TEST(a_copy_of_one_in_use_is_set_aside)
{
    make_it();
    struct arena_head head = *file.head;
    uint64_t length = length_of(file.frames);
    file_close(&file);
    ck_assert_int_eq(rename(options.file, scratch_path("first")), 0);
    int fd = open(options.file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(ftruncate(fd, (off_t)length), 0);
    ck_assert_int_eq(pwrite(fd, &head, sizeof head, 0), sizeof head);
    close(fd);
    expect_aside("copy", "arena.aside");
}
END_TEST

/* --- emptied, cut off, half made ----------------------------------------------------------- */

START_TEST(after_a_crash_of_the_machine_it_is_emptied)
{
    make_it();
    ck_assert(file_back(&file, 65536, 65536));
    strcpy(file.base + 65536, "half of a record");
    file_close(&file);
    options.clock.boot[0] = 2;
    ck_assert_int_eq(open_it(), FILE_NEW);
    ck_assert_int_eq(recovery.arena, STORE_ARENA_DISCARDED);
    ck_assert_uint_gt(strlen(recovery.why), 10);
    ck_assert_int_eq(file.base[65536], 0);
    ck_assert_uint_lt(taken(), MIB);
    ck_assert(!scratch_has("arena.aside"));
}
END_TEST

START_TEST(after_a_clean_stop_it_is_kept_across_a_reboot)
{
    make_it();
    ck_assert(file_back(&file, 65536, 65536));
    strcpy(file.base + 65536, "a record");
    options.clock.uptime = 9000;
    file_stop(&file, &options.clock);
    file_close(&file);
    options.clock = (struct store_clock){.boot = {2}, .uptime = 300, .wall = 1000700};
    ck_assert_int_eq(open_it(), FILE_KEPT);
    ck_assert_str_eq(file.base + 65536, "a record");
    /* 9000 and 700 more make 9700, at an uptime of 300; 2 less, since clocks are rounded down. */
    ck_assert_int_eq(recovery.clock_offset, 9398);
    file_close(&file);
    /* It is in use now: */
    options.clock.boot[0] = 3;
    ck_assert_int_eq(open_it(), FILE_NEW);
    ck_assert_int_eq(recovery.arena, STORE_ARENA_DISCARDED);
    ck_assert_int_eq(recovery.clock_offset, 0);
}
END_TEST

START_TEST(one_that_was_cut_off_reads_as_zeros_there)
{
    make_it();
    off_t length = (off_t)length_of(file.frames);
    size_t first = (size_t)(file.base - file.map);
    ck_assert(file_back(&file, 65536, MEMORY));
    memset(file.base + 65536, 'x', MEMORY);
    file_close(&file);
    for (size_t keep = (size_t)length; keep >= LAYOUT_HEAD; keep = keep * 2 / 3) {
        ck_assert_int_eq(truncate(options.file, (off_t)keep), 0);
        ck_assert_int_eq(open_it(), FILE_KEPT);
        ck_assert_uint_eq(length_of(file.frames), (size_t)length);
        for (size_t at = 65536; at < MEMORY; at += 65536) {
            ck_assert_int_eq(file.base[at], first + at < keep ? 'x' : 0);
        }
        file_close(&file);
    }
    ck_assert_int_eq(truncate(options.file, LAYOUT_HEAD - 1), 0);
    ck_assert_int_eq(open_it(), FILE_NEW);
    ck_assert_int_eq(recovery.arena, STORE_ARENA_ASIDE);
}
END_TEST

START_TEST(a_half_made_one_is_made_anew)
{
    make_it();
    memset(file.head->magic, 0, sizeof file.head->magic);
    file_close(&file);
    make_it();
    memset(file.head, 0, sizeof *file.head);
    file_close(&file);
    make_it();
    ck_assert(!scratch_has("arena.aside"));
    /* With something behind its head it is something else. */
    ck_assert(file_back_segments(&file, 1));
    file.segments[1].unit = 1;
    memset(file.head, 0, sizeof *file.head);
    file_close(&file);
    expect_aside("no arena", "arena.aside");
}
END_TEST

static TCase *fixtured(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static void add_opening(Suite *suite)
{
    TCase *kept = fixtured(suite, "made and kept");
    tcase_add_test(kept, a_new_one_is_sparse_and_its_owners);
    tcase_add_test(kept, what_lies_in_it_is_there_again);
    tcase_add_test(kept, entries_in_holes_are_passed_over);
    tcase_add_test(kept, blocks_come_and_go);
    tcase_add_test(kept, labels_beyond_the_arena_are_not_looked_at);
    tcase_add_test(kept, memory_may_change);
    tcase_add_test(kept, it_grows_while_it_is_open);
    tcase_add_test(kept, one_that_may_not_be_that_long_stays);
    tcase_add_test(kept, labels_come_and_go_by_the_page);

    TCase *refused = fixtured(suite, "refused");
    tcase_add_test(refused, one_that_another_has_is_refused);
    tcase_add_test(refused, one_that_is_given_up_soon_is_waited_for);
    tcase_add_test(refused, what_is_no_regular_file_is_refused);
    tcase_add_test(refused, one_that_was_made_in_vain_is_removed);
    tcase_add_test(refused, a_limit_on_files_is_an_error);
}

int main(void)
{
    Suite *suite = suite_create("file");
    add_opening(suite);

    TCase *bad = fixtured(suite, "not what it should be");
    tcase_add_test(bad, what_is_something_else_is_set_aside);
    tcase_add_test(bad, a_damaged_head_is_set_aside);
    tcase_add_test(bad, another_layout_is_set_aside);
    tcase_add_test(bad, one_with_two_damaged_lives_is_set_aside);
    tcase_add_test(bad, a_copy_of_one_in_use_is_set_aside);
    tcase_add_test(bad, after_a_crash_of_the_machine_it_is_emptied);
    tcase_add_test(bad, after_a_clean_stop_it_is_kept_across_a_reboot);
    tcase_add_test(bad, one_that_was_cut_off_reads_as_zeros_there);
    tcase_add_test(bad, a_half_made_one_is_made_anew);

    return suite_run(suite);
}
