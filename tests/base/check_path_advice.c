/*
 * check_path_advice.c - what to do where a file cannot be made.
 */
#include "daemon/base/path_advice.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

#define COUNT(array) ((int)(sizeof array / sizeof((array)[0])))

static const char *const missing[][2] = {
    {"/run/no-such-service/pid", "there is no directory /run/no-such-service: make it with mkdir, "
                                 "or with RuntimeDirectory=no-such-service in the unit"},
    {"/run/no-such-service/a/pid", "there is no directory /run/no-such-service/a: make it with "
                                   "mkdir, or with RuntimeDirectory=no-such-service/a in the unit"},
    {"/var/lib/no-such-service/arena",
     "there is no directory /var/lib/no-such-service: make it with mkdir, or with "
     "StateDirectory=no-such-service in the unit"},
    {"/var/log/no-such-service/log",
     "there is no directory /var/log/no-such-service: make it with mkdir, or with "
     "LogsDirectory=no-such-service in the unit"},
    {"/no/such/directory/pid",
     "there is no directory /no/such/directory: make it with mkdir, for the user that kvcached "
     "runs as"},
    {"/no-such-file", "why"},
};

START_TEST(a_directory_that_is_not_there)
{
    ck_assert_str_eq(path_advice(missing[_i][0], ENOENT, "why").text, missing[_i][1]);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_str_eq(path_advice(missing[_i][0], EIO, "why").text, "why");
}
END_TEST

START_TEST(a_directory_that_is_there)
{
    ck_assert_str_eq(path_advice(scratch_path("file"), ENOENT, "why").text, "why");
    ck_assert_str_eq(path_advice(scratch_path("file"), EACCES, "why").text, "why");
}
END_TEST

START_TEST(a_directory_of_another_user)
{
    char wanted[PATH_ADVICE_MAX];
    if (geteuid() != 0) {
        return;
    }
    ck_assert_int_eq(mkdir(scratch_path("of_root"), 0755), 0);
    ck_assert_int_eq(seteuid(65534), 0);
    snprintf(wanted, sizeof wanted,
             "why: the user that kvcached runs as may not write to %s: choose a directory of that "
             "user, such as RuntimeDirectory= in the unit makes",
             scratch_path("of_root"));
    ck_assert_str_eq(path_advice(scratch_path("of_root/file"), EACCES, "why").text, wanted);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(rmdir(scratch_path("of_root")), 0);
}
END_TEST

/* A path that fills everything is cut off, and nothing else happens. */
START_TEST(the_longest_path)
{
    char path[PATH_MAX + 2];
    memset(path, 'x', sizeof path - 1);
    path[0] = path[sizeof path - 8] = '/';
    path[sizeof path - 1] = '\0';
    ck_assert_uint_lt(strlen(path_advice(path, ENOENT, "why").text), PATH_ADVICE_MAX);
    for (size_t i = 1; i < sizeof path - 8; i += 100) {
        path[i] = '/';
    }
    path[PATH_MAX - 1] = '\0';
    ck_assert_uint_lt(strlen(path_advice(path, ENOENT, "why").text), PATH_ADVICE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("path advice");
    TCase *advice = tcase_create("advice");
    tcase_add_checked_fixture(advice, scratch_make, scratch_remove);
    tcase_add_loop_test(advice, a_directory_that_is_not_there, 0, COUNT(missing));
    tcase_add_test(advice, a_directory_that_is_there);
    tcase_add_test(advice, a_directory_of_another_user);
    tcase_add_test(advice, the_longest_path);
    suite_add_tcase(suite, advice);
    return suite_run(suite);
}
