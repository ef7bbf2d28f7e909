/*
 * check_unknown.c - names that are no option where they stand: where they belong, what they are
 * called here, or what was probably meant.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "conf/conf_option.h"
#include "conf/conf_unknown.h"
#include "tests/conf/expect.h"
#include "tests/support/suite.h"

#define COUNT(array) ((int)(sizeof array / sizeof((array)[0])))

static const struct {
    const char *name;
    const char *advice;
} foreign[] = {
#define FOREIGN(name, advice) {#name, advice},
#include "conf/foreign.def"
#undef FOREIGN
};

/* --- the table of other servers' names ------------------------------------------------- */

static bool is_option(const char *name)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        if (strcmp(conf_options[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A name that is an option somewhere has a better message. */
START_TEST(no_name_of_the_table_is_an_option)
{
    for (int i = 0; i < COUNT(foreign); i++) {
        ck_assert_msg(!is_option(foreign[i].name), "%s", foreign[i].name);
        ck_assert_uint_eq(strspn(foreign[i].name, "abcdefghijklmnopqrstuvwxyz_"),
                          strlen(foreign[i].name));
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(foreign[i].name, foreign[j].name);
        }
    }
}
END_TEST

/* "write OPTION ..." names an option that there is. */
START_TEST(what_is_advised_exists)
{
    int options = 0;
    for (int i = 0; i < COUNT(foreign); i++) {
        char word[64];
        ck_assert_uint_lt(strlen(foreign[i].advice), 100);
        if (sscanf(foreign[i].advice, "write %63[a-z_]", word) == 1) {
            ck_assert_msg(is_option(word), "%s: %s", foreign[i].name, foreign[i].advice);
            options++;
        }
    }
    ck_assert_int_gt(options, 50);
}
END_TEST

static const char *const told[][2] = {
    {"bind = \"0.0.0.0\";", "bind: there is no such option, write address in a group of listen"},
    {"Bind = \"0.0.0.0\";", "Bind: there is no such option, write address in a group of listen"},
    {"tls-cert-file = \"/c\";",
     "tls-cert-file: there is no such option, write tls_certificate in a group of listen"},
    {"listen = ( { cert = \"/c\"; } );",
     "listen.cert: there is no such option, write tls_certificate in a group of listen"},
    {"users = ( { name = \"a\"; password = \"b\"; } );",
     "users.password: there is no such option, write secret in a group of users"},
    {"requirepass = \"b\";",
     "requirepass: there is no such option, write secret in a group of users"},
    {"maxmemory = 1000;", "maxmemory: there is no such option, write memory"},
    {"maxclients = 1000;",
     "maxclients: there is no such option, write max_connections at the top level"},
    {"timeout = 1000;", "timeout: there is no such option, write idle_timeout at the top level"},
    {"logfile = \"\";", "logfile: there is no such option, write log at the top level"},
    {"databases = 16;", "databases: there is no such option, write namespaces, a list of groups"},
    {"appendonly = true;", "appendonly: there is no such option, write file in the group arena"},
    {"unixsocket = \"/s\";",
     "unixsocket: there is no such option, write path in a group of listen"},
    {"daemonize = true;", "daemonize: there is no such option, start kvcached with -d"},
    {"loglevel = \"notice\";", "loglevel: there is no such option, write level in the group log"},
    {"port = 11211;", "port: it is no option here, write it in a group of listen"},
    {"http = true;", "http: there is no such option, see kvcached.conf(5) for those there are"},
};

START_TEST(names_of_other_servers)
{
    verdict_refused(told[_i][0], told[_i][1]);
}
END_TEST

/* --- the nearest option ------------------------------------------------------------------- */

static const struct {
    enum conf_scope scope;
    const char *name;
    const char *nearest; /* NULL: none */
} slips[] = {
    {SCOPE_TOP, "memroy", "memory"},
    {SCOPE_TOP, "memmory", "memory"},
    {SCOPE_TOP, "tlt", "ttl"},
    {SCOPE_TOP, "tttl", "ttl"},
    {SCOPE_TOP, "threds", "threads"},
    {SCOPE_TOP, "namepsaces", "namespaces"},
    {SCOPE_TOP, "max_conections", "max_connections"},
    {SCOPE_TOP, "maxconnections", "max_connections"},
    {SCOPE_TOP, "usres", "users"},
    {SCOPE_LISTEN, "prot", "port"},
    {SCOPE_LISTEN, "adress", "address"},
    {SCOPE_LISTEN, "addr", NULL},
    {SCOPE_USERS, "reed", "read"},
    {SCOPE_LOG, "ot", "to"},
    {SCOPE_TOP, "http", NULL},
    {SCOPE_TOP, "ftp", NULL},
    {SCOPE_TOP, "t", NULL},
    {SCOPE_TOP, "xyzzy", NULL},
    {SCOPE_TOP, "max_connections_and_much_more_than_that", NULL},
};

START_TEST(the_nearest_option)
{
    const struct conf_option *nearest = conf_unknown_nearest(slips[_i].scope, slips[_i].name);
    ck_assert_msg(slips[_i].nearest == NULL || nearest != NULL, "%s", slips[_i].name);
    ck_assert_msg(slips[_i].nearest != NULL || nearest == NULL, "%s", slips[_i].name);
    if (nearest != NULL) {
        ck_assert_str_eq(nearest->name, slips[_i].nearest);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("conf unknown");
    TCase *names = tcase_create("names");
    tcase_add_test(names, no_name_of_the_table_is_an_option);
    tcase_add_test(names, what_is_advised_exists);
    tcase_add_loop_test(names, names_of_other_servers, 0, COUNT(told));
    tcase_add_loop_test(names, the_nearest_option, 0, COUNT(slips));
    suite_add_tcase(suite, names);
    return suite;
}

int main(void)
{
    return suite_run(suite());
}
