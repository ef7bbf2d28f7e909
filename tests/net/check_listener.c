/*
 * check_listener.c - where listeners listen, what they are called, and that they
 * take nothing from others.
 */
#include "daemon/net/listener.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/base/safe_open.h"
#include "daemon/os/privilege.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

static const struct endpoint native = {.protocol = &protocol_native};
static struct listener listener;
static char error[LISTENER_ERROR_MAX];

static bool open_tcp(struct listener *at, const char *address, uint16_t port)
{
    const struct conf_listen conf = {
        .address = (char *)(uintptr_t)address, .port = port, .protocol = (char[]){"native"}};
    return listener_open(at, &conf, NULL, error);
}

static bool open_path(struct listener *at, const char *path, mode_t mode, const char *owner)
{
    const struct conf_listen conf = {.path = (char *)(uintptr_t)path,
                                     .mode = mode,
                                     .owner = (char *)(uintptr_t)owner,
                                     .protocol = (char[]){"native"}};
    return listener_open(at, &conf, NULL, error);
}

static bool connects(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(at.sun_path, path);
    bool done = connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return done;
}

static uint16_t port_of(const struct listener *at)
{
    return (uint16_t)atoi(strrchr(at->endpoint.name, ':') + 1);
}

/* --- TCP ---------------------------------------------------------------- */

START_TEST(the_kernel_picks_a_port_and_the_name_says_which)
{
    struct sockaddr_in at;
    socklen_t length = sizeof at;
    char name[64];
    ck_assert(open_tcp(&listener, "127.0.0.1", 0));
    ck_assert_int_eq(getsockname(listener.fd, (struct sockaddr *)&at, &length), 0);
    ck_assert_uint_ne(ntohs(at.sin_port), 0);
    snprintf(name, sizeof name, "127.0.0.1:%u", ntohs(at.sin_port));
    ck_assert_str_eq(listener.endpoint.name, name);
    ck_assert_ptr_eq(listener.endpoint.protocol, &protocol_native);
    ck_assert(!listener.inherited);
    listener_close(&listener);
    ck_assert_int_eq(listener.fd, -1);
    listener_close(&listener);
}
END_TEST

START_TEST(ipv6_stands_in_brackets)
{
    if (!open_tcp(&listener, "::1", 0)) {
        ck_assert_int_eq(errno, EADDRNOTAVAIL); /* a machine without IPv6 */
        return;
    }
    ck_assert_int_eq(strncmp(listener.endpoint.name, "[::1]:", 6), 0);
    listener_close(&listener);
}
END_TEST

START_TEST(both_families_share_a_port)
{
    struct listener other;
    ck_assert(open_tcp(&listener, "127.0.0.1", 0));
    if (open_tcp(&other, "::1", port_of(&listener))) {
        listener_close(&other);
    } else {
        ck_assert_int_ne(errno, EADDRINUSE);
    }
    listener_close(&listener);
}
END_TEST

/* Whether a client of IPv4 gets in. */
static bool takes_ipv4(uint16_t port)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool done = connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    close(fd);
    return done;
}

START_TEST(all_addresses_are_those_of_ipv4_too)
{
    struct conf_listen conf = {.address = (char[]){"::"}, .protocol = (char[]){"native"}};
    for (int both = 0; both < 2; both++) {
        conf.dual_stack = both;
        if (!listener_open(&listener, &conf, NULL, error)) {
            ck_assert_int_eq(errno, EAFNOSUPPORT); /* a machine without IPv6 */
            continue;
        }
        ck_assert(listener.is_exposed);
        ck_assert_int_eq(takes_ipv4(port_of(&listener)), both);
        listener_close(&listener);
    }
}
END_TEST

START_TEST(a_port_in_use_is_said_with_its_number)
{
    struct listener other;
    char wanted[LISTENER_ERROR_MAX];
    ck_assert(open_tcp(&listener, "127.0.0.1", 0));
    ck_assert(!open_tcp(&other, "127.0.0.1", port_of(&listener)));
    ck_assert_int_eq(errno, EADDRINUSE);
    snprintf(wanted, sizeof wanted,
             "cannot listen on 127.0.0.1:%u: Address already in use: ss -ltnp 'sport = :%u' shows "
             "which process listens there",
             port_of(&listener), port_of(&listener));
    ck_assert_str_eq(error, wanted);
    ck_assert_int_eq(other.fd, -1);
    listener_close(&listener);
}
END_TEST

