/*
 * conf_setting.h - a setting of libconfig's tree: its value as text, and whether it was refused.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_SETTING_H
#define KVCACHED_CONF_CONF_SETTING_H

#include <libconfig.h>
#include <stdbool.h>

struct conf_option;
struct conf_report;

/* What libconfig may hold, as far as options tell it apart. */
enum conf_setting_kind {
    KIND_STRING,
    KIND_BARE, /* a string without quotation marks, which is refused (conf_bare.h) */
    KIND_NUMBER,
    KIND_BOOL,
    KIND_OTHER,
};

struct conf_setting_value {
    enum conf_setting_kind kind;
    const char *text; /* of a group, array or list: "this group" and so on */
    char digits[32];  /* a number's text */
};

/* value->text points into the setting or into *value, which must not be copied. */
void conf_setting_value(const config_setting_t *setting, struct conf_setting_value *value);

/* Reports that a setting is not what the option takes, and marks it as refused. The report
 * repeats the value, unless it might be a secret. */
void conf_setting_refuse(const struct conf_option *option, config_setting_t *setting,
                         struct conf_report *report, const char *wrong);

/* Reports that the value, which is otherwise good, needs quotation marks, and marks the setting as
 * refused. From then on the setting is what it would be with them. */
void conf_setting_refuse_bare(const struct conf_option *option, config_setting_t *setting,
                              struct conf_report *report);

/* True when the group has the setting and it was not refused. */
bool conf_setting_given(const config_setting_t *group, const char *name);
/* True when the group has the setting and it was refused. */
bool conf_setting_refused(const config_setting_t *group, const char *name);

#endif
