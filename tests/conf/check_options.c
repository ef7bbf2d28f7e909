/*
 * check_options.c - kvcached.conf: what each option takes and refuses, contradictions, that all
 * mistakes are reported at once and with their lines, and what a reload may change. Units, files,
 * users with TLS, and what is made from the table have programs of their own.
 */
#include "conf/conf.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "tests/conf/expect.h"
#include "tests/support/suite.h"

/* --- options -------------------------------------------------------------- */

START_TEST(without_a_file_the_defaults_hold)
{
    struct conf *conf;
    struct conf_errors errors;
    ck_assert(conf_load(&(struct conf_source){.file = NULL}, &conf, &errors));
    ck_assert_ptr_null(errors.text);
    ck_assert_ptr_null(conf->file);
    ck_assert_int_eq(conf->listen[0].line, 0);
    verdict_defaults(conf);
    conf_destroy(&conf);
    ck_assert_ptr_null(conf);
    conf_destroy(&conf);
}
END_TEST

START_TEST(an_empty_file_is_the_defaults)
{
    struct conf *conf = verdict_good("");
    ck_assert_str_eq(conf->file, "f");
    verdict_defaults(conf);
    conf_destroy(&conf);
    conf = verdict_good("# a comment\n// another /*\n/* a third\n*/");
    verdict_defaults(conf);
    conf_destroy(&conf);
}
END_TEST

/* libconfig needs a line end after each comment, and knows no byte order mark. */
START_TEST(a_file_may_end_anywhere_in_a_comment)
{
    static const char *const ends[] = {"#",    "# end",     "//",   "// end", "#\r",
                                       "/**/", "/* end */", "# /*", "// \"",  "# \xef\xbb\xbf"};
    char text[128];
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        for (int mark = 0; mark < 2; mark++) {
            snprintf(text, sizeof text, "%s%s", mark ? "\xef\xbb\xbf" : "", ends[i]);
            struct conf *conf = verdict_good(text);
            verdict_defaults(conf);
            ck_assert(conf->empty);
            conf_destroy(&conf);
            snprintf(text, sizeof text, "%sttl = 5;%s", mark ? "\xef\xbb\xbf" : "", ends[i]);
            conf = verdict_good(text);
            ck_assert_uint_eq(conf->ttl, 5000);
            ck_assert(!conf->empty);
            conf_destroy(&conf);
        }
    }
    struct conf *conf = verdict_good("\xef\xbb\xbf");
    ck_assert(conf->empty);
    conf_destroy(&conf);
    verdict_refused("ttl = -1; # end",
                    "ttl: -1 is too small, write \"never\" or a time from \"1ms\" to \"5200w\"");
    verdict_refused("ttl = 5; /* end",
                    "the comment that begins here has no end, write */ behind it");
}
END_TEST

/* users_given: whether the file has the option, also with an empty list. */
START_TEST(what_a_file_says_of_users)
{
    struct conf *conf = verdict_good("ttl = 5;");
    ck_assert(!conf->users_given);
    conf_destroy(&conf);
    conf = verdict_good("users = ();");
    ck_assert(conf->users_given);
    ck_assert_uint_eq(conf->user_count, 0);
    ck_assert(!conf->empty);
    conf_destroy(&conf);
}
END_TEST

START_TEST(every_option_is_taken)
{
    struct conf *conf =
        verdict_good("namespace = \"main\"; ttl = 90; memory = \"128M\"; max_value = 65536;\n"
                     "namespaces_policy = \"open\"; threads = 3; max_connections = 7;\n"
                     "idle_timeout = \"5m\"; purge_interval = 0.25; user = \"root\";\n"
                     "pid_file = \"/run/k.pid\";\n"
                     "arena = { file = \"/run/k/arena\"; };\n"
                     "log = { to = \"/var/log/k\"; level = \"warning\"; };\n");
    ck_assert_str_eq(conf->default_namespace, "main");
    ck_assert_uint_eq(conf->ttl, 90000);
    ck_assert_uint_eq(conf->memory, 128 << 20);
    ck_assert_uint_eq(conf->max_value, 65536);
    ck_assert_uint_eq(conf->threads, 3);
    ck_assert_uint_eq(conf->max_connections, 7);
    ck_assert_uint_eq(conf->idle_timeout, 300000);
    ck_assert_uint_eq(conf->purge_interval, 250);
    ck_assert_str_eq(conf->user, "root");
    ck_assert_str_eq(conf->pid_file, "/run/k.pid");
    ck_assert_str_eq(conf->arena.file, "/run/k/arena");
    ck_assert_str_eq(conf->log.to, "/var/log/k");
    ck_assert_int_eq(conf->log.level, LOG_WARNING);
    conf_destroy(&conf);
}
END_TEST

