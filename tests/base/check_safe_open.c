/*
 * check_safe_open.c - which files are the daemon's, and which ways lead to them.
 *
 * What needs another user is tried by root only.
 */
#include "daemon/base/safe_open.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { STRANGER = 65534, FRIEND = 65533 };

static const char *why;
static bool made;

static int try(const char *path, int flags)
{
    const struct safe_terms terms = {.path = path, .flags = flags, .mode = 0640, .user = FRIEND};
    why = NULL;
    return safe_open(&terms, &made, &why);
}

static void expect_open(const char *path, bool expect_made)
{
    int fd = try(path, O_RDWR | O_CREAT);
    struct stat about;
    ck_assert_msg(fd >= 0, "%s: %s", path, why);
    ck_assert_int_eq(made, expect_made);
    ck_assert_int_eq(fstat(fd, &about), 0);
    ck_assert(S_ISREG(about.st_mode));
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    close(fd);
}

static void expect_refused(const char *path, int error, const char *clause)
{
    ck_assert_int_eq(try(path, O_RDWR | O_CREAT), -1);
    ck_assert_int_eq(errno, error);
    ck_assert_ptr_nonnull(why);
    ck_assert_msg(strstr(why, clause) != NULL, "%s", why);
}

static bool is_root(void)
{
    if (geteuid() != 0) {
        printf("skipped: only root can give files away\n");
    }
    return geteuid() == 0;
}

/* --- files --------------------------------------------------------------------------- */

START_TEST(a_file_is_made_once)
{
    struct stat about;
    umask(022);
    expect_open(scratch_path("file"), true);
    ck_assert_int_eq(stat(scratch_path("file"), &about), 0);
    ck_assert_uint_eq(about.st_mode & 07777, 0640);
    scratch_write("file", "kept");
    expect_open(scratch_path("file"), false);
    ck_assert_str_eq(scratch_read("file"), "kept");
}
END_TEST

START_TEST(without_o_creat_none_is_made)
{
    ck_assert_int_eq(try(scratch_path("file"), O_RDWR), -1);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(!scratch_has("file"));
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed)
{
    scratch_write("victim", "precious");
    ck_assert_int_eq(symlink(scratch_path("victim"), scratch_path("link")), 0);
    ck_assert_int_eq(symlink(scratch_path("nothing"), scratch_path("dangling")), 0);
    expect_refused(scratch_path("link"), ELOOP, "a symbolic link is not followed");
    expect_refused(scratch_path("dangling"), ELOOP, "a symbolic link is not followed");
    ck_assert(!scratch_has("nothing"));
}
END_TEST

/* A FIFO without a reader or writer, above all: to open it would wait. */
START_TEST(what_is_no_regular_file_is_not_opened)
{
    ck_assert_int_eq(mkfifo(scratch_path("fifo"), 0600), 0);
    ck_assert_int_eq(mkdir(scratch_path("directory"), 0700), 0);
    expect_refused(scratch_path("fifo"), EINVAL, "not a regular file");
    expect_refused(scratch_path("directory"), EINVAL, "not a regular file");
    expect_refused("/dev/null", EINVAL, "not a regular file");
    expect_refused("/", EISDIR, "not a regular file");
    ck_assert_int_eq(rmdir(scratch_path("directory")), 0);
}
END_TEST

START_TEST(a_file_with_two_names_is_refused)
{
    scratch_write("one", "precious");
    ck_assert_int_eq(link(scratch_path("one"), scratch_path("two")), 0);
    expect_refused(scratch_path("two"), EPERM, "it has another name as well");
    ck_assert_int_eq(unlink(scratch_path("one")), 0);
    expect_open(scratch_path("two"), false);
}
END_TEST

START_TEST(a_file_of_another_user_is_refused)
{
    if (is_root()) {
        scratch_write("file", "");
        ck_assert_int_eq(chown(scratch_path("file"), STRANGER, STRANGER), 0);
        expect_refused(scratch_path("file"), EPERM, "it belongs to another user");
        ck_assert_int_eq(chown(scratch_path("file"), FRIEND, STRANGER), 0);
        expect_open(scratch_path("file"), false);
    }
}
END_TEST

/* --- ways ----------------------------------------------------------------------------- */

/* A directory `real`, and `here/link` that leads to it. */
static void make_link(mode_t mode)
{
    ck_assert_int_eq(mkdir(scratch_path("real"), 0700), 0);
    ck_assert_int_eq(mkdir(scratch_path("here"), 0700), 0);
    ck_assert_int_eq(symlink("../real", scratch_path("here/link")), 0);
    ck_assert_int_eq(chmod(scratch_path("here"), mode), 0);
}

static void unmake_link(void)
{
    unlink(scratch_path("real/file"));
    ck_assert_int_eq(rmdir(scratch_path("real")), 0);
    ck_assert_int_eq(unlink(scratch_path("here/link")), 0);
    ck_assert_int_eq(rmdir(scratch_path("here")), 0);
}

START_TEST(a_link_on_the_way_may_be_ones_own)
{
    make_link(0755);
    expect_open(scratch_path("here/link/file"), true);
    ck_assert(scratch_has("real/file"));
    ck_assert(safe_path(scratch_path("here//./link/../here/link/file"), &why));
    unmake_link();
}
END_TEST

START_TEST(a_link_on_the_way_where_others_may_write)
{
    static const mode_t modes[] = {0777, 0757};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        make_link(modes[i]);
        expect_refused(scratch_path("here/link/file"), EPERM, "over a symbolic link");
        ck_assert(!safe_path(scratch_path("here/link/file"), &why));
        ck_assert(!scratch_has("real/file"));
        unmake_link();
    }
}
END_TEST

