/*
 * conf_check_users.c - what the options of users mean together.
 *
 * A user with neither secret nor unix_user is not a mistake: a client's certificate may have its
 * name.
 */
#include "conf/conf_check_users.h"

#include <pwd.h>
#include <stdlib.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "conf/conf_group.h"
#include "conf/conf_secret.h"
#include "conf/conf_setting.h"

/* The uid that the kernel reports for a process whose uid has no equivalent in the daemon's user
 * namespace: /proc/sys/kernel/overflowuid. */
enum { OVERFLOW_UID = 65534 };

static void check_not_overflow_uid(const config_setting_t *group, const char *name, uid_t uid,
                                   struct conf_report *report)
{
    if (uid == OVERFLOW_UID) {
        CONF_COMPLAIN(report, group, SCOPE_USERS, "unix_user",
                      "\"%s\" is also what the kernel reports for users that it cannot map, write "
                      "another user of this machine",
                      name);
    }
}

/* False when the user is gone since conf_value looked it up: then it is no duplicate. */
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

/* A process can be one user only, so each uid may belong to one user. Two names of this machine
 * may have the same uid. */
static void check_unix_users(const config_setting_t *list, const struct conf *conf,
                             struct conf_report *report)
{
    struct conf_group_key *numbers = calloc(conf->user_count + 1, sizeof *numbers);
    size_t count = 0;
    report->no_memory |= numbers == NULL;
    for (size_t i = 0; i < conf->user_count && numbers != NULL; i++) {
        const config_setting_t *group = conf_group_at(list, i);
        const char *name = conf->users[i].unix_user;
        uid_t uid;
        if (group != NULL && name != NULL && find_uid(name, &uid)) {
            check_not_overflow_uid(group, name, uid, report);
            numbers[count++] = (struct conf_group_key){.number = uid, .text = "", .place = i};
        }
    }
    conf_group_check_unique(list, conf_option_find(SCOPE_USERS, "unix_user"), "is another user",
                            numbers, count, report);
    free(numbers);
}

void conf_check_users(const config_setting_t *list, const struct conf *conf,
                      struct conf_report *report)
{
    for (size_t i = 0; i < conf->user_count; i++) {
        const config_setting_t *group = conf_group_at(list, i);
        if (group != NULL) {
            check_secret(group, &conf->users[i], report);
        }
    }
    conf_group_check_names(list, SCOPE_USERS, report);
    check_unix_users(list, conf, report);
}