START_TEST(listeners_are_taken)
{
    struct conf *conf =
        verdict_good("listen = (\n"
                     " { },\n"
                     " { address = \"::1\"; port = 0; protocol = \"native\"; },\n"
                     " { address = \"::1\"; port = 0; },\n"
                     " { path = \"/tmp/s\"; owner = \"root:root\"; mode = \"0600\"; },\n"
                     " { path = \"/tmp/t\"; } );");
    ck_assert_uint_eq(conf->listen_count, 5);
    ck_assert_str_eq(conf->listen[0].address, "127.0.0.1");
    ck_assert_uint_eq(conf->listen[0].port, 7171);
    ck_assert_int_eq(conf->listen[0].line, 2);
    ck_assert_str_eq(conf->listen[1].address, "::1");
    ck_assert_uint_eq(conf->listen[1].port, 0);
    ck_assert_str_eq(conf->listen[3].path, "/tmp/s");
    ck_assert_str_eq(conf->listen[3].owner, "root:root");
    ck_assert_uint_eq(conf->listen[3].mode, 0600);
    ck_assert_ptr_null(conf->listen[3].address);
    ck_assert_uint_eq(conf->listen[4].mode, 0660);
    ck_assert_uint_eq(conf->listen[4].port, 0);
    ck_assert_int_eq(conf->listen[4].line, 6);
    conf_destroy(&conf);
}
END_TEST

START_TEST(namespaces_are_taken)
{
    struct conf *conf =
        verdict_good("namespaces_policy = \"declared\"; namespace = \"a\";\n"
                     "namespaces = (\n"
                     " { name = \"a\"; ttl = \"30m\"; max_ttl = \"1h\"; memory = \"1M\";\n"
                     "   require_ttl = true; },\n"
                     " { name = \"-b.C_9\"; ttl = \"never\"; },\n"
                     " { name = \"c\"; } );");
    ck_assert_int_eq(conf->policy, CONF_DECLARED);
    ck_assert_uint_eq(conf->namespace_count, 3);
    ck_assert_str_eq(conf->namespaces[0].name, "a");
    ck_assert_uint_eq(conf->namespaces[0].ttl, 1800000);
    ck_assert(conf->namespaces[0].ttl_set);
    ck_assert_uint_eq(conf->namespaces[0].max_ttl, 3600000);
    ck_assert_uint_eq(conf->namespaces[0].memory, 1 << 20);
    ck_assert(conf->namespaces[0].require_ttl);
    ck_assert(conf->namespaces[1].ttl_set);
    ck_assert_uint_eq(conf->namespaces[1].ttl, CONF_NEVER);
    ck_assert(!conf->namespaces[2].ttl_set);
    ck_assert_uint_eq(conf->namespaces[2].max_ttl, CONF_NEVER);
    ck_assert_uint_eq(conf->namespaces[2].memory, 0);
    ck_assert(!conf->namespaces[2].require_ttl);
    conf_destroy(&conf);
}
END_TEST

