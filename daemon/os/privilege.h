/*
 * privilege.h - which user the daemon is, and how it becomes another.
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
    char name[PRIVILEGE_NAME_MAX]; /* empty where only numbers are known */
    uid_t uid;
    gid_t gid;
};

/* Looks up "user" (with the group it logs in to) or "user:group"; either may be
 * a number. */
enum privilege_status privilege_find(const char *who, struct privilege_user *user);

/*
 * Becomes that user for good, with its supplementary groups and no others.
 * Before any thread is started. PRIVILEGE_DENIED as well where the way back
 * would still be open.
 */
enum privilege_status privilege_drop(const struct privilege_user *user);

/* What went wrong, as in "who: there is no such user". */
const char *privilege_error(enum privilege_status status);

#endif
