/*
 * check_log_stall.c - a log that stands still keeps no other thread waiting.
 *
 * A test that is kept waiting fails by its time limit.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "daemon/base/log_target.h"
#include "daemon/base/metrics.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { MANY = 20000, TEXT_MAX = 4 << 20 };

static struct metrics metrics;
static const char *why;
static int reader; /* the other end of stderr */
static char text[TEXT_MAX];
static size_t length;

static uint64_t lost(void)
{
    return metrics_sum(&metrics, 1, METRIC_LOG_LOST);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* stderr becomes a pipe of few pages. Of one it would not do: poll() takes that for full as soon
 * as there is a byte in it. */
static void catch_stderr(void)
{
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_ge(fcntl(ends[0], F_SETPIPE_SZ, 16384), 16384);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    reader = ends[0];
}

static void set_up(void)
{
    scratch_make();
    memset(&metrics, 0, sizeof metrics);
    length = 0;
    text[0] = '\0';
    catch_stderr();
    log_hurry();
    ck_assert(log_open("stderr", LOG_INFO, getuid(), &why));
}

static void tear_down(void)
{
    log_close();
    scratch_remove();
}

static void serve(void)
{
    ck_assert(log_start(&metrics));
    log_serve();
}

/* Adds what is there to `text`. */
static void read_some(void)
{
    ssize_t got = read(reader, text + length, TEXT_MAX - 1 - length);
    ck_assert(got >= 0 || errno == EAGAIN);
    length += got > 0 ? (size_t)got : 0;
    text[length] = '\0';
}

static void read_until(const char *wanted)
{
    for (read_some(); strstr(text, wanted) == NULL; read_some()) {
        pause_briefly();
    }
}

static unsigned count(const char *wanted)
{
    unsigned found = 0;
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) {
        found++;
    }
    return found;
}

static void fill(void)
{
    while (lost() == 0) {
        log_info("filler");
    }
}

START_TEST(lines_are_dropped_and_counted_and_confessed)
{
    unsigned long long told = 0;
    serve();
    for (int i = 0; i < MANY; i++) {
        log_info("line %d", i);
    }
    ck_assert_uint_gt(lost(), 0);
    uint64_t dropped = lost();
    read_until("lines lost");
    log_info("the last");
    read_until("the last");
    for (const char *at = text; (at = strstr(at, "log: ")) != NULL; at++) {
        told += strtoull(at + 5, NULL, 10);
    }
    ck_assert_uint_eq(told, dropped);
    ck_assert_uint_eq(count("info: line "), MANY - dropped);
    ck_assert_ptr_nonnull(strstr(text, "warning: log: "));
}
END_TEST

START_TEST(the_end_is_in_time)
{
    serve();
    fill();
    uint64_t begun = now_ms();
    log_close();
    ck_assert_uint_lt(now_ms() - begun, 2000);
    log_error("this is dropped");
    log_close();
    log_error("and this");
    ck_assert_uint_lt(now_ms() - begun, 2000);
}
END_TEST

START_TEST(the_end_is_counted_from_when_it_began)
{
    serve();
    fill();
    log_ending();
    uint64_t begun = now_ms();
    while (now_ms() - begun < 1000) {
        pause_briefly();
    }
    log_close();
    ck_assert_uint_lt(now_ms() - begun, 1600);
}
END_TEST

START_TEST(what_waits_is_written_at_the_end)
{
    pthread_t thread;
    serve();
    for (int i = 0; i < 500; i++) {
        log_info("line %d", i);
    }
    ck_assert_int_eq(pthread_create(&thread, NULL, (void *(*)(void *))log_close, NULL), 0);
    read_until("line 499\n");
    pthread_join(thread, NULL);
    ck_assert_uint_eq(count("info: line "), 500);
    ck_assert_uint_eq(lost(), 0);
}
END_TEST

/* While a daemon starts there is no thread yet. */
START_TEST(a_start_does_not_wait_for_long)
{
    uint64_t begun = now_ms();
    char filler[256];
    memset(filler, 'x', sizeof filler - 1);
    filler[sizeof filler - 1] = '\0';
    for (int i = 0; i < 1000; i++) {
        log_info("%s", filler);
    }
    ck_assert_uint_lt(now_ms() - begun, 2000);
    ck_assert(log_start(&metrics));
    ck_assert_uint_gt(lost(), 900);
    log_serve();
    read_until("lines lost");
}
END_TEST