/* Values at the ends of their ranges, and unusual ways to write valid ones. */
static const char *const fine[] = {
    "memory = \"4M\";",
    "memory = \"1T\"",
    "memory = 4194304",
    "memory = 8589934592;",
    "memory = 8589934592L;",
    "memory = 0x200000000;",
    "max_value = 1; ttl = 0; idle_timeout = 0",
    "memory = \"256M\"; max_value = \"64M\";",
    "ttl = \"1ms\"; idle_timeout = \"10ms\"; purge_interval = \"10ms\";",
    "ttl = \"5200w\"; idle_timeout = \"52w\"; purge_interval = \"10s\";",
    "threads = 64; max_connections = 1000000;",
    "threads = 0; max_connections = 1;",
    "user = \"\"; pid_file = \"\";",
    "log = \"syslog\";",
    "log = \"/var/log/kvcached\";",
    "arena = { };",
    "arena = { file = \"\"; };",
    "arena = { file = \"/run/kvcached/arena\"; };",
    "listen = ( { protocol = \"http\"; open = \"all\"; } );",
    "metrics = { };",
    "metrics = { namespaces = \"all\"; };",
    "log = { };",
    "log : { level = \"error\" }",
    "namespaces = ( );",
    "namespaces = [ ];",
    "listen = ( { path = \"\"; port = 65535; } );",
    "listen = ( { address = \"0.0.0.0\"; }, { address = \"::\"; } ); insecure = true;",
    "namespaces = ( { name = \"a\"; memory = \"32M\"; }, { name = \"b\"; memory = \"32M\"; } );",
    "namespaces = ( { name = \"a\"; ttl = \"1h\"; max_ttl = \"1h\"; } );",
    "namespaces = ( { name = \"a\"; max_ttl = \"1h\"; require_ttl = true; } );",
};

START_TEST(good_values_are_taken)
{
    struct conf *conf = verdict_good(fine[_i]);
    conf_destroy(&conf);
}
END_TEST

START_TEST(plain_numbers_are_never_cut_short)
{
    struct conf *conf = verdict_good("memory = 8589934592;");
    ck_assert_uint_eq(conf->memory, 8589934592);
    conf_destroy(&conf);
    conf = verdict_good("memory = 0x200000000;");
    ck_assert_uint_eq(conf->memory, 8589934592);
    conf_destroy(&conf);
}
END_TEST

