/*
 * conf_check.c - what options mean together: duplicates and contradictions.
 *
 * A value that was refused when it was read is not compared with others, so that each mistake is
 * reported once. A message names the line that has to be changed.
 */
#include "conf/conf_check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_check_cluster.h"
#include "conf/conf_check_listen.h"
#include "conf/conf_check_paths.h"
#include "conf/conf_check_users.h"
#include "conf/conf_group.h"
#include "conf/conf_option.h"
#include "conf/conf_report.h"
#include "conf/conf_scan.h"
#include "conf/conf_setting.h"
#include "conf/conf_units.h"
#include "conf/conf_unknown.h"

enum { MEMORY_PER_VALUE = 4 }; /* a value may take one part in so many of the memory */

/* --- names ---------------------------------------------------------------- */

/* Reports a name that conf_scan has replaced because its group had it already; false where this
 * is none. */
static bool report_duplicate(const config_setting_t *group, const config_setting_t *setting,
                             const char *prefix, struct conf_report *report)
{
    const char *at = config_setting_name(setting);
    char *end;
    if (strncmp(at, CONF_SCAN_DUPLICATE, strlen(CONF_SCAN_DUPLICATE)) != 0) {
        return false;
    }
    unsigned first = (unsigned)strtoul(at + strlen(CONF_SCAN_DUPLICATE), &end, 10);
    const char *name = *end == '*' ? strchr(end + 1, '*') : NULL;
    if (name == NULL || config_setting_get_member(group, name + 1) == NULL) {
        return false;
    }
    conf_report_add(report, setting->line, "%s%s: it is given in %s already, keep one of them",
                    prefix, conf_report_shown(name + 1).bytes,
                    conf_report_line(report, setting->line, first).bytes);
    return true;
}

/* By the command line. */
static bool is_overridden(const config_setting_t *setting)
{
    return strncmp(config_setting_name(setting), CONF_SCAN_OVERRIDDEN,
                   strlen(CONF_SCAN_OVERRIDDEN)) == 0;
}

void conf_check_names(const config_setting_t *group, int scope, struct conf_report *report)
{
    const char *prefix = conf_option_prefix((enum conf_scope)scope);
    for (unsigned i = 0; i < (unsigned)config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, i);
        if (conf_option_find((enum conf_scope)scope, config_setting_name(setting)) == NULL &&
            !is_overridden(setting) && !report_duplicate(group, setting, prefix, report)) {
            conf_unknown_report((enum conf_scope)scope, setting, report);
        }
    }
}

/* --- namespaces --------------------------------------------------------------- */

static void check_ttl(const config_setting_t *group, const struct conf_namespace *space,
                      struct conf_report *report)
{
    if (!conf_setting_given(group, "ttl")) {
        return;
    }
    if (space->max_ttl != CONF_NEVER && !conf_setting_refused(group, "max_ttl") &&
        (space->ttl == CONF_NEVER || space->ttl > space->max_ttl)) {
        CONF_COMPLAIN(
            report, group, SCOPE_NAMESPACES, "ttl", "%s is longer than max_ttl, write at most %s",
            conf_units_duration(space->ttl).bytes, conf_units_duration(space->max_ttl).bytes);
    } else if (space->ttl == CONF_NEVER && space->require_ttl) {
        CONF_COMPLAIN(report, group, SCOPE_NAMESPACES, "ttl",
                      "never is what require_ttl forbids, write a time or leave it out");
    }
}

static void check_namespaces(const config_setting_t *list, const struct conf *conf,
                             struct conf_report *report)
{
    for (size_t i = 0; i < conf->namespace_count; i++) {
        const config_setting_t *group = conf_group_at(list, i);
        if (group != NULL) {
            check_ttl(group, &conf->namespaces[i], report);
        }
    }
    conf_group_check_names(list, SCOPE_NAMESPACES, report);
}

/* Declared namespaces take memory even when they are empty. */
static void check_room(const config_setting_t *root, const struct conf *conf,
                       struct conf_report *report)
{
    uint64_t cost = conf->namespace_count * (uint64_t)CONF_NAMESPACE_COST;
    if (cost > conf->memory) {
        CONF_COMPLAIN(report, root, SCOPE_TOP, "namespaces",
                      "%zu of them take %s before anything is in them, which is more than memory, "
                      "write fewer or a memory much larger than that",
                      conf->namespace_count, conf_units_size(cost).bytes);
    }
}

/* Reported once, at the first quota that exceeds the memory. */
static void check_quotas(const config_setting_t *list, const struct conf *conf,
                         struct conf_report *report)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < conf->namespace_count; i++) {
        sum += conf->namespaces[i].memory;
        if (sum <= conf->memory) {
            continue;
        }
        const config_setting_t *group = conf_group_at(list, i);
        CONF_COMPLAIN(
            report, group, SCOPE_NAMESPACES, "memory",
            "the quotas up to here come to %s, which is more than memory at the top level, "
            "write smaller ones or a memory larger than %s",
            conf_units_size(sum).bytes, conf_units_size(conf->memory).bytes);
        return;
    }
}

/* --- the rest ------------------------------------------------------------------ */

static void check_max_value(const config_setting_t *root, const struct conf *conf,
                            struct conf_report *report)
{
    uint64_t most = conf->memory / MEMORY_PER_VALUE;
    if (conf->max_value > most) {
        CONF_COMPLAIN(report, root, SCOPE_TOP, "max_value",
                      "%s is more than a quarter of memory, write at most %s",
                      conf_units_size(conf->max_value).bytes, conf_units_size(most).bytes);
    }
}

/* A default namespace that is given but not declared, where only declared ones may be used. */
static void check_default_namespace(const config_setting_t *root, const struct conf *conf,
                                    struct conf_report *report)
{
    if (conf->policy != CONF_DECLARED || !conf_setting_given(root, "namespace") ||
        conf_setting_refused(root, "namespaces")) {
        return;
    }
    for (size_t i = 0; i < conf->namespace_count; i++) {
        if (conf->namespaces[i].name != NULL &&
            strcmp(conf->namespaces[i].name, conf->default_namespace) == 0) {
            return;
        }
    }
    CONF_COMPLAIN(
        report, root, SCOPE_TOP, "namespace",
        "\"%s\" is not declared, and namespaces_policy wants it to be: add it to namespaces",
        conf->default_namespace);
}

void conf_check(const config_setting_t *root, const struct conf *conf, struct conf_report *report)
{
    const config_setting_t *listen = conf_group_list(root, "listen");
    const config_setting_t *namespaces = conf_group_list(root, "namespaces");
    const config_setting_t *users = conf_group_list(root, "users");
    bool memory_known = !conf_setting_refused(root, "memory");
    if (listen != NULL) {
        conf_check_listeners(root, listen, conf, report);
    }
    if (namespaces != NULL) {
        check_namespaces(namespaces, conf, report);
    }
    if (namespaces != NULL && memory_known) {
        check_room(root, conf, report);
        check_quotas(namespaces, conf, report);
    }
    if (memory_known && !conf_setting_refused(root, "max_value")) {
        check_max_value(root, conf, report);
    }
    check_default_namespace(root, conf, report);
    if (users != NULL) {
        conf_check_users(users, conf, report);
    }
    conf_check_cluster(root, conf, report);
    conf_check_paths(root, conf, report);
}
