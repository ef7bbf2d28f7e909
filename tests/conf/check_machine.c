/*
 * check_machine.c - the bounds of control groups, of both versions, from files of a directory.
 */
#include "conf/conf_machine.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/conf/expect.h"
#include "tests/support/suite.h"

static char root[64];

static void setup(void)
{
    snprintf(root, sizeof root, "/tmp/kvcached-check-machine-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

/* Makes the directories on the way, too. */
static void put(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *at = strchr(path + strlen(root) + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static unsigned processors(void)
{
    return conf_machine_processors(root);
}

static uint64_t memory(void)
{
    return conf_machine_memory(root);
}

START_TEST(without_groups_it_is_the_machine)
{
    unsigned all = processors();
    ck_assert_uint_ge(all, 1);
    ck_assert_uint_gt(memory(), 1 << 20);
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/memory.max", "max\n");
    ck_assert_uint_eq(processors(), all);
    ck_assert_uint_gt(memory(), 1 << 20);
}
END_TEST

START_TEST(a_quota_is_rounded_up)
{
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "100000 100000\n");
    ck_assert_uint_eq(processors(), 1);
    put("sys/fs/cgroup/cpu.max", "1000 100000\n");
    ck_assert_uint_eq(processors(), 1);
    put("sys/fs/cgroup/cpu.max", "100000000 100000\n");
    put("sys/fs/cgroup/memory.max", "8388608\n");
    ck_assert_uint_eq(memory(), 8 << 20);
}
END_TEST

START_TEST(each_group_above_bounds)
{
    put("proc/self/cgroup", "0::/pods/one\n");
    put("sys/fs/cgroup/pods/one/memory.max", "max\n");
    put("sys/fs/cgroup/pods/one/cpu.max", "max 100000\n");
    put("sys/fs/cgroup/pods/memory.max", "16777216\n");
    put("sys/fs/cgroup/pods/cpu.max", "50000 100000\n");
    ck_assert_uint_eq(memory(), 16 << 20);
    ck_assert_uint_eq(processors(), 1);
    put("sys/fs/cgroup/pods/one/memory.max", "4194304\n");
    ck_assert_uint_eq(memory(), 4 << 20);
}
END_TEST

START_TEST(the_first_version_has_a_hierarchy_for_each)
{
    put("proc/self/cgroup", "5:cpu,cpuacct:/one\n4:memory:/other\n1:name=systemd:/x\n");
    put("sys/fs/cgroup/cpu/one/cpu.cfs_quota_us", "20000\n");
    put("sys/fs/cgroup/cpu/one/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/memory/other/memory.limit_in_bytes", "9437184\n");
    ck_assert_uint_eq(processors(), 1);
    ck_assert_uint_eq(memory(), 9 << 20);
    put("sys/fs/cgroup/cpu/one/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/memory/other/memory.limit_in_bytes", "9223372036854771712\n");
    ck_assert_uint_ge(processors(), 1);
    ck_assert_uint_gt(memory(), 9 << 20);
}
END_TEST

START_TEST(what_cannot_be_read_is_no_bound)
{
    static const char *const lines[] = {"",      "\n",     "0\n",         "0:\n",
                                        "0::\n", "::::\n", "0::/../..\n", "5:cpu,cpuacct\n"};
    unsigned all = processors();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        put("proc/self/cgroup", lines[i]);
        ck_assert_uint_eq(processors(), all);
    }
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "100000\n");
    ck_assert_uint_eq(processors(), all);
    put("sys/fs/cgroup/cpu.max", "100000 0\n");
    ck_assert_uint_eq(processors(), all);
}
END_TEST

static uint64_t memory_of(const char *text)
{
    struct conf *conf = verdict_good(text);
    uint64_t memory = conf->memory;
    conf_destroy(&conf);
    return memory;
}

START_TEST(a_share_is_of_what_there_is)
{
    uint64_t all = memory_of("memory = \"100%\";");
    ck_assert_uint_eq(all % (1 << 20), 0);
    ck_assert_uint_eq(memory_of("memory = \"50%\";"), all >> 20 >> 1 << 20);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("machine");
    TCase *groups = tcase_create("control groups");
    tcase_add_checked_fixture(groups, setup, teardown);
    tcase_add_test(groups, without_groups_it_is_the_machine);
    tcase_add_test(groups, a_quota_is_rounded_up);
    tcase_add_test(groups, each_group_above_bounds);
    tcase_add_test(groups, the_first_version_has_a_hierarchy_for_each);
    tcase_add_test(groups, what_cannot_be_read_is_no_bound);
    suite_add_tcase(suite, groups);
    TCase *shares = tcase_create("shares");
    tcase_add_test(shares, a_share_is_of_what_there_is);
    suite_add_tcase(suite, shares);
    return suite_run(suite);
}
