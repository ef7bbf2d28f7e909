/*
 * conf_group.h - groups of a list, for those who check them.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_GROUP_H
#define KVCACHED_CONF_CONF_GROUP_H

#include <libconfig.h>
#include <stddef.h>

#include "conf/conf_option.h"
#include "conf/conf_report.h"

/* Reports about an option of a group: at its line, or at the group's where it is
 * not given. */
#define CONF_COMPLAIN(report, group, scope, name, ...)                                             \
    conf_report_option(report, conf_group_line(group, name), conf_option_find(scope, name),        \
                       __VA_ARGS__)

/* The line of an option, or of the group where it is not given. */
unsigned conf_group_line(const config_setting_t *group, const char *name);

/* The groups of a list that was not refused: NULL when there is none. */
const config_setting_t *conf_group_list(const config_setting_t *root, const char *name);

/* NULL where that part of the list is no group. */
const config_setting_t *conf_group_at(const config_setting_t *list, size_t i);

/* A group's name, and its place in the list. */
struct conf_named {
    const char *name;
    size_t place;
};

/* Reports each group that has the name of an earlier one. Sorts `names`. */
void conf_group_named_once(const config_setting_t *list, enum conf_scope scope,
                           struct conf_named *names, size_t count, struct conf_report *report);

#endif
