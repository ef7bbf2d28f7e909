/*
 * check_show.c - options in force: as lines with where they were set, and as a file that makes the
 * same configuration.
 */
#include "conf/conf_show.h"

#include <check.h>
#include <stdlib.h>

#include "tests/conf/expect.h"
#include "tests/support/suite.h"

/* All lines of the walk; to be freed. */
static char *lines_of(const struct conf_in_force *in_force)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct conf_walk walk = {0};
    long before = 0;
    ck_assert_ptr_nonnull(out);
    while (conf_show_next(&walk, in_force, out)) {
        if (ftell(out) > before) {
            fputc('\n', out);
            before = ftell(out);
        }
    }
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static char *file_of(const struct conf *conf)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(out);
    conf_show_file(conf, out);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static void expect_line(const char *text, const char *line)
{
    char whole[512];
    snprintf(whole, sizeof whole, "\n%s\n", line);
    bool first = strncmp(text, whole + 1, strlen(whole + 1)) == 0;
    ck_assert_msg(first || strstr(text, whole) != NULL, "\"%s\" is not in\n%s", line, text);
}

static void expect_same(const struct conf *a, const struct conf *b)
{
    char names[256];
    conf_needs_restart(a, b, names, sizeof names);
    ck_assert_str_eq(names, "");
    conf_changes(a, b, names, sizeof names);
    ck_assert_str_eq(names, "");
}

/* What users have for a secret here. */
#define HASH "$5$saltsalt$BlEK1nEbgOjS1n9TXnDOAHM1yVAdlA.nTZ6zV6Dj7d9"

static const char *const texts[] = {
    "",
    "memory = \"65537K\"; ttl = 90; threads = 3; log = \"syslog\"; users = ();",
    "ttl = \"1.5h\"; idle_timeout = \"10m\"; purge_interval = \"50ms\"; core_dumps = true;\n"
    "pid_file = \"/tmp/a \\\"b\\\" \\\\c\"; max_connections = 5; namespaces_policy = "
    "\"declared\";\n"
    "log = { to = \"/tmp/log\"; level = \"debug\"; }; arena = { file = \"/dev/shm/x\"; };\n"
    "metrics = { namespaces = \"all\"; latency = true; };",
    "listen = ( { address = \"::1\"; port = 0; }, { path = \"/tmp/s\"; mode = \"0600\"; },\n"
    "  { path = \"/tmp/t\"; owner = \"root\"; protocol = \"memcache\"; namespace = \"web\"; prefix "
    "= "
    "\":\"; },\n"
    "  { port = 7172; protocol = \"http\"; open = \"all\"; } );",
    "namespaces = ( { name = \"a\"; }, { name = \"b.c\"; ttl = \"5m\"; max_ttl = \"10m\"; },\n"
    "  { name = \"d\"; ttl = \"30m\"; memory = \"1M\"; require_ttl = true; } );",
    "users = ( { name = \"web\"; read = \"a*\"; write = [ \"b\", \"[c-d]?\" ]; },\n"
    "  { name = \"root\"; unix_user = \"root\"; admin = \"*\"; watch = ( \"x\" ); } );",
};

START_TEST(as_a_file_it_is_the_same)
{
    struct conf *conf = verdict_good(texts[_i]);
    char *shown = file_of(conf);
    struct conf *again = verdict_good(shown);
    expect_same(conf, again);
    char *twice = file_of(again);
    ck_assert_int_eq(strncmp(twice, shown, strcspn(shown, "#")), 0);
    free(twice);
    free(shown);
    conf_destroy(&again);
    conf_destroy(&conf);
}
END_TEST

START_TEST(defaults)
{
    struct conf *conf = verdict_good("");
    struct conf_in_force in_force = {.first = conf, .now = conf};
    char *text = lines_of(&in_force);
    expect_line(text, "SETTING listen 1 default");
    expect_line(text, "SETTING listen.1.address \"127.0.0.1\" default");
    expect_line(text, "SETTING listen.1.port 7171 default");
    expect_line(text, "SETTING listen.1.protocol \"native\" default");
    expect_line(text, "SETTING ttl \"never\" default");
    expect_line(text, "SETTING namespaces 0 default");
    expect_line(text, "SETTING users 0 default");
    expect_line(text, "SETTING memory \"64M\" default");
    expect_line(text, "SETTING arena.file none default");
    expect_line(text, "SETTING pid_file none default");
    expect_line(text, "SETTING core_dumps false default");
    expect_line(text, "SETTING log.level \"info\" default");
    ck_assert_ptr_null(strstr(text, "listen.1.path"));
    ck_assert_ptr_null(strstr(text, "listen.1.open"));
    free(text);
    conf_destroy(&conf);
}
END_TEST

