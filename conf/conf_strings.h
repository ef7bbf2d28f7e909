/*
 * conf_strings.h - options that take a string, or several of them.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_STRINGS_H
#define KVCACHED_CONF_CONF_STRINGS_H

#include <libconfig.h>
#include <stdbool.h>

struct conf_option;
struct conf_patterns;
struct conf_report;

/* Whether a string is what the option takes, with so many others before it; else it was reported.
 * `text` is NULL where the value is no string. */
typedef bool conf_strings_check(const struct conf_option *option, config_setting_t *setting,
                                const char *text, size_t before, struct conf_report *report);

/*
 * Fills empty *strings from a string, or from a list or an array of strings; they stay empty where
 * `setting` is NULL. The strings are copied and the caller's. False when one or more were refused
 * and reported.
 */
bool conf_strings_read(const struct conf_option *option, config_setting_t *setting,
                       struct conf_patterns *strings, conf_strings_check *check,
                       struct conf_report *report);

#endif
