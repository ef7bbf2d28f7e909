/*
 * conf_value.h - reads one value into its field, or reports what is wrong with it.
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
 * Reads the option's value from `setting`, or its fallback where that is NULL, into its field of
 * the struct at `fields`. Not for options that are groups. Strings are copied; they replace and
 * free the field's. False when the value was refused and reported: then the setting is marked
 * as refused (conf_setting.h), and the field is unchanged unless only quotation marks are missing.
 */
bool conf_value_read(const struct conf_option *option, config_setting_t *setting, void *fields,
                     struct conf_report *report);

#endif