static const char *const wrong[][2] = {
    {"memroy = 5;", "memroy: there is no such option, did you mean memory?"},
    {"xyzzy = 5;", "xyzzy: there is no such option, see kvcached.conf(5) for those there are"},
    {"max_ttl = 5;", "max_ttl: it is no option here, write it in a group of namespaces"},
    {"level = 5;", "level: it is no option here, write it in the group log"},
    {"log = { user = \"a\"; };", "log.user: it is no option here, write it at the top level"},
    {"listen = ( { prot = 5; } );", "listen.prot: there is no such option, did you mean port?"},
    {"listen = ( { open = \"all\"; } );",
     "listen.open: it needs protocol = \"http\" beside it, write that too or leave this out"},
    {"listen = ( { protocol = \"http\"; open = \"some\"; } );",
     "listen.open: \"some\" is not one of its words, write \"health\", \"metrics\" or \"all\""},
    {"metrics = \"all\";", "metrics: \"all\" is not a group, write a group, { namespaces = ...; }"},
    {"memory = true;",
     "memory: true is not a size, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = \"lots\";", "memory: \"lots\" is not a size, write a size from \"4M\" to \"1T\" or "
                           "a share such as \"75%\""},
    {"memory = \"1M\";",
     "memory: \"1M\" is too small, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = \"2T\";",
     "memory: \"2T\" is too large, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = \"0%\";",
     "memory: \"0%\" is too small, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = \"101%\";", "memory: \"101%\" is too large, write a size from \"4M\" to \"1T\" or a "
                           "share such as \"75%\""},
    {"memory = \"7.5%\";",
     "memory: \"7.5%\" is not a size, write a size from \"4M\" to \"1T\" or a "
     "share such as \"75%\""},
    {"memory = -1;",
     "memory: -1 is too small, write a size from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = 4294967297;", NULL},
    {"memory = 1099511627777;", "memory: 1099511627777 is too large, write a size from \"4M\" to "
                                "\"1T\" or a share such as \"75%\""},
    {"memory = 18446744073777774592;", "memory: 999999999999999999 is too large, write a size "
                                       "from \"4M\" to \"1T\" or a share such as \"75%\""},
    {"memory = { };", "memory: this group is not a size, write a size from \"4M\" to \"1T\" or a "
                      "share such as \"75%\""},
    {"max_value = 0;", "max_value: 0 is too small, write a size from \"1\" to \"64M\""},
    {"max_value = \"65M\";", "max_value: \"65M\" is too large, write a size from \"1\" to \"64M\""},
    {"max_value = \"17M\";", "max_value: 17M is more than a quarter of memory, write at most 16M"},
    {"ttl = \"soon\";",
     "ttl: \"soon\" is not a time, write \"never\" or a time from \"1ms\" to \"5200w\""},
    {"ttl = \"5201w\";",
     "ttl: \"5201w\" is too large, write \"never\" or a time from \"1ms\" to \"5200w\""},
    {"ttl = -5;", "ttl: -5 is too small, write \"never\" or a time from \"1ms\" to \"5200w\""},
    {"ttl = 99999999999999999;",
     "ttl: 99999999999999999 is too large, write \"never\" or a time from \"1ms\" to \"5200w\""},
    {"ttl = ( 5 );",
     "ttl: this list is not a time, write \"never\" or a time from \"1ms\" to \"5200w\""},
    {"idle_timeout = \"5ms\";",
     "idle_timeout: \"5ms\" is too small, write \"never\" or a time from \"10ms\" to \"52w\""},
    {"purge_interval = \"never\";",
     "purge_interval: \"never\" is too small, write a time from \"10ms\" to \"10s\""},
    {"purge_interval = 11;",
     "purge_interval: 11 is too large, write a time from \"10ms\" to \"10s\""},
    {"threads = \"4\";", "threads: \"4\" is not a whole number, write a whole number from 0 to 64"},
    {"threads = 65;", "threads: 65 is too large, write a whole number from 0 to 64"},
    {"threads = 1.5;", "threads: 1.5 is not a whole number, write a whole number from 0 to 64"},
    {"max_connections = 0;",
     "max_connections: 0 is too small, write a whole number from 1 to 1000000"},
    {"namespace = \"a/b\";", "namespace: \"a/b\" is not a namespace's name, write 1 to 64 of A-Z "
                             "a-z 0-9 _ . - (but not - alone)"},
    {"namespace = \"-\";", "namespace: \"-\" is not a namespace's name, write 1 to 64 of A-Z a-z "
                           "0-9 _ . - (but not - alone)"},
    {"namespace = \"\";", "namespace: \"\" is not a namespace's name, write 1 to 64 of A-Z a-z "
                          "0-9 _ . - (but not - alone)"},
    {"namespaces_policy = \"closed\";",
     "namespaces_policy: \"closed\" is not one of its words, write \"open\" or \"declared\""},
    {"namespaces_policy = \"declared\"; namespace = \"a\";",
     "namespace: \"a\" is not declared, and namespaces_policy wants it to be: add it to "
     "namespaces"},
    {"user = \"no-such-user-here\";", "user: \"no-such-user-here\" is not known here, "
                                      "write the name of a user of this machine"},
    {"pid_file = \"k.pid\";", "pid_file: \"k.pid\" is not an absolute path, write a path that "
                              "begins with / and has at most 4095 bytes"},
    {"pid_file = \"\\x07\";", "pid_file: \"?\" is not an absolute path, write a path that begins "
                              "with / and has at most 4095 bytes"},
    {"arena = 5;", "arena: 5 is not a group, write a group, { file = ...; }"},
    {"arena = \"/a\";", "arena: \"/a\" is not a group, write a group, { file = ...; }"},
    {"arena = { file = \"a\"; };", "arena.file: \"a\" is not an absolute path, write a path that "
                                   "begins with / and has at most 4095 bytes"},
    {"arena = { file = true; };", "arena.file: true is not an absolute path, write a path that "
                                  "begins with / and has at most 4095 bytes"},
    {"file = \"/a\";", "file: it is no option here, write it in the group arena"},
    {"log = 5;", "log: 5 is not a group, write a group, { to = ...; level = ...; }, or "
                 "\"stderr\", \"syslog\" or a path that begins with /"},
    {"log = \"stdout\";", "log.to: \"stdout\" is not a place for messages, write \"stderr\", "
                          "\"syslog\" or a path that begins with /"},
    {"log = { level = \"loud\"; };", "log.level: \"loud\" is not a level, write \"error\", "
                                     "\"warning\", \"notice\", \"info\" or \"debug\""},
    {"listen = ( );",
     "listen: this list is empty, write a list of 1 to 64 groups, ( { ... }, { ... } )"},
    {"listen = \"127.0.0.1\";", "listen: \"127.0.0.1\" is not a list of groups, write a list of 1 "
                                "to 64 groups, ( { ... }, { ... } )"},
    {"listen = { port = 1; };", "listen: this group is not a list of groups, write a list of 1 to "
                                "64 groups, ( { ... }, { ... } )"},
    {"listen = ( 5 );", "listen: number 1 of the list is not a group, write { name = value; ... }"},
    {"listen = ( { port = 65536; } );",
     "listen.port: 65536 is too large, write a whole number from 0 to 65535"},
    {"listen = ( { port = -1; } );",
     "listen.port: -1 is too small, write a whole number from 0 to 65535"},
    {"listen = ( { address = \"localhost.\"; } );",
     "listen.address: \"localhost.\" is not a numeric address, write a numeric address such as "
     "\"127.0.0.1\" or \"::1\", or \"localhost\""},
    {"listen = ( { path = \"s\"; mode = \"0600\"; } );",
     "listen.path: \"s\" is not an absolute path, write a path that begins with / and has at most "
     "107 bytes"},
    {"listen = ( { path = \"/s\"; mode = \"9\"; } );",
     "listen.mode: \"9\" is not a mode in quotes, write octal digits in quotes, \"0\" to "
     "\"0777\""},
    {"listen = ( { path = \"/s\"; mode = 0660; } );",
     "listen.mode: 660 is not a mode in quotes, write octal digits in quotes, \"0\" to \"0777\""},
    {"listen = ( { path = \"/s\"; mode = \"1777\"; } );",
     "listen.mode: \"1777\" is too large, write octal digits in quotes, \"0\" to \"0777\""},
    {"listen = ( { path = \"/s\"; owner = \"root:no-such-group\"; } );",
     "listen.owner: \"root:no-such-group\" is not a user or group of this machine, write \"user\" "
     "or \"user:group\" of this machine"},
    {"listen = ( { path = \"/s\"; port = 5; } );",
     "listen.port: a Unix socket has none, write either path or address and port"},
    {"listen = ( { path = \"/s\"; address = \"::1\"; } );",
     "listen.address: a Unix socket has none, write either path or address and port"},
    {"listen = ( { mode = \"0600\"; } );",
     "listen.mode: only a Unix socket has one, write it beside path or leave it out"},
    {"listen = ( { owner = \"root\"; } );",
     "listen.owner: only a Unix socket has one, write it beside path or leave it out"},
    {"listen = ( { namespace = \"cache\"; } );",
     "listen.namespace: it needs protocol = \"memcache\" beside it; clients of the native protocol "
     "name their namespaces"},
    {"listen = ( { protocol = \"native\"; prefix = \":\"; } );",
     "listen.prefix: it needs protocol = \"memcache\" beside it; clients of the native protocol "
     "name their namespaces"},
    {"listen = ( { protocol = \"memcache\"; prefix = \"::\"; } );",
     "listen.prefix: \"::\" is not one of its words, write \":\", \"/\", \".\", \",\", \";\", "
     "\"#\", "
     "\"@\", \"=\", \"+\", \"~\" or \"!\""},
    {"listen = ( { protocol = \"gopher\"; } );",
     "listen.protocol: \"gopher\" is not one of its words, write \"native\", \"memcache\" or "
     "\"http\""},
    {"insecure = true; listen = ( { }, { address = \"0.0.0.0\"; } );",
     "listen.port: the group in line 1 listens there already, write another or leave this one out"},
    {"listen = ( { }, { address = \"localhost\"; } );",
     "listen.port: the group in line 1 listens there already, write another or leave this one out"},
    {"listen = ( { address = \"localhost\"; }, { address = \"::1\"; } );",
     "listen.port: the group in line 1 listens there already, write another or leave this one out"},
    {"insecure = true; listen = ( { address = \"::\"; }, { address = \"localhost\"; } );",
     "listen.port: the group in line 1 listens there already, write another or leave this one out"},
    {"listen = ( { address = \"localhost\"; }, { address = \"localhost\"; } );",
     "listen.port: the group in line 1 listens there already, write another or leave this one out"},
    {"listen = ( { address = \"::1\"; }, { address = \"0::0:1\"; port = 7171; } );",
     "listen.port: the group in line 1 listens there already, write another or leave this one "
     "out"},
    {"listen = ( { path = \"/s\"; }, { path = \"/s\"; } );",
     "listen.path: the group in line 1 listens there already, write another or leave this one "
     "out"},
    {"namespaces = ( { ttl = 5; } );",
     "namespaces.name: it is missing, write name = \"...\"; in this group"},
    {"namespaces = ( { name = \"a\"; }, { name = \"b\"; }, { name = \"a\"; } );",
     "namespaces.name: \"a\" is declared in line 1 already, keep one of them"},
    {"namespaces = ( { name = \"a\"; ttl = \"2h\"; max_ttl = \"1h\"; } );",
     "namespaces.ttl: 2h is longer than max_ttl, write at most 1h"},
    {"namespaces = ( { name = \"a\"; ttl = \"never\"; max_ttl = \"1h\"; } );",
     "namespaces.ttl: never is longer than max_ttl, write at most 1h"},
    {"namespaces = ( { name = \"a\"; ttl = 0; require_ttl = true; } );",
     "namespaces.ttl: never is what require_ttl forbids, write a time or leave it out"},
    {"namespaces = ( { name = \"a\"; require_ttl = 1; } );",
     "namespaces.require_ttl: 1 is not one of its words, write true or false"},
    {"namespaces = ( { name = \"a\"; memory = \"1K\"; } );",
     "namespaces.memory: \"1K\" is too small, write 0 or a size from \"256K\" to \"1T\""},
    {"namespaces = ( { name = \"a\"; memory = \"33M\"; }, { name = \"b\"; memory = \"32M\"; } );",
     "namespaces.memory: the quotas up to here come to 65M, which is more than memory at the top "
     "level, write smaller ones or a memory larger than 64M"},
    {"ttl = 5; ttl = 6;", "ttl: it is given in line 1 already, keep one of them"},
    {"log = { to = \"stderr\"; to = \"syslog\"; };",
     "log.to: it is given in line 1 already, keep one of them"},
    {"*again*1*2*ttl = 6;",
     "*again*1*2*ttl: there is no such option, see kvcached.conf(5) for those there are"},
    {"memory = ;", "syntax error here or just before, a setting is written name = value;"},
    {"log = { @include \"x\" };",
     "syntax error here or just before, a setting is written name = value;"},
    {"@include \"/nonexistent/x\"",
     "@include: cannot read \"/nonexistent/x\": No such file or directory, name a file that can "
     "be read"},
    {"  @include \"/tmp\"",
     "@include: cannot read \"/tmp\": Is a directory, name a file that can be read"},
    {"@include \"/dev/zero\"",
     "@include: cannot read \"/dev/zero\": Not a regular file, name a file that can be read"},
    {"@include \"x", "@include: the path has no end, write a \" behind it"},
    {"/* a", "the comment that begins here has no end, write */ behind it"},
    {"/*/", "the comment that begins here has no end, write */ behind it"},
};

