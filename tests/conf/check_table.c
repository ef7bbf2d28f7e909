/*
 * check_table.c - options.def is consistent, and the sample file and the manual page have all of
 * its options.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_option.h"
#include "tests/conf/expect.h"
#include "tests/support/suite.h"

static char *read_whole(const char *file)
{
    const char *srcdir = getenv("srcdir");
    char path[512];
    char *bytes = calloc(1, 1 << 18);
    snprintf(path, sizeof path, "%s/%s", srcdir != NULL ? srcdir : ".", file);
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s: %s", path, strerror(errno));
    size_t length = fread(bytes, 1, (1 << 18) - 1, in);
    ck_assert_uint_gt(length, 0);
    fclose(in);
    return bytes;
}

START_TEST(the_sample_is_good_and_changes_nothing)
{
    char *sample = read_whole("conf/kvcached.conf");
    struct conf *conf = verdict_good(sample);
    verdict_defaults(conf);
    conf_destroy(&conf);

    /* It is still valid with the # removed from each option. */
    for (char *line = sample; line != NULL && *line != '\0';) {
        if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z') {
            line[0] = ' ';
        }
        line = strchr(line, '\n');
        line += line != NULL;
    }
    ck_assert_ptr_nonnull(strstr(sample, "\n memory = \"64M\";"));
    conf = verdict_good(sample);
    verdict_defaults(conf);
    conf_destroy(&conf);
    free(sample);
}
END_TEST

START_TEST(every_option_is_in_the_sample_and_in_the_manual_page)
{
    char *sample = read_whole("conf/kvcached.conf");
    char *page = read_whole("conf/kvcached.conf.5");
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *option = &conf_options[i];
        char line[64];
        snprintf(line, sizeof line, "\n#%s%s", option->scope == SCOPE_TOP ? "" : "   ",
                 option->name);
        ck_assert_msg(strstr(sample, line) != NULL, "%s is not in the sample", option->name);
        snprintf(line, sizeof line, "\n.It Ic %s\n", option->name);
        ck_assert_msg(strstr(page, line) != NULL, "%s is not in the page", option->name);
    }
    free(sample);
    free(page);
}
END_TEST

START_TEST(the_table_is_sound)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *option = &conf_options[i];
        struct conf_bounds bounds = conf_option_bounds(option);
        char text[160];
        ck_assert_uint_le(bounds.least, bounds.most);
        ck_assert_ptr_eq(conf_option_find(option->scope, option->name), option);
        conf_option_expected(option, text, sizeof text);
        ck_assert_uint_lt(strlen(text), sizeof text - 1);
        ck_assert_int_eq(option->help[strlen(option->help) - 1], '.');
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf table");
    TCase *table = tcase_create("table");
    tcase_add_test(table, the_sample_is_good_and_changes_nothing);
    tcase_add_test(table, every_option_is_in_the_sample_and_in_the_manual_page);
    tcase_add_test(table, the_table_is_sound);
    suite_add_tcase(suite, table);

    return suite_run(suite);
}
