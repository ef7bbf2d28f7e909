/*
 * conf_check_users.h - what the options of users mean together.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_CHECK_USERS_H
#define KVCACHED_CONF_CONF_CHECK_USERS_H

#include <libconfig.h>

struct conf;
struct conf_report;

/* Reports duplicates and contradictions in the groups of `list`, the value of `users`, which was
 * not refused as a list. */
void conf_check_users(const config_setting_t *list, const struct conf *conf,
                      struct conf_report *report);

#endif
