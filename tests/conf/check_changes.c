/*
 * check_changes.c - what the log says that a reload changed.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_option.h"
#include "tests/conf/expect.h"
#include "tests/support/suite.h"

#define WEB  "users = ( { name = \"web\"; secret = \"$5$abc$" HASH "\"; read = \"a\"; } );"
#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define OTHER                                                                                      \
    "users = ( { name = \"web\"; secret = \"$5$abd$" HASH "\"; read = [\"a\", \"b\"]; } );"

static const struct {
    const char *now;
    const char *next;
    const char *text;
} changes[] = {
    {"", "", ""},
    {"", "ttl = \"never\"; namespaces = ( ); users = ( );", ""},
    {"ttl = \"5m\";", "ttl = \"10m\";", "ttl 10m (was 5m)"},
    {"", "memory = \"65M\"; max_connections = 5; insecure = true;",
     "insecure true (was false), memory 65M (was 64M), max_connections 5 (was 10000)"},
    {"",
     "namespace = \"a\"; namespaces = ( { name = \"a\"; } ); namespaces_policy = \"declared\"; "
     "idle_timeout = \"1h\";",
     "namespace a (was default), namespaces_policy declared (was open), idle_timeout 1h (was "
     "never), namespace a added"},
    {"", "log = { level = \"debug\"; to = \"/tmp/log\"; }; metrics = { latency = true; };",
     "metrics.latency true (was false), log.to /tmp/log (was stderr), log.level debug (was info)"},
    {"log = { level = \"error\"; };", "log = { level = \"warning\"; };",
     "log.level warning (was error)"},
    {"", "listen = ( { port = 7172; } ); threads = 3;", ""}, /* need a restart */
    {"namespaces = ( { name = \"b\"; }, { name = \"c\"; ttl = 5; } );",
     "namespaces = ( { name = \"c\"; ttl = 6; memory = \"1M\"; }, { name = \"a\"; } );",
     "namespace a added, namespace b removed, namespace c: ttl 6s (was 5s), namespace c: memory "
     "1M (was 0)"},
    {"namespaces = ( { name = \"a\"; }, { name = \"b\"; } );",
     "namespaces = ( { name = \"b\"; }, { name = \"a\"; } );", ""},
    {"namespaces = ( { name = \"a\"; } );", "namespaces = ( { name = \"a\"; ttl = \"never\"; } );",
     "namespace a: ttl never (was unset)"},
    {WEB, OTHER, "user web: secret changed, user web: read changed"},
    {WEB, "users = ( );", "user web removed"},
    {"", WEB, "user web added"},
};

START_TEST(what_a_reload_changes_is_named)
{
    struct conf *now = verdict_good(changes[_i].now), *next = verdict_good(changes[_i].next);
    char text[256];
    conf_changes(now, next, text, sizeof text);
    ck_assert_str_eq(text, changes[_i].text);
    conf_destroy(&now);
    conf_destroy(&next);
}
END_TEST

START_TEST(what_does_not_fit_is_counted)
{
    struct conf *now = verdict_good("");
    struct conf *next = verdict_good("namespaces = ( { name = \"a\"; }, { name = \"b\"; }, "
                                     "{ name = \"c\"; }, { name = \"d\"; } );");
    char text[256];
    for (size_t size = 0; size < sizeof text; size++) {
        unsigned left_out = 0;
        memset(text, '*', sizeof text);
        conf_changes(now, next, text, size);
        ck_assert_int_eq(text[size], '*');
        if (size < 24) {
            continue; /* too small for the count */
        }
        unsigned named = 0;
        for (const char *at = text; (at = strstr(at, "added")) != NULL; at++) {
            named++;
        }
        const char *more = strstr(text, " and ");
        if (more != NULL || named == 0) {
            left_out = (unsigned)strtoul(more != NULL ? more + 5 : text, NULL, 10);
        }
        ck_assert_uint_eq(named + left_out, 4);
    }
    conf_changes(now, next, text, 65);
    ck_assert_str_eq(text, "namespace a added, namespace b added and 2 more");
    conf_destroy(&now);
    conf_destroy(&next);
}
END_TEST

/* All options that a reload applies have a case in value_of, but for lists, groups and secrets. */
START_TEST(every_value_is_written)
{
    struct conf *now = verdict_good("");
    struct conf *next = verdict_good(
        "namespace = \"b\"; ttl = 7; namespaces = ( { name = \"b\"; } ); undeclared_namespaces = "
        "7; "
        "namespaces_policy = \"declared\"; insecure = true; memory = \"77M\"; max_value = 7; "
        "max_connections = 7; buffers = \"7M\"; idle_timeout = 7; purge_interval = 7; "
        "engine = \"cluster\"; cluster = { nodes = \"a:1\"; }; "
        "metrics = { namespaces = \"all\"; latency = true; }; "
        "slow_log = { threshold = \"7ms\"; entries = 7; }; "
        "log = { to = \"syslog\"; level = \"debug\"; };");
    char text[2048], wanted[64];
    conf_changes(now, next, text, sizeof text);
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *option = &conf_options[i];
        bool listed = option->type == TYPE_NAMESPACES || option->type == TYPE_USERS ||
                      option->type == TYPE_METRICS || option->type == TYPE_SLOW_LOG ||
                      option->type == TYPE_LOGGING;
        bool here = option->scope == SCOPE_TOP || option->scope == SCOPE_METRICS ||
                    option->scope == SCOPE_SLOW_LOG || option->scope == SCOPE_LOG;
        if (here && !listed && option->change == CHANGE_RELOAD) {
            snprintf(wanted, sizeof wanted, "%s%s ", conf_option_prefix(option->scope),
                     option->name);
            ck_assert_msg(strstr(text, wanted) != NULL, "%s is not in %s", wanted, text);
        }
    }
    ck_assert_msg(strstr(text, "changed") == NULL, "%s", text);
    conf_destroy(&now);
    conf_destroy(&next);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf changes");
    TCase *table = tcase_create("changes");
    tcase_add_loop_test(table, what_a_reload_changes_is_named, 0,
                        (int)(sizeof changes / sizeof *changes));
    tcase_add_test(table, what_does_not_fit_is_counted);
    tcase_add_test(table, every_value_is_written);
    suite_add_tcase(suite, table);
    return suite_run(suite);
}
