/*
 * check_http_figures.c - /metrics from fixed numbers: its samples, escapes and sums, and that
 * counters never go back; and which Host is accepted.
 */
#include <check.h>
#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

#include "daemon/cluster/cluster.h"
#include "daemon/http/http_figures.h"
#include "daemon/http/http_host.h"
#include "tests/support/instance.h"
#include "tests/support/suite.h"

static struct instance instance;
static struct metrics metrics[INSTANCE_SETS];
static struct http_history history;
static struct evbuffer *text;

static void setup(void)
{
    facts_of_one(&instance, metrics);
    memset(&history, 0, sizeof history);
    text = evbuffer_new();
    ck_assert_ptr_nonnull(text);
}

static void teardown(void)
{
    evbuffer_free(text);
}

/* The text since the last call; valid until the next one. */
static const char *written(void)
{
    static char bytes[1 << 16];
    ev_ssize_t length = evbuffer_remove(text, bytes, sizeof bytes - 1);
    ck_assert_int_ge(length, 0);
    bytes[length] = '\0';
    return bytes;
}

static void expect_line(const char *all, const char *line)
{
    char wanted[512];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    ck_assert_msg(strstr(all, wanted) != NULL, "there is no line %s", line);
}

static const char *globals_of(const struct http_globals *globals)
{
    http_figures_globals(text, globals, &history);
    return written();
}

/* --- the daemon as a whole ---------------------------------------------------------- */

/* Of each_figure_is_in_its_family. */
static const char *const lines[] = {
    "# TYPE process_cpu_seconds_total counter",
    "process_cpu_seconds_total 1.234",
    "process_start_time_seconds 1700000000.500",
    "kvcached_build_info{version=\"1.2.3\",arena=\"memory\",tls=\"no\"} 1",
    "kvcached_config_last_reload_successful 1",
    "kvcached_commands_total{command=\"get\",status=\"hit\"} 10",
    "kvcached_commands_total{command=\"get\",status=\"miss\"} 4",
    "kvcached_commands_total{command=\"set\",status=\"hit\"} 7",
    "kvcached_commands_total{command=\"set\",status=\"miss\"} 2",
    "kvcached_commands_total{command=\"cas\",status=\"badval\"} 3",
    "kvcached_connections_closed_total{reason=\"idle\"} 3",
    "kvcached_tls_handshakes_total{result=\"full\"} 3",
    "kvcached_tls_handshakes_total{result=\"resumed\"} 2",
    "kvcached_tls_certificate_expiry_timestamp_seconds{listener=\"127.0.0.1:7171\"} 2000000000",
    "kvcached_segments{state=\"used\"} 3",
    "kvcached_segments{state=\"free\"} 5",
    "kvcached_records 7",
    "kvcached_records_evicted_total 8",
};

START_TEST(each_figure_is_in_its_family)
{
    const struct http_certificate certificate = {"127.0.0.1:7171", 2000000000};
    const struct http_globals globals = {.store = {.items = 7,
                                                   .bytes = 700,
                                                   .memory_limit = 64 << 20,
                                                   .segments = 3,
                                                   .segments_free = 5,
                                                   .namespaces = 2,
                                                   .counters = {.hits = 10,
                                                                .misses = 4,
                                                                .sets = 9,
                                                                .cas_hits = 2,
                                                                .denied = 6,
                                                                .cas_changed = 3,
                                                                .cas_missing = 1,
                                                                .evictions = 8}},
                                         .instance = &instance,
                                         .cpu = 1234,
                                         .started = UINT64_C(1700000000500),
                                         .certificates = &certificate,
                                         .certificate_count = 1};
    metrics_add(&metrics[0], METRIC_TLS_HANDSHAKES, 5);
    metrics_add(&metrics[0], METRIC_TLS_RESUMED, 2);
    metrics_add(&metrics[1], METRIC_CLOSE_IDLE, 3);
    const char *all = globals_of(&globals);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        expect_line(all, lines[i]);
    }
}
END_TEST

/* Each family comes once, with its help and type before its samples, and there is no other line. */
START_TEST(families_stand_together)
{
    const struct cluster_state cluster = {.masters = 3};
    const struct http_globals globals = {
        .instance = &instance, .latency = true, .cluster = &cluster};
    char current[128] = "";
    char *rest, *line;
    char *all = strdup(globals_of(&globals));
    unsigned families = 0;
    for (line = strtok_r(all, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "# HELP ", 7) == 0) {
            sscanf(line + 7, "%127s", current);
            families++;
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            ck_assert_int_eq(strncmp(line + 7, current, strlen(current)), 0);
        } else {
            ck_assert_int_eq(strncmp(line, current, strlen(current)), 0);
            ck_assert(strchr(" {_", line[strlen(current)]) != NULL);
        }
    }
    free(all);
    /* All but the certificates', of which there are none. */
    ck_assert_uint_eq(families, HTTP_FAMILY_FIRST_OF_NAMESPACES - 2);
}
END_TEST

