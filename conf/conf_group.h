/*
 * conf_group.h - groups of a list, for those who check them.
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

/* What no two groups of a list may have the same: a number, a text or both. */
struct conf_group_key {
    uint64_t number;
    const char *text; /* not NULL; must live as long as the key */
    size_t place;     /* of the group in the list */
};

/* Reports each group whose key an earlier one has: `"VALUE" CLAIM in line 3 already`, where
 * VALUE is what the group has written for the option. Sorts `keys`. */
void conf_group_check_unique(const config_setting_t *list, const struct conf_option *option,
                             const char *claim, struct conf_group_key *keys, size_t count,
                             struct conf_report *report);

/* Reports each group without a name, and each whose name an earlier one has. */
void conf_group_check_names(const config_setting_t *list, enum conf_scope scope,
                            struct conf_report *report);

#endif