static bool file_has(const char *name, const char *wanted)
{
    FILE *file = fopen(scratch_path(name), "r");
    bool found = false;
    for (char line[512]; file != NULL && fgets(line, sizeof line, file) != NULL;) {
        found = found || strstr(line, wanted) != NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

START_TEST(it_turns_to_another_target)
{
    serve();
    fill();
    ck_assert(log_open(scratch_path("log"), LOG_INFO, getuid(), &why));
    do { /* as long as the ring is full it is lost */
        log_info("elsewhere");
        pause_briefly();
    } while (!file_has("log", "elsewhere"));
    read_some();
    ck_assert_ptr_null(strstr(text, "elsewhere"));
}
END_TEST

START_TEST(lines_before_a_turn_stay_where_they_belong)
{
    ck_assert(log_open(scratch_path("log"), LOG_INFO, getuid(), &why));
    serve();
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(rename(scratch_path("log"), scratch_path("log.1")), 0);
        log_info("before %d.", i);
        ck_assert(log_open(scratch_path("log"), LOG_INFO, getuid(), &why));
        log_info("after %d.", i);
        char wanted[32];
        snprintf(wanted, sizeof wanted, "info: after %d.\n", i);
        while (!file_has("log", wanted)) {
            pause_briefly();
        }
        snprintf(wanted, sizeof wanted, "info: before %d.\n", i);
        ck_assert(file_has("log.1", wanted));
    }
}
END_TEST

/* --- limits ------------------------------------------------------------------------ */

static unsigned burst(struct log_limit *limit, int level, unsigned tries)
{
    unsigned admitted = 0;
    for (unsigned i = 0; i < tries; i++) {
        if (log_admits(limit, level)) {
            log_line(level, "a stranger: %s", limit->what);
            admitted++;
        }
    }
    return admitted;
}

/* They may be spread over two seconds. */
START_TEST(what_strangers_bring_about_is_held_back)
{
    static struct log_limit noise = LOG_LIMIT("noise"), other = LOG_LIMIT("other noise");
    unsigned more = 0;
    serve();
    unsigned admitted = burst(&noise, LOG_INFO, 1000);
    ck_assert_uint_ge(admitted, LOG_LIMIT_LINES);
    ck_assert_uint_le(admitted, 2 * LOG_LIMIT_LINES);
    ck_assert_uint_ge(burst(&other, LOG_WARNING, 1), 1);
    while (more < 1000 - admitted) {
        const char *at = text;
        read_some();
        for (more = 0; (at = strstr(at, "info: noise: and ")) != NULL; at++) {
            more += (unsigned)strtoul(at + strlen("info: noise: and "), NULL, 10);
        }
        pause_briefly();
    }
    ck_assert_uint_eq(more, 1000 - admitted);
    ck_assert_uint_eq(count("a stranger: noise\n"), admitted);
    ck_assert_uint_eq(count("a stranger: other noise\n"), 1);
    ck_assert_uint_ge(burst(&noise, LOG_INFO, 1), 1);
    read_until("a stranger: noise\n");
}
END_TEST

/* One line in a window of two seconds, and what was held back is told when the window is over. */
START_TEST(what_comes_all_day_is_logged_seldom)
{
    static struct log_limit probes = {.what = "probes", .lines = 1, .seconds = 2};
    serve();
    uint64_t begun = now_ms() / 1000;
    ck_assert_uint_eq(burst(&probes, LOG_INFO, 10), 1);
    read_until("info: probes: and 9 more\n");
    ck_assert_uint_ge(now_ms() / 1000, begun + 2);
    ck_assert_uint_eq(count("a stranger: probes\n"), 1);
    ck_assert_uint_eq(burst(&probes, LOG_INFO, 5), 1);
}
END_TEST

START_TEST(what_is_held_back_is_told_at_the_end)
{
    static struct log_limit noise = LOG_LIMIT("noise");
    serve();
    burst(&noise, LOG_INFO, 50);
    log_close();
    read_until(" more\n");
}
END_TEST

START_TEST(debug_tells_all)
{
    static struct log_limit noise = LOG_LIMIT("noise");
    ck_assert_uint_eq(burst(&noise, LOG_DEBUG, 100), 0);
    ck_assert(log_open(scratch_path("log"), LOG_DEBUG, getuid(), &why));
    ck_assert_uint_eq(burst(&noise, LOG_DEBUG, 100), 100);
}
END_TEST

/* --- syslog ------------------------------------------------------------------------- */

static struct log_entry entry = {.level = LOG_WARNING, .length = 5, .text = "short"};

/* A syslog, under that name. */
static int listen_as(const char *name, int type)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", scratch_path(name));
    unlink(at.sun_path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    if (type == SOCK_STREAM) {
        ck_assert_int_eq(listen(fd, 1), 0);
    }
    return fd;
}

static void expect_line(int fd, size_t ending)
{
    char line[512];
    ssize_t got = recv(fd, line, sizeof line - 1, 0);
    ck_assert_int_gt((int)got, 0);
    line[got] = '\0';
    ck_assert_int_eq(strncmp(line, "<28>", 4), 0); /* daemon, warning */
    char *text_of_it = strstr(line, "kvcached[");
    ck_assert_ptr_nonnull(text_of_it);
    ck_assert_int_eq(atoi(text_of_it + 9), getpid());
    ck_assert_str_eq(strchr(text_of_it, ']'), "]: short");
    ck_assert_uint_eq((size_t)got, strlen(line) + ending);
}

START_TEST(syslog_that_is_not_read)
{
    int fd = listen_as("syslog", SOCK_DGRAM), written = 0;
    struct log_target target = log_target_syslog(scratch_path("syslog"));
    enum log_written done;
    while ((done = log_target_write(&target, &entry, 0)) == LOG_WRITTEN) {
        written++;
    }
    ck_assert_int_eq(done, LOG_STUCK);
    ck_assert_int_gt(written, 0);
    ck_assert_int_eq(log_target_write(&target, &entry, 50), LOG_STUCK);
    expect_line(fd, 0);
    ck_assert_int_eq(log_target_write(&target, &entry, 1000), LOG_WRITTEN);
    log_target_close(&target);
    close(fd);
}
END_TEST

START_TEST(syslog_that_is_started_anew)
{
    struct log_target target = log_target_syslog(scratch_path("syslog"));
    ck_assert_int_eq(log_target_write(&target, &entry, 0), LOG_FAILED);
    for (int round = 0; round < 3; round++) {
        int fd = listen_as("syslog", SOCK_DGRAM);
        ck_assert_int_eq(log_target_write(&target, &entry, 0), LOG_WRITTEN);
        expect_line(fd, 0);
        close(fd);
    }
    ck_assert_int_eq(log_target_write(&target, &entry, 0), LOG_FAILED);
    log_target_close(&target);
}
END_TEST

START_TEST(syslog_that_wants_a_stream)
{
    int fd = listen_as("syslog", SOCK_STREAM);
    struct log_target target = log_target_syslog(scratch_path("syslog"));
    ck_assert_int_eq(log_target_write(&target, &entry, 0), LOG_WRITTEN);
    int peer = accept(fd, NULL, NULL);
    expect_line(peer, 1);
    log_target_close(&target);
    close(peer);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log stall");
    TCase *pipes = tcase_create("pipes"), *limits = tcase_create("limits"),
          *syslogs = tcase_create("syslog");
    tcase_add_checked_fixture(pipes, set_up, tear_down);
    tcase_set_timeout(pipes, 20);
    tcase_add_test(pipes, lines_are_dropped_and_counted_and_confessed);
    tcase_add_test(pipes, the_end_is_in_time);
    tcase_add_test(pipes, the_end_is_counted_from_when_it_began);
    tcase_add_test(pipes, what_waits_is_written_at_the_end);
    tcase_add_test(pipes, a_start_does_not_wait_for_long);
    tcase_add_test(pipes, it_turns_to_another_target);
    tcase_add_test(pipes, lines_before_a_turn_stay_where_they_belong);
    suite_add_tcase(suite, pipes);
    tcase_add_checked_fixture(limits, set_up, tear_down);
    tcase_set_timeout(limits, 20);
    tcase_add_test(limits, what_strangers_bring_about_is_held_back);
    tcase_add_test(limits, what_comes_all_day_is_logged_seldom);
    tcase_add_test(limits, what_is_held_back_is_told_at_the_end);
    tcase_add_test(limits, debug_tells_all);
    suite_add_tcase(suite, limits);
    tcase_add_checked_fixture(syslogs, scratch_make, scratch_remove);
    tcase_add_test(syslogs, syslog_that_is_not_read);
    tcase_add_test(syslogs, syslog_that_is_started_anew);
    tcase_add_test(syslogs, syslog_that_wants_a_stream);
    suite_add_tcase(suite, syslogs);

    return suite_run(suite);
}