START_TEST(names_of_machines_are_not_resolved)
{
    static const char *const bad[] = {"localhost", "127.0.0", "127.0.0.256", "::1::", "", "*"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool opened = open_tcp(&listener, bad[i], 0);
        /* inet_aton's short forms are numeric too: 127.0.0 is 127.0.0.0 */
        if (strcmp(bad[i], "127.0.0") == 0) {
            listener_close(&listener);
            continue;
        }
        ck_assert_msg(!opened, "%s was taken", bad[i]);
        ck_assert_ptr_nonnull(strstr(error, "not a numeric address"));
    }
}
END_TEST

START_TEST(an_address_of_another_machine)
{
    ck_assert(!open_tcp(&listener, "192.0.2.1", 0));
    ck_assert_int_eq(errno, EADDRNOTAVAIL);
    ck_assert_str_eq(error, "cannot listen on 192.0.2.1:0: Cannot assign requested address: this "
                            "machine does not have it; ip address shows what it has");
}
END_TEST

/* In a network of its own, ports below 1024 are for root, whatever this machine allows. */
START_TEST(a_port_that_is_for_root)
{
    struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = geteuid() == 0 && unshare(CLONE_NEWNET) == 0 ? socket(AF_INET, SOCK_DGRAM, 0) : -1;
    if (fd < 0) {
        return;
    }
    ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &up), 0);
    ck_assert_int_eq(seteuid(65534), 0);
    ck_assert(!open_tcp(&listener, "127.0.0.1", 1023));
    ck_assert_int_eq(errno, EACCES);
    ck_assert_str_eq(error, "cannot listen on 127.0.0.1:1023: Permission denied: a port below 1024 "
                            "needs AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or a "
                            "socket unit; or write another port");
    ck_assert(open_tcp(&listener, "127.0.0.1", 1024));
    listener_close(&listener);
    ck_assert_int_eq(seteuid(0), 0);
    close(fd);
}
END_TEST

START_TEST(an_unknown_protocol)
{
    const struct conf_listen conf = {.address = (char[]){"127.0.0.1"},
                                     .protocol = (char[]){"gopher"}};
    ck_assert(!listener_open(&listener, &conf, NULL, error));
    ck_assert_str_eq(error, "cannot listen: there is no protocol \"gopher\"");
}
END_TEST

/* --- Unix --------------------------------------------------------------- */

START_TEST(the_mode_is_as_it_was_asked_for)
{
    static const mode_t modes[] = {0600, 0660, 0666, 0777, 0};
    struct stat made;
    umask(077);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_msg(open_path(&listener, scratch_path("socket"), modes[i], NULL), "%s", error);
        ck_assert_str_eq(listener.endpoint.name, scratch_path("socket"));
        ck_assert_int_eq(stat(scratch_path("socket"), &made), 0);
        ck_assert(S_ISSOCK(made.st_mode));
        ck_assert_uint_eq(made.st_mode & 07777, modes[i]);
        listener_close(&listener);
        ck_assert(!scratch_has("socket"));
    }
    ck_assert_uint_eq(umask(022), 077);
}
END_TEST

START_TEST(a_socket_left_behind_is_replaced)
{
    ck_assert(open_path(&listener, scratch_path("socket"), 0600, NULL));
    close(listener.fd); /* as a process does that is killed */
    ck_assert(scratch_has("socket"));
    ck_assert(open_path(&listener, scratch_path("socket"), 0600, NULL));
    ck_assert(connects(scratch_path("socket")));
    listener_close(&listener);
}
END_TEST

START_TEST(a_socket_that_is_answered_is_not)
{
    struct listener other;
    ck_assert(open_path(&listener, scratch_path("socket"), 0600, NULL));
    ck_assert(!open_path(&other, scratch_path("socket"), 0600, NULL));
    ck_assert_int_eq(errno, EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(error, "another process listens there"));
    ck_assert(connects(scratch_path("socket")));
    listener_close(&listener);
}
END_TEST

/* Shared by processes that all want one name in each round. */
enum { RIVALS = 4, RIVAL_ROUNDS = 2000 };

struct rivalry {
    atomic_int round, arrived, won;
};

static void await(atomic_int *number, int value)
{
    while (atomic_load(number) < value) {
        sched_yield();
    }
}

static void compete(struct rivalry *rivalry)
{
    for (int round = 1; round <= RIVAL_ROUNDS; round++) {
        await(&rivalry->round, 2 * round - 1);
        bool won = open_path(&listener, scratch_path("socket"), 0600, NULL);
        atomic_fetch_add(&rivalry->won, won);
        atomic_fetch_add(&rivalry->arrived, 1);
        await(&rivalry->round, 2 * round);
        if (won) {
            close(listener.fd); /* as by a kill: it is stale in the next round */
        }
        atomic_fetch_add(&rivalry->arrived, 1);
    }
    _exit(0);
}

