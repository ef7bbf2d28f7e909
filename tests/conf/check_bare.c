/*
 * check_bare.c - values without quotation marks in kvcached.conf: each is one mistake, which says
 * what would be right; and what libconfig knows without them stays as it is.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_bare.h"
#include "conf/conf_text.h"
#include "tests/conf/expect.h"
#include "tests/support/suite.h"

#define COUNT(array) ((int)(sizeof array / sizeof((array)[0])))

/* --- what is told ------------------------------------------------------------------ */

/* Each text is the only setting, and the message is the only one. */
static const char *const told[][2] = {
    {"memory = 64M;", "memory: write \"64M\" in quotation marks"},
    {"memory = 64M", "memory: write \"64M\" in quotation marks"},
    {"memory: 64M", "memory: write \"64M\" in quotation marks"},
    {"memory = 64M# why", "memory: write \"64M\" in quotation marks"},
    {"memory = 64M// why", "memory: write \"64M\" in quotation marks"},
    {"memory = /* why */ 64M /* so */;", "memory: write \"64M\" in quotation marks"},
    {"memory = '64M';", "memory: write \"64M\" in quotation marks"},
    {"memory = \t64M\t;\r", "memory: write \"64M\" in quotation marks"},
    {"ttl = 30m;", "ttl: write \"30m\" in quotation marks"},
    {"ttl = 1.5h;", "ttl: write \"1.5h\" in quotation marks"},
    {"ttl = 0x5m;", "ttl: 0x5m is not a time, write \"never\" or a time from \"1ms\" to \"5200w\""},
    {"ttl = never;", "ttl: write \"never\" in quotation marks"},
    {"ttl = -5m;", "ttl: -5m is too small, write \"never\" or a time from \"1ms\" to \"5200w\""},
    {"ttl = 30 minutes;", "ttl: 30 minutes is not a time, write \"never\" or a time from \"1ms\" "
                          "to \"5200w\""},
    {"memory = 64 M;",
     "memory: 64 M is not a size, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = 1K;",
     "memory: 1K is too small, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = 2T;",
     "memory: 2T is too large, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = 50%;", "memory: write \"50%\" in quotation marks"},
    {"max_value = 50%;", "max_value: 50% is not a size, write a size from \"1\" to \"64M\""},
    {"memory = 150%;",
     "memory: 150% is too large, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = a\\b;",
     "memory: a\\b is not a size, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memroy = 64M;", "memroy: there is no such option, did you mean memory?"},
    {"purge_interval = 1s;", "purge_interval: write \"1s\" in quotation marks"},
    {"namespace = pages;", "namespace: write \"pages\" in quotation marks"},
    {"namespaces_policy = open;", "namespaces_policy: write \"open\" in quotation marks"},
    {"namespaces_policy = shut;", "namespaces_policy: shut is not one of its words, write \"open\" "
                                  "or \"declared\""},
    {"insecure = yes;", "insecure: yes is not one of its words, write true or false"},
    {"threads = 4x;", "threads: 4x is not a whole number, write a whole number from 0 to 64"},
    {"user = root;", "user: write \"root\" in quotation marks"},
    {"pid_file = /run/kvcached.pid;", "pid_file: write \"/run/kvcached.pid\" in quotation marks"},
    {"pid_file = /run//kvcached.pid;", "pid_file: write \"/run//kvcached.pid\" in quotation marks"},
    {"pid_file = /a name;", "pid_file: write \"/a name\" in quotation marks"},
    {"log = stderr;", "log.to: write \"stderr\" in quotation marks"},
    {"log = { level = debug; };", "log.level: write \"debug\" in quotation marks"},
    {"arena = { file = /dev/shm/a };", "arena.file: write \"/dev/shm/a\" in quotation marks"},
    {"listen = 127.0.0.1;", "listen: 127.0.0.1 is not a list of groups, write a list of 1 to 64 "
                            "groups, ( { ... }, { ... } )"},
    {"listen = ( { address = 127.0.0.1; } );",
     "listen.address: write \"127.0.0.1\" in quotation marks"},
    {"listen = ( { address = 0.0.0.0 } );", "listen.address: write \"0.0.0.0\" in quotation marks"},
    {"listen = ( { address = ::1; } );", "listen.address: write \"::1\" in quotation marks"},
    {"listen = ( { address: ::; } );", "listen.address: write \"::\" in quotation marks"},
    {"listen = ( { address = localhost; } );",
     "listen.address: write \"localhost\" in quotation marks"},
    {"listen = ( { address = 127.0.0.1:7171; } );",
     "listen.address: 127.0.0.1:7171 is not a numeric address, write a numeric address such as "
     "\"127.0.0.1\" or \"::1\", or \"localhost\""},
    {"listen = ( { address = *; } );",
     "listen.address: * is not a numeric address, write a numeric address such as \"127.0.0.1\" or "
     "\"::1\", or \"localhost\""},
    {"listen = ( { path = /s; mode = 0o660; } );",
     "listen.path: write \"/s\" in quotation marks\n"
     "f:1: listen.mode: 0o660 is not a mode in quotes, write octal digits in quotes, \"0\" to "
     "\"0777\""},
    {"listen = ( { path = /s; owner = root:root; } );",
     "listen.path: write \"/s\" in quotation marks\n"
     "f:1: listen.owner: write \"root:root\" in quotation marks"},
    {"listen = ( { protocol = memcache; prefix = \":\"; } );",
     "listen.protocol: write \"memcache\" in quotation marks"},
    {"namespaces = ( { name = a; }, { name = a; } );",
     "namespaces.name: write \"a\" in quotation marks\n"
     "f:1: namespaces.name: write \"a\" in quotation marks"},
    {"users = ( { name = \"a\"; read = *; } );", "users.read: write \"*\" in quotation marks"},
    {"users = ( { name = \"a\"; read = (pages, \"b\"); } );",
     "users.read: write \"pages\" in quotation marks"},
    {"users = ( { name = \"a\"; read = [a*,b?]; } );",
     "users.read: write \"a*\" in quotation marks\n"
     "f:1: users.read: write \"b?\" in quotation marks"},
    {"users = ( { name = \"a\"; read = -; } );",
     "users.read: \"-\" is no namespace here, write the namespace's own name"},
    {"users = ( { name = \"a\"; secret = hunter2; } );",
     "users.secret: what stands here is not a secret's hash, write what \"kvcached --hash-secret\" "
     "prints for the secret"},
    {"users = ( { name = \"a\"; secret = $6$saltstring$nk7Qohr7tOmwY2mX639VRP.Lyvj3uhcgpatqHuLC867"
     "qfSHKq1LDuKa/h7Es9Nv0aL08pbF.cnQlRqhaoKT/D.; } );",
     "users.secret: write the hash in quotation marks"},
};

