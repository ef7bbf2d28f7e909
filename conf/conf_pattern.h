/*
 * conf_pattern.h - globs of namespaces' names, one or a list of them.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_PATTERN_H
#define KVCACHED_CONF_CONF_PATTERN_H

#include <libconfig.h>
#include <stdbool.h>

struct conf_option;
struct conf_patterns;
struct conf_report;

/*
 * Fills empty *patterns from a string, or from a list or an array of strings; they stay empty
 * where `setting` is NULL. The strings are copied and the caller's. False when one or more were
 * refused and reported.
 */
bool conf_pattern_read(const struct conf_option *option, config_setting_t *setting,
                       struct conf_patterns *patterns, struct conf_report *report);

#endif
