/*
 * check_files.c - kvcached.conf as a file: unreadable files, @include, and that the time to read
 * a file is bounded whatever it contains.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "tests/support/suite.h"

static char directory[] = "/tmp/check_conf.XXXXXX";
static char path[sizeof directory + 32];

static const char *in_directory(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *out = fopen(in_directory(name), "w");
    ck_assert_ptr_nonnull(out);
    fputs(text, out);
    fclose(out);
}

static void make_directory(void)
{
    strcpy(directory + strlen(directory) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(mkdir(in_directory("more"), 0700), 0);
}

static void remove_directory(void)
{
    static const char *const names[] = {"a.conf", "b.conf", "more/c.conf", "more/d.conf"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        unlink(in_directory(names[i]));
    }
    rmdir(in_directory("more"));
    rmdir(directory);
}

static void load_bad(const char *file, const char *expected)
{
    struct conf *conf;
    struct conf_errors errors;
    ck_assert(!conf_load(&(struct conf_source){.file = file}, &conf, &errors));
    ck_assert_ptr_null(conf);
    ck_assert_str_eq(errors.text, expected);
    conf_errors_deinit(&errors);
}

START_TEST(a_file_that_cannot_be_read_says_why)
{
    load_bad("/nonexistent/k.conf", "/nonexistent/k.conf: cannot be read: No such file or "
                                    "directory\n");
    load_bad("/tmp", "/tmp: cannot be read: Is a directory\n");
}
END_TEST

START_TEST(included_files_are_part_of_it)
{
    struct conf *conf;
    struct conf_errors errors;
    put("a.conf", "ttl = 5;\n\t@include \"more/c.conf\" namespace = \"a\";\nthreads = 1;\n");
    put("more/c.conf", "\xef\xbb\xbfmemory = \"8M\";\n@include \"d.conf\"\nmax_value = 5;# end");
    put("more/d.conf", "max_connections = 9;");
    ck_assert(conf_load(&(struct conf_source){.file = in_directory("a.conf")}, &conf, &errors));
    ck_assert_uint_eq(conf->memory, 8 << 20);
    ck_assert_uint_eq(conf->max_connections, 9);
    ck_assert_uint_eq(conf->max_value, 5);
    ck_assert_uint_eq(conf->threads, 1);
    ck_assert_str_eq(conf->default_namespace, "a");
    conf_destroy(&conf);
}
END_TEST

START_TEST(mistakes_in_included_files_are_told_where_they_are)
{
    char expected[1024], main_file[64], absolute[128];
    snprintf(absolute, sizeof absolute, "ttl = -1;\n@include \"%s\"\nmemory = 0;\n",
             in_directory("b.conf"));
    put("a.conf", absolute);
    put("b.conf", "\nthreads = 99;\nttl = 6;\n@include \"more\"\n@include \"more/c.conf\"");
    put("more/c.conf", "ttl = 7; xyzzy = 1");
    strcpy(main_file, in_directory("a.conf"));
    snprintf(
        expected, sizeof expected,
        "%1$s/a.conf:1: ttl: -1 is too small, write \"never\" or a time from \"1ms\" to \"5200w\"\n"
        "%1$s/b.conf:2: threads: 99 is too large, write a whole number from 0 to 64\n"
        "%1$s/b.conf:3: ttl: it is given in %1$s/a.conf:1 already, keep one of them\n"
        "%1$s/b.conf:4: @include: cannot read \"%1$s/more\": Is a directory, name a file "
        "that can be read\n"
        "%1$s/more/c.conf:1: ttl: it is given in %1$s/a.conf:1 already, keep one of them\n"
        "%1$s/more/c.conf:1: xyzzy: there is no such option, see kvcached.conf(5) for those "
        "there are\n"
        "%1$s/a.conf:3: memory: 0 is too small, write a size from \"4M\" to \"1T\" or a share such "
        "as \"75%%\"\n",
        directory);
    load_bad(main_file, expected);
}
END_TEST

START_TEST(a_file_that_includes_itself_comes_to_an_end)
{
    struct conf *conf;
    struct conf_errors errors;
    put("a.conf", "@include \"a.conf\"\n@include \"a.conf\"\n");
    ck_assert(!conf_load(&(struct conf_source){.file = in_directory("a.conf")}, &conf, &errors));
    ck_assert_ptr_nonnull(strstr(errors.text, "more than 32 files"));
    conf_errors_deinit(&errors);
}
END_TEST

/* Each part many times; a reader that compares all with all would take minutes. */
START_TEST(much_of_what_is_no_option_is_refused_soon)
{
    enum { TIMES = 200000, ROOM = 32 };
    static const struct {
        const char *before, *part, *said;
    } cases[] = {
        {"", "n%d = 1;\n", "f:257: this is the 257th setting of one group, "},
        {"", "memory = 5;\n", "f:257: this is the 257th setting of one group, "},
        {"log = {\n", "n%d = 1;\n", "f:258: this is the 257th setting of one group, "},
        {"", "g = {\n", "f:17: this is the 16th group inside of another, "},
        {"namespaces = (\n", "{ name = \"n%d\"; }, ", "f:1: namespaces: this list is too long"},
    };
    char *text = malloc((size_t)TIMES * ROOM);
    struct conf *conf;
    struct conf_errors errors;

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t length = (size_t)sprintf(text, "%s", cases[i].before);
        for (int n = 0; n < TIMES; n++) {
            length += (size_t)snprintf(text + length, ROOM, cases[i].part, n);
        }
        length += (size_t)sprintf(text + length, "%s", i == 4 ? "{ name = \"last\"; } );" : "");
        ck_assert(!conf_load_text("f", text, length, &conf, &errors));
        const char *line = strstr(errors.text, cases[i].said);
        ck_assert_msg(line != NULL, "%s", errors.text);
        ck_assert(i == 4 || errors.count <= 257); /* duplicates */
        conf_errors_deinit(&errors);
    }
    free(text);
}
END_TEST

