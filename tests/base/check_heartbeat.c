/*
 * check_heartbeat.c - an event loop that runs is counted, and its clock is not read for that.
 */
#include "daemon/base/heartbeat.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "daemon/base/clock.h"
#include "daemon/base/thread.h"
#include "tests/support/suite.h"

static struct event_base *base;
static struct heartbeat heartbeat;

static void setup(void)
{
    base = thread_base(0);
    ck_assert_ptr_nonnull(base);
}

static void teardown(void)
{
    heartbeat_deinit(&heartbeat);
    event_base_free(base);
}

/* The loop turns until the heart has beaten so many times. */
static void await(uint64_t beats)
{
    while (heartbeat_count(&heartbeat) < beats) {
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
    }
}

START_TEST(it_beats_once_in_each_period)
{
    uint64_t before = clock_now();
    ck_assert(heartbeat_init(&heartbeat, base));
    await(1);
    ck_assert_uint_eq(heartbeat_count(&heartbeat), 1);
    ck_assert_uint_ge(clock_now() - before + 10, HEARTBEAT_MS); /* clock_now is 10 ms coarse */
    await(2);
    ck_assert_uint_ge(clock_now() - before + 10, 2 * HEARTBEAT_MS);
}
END_TEST

/* With a timer in the base, each turn of the loop would read the clock for it. */
START_TEST(it_is_no_timer_of_the_base)
{
    ck_assert(heartbeat_init(&heartbeat, base));
    ck_assert(!event_pending(heartbeat.event, EV_TIMEOUT, NULL));
    ck_assert(event_pending(heartbeat.event, EV_READ, NULL));
    await(1);
    ck_assert(!event_pending(heartbeat.event, EV_TIMEOUT, NULL));
}
END_TEST

START_TEST(its_descriptor_is_closed)
{
    ck_assert(heartbeat_init(&heartbeat, base));
    int fd = event_get_fd(heartbeat.event);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    heartbeat_deinit(&heartbeat);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    heartbeat_deinit(&heartbeat); /* as of a zeroed struct */
}
END_TEST

START_TEST(it_fails_without_descriptors)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}), 0);
    bool begun = heartbeat_init(&heartbeat, base);
    int error = errno;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert(!begun);
    ck_assert_int_eq(error, EMFILE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heartbeat");
    TCase *beats = tcase_create("heartbeat");
    tcase_set_timeout(beats, 60);
    tcase_add_checked_fixture(beats, setup, teardown);
    tcase_add_test(beats, it_beats_once_in_each_period);
    tcase_add_test(beats, it_is_no_timer_of_the_base);
    tcase_add_test(beats, its_descriptor_is_closed);
    tcase_add_test(beats, it_fails_without_descriptors);
    suite_add_tcase(suite, beats);
    return suite_run(suite);
}