/* Sticky, or a group's. */
START_TEST(a_link_on_the_way_that_tells_who_put_it_there)
{
    static const mode_t modes[] = {01777, 0775};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        make_link(modes[i]);
        expect_open(scratch_path("here/link/file"), true);
        if (is_root()) {
            ck_assert_int_eq(lchown(scratch_path("here/link"), STRANGER, STRANGER), 0);
            expect_refused(scratch_path("here/link/file"), EPERM, "over a symbolic link");
            ck_assert_int_eq(lchown(scratch_path("here/link"), 0, 0), 0);
        }
        unmake_link();
    }
}
END_TEST

/* That of the user that the process will become, too: root has more than that user. */
START_TEST(a_link_on_the_way_in_another_users_directory)
{
    if (is_root()) {
        make_link(0755);
        ck_assert_int_eq(chown(scratch_path("here"), FRIEND, FRIEND), 0);
        expect_refused(scratch_path("here/link/file"), EPERM, "over a symbolic link");
        unmake_link();
    }
}
END_TEST

START_TEST(links_that_go_round)
{
    char path[PATH_MAX];
    ck_assert_int_eq(symlink("b", scratch_path("a")), 0);
    ck_assert_int_eq(symlink("a", scratch_path("b")), 0);
    expect_refused(scratch_path("a/file"), ELOOP, "Too many levels");
    ck_assert_int_eq(symlink(scratch_path(""), scratch_path("c")), 0);
    snprintf(path, sizeof path, "%s", scratch_path("c/c/c/c/c/c/c/c/file"));
    expect_open(path, true);
    ck_assert(scratch_has("file"));
}
END_TEST

START_TEST(ways_that_lead_nowhere)
{
    static char path[2 * PATH_MAX];
    expect_refused(scratch_path("none/file"), ENOENT, "No such file");
    scratch_write("file", "");
    expect_refused(scratch_path("file/file"), ENOTDIR, "Not a directory");
    memset(path, '/', sizeof path - 1);
    expect_refused(path, ENAMETOOLONG, "too long");
    memset(path + 1, 'x', 300);
    path[301] = '\0';
    expect_refused(path, ENAMETOOLONG, "too long");
}
END_TEST

/* --- locks and sockets ------------------------------------------------------------------ */

START_TEST(a_lock_is_for_one)
{
    const char *path = scratch_path("lock");
    const struct safe_terms terms = {.path = path, .flags = O_RDWR | O_CREAT, .mode = 0600};
    pid_t holder = 0;
    int fd = safe_open_locked(&terms, &made, &why, NULL);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, "4711\n", 5), 5);
    ck_assert_int_eq(safe_open_locked(&terms, &made, &why, &holder), -1);
    ck_assert_int_eq(errno, EWOULDBLOCK);
    ck_assert_int_eq(holder, 4711);
    ck_assert(safe_is_still(fd, path));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(!safe_is_still(fd, path));
    int other = safe_open_locked(&terms, &made, &why, &holder);
    ck_assert_int_ge(other, 0);
    close(other);
    close(fd);
}
END_TEST

START_TEST(only_a_socket_of_ones_own_is_given)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat about;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!is_root()) {
        return;
    }
    snprintf(at.sun_path, sizeof at.sun_path, "%s", scratch_path("socket"));
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
    scratch_write("file", "precious");
    ck_assert_int_eq(symlink(scratch_path("socket"), scratch_path("link")), 0);
    ck_assert(!safe_give_socket(scratch_path("file"), FRIEND, FRIEND));
    ck_assert(!safe_give_socket(scratch_path("link"), FRIEND, FRIEND));
    ck_assert(safe_give_socket(at.sun_path, FRIEND, STRANGER));
    ck_assert_int_eq(stat(at.sun_path, &about), 0);
    ck_assert_uint_eq(about.st_uid, FRIEND);
    ck_assert_uint_eq(about.st_gid, STRANGER);
    ck_assert(!safe_give_socket(at.sun_path, 0, 0));
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("safe_open");
    TCase *files = tcase_create("files"), *ways = tcase_create("ways"),
          *locks = tcase_create("locks");
    tcase_add_checked_fixture(files, scratch_make, scratch_remove);
    tcase_add_test(files, a_file_is_made_once);
    tcase_add_test(files, without_o_creat_none_is_made);
    tcase_add_test(files, a_symbolic_link_is_not_followed);
    tcase_add_test(files, what_is_no_regular_file_is_not_opened);
    tcase_add_test(files, a_file_with_two_names_is_refused);
    tcase_add_test(files, a_file_of_another_user_is_refused);
    suite_add_tcase(suite, files);
    tcase_add_checked_fixture(ways, scratch_make, scratch_remove);
    tcase_add_test(ways, a_link_on_the_way_may_be_ones_own);
    tcase_add_test(ways, a_link_on_the_way_where_others_may_write);
    tcase_add_test(ways, a_link_on_the_way_that_tells_who_put_it_there);
    tcase_add_test(ways, a_link_on_the_way_in_another_users_directory);
    tcase_add_test(ways, links_that_go_round);
    tcase_add_test(ways, ways_that_lead_nowhere);
    suite_add_tcase(suite, ways);
    tcase_add_checked_fixture(locks, scratch_make, scratch_remove);
    tcase_add_test(locks, a_lock_is_for_one);
    tcase_add_test(locks, only_a_socket_of_ones_own_is_given);
    suite_add_tcase(suite, locks);

    return suite_run(suite);
}
