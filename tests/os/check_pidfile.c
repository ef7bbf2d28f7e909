/*
 * check_pidfile.c - one holder at a time, and nothing left behind.
 */
#include "daemon/os/pidfile.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static struct pidfile pidfile;
static pid_t holder;
static const char *why;

static const char *own_number(void)
{
    static char text[32];
    snprintf(text, sizeof text, "%d\n", (int)getpid());
    return text;
}

START_TEST(it_holds_the_number_and_goes_at_the_end)
{
    ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_OK);
    ck_assert_str_eq(scratch_read("pid"), own_number());
    pidfile_close(&pidfile);
    ck_assert(!scratch_has("pid"));
    pidfile_close(&pidfile);
}
END_TEST

START_TEST(a_stale_one_is_taken_over)
{
    scratch_write("pid", " 99999999999\n");
    ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_OK);
    ck_assert_str_eq(scratch_read("pid"), own_number());
    pidfile_close(&pidfile);
}
END_TEST

START_TEST(a_held_one_is_not)
{
    struct pidfile second;
    ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_OK);
    ck_assert_int_eq(pidfile_open(&second, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_TAKEN);
    ck_assert_int_eq(holder, getpid());
    pidfile_close(&second);
    ck_assert_str_eq(scratch_read("pid"), own_number());
    pidfile_close(&pidfile);
}
END_TEST

START_TEST(its_lock_ends_with_the_process)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why) != PIDFILE_OK);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(scratch_has("pid"));
    ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_OK);
    ck_assert_str_eq(scratch_read("pid"), own_number());
    pidfile_close(&pidfile);
}
END_TEST

START_TEST(a_name_that_leads_elsewhere_is_left_alone)
{
    struct pidfile second;
    ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_OK);
    ck_assert_int_eq(unlink(scratch_path("pid")), 0);
    ck_assert_int_eq(pidfile_open(&second, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_OK);
    pidfile_close(&pidfile);
    ck_assert(scratch_has("pid"));
    pidfile_close(&second);
    ck_assert(!scratch_has("pid"));
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
    ck_assert_int_eq(symlink(scratch_path("victim"), scratch_path("pid")), 0);
    ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_FAILED);
    ck_assert_int_eq(errno, ELOOP);
    ck_assert(!scratch_has("victim"));
}
END_TEST

START_TEST(what_is_no_pid_file_is_left_alone)
{
    char long_one[66] = {0};
    const char *texts[] = {"log = \"stderr\";\n", "4711\nand more\n", long_one};
    memset(long_one, '1', sizeof long_one - 1);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        scratch_write("pid", texts[i]);
        ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why),
                         PIDFILE_FAILED);
        ck_assert_ptr_nonnull(strstr(why, "it is no pid file"));
        pidfile_close(&pidfile);
        ck_assert_str_eq(scratch_read("pid"), texts[i]);
    }
    scratch_write("pid", "");
    ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("pid"), getuid(), &holder, &why),
                     PIDFILE_OK);
    pidfile_close(&pidfile);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_said)
{
    ck_assert_int_eq(pidfile_open(&pidfile, scratch_path("none/pid"), getuid(), &holder, &why),
                     PIDFILE_FAILED);
    ck_assert_int_eq(errno, ENOENT);
    pidfile_close(&pidfile);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pidfile");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, scratch_make, scratch_remove);
    tcase_add_test(files, it_holds_the_number_and_goes_at_the_end);
    tcase_add_test(files, a_stale_one_is_taken_over);
    tcase_add_test(files, a_held_one_is_not);
    tcase_add_test(files, its_lock_ends_with_the_process);
    tcase_add_test(files, a_name_that_leads_elsewhere_is_left_alone);
    tcase_add_test(files, a_symbolic_link_is_not_followed);
    tcase_add_test(files, what_is_no_pid_file_is_left_alone);
    tcase_add_test(files, a_directory_that_is_not_there_is_said);
    suite_add_tcase(suite, files);

    return suite_run(suite);
}
