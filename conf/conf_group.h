/*
 * conf_group.h - the groups of a list, and what all checks of groups need.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_GROUP_H
#define KVCACHED_CONF_CONF_GROUP_H

#include <libconfig.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf_option.h"
#include "conf/conf_report.h"

/* Reports a mistake in an option of a group: at the option's line, or at the group's where the
 * option is not given. */
#define CONF_COMPLAIN(report, group, scope, name, ...)                                             \
    conf_report_option(report, conf_group_line(group, name), conf_option_find(scope, name),        \
                       __VA_ARGS__)

/* The line of an option, or of the group where it is not given. */
unsigned conf_group_line(const config_setting_t *group, const char *name);

/* The list of that name; NULL when it is not given or was refused. */
const config_setting_t *conf_group_list(const config_setting_t *root, const char *name);

/* The i-th element of the list; NULL where it is not a group. */
const config_setting_t *conf_group_at(const config_setting_t *list, size_t i);

/* What must differ between all groups of a list: a number, a text or both. */
struct conf_group_key {
    uint64_t number;
    const char *text; /* not NULL; must live as long as the key */
    size_t place;     /* of the group in the list */
};

/* Reports each group that has the key of an earlier one: `"VALUE" CLAIM in line 3 already`, with
 * the option's value in that group. Sorts `keys`. */
void conf_group_check_unique(const config_setting_t *list, const struct conf_option *option,
                             const char *claim, struct conf_group_key *keys, size_t count,
                             struct conf_report *report);

/* Reports each group without a name, and each that has the name of an earlier one. */
void conf_group_check_names(const config_setting_t *list, enum conf_scope scope,
                            struct conf_report *report);

#endif