/* --- the command line ----------------------------------------------------------- */

static struct conf *with(size_t count, const char *const *settings, struct conf_errors *errors)
{
    struct conf *conf = NULL;
    const struct conf_source source = {
        .file = in_directory("a.conf"), .settings = settings, .setting_count = count};
    conf_load(&source, &conf, errors);
    return conf;
}

START_TEST(the_command_line_wins)
{
    struct conf_errors errors = {.text = NULL};
    const char *const settings[] = {"ttl = 7;", "memory = \"32M\"", "ttl = \"9s\"",
                                    "namespaces = ( { name = \"own\" } )"};
    put("a.conf", "ttl = 5;\nmemory = \"nonsense\";\nthreads = 3;\n"
                  "namespaces = ( { name = \"x\"; ttl = 1; }, { name = \"y\"; } );\n");
    struct conf *conf = with(4, settings, &errors);
    ck_assert_msg(conf != NULL, "%s", errors.text);
    ck_assert_uint_eq(conf->ttl, 9000);
    ck_assert_uint_eq(conf->memory, 32 << 20);
    ck_assert_uint_eq(conf->threads, 3);
    ck_assert_uint_eq(conf->namespace_count, 1);
    ck_assert_str_eq(conf->namespaces[0].name, "own");
    ck_assert(!conf->empty);
    conf_destroy(&conf);
    put("a.conf", "# nothing\n");
    conf = with(4, settings, &errors);
    ck_assert_ptr_nonnull(conf);
    ck_assert(conf->empty);
    conf_destroy(&conf);
}
END_TEST

/* A mistake is reported with the number of its setting, and nothing of the file is mistaken for
 * it. */
START_TEST(mistakes_of_the_command_line_are_told)
{
    static const char *const wrong[][2] = {
        {"memory = 5;",
         "-o 2: memory: 5 is too small, write a size from \"4M\" to \"1T\" or a share "
         "such as \"75%\"\n"},
        {"memory = 64M", "-o 2: memory: write \"64M\" in quotation marks\n"},
        {"memroy = 5", "-o 2: memroy: there is no such option, did you mean memory?\n"},
        {"port = 5", "-o 2: port: it is no option here, write it in a group of listen\n"},
        {"ttl = 5; ttl = 6", "-o 2: ttl: it is given in -o 2 already, keep one of them\n"},
        {"", "-o 2: there is no setting in it, write name = value\n"},
        {"ttl", "-o 2: there is no setting in it, write name = value\n"},
        {"ttl 5", "-o 2: there is no setting in it, write name = value\n"},
        {"ttl =", "-o 2: the setting has no end, write name = value\n"},
        {"arena = {", "-o 2: the setting has no end, write name = value\n"},
    };
    const char *settings[] = {"threads = 2", wrong[_i][0]};
    struct conf_errors errors = {.text = NULL};
    put("a.conf", "ttl = 5;\n");
    struct conf *conf = with(2, settings, &errors);
    ck_assert_ptr_null(conf);
    ck_assert_ptr_nonnull(errors.text);
    ck_assert_str_eq(errors.text, wrong[_i][1]);
    conf_errors_deinit(&errors);
}
END_TEST

START_TEST(more_settings_than_files_may_be_included)
{
    enum { MANY = 60 };
    const char *settings[MANY];
    struct conf_errors errors = {.text = NULL};
    for (int i = 0; i < MANY; i++) {
        settings[i] = i % 2 == 0 ? "ttl = 5" : "threads = 4";
    }
    put("b.conf", "memory = \"5M\";\n");
    put("a.conf", "@include \"b.conf\"\n");
    struct conf *conf = with(MANY, settings, &errors);
    ck_assert_msg(conf != NULL, "%s", errors.text);
    ck_assert_uint_eq(conf->memory, 5 << 20);
    conf_destroy(&conf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf files");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_directory, remove_directory);
    tcase_set_timeout(files, 60); /* sanitizers are slow */
    tcase_add_test(files, a_file_that_cannot_be_read_says_why);
    tcase_add_test(files, included_files_are_part_of_it);
    tcase_add_test(files, mistakes_in_included_files_are_told_where_they_are);
    tcase_add_test(files, a_file_that_includes_itself_comes_to_an_end);
    tcase_add_test(files, much_of_what_is_no_option_is_refused_soon);
    tcase_add_test(files, the_command_line_wins);
    tcase_add_loop_test(files, mistakes_of_the_command_line_are_told, 0, 10);
    tcase_add_test(files, more_settings_than_files_may_be_included);
    suite_add_tcase(suite, files);

    return suite_run(suite);
}