START_TEST(a_bare_value_is_one_mistake)
{
    verdict_refused(told[_i][0], told[_i][1]);
}
END_TEST

START_TEST(mistakes_after_bare_values_are_told_too)
{
    verdict_bad("memory = 64M\nttl = 30m\n\nlisten = (\n  { address = 127.0.0.1\n    port = 7171 "
                "}\n);\nthreads = 1000;\n",
                "f:1: memory: write \"64M\" in quotation marks\n"
                "f:2: ttl: write \"30m\" in quotation marks\n"
                "f:5: listen.address: write \"127.0.0.1\" in quotation marks\n"
                "f:8: threads: 1000 is too large, write a whole number from 0 to 64\n");
}
END_TEST

/* What a value would mean with its quotation marks is compared with other options. */
START_TEST(other_options_are_checked_as_if_the_marks_were_there)
{
    verdict_bad(
        "users = (\n{ name = \"a\"; unix_user = root; },\n{ name = \"b\"; unix_user = root; "
        "} );",
        "f:2: users.unix_user: write \"root\" in quotation marks\n"
        "f:3: users.unix_user: write \"root\" in quotation marks\n"
        "f:3: users.unix_user: \"root\" is another user in line 2 already, keep one of "
        "them\n");
}
END_TEST

/* --- what stays -------------------------------------------------------------------- */

/* Where libconfig 1.5 stops inside of a string, it leaks that: there is no such text here. */
static const char *const syntax[] = {
    "memory = ;",          "memory =\nttl = 5;",   "memory = = 5;",      "memory 64M;",
    "ttl = 5m { };",       "ttl = \"5\" m;",       "ttl = 5m ( 6 );",    "ttl = 5 }",
    "namespaces = ( , );", "memory = 'a\nttl = 5", "memory = { 64M; };",
};

START_TEST(what_has_another_fault_is_a_syntax_error)
{
    struct conf *conf;
    struct conf_errors errors;
    ck_assert(!conf_load_text("f", syntax[_i], strlen(syntax[_i]), &conf, &errors));
    ck_assert_msg(strstr(errors.text, "syntax error here or just before") != NULL, "%s\n%s",
                  syntax[_i], errors.text);
    conf_errors_deinit(&errors);
}
END_TEST

