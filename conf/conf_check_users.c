/*
 * conf_check_users.c - what the options of users mean together.
 *
 * A user that nobody can be, with neither secret nor unix_user, is none of the
 * mistakes: a client's certificate may have its name.
 */
#include "conf/conf_check_users.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "conf/conf_group.h"
#include "conf/conf_secret.h"
#include "conf/conf_setting.h"

/* The number of a group's unix_user. Two names may have the same. */
struct numbered {
    uid_t uid;
    size_t place;
};

static int by_uid(const void *a, const void *b)
{
    const struct numbered *one = a, *other = b;
    if (one->uid != other->uid) {
        return one->uid < other->uid ? -1 : 1;
    }
    return one->place < other->place ? -1 : 1;
}

/* The number that the kernel gives instead of one that it cannot say: to a daemon in a
 * namespace of users, that of everybody who has none in there. */
enum { NUMBER_OF_ANYBODY = 65534 };

static void check_not_anybody(const config_setting_t *group, const char *name, uid_t uid,
                              struct conf_report *report)
{
    if (uid == NUMBER_OF_ANYBODY) {
        CONF_COMPLAIN(report, group, SCOPE_USERS, "unix_user",
                      "\"%s\" may stand for anybody whose number the kernel cannot say, write "
                      "another user of this machine",
                      name);
    }
}

/* A process can be one user only. */
static void check_unix_users(const config_setting_t *list, const struct conf *conf,
                             struct numbered *numbers, size_t count, struct conf_report *report)
{
    size_t first = 0;
    if (count > 0) {
        qsort(numbers, count, sizeof numbers[0], by_uid);
    }
    for (size_t i = 1; i < count; i++) {
        if (numbers[i].uid != numbers[first].uid) {
            first = i;
            continue;
        }
        const config_setting_t *group = conf_group_at(list, numbers[i].place);
        unsigned there = conf_group_line(conf_group_at(list, numbers[first].place), "unix_user");
        unsigned here = conf_group_line(group, "unix_user");
        CONF_COMPLAIN(report, group, SCOPE_USERS, "unix_user",
                      "\"%s\" is another user in %s already, keep one of them",
                      conf->users[numbers[i].place].unix_user,
                      conf_report_line(report, here, there).bytes);
    }
}

/* Looked up a second time, so it may be gone; then it is nobody's twin. */
static bool find_uid(const char *name, uid_t *uid)
{
    const struct passwd *entry = getpwnam(name);
    if (entry != NULL) {
        *uid = entry->pw_uid;
    }
    return entry != NULL;
}

static void check_secret(const config_setting_t *group, const struct conf_user *user,
                         struct conf_report *report)
{
    const char *why;
    if (user->secret != NULL && !conf_secret_usable(user->secret, &why)) {
        CONF_COMPLAIN(report, group, SCOPE_USERS, "secret",
                      "no secret can have this hash: %s, write what \"kvcached --hash-secret\" "
                      "prints for the secret",
                      why);
    }
}

void conf_check_users(const config_setting_t *list, const struct conf *conf,
                      struct conf_report *report)
{
    struct conf_named *names = calloc(conf->user_count + 1, sizeof *names);
    struct numbered *numbers = calloc(conf->user_count + 1, sizeof *numbers);
    size_t named = 0, numbered = 0;
    report->lost |= names == NULL || numbers == NULL;
    for (size_t i = 0; i < conf->user_count && !report->lost; i++) {
        const config_setting_t *group = conf_group_at(list, i);
        const struct conf_user *user = &conf->users[i];
        if (group == NULL) {
            continue;
        }
        if (conf_setting_given(group, "name")) {
            names[named++] = (struct conf_named){user->name, i};
        } else if (!conf_setting_refused(group, "name")) {
            CONF_COMPLAIN(report, group, SCOPE_USERS, "name",
                          "it is missing, write name = \"...\"; in this group");
        }
        check_secret(group, user, report);
        if (user->unix_user != NULL && find_uid(user->unix_user, &numbers[numbered].uid)) {
            check_not_anybody(group, user->unix_user, numbers[numbered].uid, report);
            numbers[numbered++].place = i;
        }
    }
    conf_group_named_once(list, SCOPE_USERS, names, named, report);
    check_unix_users(list, conf, numbers, numbered, report);
    free(names);
    free(numbers);
}