START_TEST(a_cluster_has_families_where_there_is_one)
{
    const struct cluster_state cluster = {
        .masters = 3, .masters_ready = 2, .replicas = 4, .slots = 16384, .under_way = 7};
    struct http_globals globals = {.instance = &instance};
    metrics_add(&metrics[0], METRIC_CLUSTER_QUESTIONS, 20);
    metrics_add(&metrics[1], METRIC_CLUSTER_ASKED, 5);
    metrics_add(&metrics[1], METRIC_CLUSTER_UNKNOWN, 1);
    ck_assert_ptr_null(strstr(globals_of(&globals), "cluster"));
    globals.cluster = &cluster;
    const char *all = globals_of(&globals);
    expect_line(all, "# TYPE kvcached_cluster_masters gauge");
    expect_line(all, "kvcached_cluster_masters 3");
    expect_line(all, "kvcached_cluster_masters_ready 2");
    expect_line(all, "kvcached_cluster_replicas 4");
    expect_line(all, "kvcached_cluster_slots 16384");
    expect_line(all, "kvcached_cluster_commands_under_way 7");
    expect_line(all, "kvcached_cluster_commands_total 20");
    expect_line(all, "kvcached_cluster_redirections_total{kind=\"moved\"} 0");
    expect_line(all, "kvcached_cluster_redirections_total{kind=\"ask\"} 5");
    expect_line(all, "kvcached_cluster_commands_failed_total{outcome=\"unknown\"} 1");
}
END_TEST

START_TEST(turns_are_a_histogram_while_they_are_timed)
{
    struct http_globals globals = {.instance = &instance};
    histogram_add(&metrics[0].turns, 7000, 3);
    histogram_add(&metrics[1].turns, UINT64_C(1500000000), 2);
    ck_assert_ptr_null(strstr(globals_of(&globals), "turn_duration"));
    globals.latency = true;
    const char *all = globals_of(&globals);
    expect_line(all, "# TYPE kvcached_turn_duration_seconds histogram");
    expect_line(all, "kvcached_turn_duration_seconds_bucket{le=\"0.000005\"} 0");
    expect_line(all, "kvcached_turn_duration_seconds_bucket{le=\"0.00001\"} 3");
    expect_line(all, "kvcached_turn_duration_seconds_bucket{le=\"1\"} 3");
    expect_line(all, "kvcached_turn_duration_seconds_bucket{le=\"+Inf\"} 5");
    expect_line(all, "kvcached_turn_duration_seconds_sum 3.000021000");
    expect_line(all, "kvcached_turn_duration_seconds_count 5");
}
END_TEST

START_TEST(a_difference_does_not_go_back)
{
    struct http_globals globals = {.store = {.counters = {.sets = 9, .cas_hits = 2}},
                                   .instance = &instance};
    expect_line(globals_of(&globals), "kvcached_commands_total{command=\"set\",status=\"hit\"} 7");
    globals.store.counters.cas_hits = 3; /* counted between the two being read */
    expect_line(globals_of(&globals), "kvcached_commands_total{command=\"set\",status=\"hit\"} 7");
    globals.store.counters.cas_hits = 12;
    expect_line(globals_of(&globals), "kvcached_commands_total{command=\"set\",status=\"hit\"} 7");
    globals.store.counters.sets = 30;
    expect_line(globals_of(&globals), "kvcached_commands_total{command=\"set\",status=\"hit\"} 18");
}
END_TEST

/* --- namespaces --------------------------------------------------------------------------- */

static const char *namespace_in(enum http_family family, struct slice name,
                                const struct store_namespace_stats *stats)
{
    http_figures_namespace(text, family, name, stats);
    return written();
}

START_TEST(a_namespace_has_samples_in_one_family)
{
    const struct store_namespace_stats stats = {
        .items = 5, .quota = 1 << 20, .ttl = 1500, .counters = {.hits = 3, .misses = 2}};
    struct slice name = slice_of("web");
    ck_assert_str_eq(namespace_in(HTTP_FAMILY_NS_RECORDS, name, &stats),
                     "kvcached_namespace_records{namespace=\"web\"} 5\n");
    ck_assert_str_eq(namespace_in(HTTP_FAMILY_NS_READS, name, &stats),
                     "kvcached_namespace_reads_total{namespace=\"web\",status=\"hit\"} 3\n"
                     "kvcached_namespace_reads_total{namespace=\"web\",status=\"miss\"} 2\n");
    ck_assert_str_eq(namespace_in(HTTP_FAMILY_NS_TTL, name, &stats),
                     "kvcached_namespace_ttl_seconds{namespace=\"web\"} 1.500\n");
    ck_assert_str_eq(namespace_in(HTTP_FAMILY_NS_QUOTA, name, &stats),
                     "kvcached_namespace_quota_bytes{namespace=\"web\"} 1048576\n");
}
END_TEST

