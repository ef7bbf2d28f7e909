/*
 * check_listeners.c - the listeners of a configuration as a whole: how many sockets each group
 * becomes, and what they have in common.
 */
#include "daemon/net/listeners.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "conf/conf.h"
#include "tests/support/suite.h"

static struct conf *conf;
static struct listeners listeners;

static void read_conf(const char *text)
{
    struct conf_errors errors;
    ck_assert_msg(conf_load_text("f", text, strlen(text), &conf, &errors), "%s", errors.text);
}

static int open_all(const char *text)
{
    read_conf(text);
    return listeners_open(&listeners, conf, NULL);
}

static void close_all(void)
{
    listeners_deinit(&listeners);
    conf_destroy(&conf);
}

static const char *name_of(size_t i)
{
    return listeners.all[i].endpoint.name;
}

static bool has_ipv6(void)
{
    const struct conf_listen six = {.address = (char[]){"::1"}, .protocol = (char[]){"native"}};
    struct listener listener;
    char error[LISTENER_ERROR_MAX];
    bool done = listener_open(&listener, &six, NULL, error);
    if (done) {
        listener_close(&listener);
    }
    return done;
}

/* A network of this process alone, without IPv6. False: that is not allowed here. */
static bool enter_network_without_ipv6(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        return false;
    }
    int file = open("/proc/sys/net/ipv6/conf/all/disable_ipv6", O_WRONLY);
    bool disabled = file < 0 ? errno == ENOENT : write(file, "1", 1) == 1;
    if (file >= 0) {
        close(file);
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool up = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    close(fd);
    return disabled && up;
}

/* --- localhost ---------------------------------------------------------------------- */

START_TEST(localhost_is_both_addresses_with_one_port)
{
    char wanted[64];
    ck_assert_int_eq(open_all("listen = ( { address = \"localhost\"; port = 0; "
                              "protocol = \"memcache\"; prefix = \":\"; }, { port = 0; } );"),
                     EX_OK);
    uint16_t port = listener_port(&listeners.all[0]);
    ck_assert_uint_ne(port, 0);
    snprintf(wanted, sizeof wanted, "127.0.0.1:%u", port);
    ck_assert_str_eq(name_of(0), wanted);
    size_t last = listeners.count - 1;
    ck_assert_ptr_eq(listeners.all[last].endpoint.protocol, &protocol_native);
    ck_assert_ptr_null(listeners_exposed(&listeners, conf));
    if (has_ipv6()) {
        ck_assert_uint_eq(listeners.count, 3);
        snprintf(wanted, sizeof wanted, "[::1]:%u", port);
        ck_assert_str_eq(name_of(1), wanted);
        ck_assert_ptr_eq(listeners.all[1].endpoint.protocol, listeners.all[0].endpoint.protocol);
        ck_assert_int_eq(listeners.all[1].endpoint.separator, ':');
        ck_assert(!listeners.all[1].is_exposed);
    } else {
        ck_assert_uint_eq(listeners.count, 2);
    }
    close_all();
}
END_TEST

START_TEST(a_machine_without_ipv6_gets_the_first_only)
{
    char wanted[64];
    if (!enter_network_without_ipv6()) {
        return;
    }
    ck_assert(!has_ipv6());
    ck_assert_int_eq(open_all("listen = ( { address = \"localhost\"; port = 7171; } );"), EX_OK);
    ck_assert_uint_eq(listeners.count, 1);
    snprintf(wanted, sizeof wanted, "127.0.0.1:7171");
    ck_assert_str_eq(name_of(0), wanted);
    close_all();
}
END_TEST

/* Of the two, the one that is in use ends the start, and nothing stays open. */
START_TEST(a_port_in_use_at_one_address)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    char text[128];
    for (size_t i = 0; i < (has_ipv6() ? 2 : 1); i++) {
        struct conf_listen taken = {.address = (char *)(uintptr_t)addresses[i],
                                    .protocol = (char[]){"native"}};
        struct listener holder, other;
        char error[LISTENER_ERROR_MAX];
        ck_assert_msg(listener_open(&holder, &taken, NULL, error), "%s", error);
        taken.port = listener_port(&holder);
        snprintf(text, sizeof text, "listen = ( { address = \"localhost\"; port = %u; } );",
                 taken.port);
        ck_assert_int_eq(open_all(text), EX_UNAVAILABLE);
        ck_assert_uint_eq(listeners.count, 0);
        close_all();
        taken.address = (char *)(uintptr_t)addresses[1 - i];
        if (has_ipv6()) {
            ck_assert_msg(listener_open(&other, &taken, NULL, error), "%s", error);
            listener_close(&other);
        }
        listener_close(&holder);
    }
}
END_TEST

/* A port that the kernel picked for 127.0.0.1 may be in use at ::1: then it picks another. */
START_TEST(the_kernel_picks_a_port_that_is_free_at_both)
{
    enum { HOLDERS = 200 };
    static struct listener holders[HOLDERS];
    struct conf_listen taken = {.address = (char[]){"::1"}, .protocol = (char[]){"native"}};
    char error[LISTENER_ERROR_MAX];
    size_t held = 0;
    for (; has_ipv6() && held < HOLDERS; held++) {
        ck_assert_msg(listener_open(&holders[held], &taken, NULL, error), "%s", error);
    }
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(open_all("listen = ( { address = \"localhost\"; port = 0; } );"), EX_OK);
        ck_assert_uint_eq(listeners.count, has_ipv6() ? 2 : 1);
        close_all();
    }
    while (held > 0) {
        listener_close(&holders[--held]);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("listeners");
    TCase *localhost = tcase_create("localhost");
    tcase_add_test(localhost, localhost_is_both_addresses_with_one_port);
    tcase_add_test(localhost, a_machine_without_ipv6_gets_the_first_only);
    tcase_add_test(localhost, a_port_in_use_at_one_address);
    tcase_add_test(localhost, the_kernel_picks_a_port_that_is_free_at_both);
    suite_add_tcase(suite, localhost);
    return suite;
}

int main(void)
{
    return suite_run(suite());
}
