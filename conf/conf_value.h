/*
 * conf_value.h - one value into one field, or what is wrong with it.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_VALUE_H
#define KVCACHED_CONF_CONF_VALUE_H

#include <libconfig.h>
#include <stdbool.h>

struct conf_option;
struct conf_report;

/*
 * Reads the option's value out of `setting`, or its fallback where that is NULL,
 * into its field of the struct at `fields`. Not for options that are groups.
 * False when the value was refused and reported: then the field is as it was,
 * and the setting is marked so that nobody draws conclusions from it.
 */
bool conf_value_read(const struct conf_option *option, config_setting_t *setting, void *fields,
                     struct conf_report *report);

/* Reports that a setting is something else than the option takes, and marks it.
 * The value is repeated, unless it might be a secret. */
void conf_value_refuse(const struct conf_option *option, config_setting_t *setting,
                       struct conf_report *report, const char *wrong);

/* True when the setting is there and was not refused. */
bool conf_value_given(const config_setting_t *group, const char *name);
/* True when it was refused. */
bool conf_value_refused(const config_setting_t *group, const char *name);

#endif
