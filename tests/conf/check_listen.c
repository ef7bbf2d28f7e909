/*
 * check_listen.c - addresses in kvcached.conf: other words for one, and what they mean.
 */
#include <check.h>
#include <stdio.h>

#include "conf/conf.h"
#include "tests/conf/expect.h"
#include "tests/support/suite.h"

static void expect_address(const char *written, const char *kept, bool both)
{
    char text[256];
    snprintf(text, sizeof text, "insecure = true; listen = ( %s );", written);
    struct conf *conf = verdict_good(text);
    ck_assert_str_eq(conf->listen[0].address, kept);
    ck_assert_int_eq(conf->listen[0].dual_stack, both);
    conf_destroy(&conf);
}

START_TEST(addresses_in_other_words)
{
    expect_address("{ address = \"localhost\"; }", "localhost", false);
    expect_address("{ address = \"::ffff:127.0.0.1\"; }", "127.0.0.1", false);
    expect_address("{ address = \"::ffff:7f00:2\"; }", "127.0.0.2", false);
    expect_address("{ address = \"0.0.0.0\"; }", "0.0.0.0", false);
    expect_address("{ address = \"::1\"; }", "::1", false);
    expect_address("{ address = \"::\"; }", "::", true);
    expect_address("{ address = \"0::0\"; }, { path = \"/s\"; }", "0::0", true);
    expect_address("{ address = \"::\"; }, { address = \"127.0.0.1\"; port = 1; }", "::", true);
    expect_address("{ address = \"::\"; }, { address = \"127.0.0.1\"; }", "::", false);
    expect_address("{ address = \"::\"; }, { address = \"0.0.0.0\"; }", "::", false);
    expect_address("{ address = \"::\"; port = 0; }, { address = \"127.0.0.1\"; port = 0; }",
                   "::", true);
}
END_TEST

START_TEST(localhost_is_two_sockets_that_other_machines_cannot_reach)
{
    struct conf *conf = verdict_good("listen = ( { address = \"localhost\"; }, { path = \"/s\"; }, "
                                     "{ address = \"127.0.0.2\"; } );");
    ck_assert(conf_is_localhost(&conf->listen[0]));
    ck_assert(!conf_is_localhost(&conf->listen[1]) && !conf_is_localhost(&conf->listen[2]));
    ck_assert_uint_eq(conf_listen_sockets(conf), 4);
    ck_assert_ptr_null(conf_exposed(conf, conf));
    conf_destroy(&conf);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("conf listen");
    TCase *addresses = tcase_create("addresses");
    tcase_add_test(addresses, addresses_in_other_words);
    tcase_add_test(addresses, localhost_is_two_sockets_that_other_machines_cannot_reach);
    suite_add_tcase(suite, addresses);
    return suite_run(suite);
}
