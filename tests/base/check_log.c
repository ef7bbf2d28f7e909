/*
 * check_log.c - lines are whole, honest, and where they belong.
 */
#include "daemon/base/log.h"

#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static const char *why;

static bool open_log(const char *name, int level)
{
    return log_open(scratch_path(name), level, getuid(), &why);
}

static void set_up(void)
{
    scratch_make();
    ck_assert(open_log("log", LOG_INFO));
}

static void tear_down(void)
{
    log_close();
    scratch_remove();
}

/* What stands behind the time of the only line. */
static const char *only_line(const char *name)
{
    const char *text = scratch_read(name);
    const char *end = strchr(text, '\n');
    ck_assert_ptr_nonnull(end);
    ck_assert_str_eq(end, "\n");
    ck_assert_uint_gt(strlen(text), strlen("2000-01-01 00:00:00.000 "));
    return text + strlen("2000-01-01 00:00:00.000 ");
}

START_TEST(a_line_has_time_level_and_text)
{
    int year, month, day, hour, minute, second, thousandth;
    log_notice("listening on %s (%s)", "127.0.0.1:7171", "native");
    ck_assert_int_eq(sscanf(scratch_read("log"), "%4d-%2d-%2d %2d:%2d:%2d.%3d ", &year, &month,
                            &day, &hour, &minute, &second, &thousandth),
                     7);
    ck_assert_str_eq(only_line("log"), "notice: listening on 127.0.0.1:7171 (native)\n");
}
END_TEST

START_TEST(what_a_peer_sent_cannot_forge_a_line)
{
    log_error("%s", "a\r\nb\tc\\n\x1b[31m\x7f\xc3\xa4 ~");
    ck_assert_str_eq(only_line("log"), "error: a\\r\\nb\\tc\\\\n\\x1b[31m\\x7f\\xc3\\xa4 ~\n");
}
END_TEST

/* From a handler of a signal there is no date. */
START_TEST(a_prepared_line_leaves_when_it_is_told)
{
    log_prepare(LOG_ERR, "arena %s: gone", "/a\nb");
    ck_assert_str_eq(scratch_read("log"), "");
    log_prepared();
    ck_assert_str_eq(scratch_read("log"), "error: arena /a\\nb: gone\n");
}
END_TEST