START_TEST(bad_values_are_refused)
{
    if (wrong[_i][1] == NULL) {
        struct conf *conf = verdict_good(wrong[_i][0]);
        ck_assert_uint_eq(conf->memory, 4294967297);
        conf_destroy(&conf);
        return;
    }
    verdict_refused(wrong[_i][0], wrong[_i][1]);
}
END_TEST

/* --- all of them ---------------------------------------------------------- */

START_TEST(all_mistakes_are_told_at_once_and_in_order)
{
    verdict_bad(
        "memroy = \"64M\";\n"
        "ttl = \"soon\"; # and a comment with { \" in it\n"
        "namespaces = (\n"
        "  { name = \"a b\"; },\n"
        "  { name =\n"
        "      \"c\"; max_tll = 5;\n"
        "    name = \"d\" },\n"
        "  { name = \"c\"; }\n"
        ");\n"
        "/* log = 5;\n"
        "*/ log = { level = 5 };\n"
        "ttl = 7;\n"
        "ttl = \"really \\\" soon\n"
        "\";\n"
        "threads = 1000;\n",
        "f:1: memroy: there is no such option, did you mean memory?\n"
        "f:2: ttl: \"soon\" is not a time, write \"never\" or a time from \"1ms\" to \"5200w\"\n"
        "f:4: namespaces.name: \"a b\" is not a namespace's name, write 1 to 64 of A-Z a-z 0-9 _ "
        ". - (but not - alone)\n"
        "f:6: namespaces.max_tll: there is no such option, did you mean max_ttl?\n"
        "f:7: namespaces.name: it is given in line 5 already, keep one of them\n"
        "f:8: namespaces.name: \"c\" is declared in line 5 already, keep one of them\n"
        "f:11: log.level: 5 is not a level, write \"error\", \"warning\", \"notice\", \"info\" or "
        "\"debug\"\n"
        "f:12: ttl: it is given in line 2 already, keep one of them\n"
        "f:13: ttl: it is given in line 2 already, keep one of them\n"
        "f:15: threads: 1000 is too large, write a whole number from 0 to 64\n");
}
END_TEST

