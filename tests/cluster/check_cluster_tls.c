/*
 * check_cluster_tls.c - links with TLS: certificates that are believed, and others.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/base/log.h"
#include "daemon/net/tls.h"
#include "tests/cluster/cluster_fixture.h"
#include "tests/net/certificates.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { CASE_TIMEOUT = 120 };

static struct scripted_node *const node = &fixture.nodes[0];
static struct conf_listen conf;
static struct tls *of_node, *of_cluster;
static char localhost[32];
static const char *names[1] = {localhost};

static void set_up(void)
{
    const char *why;
    scratch_make();
    ck_assert(log_open(scratch_path("log"), LOG_DEBUG, getuid(), &why));
    fixture_set_up();
    certificate_make_plain("ca", NULL);
    certificate_make_plain("localhost", "ca");
    certificate_make_plain("elsewhere", "ca");
    certificate_make_plain("other_ca", NULL);
    snprintf(localhost, sizeof localhost, "localhost:%u", (unsigned)node->port);
}

static void tear_down(void)
{
    fixture_tear_down();
    tls_destroy(&of_node);
    tls_destroy(&of_cluster);
    free(conf.tls_certificate);
    free(conf.tls_key);
    free(conf.tls_client_ca);
    log_close();
    scratch_remove();
}

/* The node shows that certificate. */
static void serve(const char *certificate, bool asks_for_one)
{
    char error[TLS_ERROR_MAX];
    conf = (struct conf_listen){.tls_certificate = strdup(certificate_path(certificate)),
                                .tls_key = strdup(certificate_key_path(certificate)),
                                .tls_client = CONF_TLS_REQUIRED};
    conf.tls_client_ca = asks_for_one ? strdup(certificate_path("ca")) : NULL;
    of_node = tls_create(&conf);
    ck_assert(tls_load(of_node, error));
    tls_adopt(of_node);
    for (int i = 0; i < FIXTURE_NODES; i++) {
        fixture.nodes[i].tls = of_node;
    }
}

static void trust(const char *ca, const char *certificate)
{
    char error[TLS_ERROR_MAX];
    struct tls_client_files files = {
        .ca = certificate_path(ca),
        .certificate = certificate == NULL ? NULL : certificate_path(certificate),
        .key = certificate == NULL ? NULL : certificate_key_path(certificate),
    };
    of_cluster = tls_create_client(&files, error);
    ck_assert_msg(of_cluster != NULL, "%s", error);
    fixture.options.tls = of_cluster;
}

static void expect_refusal(const char *reason)
{
    fixture.options.patience = 100;
    fixture.cluster = cluster_create(&fixture.options);
    fixture_expect(fixture_read("GET a"), CLUSTER_NOT_DONE);
    fixture_until(scratch_count("log", reason) > 0);
    ck_assert_uint_eq(node->pings, 0);
}

START_TEST(questions_over_tls)
{
    enum { LARGE = 4 << 20, MANY = 400 };
    struct asked *many[MANY];
    char *large = malloc(LARGE);
    ck_assert_ptr_nonnull(large);
    memset(large, 'x', LARGE);
    struct slice arguments[] = {slice_of("SET"), slice_of("a"), {large, LARGE}};
    serve("localhost", false);
    trust("ca", NULL);
    fixture.options.nodes = names;
    fixture.options.secret = "sesame";
    fixture_connect(CLUSTER_SLOTS);
    struct asked *asked = fixture_ask(
        &(struct cluster_command){.writes = true, .arguments = arguments, .count = 3, .owned = 2});
    for (int i = 0; i < MANY; i++) {
        many[i] = fixture_read("GET a");
    }
    fixture_expect_text(asked, CLUSTER_STATUS, "OK");
    fixture_expect_text(many[MANY - 1], CLUSTER_STATUS, "OK");
    ck_assert_uint_eq(node->longest, LARGE);
    ck_assert_uint_eq(fixture_count(METRIC_CLUSTER_BROKEN), 0);
}
END_TEST

START_TEST(a_large_reply_over_tls)
{
    enum { LARGE = 500000, HEAD = 9 };
    char *reply = malloc(HEAD + LARGE + 3);
    ck_assert_ptr_nonnull(reply);
    memcpy(reply, "$500000\r\n", HEAD);
    memset(reply + HEAD, 'y', LARGE);
    memcpy(reply + HEAD + LARGE, "\r\n", 3);
    serve("localhost", false);
    trust("ca", NULL);
    fixture_connect(CLUSTER_SLOTS);
    node_answers(node, reply);
    struct asked *asked = fixture_read("GET a");
    fixture_expect(asked, CLUSTER_ANSWERED);
    ck_assert_uint_eq(asked->question->reply->text.length, LARGE);
    free(reply);
}
END_TEST

START_TEST(an_address_needs_no_name)
{
    serve("elsewhere", false);
    trust("ca", NULL);
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
}
END_TEST

START_TEST(a_name_must_be_in_the_certificate)
{
    serve("elsewhere", false);
    trust("ca", NULL);
    fixture.options.nodes = names;
    expect_refusal("TLS: hostname mismatch");
}
END_TEST

START_TEST(another_authority_is_not_believed)
{
    serve("localhost", false);
    trust("other_ca", NULL);
    expect_refusal("TLS: unable to get local issuer certificate");
}
END_TEST

START_TEST(a_node_may_ask_for_a_certificate)
{
    serve("localhost", true);
    trust("ca", "elsewhere");
    fixture_connect(CLUSTER_SLOTS);
    fixture_expect_text(fixture_read("GET a"), CLUSTER_STATUS, "OK");
}
END_TEST

START_TEST(a_node_that_goes_in_the_handshake)
{
    fixture.options.patience = 100;
    serve("localhost", true);
    trust("ca", NULL); /* nothing to show */
    fixture.cluster = cluster_create(&fixture.options);
    fixture_expect(fixture_read("GET a"), CLUSTER_NOT_DONE);
    fixture_until(node->accepted >= 2);
}
END_TEST

START_TEST(files_that_are_none)
{
    char error[TLS_ERROR_MAX];
    struct tls_client_files files = {.ca = "/nonexistent"};
    ck_assert_ptr_null(tls_create_client(&files, error));
    ck_assert_str_eq(error, "tls_ca: /nonexistent: No such file or directory");
    files = (struct tls_client_files){.ca = certificate_path("ca"),
                                      .certificate = certificate_path("localhost"),
                                      .key = certificate_key_path("elsewhere")};
    ck_assert_ptr_null(tls_create_client(&files, error));
    ck_assert_ptr_nonnull(strstr(error, "it is not the key of"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cluster_tls");
    TCase *tcase = tcase_create("cluster_tls");
    tcase_set_timeout(tcase, CASE_TIMEOUT);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, questions_over_tls);
    tcase_add_test(tcase, a_large_reply_over_tls);
    tcase_add_test(tcase, an_address_needs_no_name);
    tcase_add_test(tcase, a_name_must_be_in_the_certificate);
    tcase_add_test(tcase, another_authority_is_not_believed);
    tcase_add_test(tcase, a_node_may_ask_for_a_certificate);
    tcase_add_test(tcase, a_node_that_goes_in_the_handshake);
    tcase_add_test(tcase, files_that_are_none);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
