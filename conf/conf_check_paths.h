/*
 * conf_check_paths.h - what can be seen of the files that options name.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_CHECK_PATHS_H
#define KVCACHED_CONF_CONF_CHECK_PATHS_H

#include <libconfig.h>

struct conf;
struct conf_report;

/* Reports files that have 2 purposes, and files that are to be written and cannot be. */
void conf_check_paths(const config_setting_t *root, const struct conf *conf,
                      struct conf_report *report);

#endif