START_TEST(what_stands_before_a_syntax_error_is_told_too)
{
    verdict_bad("threads = 1000;\nttl = \"5\" 5;\nmemory = 1;",
                "f:1: threads: 1000 is too large, write a whole number from 0 to 64\n"
                "f:2: syntax error here or just before, a setting is written name = value;\n");
    verdict_bad("\nmemory = \"64M\n",
                "f:2: the string that begins here has no end, write a \" behind it\n"
                "f:3: syntax error here or just before, a setting is written name = value;\n");
}
END_TEST

START_TEST(one_mistake_is_told_once)
{
    /* A refused value is not compared with others. */
    verdict_bad("memory = \"1X\"; namespaces = ( { name = \"a\"; memory = \"1G\"; } ); "
                "max_value = \"60M\";",
                "f:1: memory: \"1X\" is not a size, write a size from \"4M\" to \"1T\" or a share "
                "such as \"75%\"\n");
    verdict_bad(
        "listen = ( { path = 5; mode = \"0600\"; }, { path = 5; } );",
        "f:1: listen.path: 5 is not an absolute path, write a path that begins with / and has at "
        "most 107 bytes\n"
        "f:1: listen.path: 5 is not an absolute path, write a path that begins with / and has at "
        "most 107 bytes\n");
    verdict_bad(
        "namespaces = ( { name = 5; max_ttl = 5; ttl = -1; } );",
        "f:1: namespaces.name: 5 is not a namespace's name, write 1 to 64 of A-Z a-z 0-9 _ . - "
        "(but not - alone)\n"
        "f:1: namespaces.ttl: -1 is too small, write \"never\" or a time from \"1ms\" to "
        "\"5200w\"\n");
}
END_TEST