START_TEST(where_they_were_set)
{
    struct conf *conf =
        verdict_good("memory = \"128M\";\nttl = \"1h\"; log =\n\"syslog\";\n"
                     "namespaces = (\n{ name = \"a\";\nttl = \"never\"; }, { name = \"b\"; }\n);\n"
                     "users = ( { name = \"web\";\nsecret = \"" HASH "\"; read = \"a*\"; } );");
    struct conf_in_force in_force = {.first = conf, .now = conf};
    char *text = lines_of(&in_force);
    expect_line(text, "SETTING memory \"128M\" f:1 default \"64M\"");
    expect_line(text, "SETTING ttl \"1h\" f:2 default \"never\"");
    expect_line(text, "SETTING log.to \"syslog\" f:2 default \"stderr\"");
    expect_line(text, "SETTING log.level \"info\" default");
    expect_line(text, "SETTING namespaces 2 f:4 default ( )");
    expect_line(text, "SETTING namespaces.a.name \"a\" f:5 default none");
    expect_line(text, "SETTING namespaces.a.ttl \"never\" f:6 default none");
    expect_line(text, "SETTING namespaces.b.ttl \"1h\" default");
    expect_line(text, "SETTING namespaces.b.memory \"0\" default");
    expect_line(text, "SETTING users.web.secret hidden f:9 default none");
    expect_line(text, "SETTING users.web.read [\"a*\"] f:9 default []");
    expect_line(text, "SETTING users.web.write [] default");
    ck_assert_ptr_null(strstr(text, "saltsalt"));
    free(text);
    text = file_of(conf);
    ck_assert_ptr_null(strstr(text, "saltsalt"));
    free(text);
    conf_destroy(&conf);
}
END_TEST

START_TEST(what_waits_for_a_restart)
{
    struct conf *first = verdict_good("threads = 2; pid_file = \"/tmp/p\";\nmemory = \"64M\";"
                                      "listen = ( { port = 1; } );");
    struct conf *now = verdict_good("\nthreads = 3; memory = \"32M\";\n"
                                    "listen = ( { port = 1; }, { port = 2; } );\n"
                                    "arena = { file = \"/dev/shm/x\"; };");
    struct conf_in_force in_force = {.first = first, .now = now, .memory = 48 << 20};
    char *text = lines_of(&in_force);
    expect_line(text, "SETTING threads 2 f:2 default 0 waits for a restart: 3");
    expect_line(text, "SETTING pid_file \"/tmp/p\" default waits for a restart: none");
    expect_line(text,
                "SETTING arena.file none f:4 default none waits for a restart: \"/dev/shm/x\"");
    expect_line(text, "SETTING listen 1 f:3 default ( { address = \"127.0.0.1\"; port = 7171; } ) "
                      "waits for a restart: 2");
    expect_line(text, "SETTING listen.1.port 1 f:2 default 7171");
    expect_line(text, "SETTING memory \"48M\" f:2 default \"64M\" configured: \"32M\"");
    ck_assert_ptr_null(strstr(text, "listen.2."));
    free(text);
    conf_destroy(&first);
    conf_destroy(&now);
}
END_TEST

START_TEST(what_changes)
{
    struct conf *conf = verdict_good(texts[_i]);
    for (int other = 0; other < (int)(sizeof texts / sizeof texts[0]); other++) {
        struct conf *next = verdict_good(texts[other]);
        char changes[256];
        char restart[256];
        conf_changes(conf, next, changes, sizeof changes);
        conf_needs_restart(conf, next, restart, sizeof restart);
        ck_assert_int_eq(changes[0] == '\0' && restart[0] == '\0', other == _i);
        conf_destroy(&next);
    }
    conf_destroy(&conf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings in force");
    TCase *shown = tcase_create("shown");
    int count = sizeof texts / sizeof texts[0];
    tcase_add_loop_test(shown, as_a_file_it_is_the_same, 0, count);
    tcase_add_loop_test(shown, what_changes, 0, count);
    tcase_add_test(shown, defaults);
    tcase_add_test(shown, where_they_were_set);
    tcase_add_test(shown, what_waits_for_a_restart);
    suite_add_tcase(suite, shown);
    return suite_run(suite);
}