static const char *const known[] = {
    "ttl = 5",
    "ttl = +5;",
    "ttl = 5, threads = 2, insecure = TRUE,",
    "ttl = 5 threads = 2 insecure = False",
    "ttl\n=\n5",
    "ttl = .5;",
    "ttl = 5.;",
    "ttl = 5.25;",
    "ttl = 5e1;",
    "ttl = 5.0E+1;",
    "ttl = 0x1F;",
    "ttl = 5L;",
    "ttl = 5LL;",
    "ttl=5;threads=2",
    "ttl = 5/* a */;",
    "ttl = 5# a",
    "ttl = 5// a",
    "namespace = \"64M\" \"b\";",
    "namespace = /* a */ \"a\";",
    "namespaces = ( { name = \"a\"; require_ttl = true }, { name = \"b\"; } );",
    "users = ( { name = \"a\"; read = ( \"a\", \"b\" ); write = [ ]; admin = [ \"a\" ]; }, );",
};

START_TEST(what_libconfig_knows_is_taken)
{
    struct conf *conf;
    struct conf_errors errors;
    bool loaded = conf_load_text("f", known[_i], strlen(known[_i]), &conf, &errors);
    /* A comma after the last group is libconfig's to allow or not. */
    ck_assert_msg(loaded || strstr(errors.text, "quotation") == NULL, "%s\n%s", known[_i],
                  errors.text);
    ck_assert(loaded || strstr(known[_i], "}, )") != NULL);
    conf_errors_deinit(&errors);
    conf_destroy(&conf);
}
END_TEST

/* --- its length ---------------------------------------------------------------------- */

static const struct {
    const char *text;
    size_t length;
} lengths[] = {
    {"64M", 3},      {"64M;", 3},     {"64 M ;", 4},   {"64 M\n", 4},  {"64", 0},
    {"64 ;", 0},     {"-64", 0},      {"-", 1},        {"-5m", 3},     {"true", 0},
    {"truely", 6},   {"x = 5", 0},    {"x\n:5", 0},    {"a:b", 3},     {"a: b", 0},
    {"'a b' c", 7},  {"'a", 0},       {"'a\n'", 0},    {"", 0},        {";", 0},
    {"$5$a,b=c", 8}, {"a,b", 1},      {"/a//b", 5},    {"a//b", 1},    {"1e", 2},
    {"1e5", 0},      {"1.2.3", 5},    {".", 0},        {"5.", 0},      {"0x", 2},
    {"0xg", 3},      {"0xff", 0},     {"L", 1},        {"5LLL", 4},    {"5 6", 3},
    {"5 x = 6", 0},  {"5m x = 6", 2}, {"5m \"x\"", 0}, {"5 \"x\"", 0}, {"::", 2},
    {"fe80::;", 6},  {"a:", 0},
};

START_TEST(lengths_are_exact)
{
    const char *text = lengths[_i].text;
    size_t length = conf_bare_length(text, text + strlen(text));
    ck_assert_msg(length == lengths[_i].length, "%s: %zu", text, length);
}
END_TEST

START_TEST(it_becomes_a_marked_string)
{
    struct conf_text text = {0};
    conf_bare_append(&text, "a\\\"b", 4);
    conf_bare_append(&text, "'c'", 3);
    ck_assert_str_eq(text.bytes, "\"\x01"
                                 "a\\\\\\\"b\"\"\x01"
                                 "c\"");
    conf_text_deinit(&text);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("conf bare");
    TCase *values = tcase_create("values");
    tcase_add_loop_test(values, a_bare_value_is_one_mistake, 0, COUNT(told));
    tcase_add_test(values, mistakes_after_bare_values_are_told_too);
    tcase_add_test(values, other_options_are_checked_as_if_the_marks_were_there);
    tcase_add_loop_test(values, what_has_another_fault_is_a_syntax_error, 0, COUNT(syntax));
    tcase_add_loop_test(values, what_libconfig_knows_is_taken, 0, COUNT(known));
    tcase_add_loop_test(values, lengths_are_exact, 0, COUNT(lengths));
    tcase_add_test(values, it_becomes_a_marked_string);
    suite_add_tcase(suite, values);
    return suite;
}

int main(void)
{
    return suite_run(suite());
}
