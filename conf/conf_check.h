/*
 * conf_check.h - what options mean together.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_CHECK_H
#define KVCACHED_CONF_CONF_CHECK_H

#include <libconfig.h>

struct conf;
struct conf_report;

/* Reports duplicates and contradictions of a configuration that was read from `root`. Settings
 * that were refused before are left out. */
void conf_check(const config_setting_t *root, const struct conf *conf, struct conf_report *report);

/* Reports the settings of a group that are not options of its scope: unknown names, and names
 * that the group has twice. `scope` is an enum conf_scope. */
void conf_check_names(const config_setting_t *group, int scope, struct conf_report *report);

#endif
