/*
 * conf_check_listen.h - what the options of listeners mean together.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_CHECK_LISTEN_H
#define KVCACHED_CONF_CONF_CHECK_LISTEN_H

#include <libconfig.h>

struct conf;
struct conf_report;

/* Reports contradictions in the groups of `list`, the value of `listen`, which was not refused as
 * a list. */
void conf_check_listeners(const config_setting_t *root, const config_setting_t *list,
                          const struct conf *conf, struct conf_report *report);

#endif
