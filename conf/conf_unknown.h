/*
 * conf_unknown.h - what is said of a name that is no option where it stands.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_UNKNOWN_H
#define KVCACHED_CONF_CONF_UNKNOWN_H

#include <libconfig.h>

#include "conf/conf_option.h"

struct conf_report;

/* Reports the setting, whose name no option of the scope has. */
void conf_unknown_report(enum conf_scope scope, const config_setting_t *setting,
                         struct conf_report *report);

/* The option of the scope that `name` was probably meant to be, or NULL. */
const struct conf_option *conf_unknown_nearest(enum conf_scope scope, const char *name);

/* What kvcached has in place of an option of another server, as foreign.def has it; NULL: `name` is
 * in no line there. */
const char *conf_unknown_foreign(const char *name);

#endif