START_TEST(one_of_many_takes_a_name_that_was_left_behind)
{
    static struct listener dead;
    struct rivalry *rivalry =
        mmap(NULL, sizeof *rivalry, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    ck_assert(open_path(&dead, scratch_path("socket"), 0600, NULL));
    close(dead.fd);
    for (int i = 0; i < RIVALS; i++) {
        if (fork() == 0) {
            compete(rivalry);
        }
    }
    for (int round = 1; round <= RIVAL_ROUNDS; round++) {
        atomic_store(&rivalry->won, 0);
        atomic_store(&rivalry->round, 2 * round - 1);
        await(&rivalry->arrived, (2 * round - 1) * RIVALS);
        ck_assert_int_eq(atomic_load(&rivalry->won), 1);
        ck_assert(connects(scratch_path("socket")));
        atomic_store(&rivalry->round, 2 * round);
        await(&rivalry->arrived, 2 * round * RIVALS);
    }
    for (int i = 0; i < RIVALS; i++) {
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    ck_assert(!scratch_has("socket.lock"));
    munmap(rivalry, sizeof *rivalry);
}
END_TEST

/* A name is looked at and taken under a lock. */
START_TEST(a_name_that_another_process_is_taking)
{
    const struct safe_terms terms = {
        .path = scratch_path("socket.lock"), .flags = O_RDWR | O_CREAT, .mode = 0600};
    const char *why;
    bool made;
    int fd = safe_open_locked(&terms, &made, &why, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert(!open_path(&listener, scratch_path("socket"), 0600, NULL));
    ck_assert_int_eq(errno, EWOULDBLOCK);
    ck_assert_ptr_nonnull(strstr(error, "cannot lock "));
    ck_assert(!scratch_has("socket"));
    close(fd); /* as by a kill */
    ck_assert_msg(open_path(&listener, scratch_path("socket"), 0600, NULL), "%s", error);
    ck_assert(!scratch_has("socket.lock"));
    listener_close(&listener);
}
END_TEST

START_TEST(a_file_is_never_replaced)
{
    scratch_write("socket", "precious");
    ck_assert(!open_path(&listener, scratch_path("socket"), 0600, NULL));
    ck_assert_int_eq(errno, EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(error, "there is a file that is no socket"));
    ck_assert_str_eq(scratch_read("socket"), "precious");
}
END_TEST

START_TEST(a_name_that_leads_elsewhere_is_left_alone)
{
    struct listener other;
    ck_assert(open_path(&listener, scratch_path("socket"), 0600, NULL));
    ck_assert_int_eq(unlink(scratch_path("socket")), 0);
    ck_assert(open_path(&other, scratch_path("socket"), 0600, NULL));
    listener_close(&listener);
    ck_assert(connects(scratch_path("socket")));
    listener_close(&other);
}
END_TEST

START_TEST(an_owner_who_is_not_there)
{
    ck_assert(!open_path(&listener, scratch_path("socket"), 0600, "nobody-of-that-name"));
    ck_assert_ptr_nonnull(strstr(error, " to nobody-of-that-name: there is no such user"));
    ck_assert(!scratch_has("socket"));
}
END_TEST

START_TEST(an_owner_by_number)
{
    char owner[32];
    struct stat made;
    snprintf(owner, sizeof owner, "%u:%u", getuid(), getgid());
    ck_assert_msg(open_path(&listener, scratch_path("socket"), 0600, owner), "%s", error);
    ck_assert_int_eq(stat(scratch_path("socket"), &made), 0);
    ck_assert_uint_eq(made.st_uid, getuid());
    ck_assert_uint_eq(made.st_gid, getgid());
    listener_close(&listener);
}
END_TEST

START_TEST(a_directory_that_is_not_there)
{
    char wanted[LISTENER_ERROR_MAX];
    ck_assert(!open_path(&listener, scratch_path("a/b/socket"), 0600, NULL));
    ck_assert_int_eq(errno, ENOENT);
    snprintf(wanted, sizeof wanted, "cannot listen on %s: there is no directory ",
             scratch_path("a/b/socket"));
    ck_assert_ptr_eq(strstr(error, wanted), error);
    ck_assert_ptr_nonnull(strstr(error, "/a/b: make it with mkdir"));
}
END_TEST

START_TEST(a_directory_of_another_user)
{
    char wanted[LISTENER_ERROR_MAX];
    if (geteuid() != 0) {
        return;
    }
    ck_assert_int_eq(mkdir(scratch_path("of_root"), 0755), 0);
    ck_assert_int_eq(chmod(scratch_path(""), 0755), 0);
    ck_assert_int_eq(seteuid(65534), 0);
    ck_assert(!open_path(&listener, scratch_path("of_root/socket"), 0600, NULL));
    ck_assert_int_eq(errno, EACCES);
    snprintf(wanted, sizeof wanted,
             "cannot listen on %s: Permission denied: the user that kvcached runs as may not write "
             "to ",
             scratch_path("of_root/socket"));
    ck_assert_ptr_eq(strstr(error, wanted), error);
    ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(rmdir(scratch_path("of_root")), 0);
}
END_TEST

START_TEST(a_path_that_is_too_long)
{
    char name[120];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ck_assert(!open_path(&listener, scratch_path(name), 0600, NULL));
    ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

/* --- handed over -------------------------------------------------------- */

START_TEST(a_socket_that_listens_is_taken)
{
    struct listener other;
    ck_assert(open_tcp(&listener, "127.0.0.1", 0));
    ck_assert(listener_inherit(&other, dup(listener.fd), &native, error));
    ck_assert_str_eq(other.endpoint.name, listener.endpoint.name);
    ck_assert(other.inherited);
    listener_close(&other);
    listener_close(&listener);
}
END_TEST

START_TEST(the_name_of_a_taken_socket_stays)
{
    struct listener other;
    ck_assert(open_path(&listener, scratch_path("socket"), 0600, NULL));
    ck_assert(listener_inherit(&other, dup(listener.fd), &native, error));
    ck_assert_str_eq(other.endpoint.name, scratch_path("socket"));
    listener_close(&other);
    ck_assert(connects(scratch_path("socket")));
    listener_close(&listener);
}
END_TEST

START_TEST(what_does_not_listen_is_refused)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert(!listener_inherit(&listener, ends[0], &native, error));
    ck_assert_ptr_nonnull(strstr(error, "is no listening stream socket"));
    close(ends[1]);
    ck_assert(!listener_inherit(&listener, socket(AF_INET, SOCK_DGRAM, 0), &native, error));
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert(!listener_inherit(&listener, ends[0], &native, error));
    close(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listener");
    TCase *tcp = tcase_create("tcp");
    tcase_add_test(tcp, the_kernel_picks_a_port_and_the_name_says_which);
    tcase_add_test(tcp, ipv6_stands_in_brackets);
    tcase_add_test(tcp, both_families_share_a_port);
    tcase_add_test(tcp, all_addresses_are_those_of_ipv4_too);
    tcase_add_test(tcp, a_port_in_use_is_said_with_its_number);
    tcase_add_test(tcp, names_of_machines_are_not_resolved);
    tcase_add_test(tcp, an_address_of_another_machine);
    tcase_add_test(tcp, a_port_that_is_for_root);
    tcase_add_test(tcp, an_unknown_protocol);
    suite_add_tcase(suite, tcp);

    TCase *unix_sockets = tcase_create("unix");
    tcase_set_timeout(unix_sockets, 60);
    tcase_add_checked_fixture(unix_sockets, scratch_make, scratch_remove);
    tcase_add_test(unix_sockets, the_mode_is_as_it_was_asked_for);
    tcase_add_test(unix_sockets, a_socket_left_behind_is_replaced);
    tcase_add_test(unix_sockets, a_socket_that_is_answered_is_not);
    tcase_add_test(unix_sockets, one_of_many_takes_a_name_that_was_left_behind);
    tcase_add_test(unix_sockets, a_name_that_another_process_is_taking);
    tcase_add_test(unix_sockets, a_file_is_never_replaced);
    tcase_add_test(unix_sockets, a_name_that_leads_elsewhere_is_left_alone);
    tcase_add_test(unix_sockets, an_owner_who_is_not_there);
    tcase_add_test(unix_sockets, an_owner_by_number);
    tcase_add_test(unix_sockets, a_directory_that_is_not_there);
    tcase_add_test(unix_sockets, a_directory_of_another_user);
    tcase_add_test(unix_sockets, a_path_that_is_too_long);
    suite_add_tcase(suite, unix_sockets);

    TCase *handed_over = tcase_create("handed over");
    tcase_add_checked_fixture(handed_over, scratch_make, scratch_remove);
    tcase_add_test(handed_over, a_socket_that_listens_is_taken);
    tcase_add_test(handed_over, the_name_of_a_taken_socket_stays);
    tcase_add_test(handed_over, what_does_not_listen_is_refused);
    suite_add_tcase(suite, handed_over);

    return suite_run(suite);
}