START_TEST(a_long_line_is_cut_and_ends)
{
    char text[8192];
    memset(text, '\n', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_error("%s", text);
    const char *line = only_line("log");
    ck_assert_uint_gt(strlen(line), 2000);
    ck_assert_uint_lt(strlen(line), 8192);
    ck_assert_int_eq(strncmp(line, "error: \\n\\n", 11), 0);
}
END_TEST

START_TEST(levels_below_are_left_out)
{
    log_debug("not this");
    ck_assert(!log_wants(LOG_DEBUG));
    ck_assert(log_wants(LOG_INFO));
    log_info("but this");
    ck_assert_str_eq(only_line("log"), "info: but this\n");
    ck_assert(open_log("log", LOG_DEBUG));
    ck_assert(log_wants(LOG_DEBUG));
}
END_TEST

START_TEST(a_rotated_file_is_opened_anew)
{
    log_info("before");
    ck_assert_int_eq(rename(scratch_path("log"), scratch_path("log.1")), 0);
    log_info("still");
    ck_assert(!scratch_has("log"));
    ck_assert(open_log("log", LOG_INFO));
    log_info("after");
    ck_assert_ptr_nonnull(strstr(scratch_read("log.1"), "info: still\n"));
    ck_assert_str_eq(only_line("log"), "info: after\n");
}
END_TEST

START_TEST(what_cannot_be_opened_changes_nothing)
{
    errno = 0;
    ck_assert(!open_log("none/log", LOG_DEBUG));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_str_eq(why, "No such file or directory");
    ck_assert(!log_wants(LOG_DEBUG));
    log_info("here");
    ck_assert_str_eq(only_line("log"), "info: here\n");
}
END_TEST

/* A FIFO without a reader, above all: to open it would wait. */
START_TEST(what_is_no_regular_file_is_refused)
{
    ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
    ck_assert_int_eq(mkdir(scratch_path("directory"), 0700), 0);
    for (size_t i = 0; i < 3; i++) {
        const char *names[] = {scratch_path("fifo"), scratch_path("directory"), "/dev/null"};
        ck_assert(!log_open(names[i], LOG_INFO, getuid(), &why));
        ck_assert_ptr_nonnull(strstr(why, "not a regular file"));
    }
    log_info("here");
    ck_assert_str_eq(only_line("log"), "info: here\n");
    ck_assert_int_eq(rmdir(scratch_path("directory")), 0);
}
END_TEST

START_TEST(errno_is_left_alone)
{
    errno = EDOM;
    log_info("x");
    ck_assert_int_eq(errno, EDOM);
}
END_TEST

/* From here on, stderr is a file of the test's. */
static void catch_stderr(void)
{
    ck_assert_ptr_nonnull(freopen(scratch_path("stderr"), "a", stderr));
}

START_TEST(before_it_is_opened_lines_are_bare)
{
    catch_stderr();
    log_close();
    log_error("a.conf:3: ttl: \"x\" is no time");
    log_info("not this");
    ck_assert_str_eq(scratch_read("stderr"), "a.conf:3: ttl: \"x\" is no time\n");
}
END_TEST

START_TEST(an_echo_reaches_stderr_too)
{
    catch_stderr();
    log_echo();
    log_error("cannot");
    log_notice("not this");
    log_serve();
    log_error("nor this");
    ck_assert_str_eq(scratch_read("stderr"), "cannot\n");
    ck_assert_ptr_nonnull(strstr(scratch_read("log"), "error: nor this\n"));
}
END_TEST

START_TEST(the_journal_gets_priorities)
{
    struct stat found;
    char stream[64];
    catch_stderr();
    ck_assert_int_eq(fstat(STDERR_FILENO, &found), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)found.st_dev, (uintmax_t)found.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    ck_assert(log_open("stderr", LOG_INFO, getuid(), &why));
    log_warning("short of %d", 3);
    setenv("JOURNAL_STREAM", "1:2", 1);
    ck_assert(log_open("stderr", LOG_INFO, getuid(), &why));
    log_warning("other");
    const char *text = scratch_read("stderr");
    ck_assert_int_eq(strncmp(text, "<4>short of 3\n2", 15), 0);
    ck_assert_ptr_nonnull(strstr(text, " warning: other\n"));
}
END_TEST

enum { WRITERS = 8, LINES = 200 };

static void *write_lines(void *letter)
{
    char text[33];
    memset(text, *(char *)letter, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < LINES; i++) {
        log_info("%s", text);
    }
    return NULL;
}

START_TEST(lines_of_many_threads_do_not_mix)
{
    pthread_t threads[WRITERS];
    char letters[WRITERS];
    int lines = 0;
    for (int i = 0; i < WRITERS; i++) {
        letters[i] = (char)('a' + i);
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, &letters[i]), 0);
    }
    for (int i = 0; i < 20; i++) { /* rotated meanwhile */
        ck_assert(open_log("log", LOG_INFO));
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    FILE *file = fopen(scratch_path("log"), "r");
    for (char line[256]; fgets(line, sizeof line, file) != NULL; lines++) {
        const char *text = strstr(line, "info: ");
        ck_assert_ptr_nonnull(text);
        ck_assert_uint_eq(strlen(text + 6), 33);
        ck_assert_uint_eq(strspn(text + 6, (char[]){text[6], '\0'}), 32);
    }
    fclose(file);
    ck_assert_int_eq(lines, WRITERS * LINES);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *lines = tcase_create("lines");
    tcase_add_checked_fixture(lines, set_up, tear_down);
    tcase_add_test(lines, a_line_has_time_level_and_text);
    tcase_add_test(lines, what_a_peer_sent_cannot_forge_a_line);
    tcase_add_test(lines, a_prepared_line_leaves_when_it_is_told);
    tcase_add_test(lines, a_long_line_is_cut_and_ends);
    tcase_add_test(lines, levels_below_are_left_out);
    tcase_add_test(lines, a_rotated_file_is_opened_anew);
    tcase_add_test(lines, what_cannot_be_opened_changes_nothing);
    tcase_add_test(lines, what_is_no_regular_file_is_refused);
    tcase_add_test(lines, errno_is_left_alone);
    tcase_add_test(lines, before_it_is_opened_lines_are_bare);
    tcase_add_test(lines, an_echo_reaches_stderr_too);
    tcase_add_test(lines, the_journal_gets_priorities);
    tcase_add_test(lines, lines_of_many_threads_do_not_mix);
    suite_add_tcase(suite, lines);

    return suite_run(suite);
}
