/*
 * privilege.h - looks up the user of the daemon, and changes to it. The main thread's.
 */
#ifndef KVCACHED_DAEMON_OS_PRIVILEGE_H
#define KVCACHED_DAEMON_OS_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

enum privilege_status {
    PRIVILEGE_OK,
    PRIVILEGE_NO_USER,
    PRIVILEGE_NO_GROUP,
    PRIVILEGE_DENIED, /* errno says why */
};

enum { PRIVILEGE_NAME_MAX = 64 };

struct privilege_user {
    char name[PRIVILEGE_NAME_MAX]; /* empty if only the numbers are known */
    uid_t uid;
    gid_t gid;
};

/* Looks up "user", which stands for its login group too, or "user:group"; either may be a number.
 */
enum privilege_status privilege_find(const char *text, struct privilege_user *user);

/*
 * Changes to that user for good, with its supplementary groups and no others. To be called before
 * any thread is started. Also PRIVILEGE_DENIED if the process could still change back to root.
 */
enum privilege_status privilege_drop(const struct privilege_user *user);

/* The text of an error, as in "alice: there is no such user". Not to be freed. */
const char *privilege_error(enum privilege_status status);

#endif
