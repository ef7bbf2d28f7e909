/*
 * check_arena_watch.c - what the file system refuses is said once, and once that it gives again.
 */
#include "daemon/maintenance/arena_watch.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static struct arena_watch watch;
static struct store_file_stats figures;

static void set_up(void)
{
    const char *why;
    scratch_make();
    ck_assert(log_open(scratch_path("log"), LOG_INFO, getuid(), &why));
    memset(&watch, 0, sizeof watch);
    figures = (struct store_file_stats){
        .file = "/a/file", .granted = 5, .memory_used = 3 << 20, .memory_limit = 8 << 20};
}

static void tear_down(void)
{
    log_close();
    scratch_remove();
}

static int lines(const char *with)
{
    return scratch_count("log", with);
}

START_TEST(nothing_happens)
{
    for (uint64_t now = 1; now < 10 * ARENA_WATCH_LULL_MS; now += 1000) {
        figures.granted++;
        arena_watch_check(&watch, &figures, now);
    }
    ck_assert_str_eq(scratch_read("log"), "");
}
END_TEST

START_TEST(a_refusal_is_said_once)
{
    uint64_t now = 1000;
    figures.why_refused = ENOSPC;
    for (uint64_t i = 0; i < 1000; i++, now += 500) {
        figures.refused += 7;
        figures.granted += i % 3;
        arena_watch_check(&watch, &figures, now);
    }
    ck_assert_int_eq(lines("\n"), 1);
    ck_assert_int_eq(lines("warning: arena /a/file: the file system refuses blocks: No space left "
                           "on device; the daemon uses 3 of 8 MiB and evicts until there is room"),
                     1);
    figures.granted++;
    arena_watch_check(&watch, &figures, now - 500 + ARENA_WATCH_LULL_MS - 1);
    ck_assert_int_eq(lines("\n"), 1);
    arena_watch_check(&watch, &figures, now - 500 + ARENA_WATCH_LULL_MS);
    arena_watch_check(&watch, &figures, now + ARENA_WATCH_LULL_MS);
    ck_assert_int_eq(lines("notice: arena /a/file: the file system has room again"), 1);
    figures.refused++;
    figures.why_refused = EIO;
    arena_watch_check(&watch, &figures, now + ARENA_WATCH_LULL_MS);
    ck_assert_int_eq(lines("refuses blocks: Input/output error"), 1);
    ck_assert_int_eq(lines("\n"), 3);
}
END_TEST

/* Where nothing was asked for, it is not known whether there is room. */
START_TEST(silence_is_no_room)
{
    figures.refused = 1;
    figures.why_refused = ENOSPC;
    arena_watch_check(&watch, &figures, 1000);
    arena_watch_check(&watch, &figures, 100 * ARENA_WATCH_LULL_MS);
    ck_assert_int_eq(lines("\n"), 1);
}
END_TEST

START_TEST(blocks_that_are_not_taken_back)
{
    figures.why_kept = EOPNOTSUPP;
    for (uint64_t now = 1000; now < 5000; now += 1000) {
        figures.kept++;
        arena_watch_check(&watch, &figures, now);
    }
    ck_assert_int_eq(lines("warning: arena /a/file: the file system does not take blocks back: "
                           "Operation not supported; the file stays as large as it is"),
                     1);
    ck_assert_int_eq(lines("\n"), 1);
}
END_TEST

/* --- faults ------------------------------------------------------------------------- */

/* A page of a file that ends before it. */
static volatile char *beyond_the_end(void)
{
    FILE *file = fopen(scratch_path("cut"), "w+");
    ck_assert_ptr_nonnull(file);
    volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(file), 0);
    ck_assert(page != MAP_FAILED);
    return page;
}

/* What the process ended with that read from there. `own`: the page is the arena's. */
static int fault(bool own)
{
    volatile char *page = beyond_the_end();
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        arena_watch_faults("/a/fi\nle");
        arena_watch_range(own ? (const void *)page : &watch, 4096);
        _exit(page[0]);
    }
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(a_fault_is_the_end_with_a_line)
{
    int status = fault(true);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGBUS);
    ck_assert_str_eq(scratch_read("log"),
                     "error: arena /a/fi\\nle: a part of it cannot be read: another program has "
                     "truncated the file, or its disk fails; the daemon ends: check the disk, "
                     "then start it again\n");
}
END_TEST

START_TEST(a_fault_elsewhere_is_not_the_arenas)
{
    int status = fault(false);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGBUS);
    ck_assert_str_eq(scratch_read("log"), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena watch");
    TCase *said = tcase_create("said");
    tcase_add_checked_fixture(said, set_up, tear_down);
    tcase_set_timeout(said, 60);
    tcase_add_test(said, nothing_happens);
    tcase_add_test(said, a_refusal_is_said_once);
    tcase_add_test(said, silence_is_no_room);
    tcase_add_test(said, blocks_that_are_not_taken_back);
    tcase_add_test(said, a_fault_is_the_end_with_a_line);
    tcase_add_test(said, a_fault_elsewhere_is_not_the_arenas);
    suite_add_tcase(suite, said);
    return suite_run(suite);
}