START_TEST(a_zero_byte_ends_the_text)
{
    struct conf *conf;
    struct conf_errors errors;
    ck_assert(!conf_load_text("f", "ttl = 5;\n\0ttl = 6;", 17, &conf, &errors));
    ck_assert_str_eq(errors.text, "f:1: there is a zero byte in this file, write plain text\n");
    conf_errors_deinit(&errors);
}
END_TEST

/* --- reload --------------------------------------------------------------- */

static const struct {
    const char *now;
    const char *next;
    const char *names;
} changes[] = {
    {"", "", ""},
    {"", "listen = ( { address = \"127.0.0.1\"; port = 7171; } );", ""},
    {"", "listen = ( { port = 7172; } );", "listen"},
    {"", "listen = ( { address = \"::1\"; } );", "listen"},
    {"", "listen = ( { address = \"localhost\"; } );", "listen"},
    {"listen = ( { address = \"localhost\"; } );",
     "users = ( ); listen = ( { address = \"localhost\"; } );", ""},
    {"", "listen = ( { }, { port = 7172; } );", "listen"},
    {"listen = ( { path = \"/a\"; } );", "listen = ( { path = \"/a\"; mode = \"0600\"; } );",
     "listen"},
    {"listen = ( { path = \"/a\"; } );", "listen = ( { path = \"/a\"; owner = \"root\"; } );",
     "listen"},
    {"listen = ( { path = \"/a\"; } );", "\nlisten = ( { path = \"/a\"; mode = \"660\"; } );", ""},
    {"threads = 2;", "threads = 3;", "threads"},
    {"memory = \"64M\";", "memory = \"65M\";", ""},
    {"", "user = \"root\";", "user"},
    {"", "arena = { file = \"/a\"; };", "arena"},
    {"arena = { file = \"/a\"; };", "arena = { file = \"/b\"; };", "arena"},
    {"arena = { };", "", ""},
    {"arena = { file = \"/a\"; };", "arena : { file = \"/a\" }", ""},
    {"pid_file = \"/a\";", "pid_file = \"/b\";", "pid_file"},
    {"pid_file = \"/a\"; user = \"root\"; threads = 2;",
     "listen = ( { port = 1; } ); memory = \"5M\"; threads = 3;",
     "listen, threads, user, pid_file"},
    {"",
     "namespace = \"a\"; ttl = 5; namespaces = ( { name = \"a\"; memory = \"1M\"; } ); "
     "namespaces_policy = \"declared\"; max_value = 5; max_connections = 5; idle_timeout = 5; "
     "purge_interval = 5; log = { to = \"syslog\"; level = \"debug\"; };",
     ""},
};