START_TEST(never_is_no_number)
{
    const struct store_namespace_stats stats = {.items = 5};
    struct slice name = slice_of("web");
    ck_assert_str_eq(namespace_in(HTTP_FAMILY_NS_TTL, name, &stats), "");
    ck_assert_str_eq(namespace_in(HTTP_FAMILY_NS_MAX_TTL, name, &stats), "");
    ck_assert_str_eq(namespace_in(HTTP_FAMILY_NS_QUOTA, name, &stats), "");
    ck_assert_str_ne(namespace_in(HTTP_FAMILY_NS_EVICTED, name, &stats), "");
}
END_TEST

START_TEST(names_cannot_forge_a_line)
{
    static const char name[] = "a\"} 1\nb\\c\x01\xff\xc3\xa4";
    const struct store_namespace_stats stats = {.items = 5};
    ck_assert_str_eq(
        namespace_in(HTTP_FAMILY_NS_RECORDS, (struct slice){name, sizeof name - 1}, &stats),
        "kvcached_namespace_records{namespace=\"a\\\"} 1\\nb\\\\c\\\\x01\\\\xff\\\\xc3\\\\xa4\"} "
        "5\n");
}
END_TEST

static struct store_number_stats number(uint64_t hits, bool used, bool declared)
{
    struct store_number_stats stats = {.used = used, .counters = {.hits = hits}};
    if (used) {
        stats.of = (struct store_namespace_stats){
            .items = 1, .memory = 1024, .declared = declared, .counters = {.hits = hits}};
    }
    return stats;
}

static const char *others_of(const struct http_totals *totals, enum conf_series series,
                             enum http_family family)
{
    http_figures_others(text, family, totals, series, &history);
    return written();
}

#define OTHER_HITS "kvcached_namespace_reads_total{namespace=\"(others)\",status=\"hit\"} "

START_TEST(what_has_no_series_is_summed)
{
    static struct http_totals totals[3];
    for (unsigned series = 0; series < 3; series++) {
        totals[series] = (struct http_totals){.items = 0};
        const struct store_number_stats all[] = {
            number(1, false, false), number(10, true, true), number(100, true, false),
            number(1000, true, false), number(10000, false, false)};
        for (uint32_t i = 0; i < 5; i++) {
            http_totals_add(&totals[series], (enum conf_series)series, i, &all[i]);
        }
        ck_assert_uint_eq(totals[series].counters.hits, 11111);
        ck_assert_uint_eq(totals[series].items, 3);
        ck_assert(http_totals_shows(&totals[series], 1) == (series != CONF_SERIES_NONE));
        ck_assert(http_totals_shows(&totals[series], 2) == (series == CONF_SERIES_ALL));
        ck_assert(!http_totals_shows(&totals[series], 0) && !http_totals_shows(&totals[series], 4));
    }
    ck_assert_ptr_nonnull(
        strstr(others_of(&totals[CONF_SERIES_DECLARED], CONF_SERIES_DECLARED, HTTP_FAMILY_NS_READS),
               OTHER_HITS "11101\n"));
    ck_assert_ptr_nonnull(
        strstr(others_of(&totals[CONF_SERIES_NONE], CONF_SERIES_NONE, HTTP_FAMILY_NS_READS),
               OTHER_HITS "11111\n"));
    ck_assert_str_eq(others_of(&totals[CONF_SERIES_ALL], CONF_SERIES_ALL, HTTP_FAMILY_NS_READS),
                     "");
    ck_assert_str_eq(
        others_of(&totals[CONF_SERIES_DECLARED], CONF_SERIES_DECLARED, HTTP_FAMILY_NS_RECORDS),
        "kvcached_namespace_records{namespace=\"(others)\"} 2\n");
}
END_TEST

/* The counters of an earlier namespace with that number stay in the sum. */
START_TEST(a_number_that_is_given_again_takes_nothing_along)
{
    static struct http_totals totals;
    struct store_number_stats stats = number(50, true, true);
    stats.of.counters.hits = 20;
    http_totals_add(&totals, CONF_SERIES_DECLARED, 1, &stats);
    ck_assert_uint_eq(totals.others.counters.hits, 30);
}
END_TEST

