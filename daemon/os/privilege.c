/*
 * privilege.c - looks up users and groups, and changes to them from root.
 */
#include "daemon/os/privilege.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A decimal id. The highest one is refused: it means "no change" to the system calls. */
static bool parse_id(const char *text, id_t *id)
{
    char *end;
    if (*text < '0' || *text > '9') {
        return false;
    }
    errno = 0;
    unsigned long number = strtoul(text, &end, 10);
    *id = (id_t)number;
    return errno == 0 && *end == '\0' && number < UINT_MAX;
}

static enum privilege_status find_user(const char *name, struct privilege_user *user)
{
    const struct passwd *entry = getpwnam(name);
    id_t id;
    if (entry == NULL && parse_id(name, &id)) {
        entry = getpwuid(id);
        user->uid = id;
        user->gid = id;
    } else if (entry == NULL) {
        return PRIVILEGE_NO_USER;
    }
    user->name[0] = '\0';
    if (entry != NULL) {
        snprintf(user->name, sizeof user->name, "%s", entry->pw_name);
        user->uid = entry->pw_uid;
        user->gid = entry->pw_gid;
    }
    return PRIVILEGE_OK;
}

static enum privilege_status find_group(const char *name, gid_t *gid)
{
    const struct group *entry = getgrnam(name);
    if (entry != NULL) {
        *gid = entry->gr_gid;
        return PRIVILEGE_OK;
    }
    return parse_id(name, gid) ? PRIVILEGE_OK : PRIVILEGE_NO_GROUP;
}

enum privilege_status privilege_find(const char *text, struct privilege_user *user)
{
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    char name[PRIVILEGE_NAME_MAX];
    if (length == 0 || length >= sizeof name) {
        return PRIVILEGE_NO_USER;
    }
    memcpy(name, text, length);
    name[length] = '\0';
    enum privilege_status status = find_user(name, user);
    if (status == PRIVILEGE_OK && colon != NULL) {
        status = find_group(colon + 1, &user->gid);
    }
    return status;
}

enum privilege_status privilege_drop(const struct privilege_user *user)
{
    int groups = user->name[0] != '\0' ? initgroups(user->name, user->gid) : setgroups(0, NULL);
    if (groups != 0 || setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(user->uid, user->uid, user->uid) != 0) {
        return PRIVILEGE_DENIED;
    }
    if (user->uid != 0 && setresuid((uid_t)-1, 0, (uid_t)-1) == 0) {
        errno = EPERM;
        return PRIVILEGE_DENIED;
    }
    return PRIVILEGE_OK;
}

const char *privilege_error(enum privilege_status status)
{
    switch (status) {
    case PRIVILEGE_OK:
        return "no error";
    case PRIVILEGE_NO_USER:
        return "there is no such user";
    case PRIVILEGE_NO_GROUP:
        return "there is no such group";
    case PRIVILEGE_DENIED:
        return strerror(errno);
    }
    return "unknown";
}
