/*
 * check_conf.c - kvcached.conf: what each option takes and refuses, that all
 * mistakes are told at once and at their lines, what contradicts itself, what a
 * reload may change, and that the sample file and the manual page have it all.
 */
#include "conf/conf.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "conf/conf_option.h"
#include "conf/conf_units.h"

/* --- helpers -------------------------------------------------------------- */

static struct conf *good(const char *text)
{
    struct conf *conf;
    struct conf_errors errors;

    bool loaded = conf_load_text("f", text, strlen(text), &conf, &errors);
    ck_assert_msg(loaded, "%s\nis refused:\n%s", text, errors.text);
    ck_assert_ptr_null(errors.text);
    ck_assert_uint_eq(errors.count, 0);
    conf_errors_deinit(&errors);
    return conf;
}

/* The text is refused with exactly these lines. */
static void bad(const char *text, const char *expected)
{
    struct conf *conf;
    struct conf_errors errors;
    size_t lines = 0;

    bool loaded = conf_load_text("f", text, strlen(text), &conf, &errors);
    ck_assert_msg(!loaded, "%s\nis taken", text);
    ck_assert_ptr_null(conf);
    ck_assert_str_eq(errors.text, expected);
    for (const char *at = errors.text; *at != '\0'; at++)
        lines += *at == '\n';
    ck_assert_uint_eq(errors.count, lines);
    conf_errors_deinit(&errors);
}

/* One line is all, and this is what stands behind "f:1: ". */
static void refused(const char *text, const char *message)
{
    char expected[512];

    snprintf(expected, sizeof(expected), "f:1: %s\n", message);
    bad(text, expected);
}

static char *read_whole(const char *file)
{
    const char *srcdir = getenv("srcdir");
    char path[512];
    char *bytes = calloc(1, 1 << 18);

    snprintf(path, sizeof(path), "%s/%s", srcdir != NULL ? srcdir : ".", file);
    FILE *in = fopen(path, "r");
    ck_assert_msg(in != NULL, "%s: %s", path, strerror(errno));
    size_t length = fread(bytes, 1, (1 << 18) - 1, in);
    ck_assert_uint_gt(length, 0);
    fclose(in);
    return bytes;
}

static void check_defaults(const struct conf *conf)
{
    ck_assert_uint_eq(conf->listen_count, 1);
    ck_assert_str_eq(conf->listen[0].address, "127.0.0.1");
    ck_assert_uint_eq(conf->listen[0].port, 7171);
    ck_assert_ptr_null(conf->listen[0].path);
    ck_assert_ptr_null(conf->listen[0].owner);
    ck_assert_str_eq(conf->listen[0].protocol, "native");
    ck_assert_str_eq(conf->default_namespace, "default");
    ck_assert_uint_eq(conf->ttl, CONF_NEVER);
    ck_assert_uint_eq(conf->namespace_count, 0);
    ck_assert_int_eq(conf->policy, CONF_OPEN);
    ck_assert_uint_eq(conf->memory, 64 << 20);
    ck_assert_uint_eq(conf->max_value, 1 << 20);
    ck_assert_uint_ge(conf->threads, 1);
    ck_assert_uint_le(conf->threads, 64);
    ck_assert_uint_eq(conf->max_connections, 10000);
    ck_assert_uint_eq(conf->idle_timeout, 0);
    ck_assert_uint_eq(conf->purge_interval, 100);
    ck_assert_ptr_null(conf->user);
    ck_assert_ptr_null(conf->pid_file);
    ck_assert_ptr_null(conf->arena.file);
    ck_assert_str_eq(conf->log.to, "stderr");
    ck_assert_int_eq(conf->log.level, LOG_INFO);
}

/* --- times and sizes ------------------------------------------------------ */

struct measure {
    const char *text;
    uint64_t value;
};

static const struct measure times[] = {
    {"0", 0},
    {"never", 0},
    {"90", 90000},
    {"1.5", 1500},
    {"500ms", 500},
    {"30s", 30000},
    {"30m", 1800000},
    {"1.5h", 5400000},
    {"7d", 604800000},
    {"1w", 604800000},
    {"0.0001", 1},
    {"1.0001ms", 2},
    {"18446744073709551615ms", UINT64_MAX},
    {"18446744073709551.615", UINT64_MAX},
};

