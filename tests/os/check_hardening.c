/*
 * check_hardening.c - each test is a process of its own that gives something up, and looks.
 *
 * What it gives up does not come back, so every test hardens a child and asks that one.
 */
#include "daemon/os/hardening.h"

#include <check.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/os/fd_limit.h"
#include "tests/support/suite.h"

enum { CORE_LIMIT = 4096 };

struct state {
    int dumpable, no_new_privileges;
    struct rlimit core;
    const char *undone;
};

static struct state harden(bool core_dumps)
{
    struct state state;
    state.undone = hardening_apply(core_dumps);
    state.dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
    state.no_new_privileges = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    getrlimit(RLIMIT_CORE, &state.core);
    return state;
}

static void limit_core(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &limit), 0);
}

/* `good` runs in a child; this is the child's answer. */
static void in_a_child(bool (*good)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(good() ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

static bool nothing_is_left(void)
{
    struct state state = harden(false);
    return state.undone == NULL && state.dumpable == 0 && state.no_new_privileges == 1 &&
           state.core.rlim_cur == 0 && state.core.rlim_max == 0;
}

/* With a limit of its own, so that there is something to be taken away. */
START_TEST(no_core_file_and_no_new_privileges)
{
    struct rlimit limit;
    getrlimit(RLIMIT_CORE, &limit);
    if (limit.rlim_max > 0) {
        limit_core(CORE_LIMIT);
    }
    in_a_child(nothing_is_left);
}
END_TEST

static bool a_second_time(void)
{
    return nothing_is_left() && nothing_is_left();
}

START_TEST(what_is_so_already_is_no_failure)
{
    in_a_child(a_second_time);
}
END_TEST

static bool core_files_are_left(void)
{
    struct rlimit before;
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* as after a change of user */
    getrlimit(RLIMIT_CORE, &before);
    struct state state = harden(true);
    return state.undone == NULL && state.dumpable == 1 && state.no_new_privileges == 1 &&
           state.core.rlim_cur == before.rlim_cur && state.core.rlim_max == before.rlim_max;
}

START_TEST(core_files_where_they_are_wanted)
{
    in_a_child(core_files_are_left);
}
END_TEST

/* As a service manager's filter may do it; limits can still be read. */
static bool forbid_new_limits(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool limits_stay(void)
{
    struct rlimit files;
    struct rlimit before;
    getrlimit(RLIMIT_CORE, &before);
    if (!forbid_new_limits()) {
        return true; /* no filters in this kernel */
    }
    struct state state = harden(false);
    bool told = (before.rlim_cur == 0 && before.rlim_max == 0) ||
                (state.undone != NULL && state.core.rlim_max == before.rlim_max);
    getrlimit(RLIMIT_NOFILE, &files);
    return told && state.dumpable == 0 && state.no_new_privileges == 1 &&
           fd_limit_raise(files.rlim_cur + 1) == files.rlim_cur;
}

START_TEST(limits_that_may_not_be_changed_are_no_harm)
{
    in_a_child(limits_stay);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hardening");
    TCase *tcase = tcase_create("process");
    tcase_add_test(tcase, no_core_file_and_no_new_privileges);
    tcase_add_test(tcase, what_is_so_already_is_no_failure);
    tcase_add_test(tcase, core_files_where_they_are_wanted);
    tcase_add_test(tcase, limits_that_may_not_be_changed_are_no_harm);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