START_TEST(what_needs_a_restart_is_named)
{
    struct conf *now = verdict_good(changes[_i].now), *next = verdict_good(changes[_i].next);
    char names[128], few[8];
    conf_needs_restart(now, next, names, sizeof names);
    ck_assert_str_eq(names, changes[_i].names);
    conf_needs_restart(next, now, names, sizeof names);
    ck_assert_str_eq(names, changes[_i].names);
    conf_needs_restart(now, next, few, sizeof few);
    ck_assert_uint_lt(strlen(few), sizeof few);
    conf_destroy(&now);
    conf_destroy(&next);
}
END_TEST

/* --- all of it ------------------------------------------------------------ */

#define COUNT(array) ((int)(sizeof array / sizeof((array)[0])))

static Suite *suite(void)
{
    Suite *suite = suite_create("conf options");
    TCase *options = tcase_create("options");
    tcase_add_test(options, without_a_file_the_defaults_hold);
    tcase_add_test(options, an_empty_file_is_the_defaults);
    tcase_add_test(options, a_file_may_end_anywhere_in_a_comment);
    tcase_add_test(options, what_a_file_says_of_users);
    tcase_add_test(options, every_option_is_taken);
    tcase_add_test(options, listeners_are_taken);
    tcase_add_test(options, namespaces_are_taken);
    tcase_add_loop_test(options, good_values_are_taken, 0, COUNT(fine));
    tcase_add_test(options, plain_numbers_are_never_cut_short);
    tcase_add_loop_test(options, bad_values_are_refused, 0, COUNT(wrong));
    tcase_add_test(options, all_mistakes_are_told_at_once_and_in_order);
    tcase_add_test(options, what_stands_before_a_syntax_error_is_told_too);
    tcase_add_test(options, one_mistake_is_told_once);
    tcase_add_test(options, a_zero_byte_ends_the_text);
    tcase_add_loop_test(options, what_needs_a_restart_is_named, 0, COUNT(changes));
    suite_add_tcase(suite, options);
    return suite;
}

int main(void)
{
    return suite_run(suite());
}