static const struct measure sizes[] = {
    {"0", 0},
    {"100", 100},
    {"64K", 65536},
    {"64k", 65536},
    {"1.5M", 1572864},
    {"2G", 2147483648},
    {"1T", 1099511627776},
    {"0.5K", 512},
    {"18446744073709551615", UINT64_MAX},
};

static const char *const no_times[] = {
    "",
    " ",
    "s",
    "ms",
    ".5",
    "5.",
    "5 s",
    "-5s",
    "+5",
    "5S",
    "5mm",
    "5y",
    "1e3",
    "0x10",
    "5s ",
    "1,5",
    "Never",
    "1.0000001",
    "18446744073709551616ms",
    "18446744073709551615",
    "30500568904944w",
    "99999999999999999999999",
};

static const char *const no_sizes[] = {
    "",     "K",   "5KB",   "5MiB",      "5 M",
    "-1",   "1.5", "0.1K",  "5.M",       "0x1M",
    "1e3M", "5P",  "never", "16777216T", "18446744073709551616",
};

START_TEST(times_are_read)
{
    uint64_t value = 77;
    ck_assert(conf_parse_duration(times[_i].text, &value));
    ck_assert_msg(value == times[_i].value, "%s is %" PRIu64, times[_i].text, value);
}
END_TEST

START_TEST(sizes_are_read)
{
    uint64_t value = 77;
    ck_assert(conf_parse_size(sizes[_i].text, &value));
    ck_assert_msg(value == sizes[_i].value, "%s is %" PRIu64, sizes[_i].text, value);
}
END_TEST