START_TEST(the_others_go_on_when_one_leaves_them)
{
    static struct http_totals before, after;
    struct store_number_stats one = number(100, true, false), two = number(1000, true, false);
    http_totals_add(&before, CONF_SERIES_DECLARED, 1, &one);
    http_totals_add(&before, CONF_SERIES_DECLARED, 2, &two);
    ck_assert_ptr_nonnull(strstr(others_of(&before, CONF_SERIES_DECLARED, HTTP_FAMILY_NS_READS),
                                 OTHER_HITS "1100\n"));
    two.of.declared = true;
    one.counters.hits = one.of.counters.hits = 105;
    http_totals_add(&after, CONF_SERIES_DECLARED, 1, &one);
    http_totals_add(&after, CONF_SERIES_DECLARED, 2, &two);
    ck_assert_ptr_nonnull(
        strstr(others_of(&after, CONF_SERIES_DECLARED, HTTP_FAMILY_NS_READS), OTHER_HITS "1100\n"));
    one.counters.hits = 7;
    one.used = false;
    http_totals_add(&after, CONF_SERIES_DECLARED, 3, &one);
    ck_assert_ptr_nonnull(
        strstr(others_of(&after, CONF_SERIES_DECLARED, HTTP_FAMILY_NS_READS), OTHER_HITS "1107\n"));
}
END_TEST

/* --- Host ------------------------------------------------------------------------------------ */

static const struct {
    const char *host, *name; /* NULL: it is none */
    bool local;
} hosts[] = {
    {"127.0.0.1", "127.0.0.1", true},
    {"127.0.0.1:7172", "127.0.0.1", true},
    {"192.0.2.7:80", "192.0.2.7", true},
    {"[::1]", "::1", true},
    {"[::1]:7172", "::1", true},
    {"localhost", "localhost", true},
    {"LocalHost:1", "LocalHost", true},
    {"cache.localhost:1", "cache.localhost", true},
    {"evil.example", "evil.example", false},
    {"evil.example:7172", "evil.example", false},
    {"127.0.0.1.evil.example", "127.0.0.1.evil.example", false},
    {"localhost.evil.example", "localhost.evil.example", false},
    {"evillocalhost", "evillocalhost", false},
    {".localhost", ".localhost", false},
    {"127.1", "127.1", false},
    {"0x7f000001", "0x7f000001", false},
    {"", NULL, false},
    {":7172", NULL, false},
    {"[::1", NULL, false},
    {"[]", NULL, false},
    {"[::1]x", NULL, false},
    {"127.0.0.1:x", NULL, false},
    {"127.0.0.1:1:2", NULL, false},
    {"127.0.0.1:123456", NULL, false},
    {"::1", NULL, false},
};

START_TEST(a_host_is_an_address_or_localhost)
{
    char name[HTTP_HOST_MAX] = "";
    bool is_name = http_host_name(hosts[_i].host, name);
    ck_assert_msg(is_name == (hosts[_i].name != NULL), "%s", hosts[_i].host);
    if (is_name) {
        ck_assert_str_eq(name, hosts[_i].name);
        ck_assert_msg(http_host_is_local(name) == hosts[_i].local, "%s", name);
    }
}
END_TEST

START_TEST(a_host_that_is_too_long_is_none)
{
    char host[2 * HTTP_HOST_MAX], name[HTTP_HOST_MAX];
    memset(host, 'a', sizeof host);
    host[HTTP_HOST_MAX] = '\0';
    ck_assert(!http_host_name(host, name));
    host[HTTP_HOST_MAX - 1] = '\0';
    ck_assert(http_host_name(host, name));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http figures");
    TCase *globals = tcase_create("globals");
    tcase_add_checked_fixture(globals, setup, teardown);
    tcase_add_test(globals, each_figure_is_in_its_family);
    tcase_add_test(globals, families_stand_together);
    tcase_add_test(globals, a_cluster_has_families_where_there_is_one);
    tcase_add_test(globals, turns_are_a_histogram_while_they_are_timed);
    tcase_add_test(globals, a_difference_does_not_go_back);
    suite_add_tcase(suite, globals);

    TCase *namespaces = tcase_create("namespaces");
    tcase_add_checked_fixture(namespaces, setup, teardown);
    tcase_add_test(namespaces, a_namespace_has_samples_in_one_family);
    tcase_add_test(namespaces, never_is_no_number);
    tcase_add_test(namespaces, names_cannot_forge_a_line);
    tcase_add_test(namespaces, what_has_no_series_is_summed);
    tcase_add_test(namespaces, a_number_that_is_given_again_takes_nothing_along);
    tcase_add_test(namespaces, the_others_go_on_when_one_leaves_them);
    suite_add_tcase(suite, namespaces);

    TCase *host = tcase_create("host");
    tcase_add_loop_test(host, a_host_is_an_address_or_localhost, 0, sizeof hosts / sizeof hosts[0]);
    tcase_add_test(host, a_host_that_is_too_long_is_none);
    suite_add_tcase(suite, host);
    return suite_run(suite);
}