START_TEST(no_times_are_refused)
{
    uint64_t value = 77;
    ck_assert_msg(!conf_parse_duration(no_times[_i], &value), "\"%s\"", no_times[_i]);
    ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(no_sizes_are_refused)
{
    uint64_t value = 77;
    ck_assert_msg(!conf_parse_size(no_sizes[_i], &value), "\"%s\"", no_sizes[_i]);
    ck_assert_uint_eq(value, 77);
}
END_TEST

START_TEST(what_is_written_can_be_read)
{
    uint64_t back;
    for (uint64_t value = 1; value < UINT64_MAX / 7; value = value * 7 + value % 5) {
        ck_assert(conf_parse_duration(conf_units_duration(value).bytes, &back));
        ck_assert_uint_eq(back, value);
        ck_assert(conf_parse_size(conf_units_size(value).bytes, &back));
        ck_assert_uint_eq(back, value);
    }
    ck_assert_str_eq(conf_units_duration(90000).bytes, "90s");
    ck_assert_str_eq(conf_units_duration(1800000).bytes, "30m");
    ck_assert_str_eq(conf_units_duration(0).bytes, "never");
    ck_assert_str_eq(conf_units_size(64 << 20).bytes, "64M");
    ck_assert_str_eq(conf_units_size(0).bytes, "0");
}
END_TEST

/* --- options -------------------------------------------------------------- */

START_TEST(without_a_file_the_defaults_hold)
{
    struct conf *conf;
    struct conf_errors errors;

    ck_assert(conf_load(NULL, &conf, &errors));
    ck_assert_ptr_null(errors.text);
    ck_assert_ptr_null(conf->file);
    ck_assert_int_eq(conf->listen[0].line, 0);
    check_defaults(conf);
    conf_destroy(&conf);
    ck_assert_ptr_null(conf);
    conf_destroy(&conf);
}
END_TEST

START_TEST(an_empty_file_is_the_defaults)
{
    struct conf *conf = good("");
    ck_assert_str_eq(conf->file, "f");
    check_defaults(conf);
    conf_destroy(&conf);
    conf = good("# a comment\n// another /*\n/* a third\n*/");
    check_defaults(conf);
    conf_destroy(&conf);
}
END_TEST

START_TEST(every_option_is_taken)
{
    struct conf *conf =
        good("namespace = \"main\"; ttl = 90; memory = \"128M\"; max_value = 65536;\n"
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
    struct conf *conf = good("listen = (\n"
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
    struct conf *conf = good("namespaces_policy = \"declared\"; namespace = \"a\";\n"
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

/* Values at the ends of their ranges, and odd ways to write good ones. */
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
    "log = { };",
    "log : { level = \"error\" }",
    "namespaces = ( );",
    "namespaces = [ ];",
    "listen = ( { path = \"\"; port = 65535; } );",
    "listen = ( { address = \"0.0.0.0\"; }, { address = \"::\"; } );",
    "namespaces = ( { name = \"a\"; memory = \"32M\"; }, { name = \"b\"; memory = \"32M\"; } );",
    "namespaces = ( { name = \"a\"; ttl = \"1h\"; max_ttl = \"1h\"; } );",
    "namespaces = ( { name = \"a\"; max_ttl = \"1h\"; require_ttl = true; } );",
};

START_TEST(good_values_are_taken)
{
    struct conf *conf = good(fine[_i]);
    conf_destroy(&conf);
}
END_TEST

START_TEST(plain_numbers_are_never_cut_short)
{
    struct conf *conf = good("memory = 8589934592;");
    ck_assert_uint_eq(conf->memory, 8589934592);
    conf_destroy(&conf);
    conf = good("memory = 0x200000000;");
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
    {"memory = true;", "memory: true is not a size, write a size from 4M to 1T"},
    {"memory = \"lots\";", "memory: \"lots\" is not a size, write a size from 4M to 1T"},
    {"memory = \"1M\";", "memory: \"1M\" is too small, write a size from 4M to 1T"},
    {"memory = \"2T\";", "memory: \"2T\" is too large, write a size from 4M to 1T"},
    {"memory = -1;", "memory: -1 is too small, write a size from 4M to 1T"},
    {"memory = 4294967297;", NULL},
    {"memory = 1099511627777;", "memory: 1099511627777 is too large, write a size from 4M to 1T"},
    {"memory = 18446744073777774592;", "memory: 999999999999999999 is too large, write a size "
                                       "from 4M to 1T"},
    {"memory = { };", "memory: this group is not a size, write a size from 4M to 1T"},
    {"max_value = 0;", "max_value: 0 is too small, write a size from 1 to 64M"},
    {"max_value = \"65M\";", "max_value: \"65M\" is too large, write a size from 1 to 64M"},
    {"max_value = \"17M\";", "max_value: 17M is more than a quarter of memory, write at most 16M"},
    {"ttl = \"soon\";", "ttl: \"soon\" is not a time, write \"never\" or a time from 1ms to 5200w"},
    {"ttl = \"5201w\";",
     "ttl: \"5201w\" is too large, write \"never\" or a time from 1ms to 5200w"},
    {"ttl = -5;", "ttl: -5 is too small, write \"never\" or a time from 1ms to 5200w"},
    {"ttl = 99999999999999999;",
     "ttl: 99999999999999999 is too large, write \"never\" or a time from 1ms to 5200w"},
    {"ttl = ( 5 );", "ttl: this list is not a time, write \"never\" or a time from 1ms to 5200w"},
    {"idle_timeout = \"5ms\";",
     "idle_timeout: \"5ms\" is too small, write \"never\" or a time from 10ms to 52w"},
    {"purge_interval = \"never\";",
     "purge_interval: \"never\" is too small, write a time from 10ms to 10s"},
    {"purge_interval = 11;", "purge_interval: 11 is too large, write a time from 10ms to 10s"},
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
    {"user = \"no-such-user-here\";", "user: \"no-such-user-here\" is not a user of this machine, "
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
    {"listen = ( { address = \"localhost\"; } );",
     "listen.address: \"localhost\" is not a numeric address, write a numeric address such as "
     "\"127.0.0.1\" or \"::1\""},
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
     "listen.protocol: \"gopher\" is not one of its words, write \"native\" or \"memcache\""},
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
     "namespaces.memory: \"1K\" is too small, write 0 or a size from 256K to 1T"},
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
        struct conf *conf = good(wrong[_i][0]);
        ck_assert_uint_eq(conf->memory, 4294967297);
        conf_destroy(&conf);
        return;
    }
    refused(wrong[_i][0], wrong[_i][1]);
}
END_TEST

/* --- all of them ---------------------------------------------------------- */

START_TEST(all_mistakes_are_told_at_once_and_in_order)
{
    bad("memroy = \"64M\";\n"
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
        "f:2: ttl: \"soon\" is not a time, write \"never\" or a time from 1ms to 5200w\n"
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
    bad("threads = 1000;\nttl = 5 5;\nmemory = 1;",
        "f:1: threads: 1000 is too large, write a whole number from 0 to 64\n"
        "f:2: syntax error here or just before, a setting is written name = value;\n");
    bad("\nmemory = \"64M\n",
        "f:2: the string that begins here has no end, write a \" behind it\n"
        "f:3: syntax error here or just before, a setting is written name = value;\n");
}
END_TEST

START_TEST(one_mistake_is_told_once)
{
    /* Nothing is concluded from what was refused. */
    bad("memory = \"1X\"; namespaces = ( { name = \"a\"; memory = \"1G\"; } ); "
        "max_value = \"60M\";",
        "f:1: memory: \"1X\" is not a size, write a size from 4M to 1T\n");
    bad("listen = ( { path = 5; mode = \"0600\"; }, { path = 5; } );",
        "f:1: listen.path: 5 is not an absolute path, write a path that begins with / and has at "
        "most 107 bytes\n"
        "f:1: listen.path: 5 is not an absolute path, write a path that begins with / and has at "
        "most 107 bytes\n");
    bad("namespaces = ( { name = 5; max_ttl = 5; ttl = -1; } );",
        "f:1: namespaces.name: 5 is not a namespace's name, write 1 to 64 of A-Z a-z 0-9 _ . - "
        "(but not - alone)\n"
        "f:1: namespaces.ttl: -1 is too small, write \"never\" or a time from 1ms to 5200w\n");
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

/* --- files ---------------------------------------------------------------- */

static char directory[] = "/tmp/check_conf.XXXXXX";
static char path[sizeof(directory) + 32];

static const char *in_directory(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", directory, name);
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
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(in_directory(names[i]));
    rmdir(in_directory("more"));
    rmdir(directory);
}

static void load_bad(const char *file, const char *expected)
{
    struct conf *conf;
    struct conf_errors errors;

    ck_assert(!conf_load(file, &conf, &errors));
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
    put("more/c.conf", "memory = \"8M\";\n@include \"d.conf\"\nmax_value = 5;");
    put("more/d.conf", "max_connections = 9;");
    ck_assert(conf_load(in_directory("a.conf"), &conf, &errors));
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

    snprintf(absolute, sizeof(absolute), "ttl = -1;\n@include \"%s\"\nmemory = 0;\n",
             in_directory("b.conf"));
    put("a.conf", absolute);
    put("b.conf", "\nthreads = 99;\nttl = 6;\n@include \"more\"\n@include \"more/c.conf\"");
    put("more/c.conf", "ttl = 7; xyzzy = 1");
    strcpy(main_file, in_directory("a.conf"));
    snprintf(expected, sizeof(expected),
             "%1$s/a.conf:1: ttl: -1 is too small, write \"never\" or a time from 1ms to 5200w\n"
             "%1$s/b.conf:2: threads: 99 is too large, write a whole number from 0 to 64\n"
             "%1$s/b.conf:3: ttl: it is given in %1$s/a.conf:1 already, keep one of them\n"
             "%1$s/b.conf:4: @include: cannot read \"%1$s/more\": Is a directory, name a file "
             "that can be read\n"
             "%1$s/more/c.conf:1: ttl: it is given in %1$s/a.conf:1 already, keep one of them\n"
             "%1$s/more/c.conf:1: xyzzy: there is no such option, see kvcached.conf(5) for those "
             "there are\n"
             "%1$s/a.conf:3: memory: 0 is too small, write a size from 4M to 1T\n",
             directory);
    load_bad(main_file, expected);
}
END_TEST

START_TEST(a_file_that_includes_itself_comes_to_an_end)
{
    struct conf *conf;
    struct conf_errors errors;

    put("a.conf", "@include \"a.conf\"\n@include \"a.conf\"\n");
    ck_assert(!conf_load(in_directory("a.conf"), &conf, &errors));
    ck_assert_ptr_nonnull(strstr(errors.text, "more than 32 files"));
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
    {"", "listen = ( { }, { port = 7172; } );", "listen"},
    {"listen = ( { path = \"/a\"; } );", "listen = ( { path = \"/a\"; mode = \"0600\"; } );",
     "listen"},
    {"listen = ( { path = \"/a\"; } );", "listen = ( { path = \"/a\"; owner = \"root\"; } );",
     "listen"},
    {"listen = ( { path = \"/a\"; } );", "\nlisten = ( { path = \"/a\"; mode = \"660\"; } );", ""},
    {"threads = 2;", "threads = 3;", "threads"},
    {"memory = \"64M\";", "memory = \"65M\";", "memory"},
    {"", "user = \"root\";", "user"},
    {"", "arena = { file = \"/a\"; };", "arena"},
    {"arena = { file = \"/a\"; };", "arena = { file = \"/b\"; };", "arena"},
    {"arena = { };", "", ""},
    {"arena = { file = \"/a\"; };", "arena : { file = \"/a\" }", ""},
    {"pid_file = \"/a\";", "pid_file = \"/b\";", "pid_file"},
    {"pid_file = \"/a\"; user = \"root\"; threads = 2;",
     "listen = ( { port = 1; } ); memory = \"5M\"; threads = 3;",
     "listen, memory, threads, user, pid_file"},
    {"",
     "namespace = \"a\"; ttl = 5; namespaces = ( { name = \"a\"; memory = \"1M\"; } ); "
     "namespaces_policy = \"declared\"; max_value = 5; max_connections = 5; idle_timeout = 5; "
     "purge_interval = 5; log = { to = \"syslog\"; level = \"debug\"; };",
     ""},
};

START_TEST(what_needs_a_restart_is_named)
{
    struct conf *now = good(changes[_i].now), *next = good(changes[_i].next);
    char names[128], few[8];

    conf_needs_restart(now, next, names, sizeof(names));
    ck_assert_str_eq(names, changes[_i].names);
    conf_needs_restart(next, now, names, sizeof(names));
    ck_assert_str_eq(names, changes[_i].names);
    conf_needs_restart(now, next, few, sizeof(few));
    ck_assert_uint_lt(strlen(few), sizeof(few));
    conf_destroy(&now);
    conf_destroy(&next);
}
END_TEST

/* --- what is made from the table ------------------------------------------ */

START_TEST(the_sample_is_good_and_changes_nothing)
{
    char *sample = read_whole("conf/kvcached.conf");
    struct conf *conf = good(sample);
    check_defaults(conf);
    conf_destroy(&conf);

    /* So is what it shows, with the # taken away. */
    for (char *line = sample; line != NULL && *line != '\0';) {
        if (line[0] == '#' && line[1] >= 'a' && line[1] <= 'z')
            line[0] = ' ';
        line = strchr(line, '\n');
        line += line != NULL;
    }
    ck_assert_ptr_nonnull(strstr(sample, "\n memory = \"64M\";"));
    conf = good(sample);
    check_defaults(conf);
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
        snprintf(line, sizeof(line), "\n#%s%s", option->scope == SCOPE_TOP ? "" : "   ",
                 option->name);
        ck_assert_msg(strstr(sample, line) != NULL, "%s is not in the sample", option->name);
        snprintf(line, sizeof(line), "\n.It Ic %s\n", option->name);
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
        conf_option_expected(option, text, sizeof(text));
        ck_assert_uint_lt(strlen(text), sizeof(text) - 1);
        ck_assert_int_eq(option->help[strlen(option->help) - 1], '.');
    }
}
END_TEST

/* --- all of it ------------------------------------------------------------ */

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

static Suite *suite(void)
{
    Suite *suite = suite_create("conf");
    TCase *units = tcase_create("times and sizes");
    TCase *options = tcase_create("options");
    TCase *files = tcase_create("files");
    TCase *table = tcase_create("the table");

    tcase_add_loop_test(units, times_are_read, 0, COUNT(times));
    tcase_add_loop_test(units, sizes_are_read, 0, COUNT(sizes));
    tcase_add_loop_test(units, no_times_are_refused, 0, COUNT(no_times));
    tcase_add_loop_test(units, no_sizes_are_refused, 0, COUNT(no_sizes));
    tcase_add_test(units, what_is_written_can_be_read);
    tcase_add_test(options, without_a_file_the_defaults_hold);
    tcase_add_test(options, an_empty_file_is_the_defaults);
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
    tcase_add_checked_fixture(files, make_directory, remove_directory);
    tcase_add_test(files, a_file_that_cannot_be_read_says_why);
    tcase_add_test(files, included_files_are_part_of_it);
    tcase_add_test(files, mistakes_in_included_files_are_told_where_they_are);
    tcase_add_test(files, a_file_that_includes_itself_comes_to_an_end);
    tcase_add_test(table, the_sample_is_good_and_changes_nothing);
    tcase_add_test(table, every_option_is_in_the_sample_and_in_the_manual_page);
    tcase_add_test(table, the_table_is_sound);
    suite_add_tcase(suite, units);
    suite_add_tcase(suite, options);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, table);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(suite());

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
