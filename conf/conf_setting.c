/*
 * conf_setting.c - a setting of libconfig's tree: its value as text, and whether it was refused.
 */
#include "conf/conf_setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_bare.h"
#include "conf/conf_option.h"
#include "conf/conf_report.h"

void conf_setting_value(const config_setting_t *setting, struct conf_setting_value *value)
{
    const char *string;
    *value = (struct conf_setting_value){.kind = KIND_NUMBER, .text = value->digits};
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
        snprintf(value->digits, sizeof value->digits, "%d", config_setting_get_int(setting));
        return;
    case CONFIG_TYPE_INT64:
        snprintf(value->digits, sizeof value->digits, "%lld", config_setting_get_int64(setting));
        return;
    case CONFIG_TYPE_FLOAT:
        snprintf(value->digits, sizeof value->digits, "%.15g", config_setting_get_float(setting));
        return;
    case CONFIG_TYPE_BOOL:
        value->kind = KIND_BOOL;
        value->text = config_setting_get_bool(setting) ? "true" : "false";
        return;
    case CONFIG_TYPE_STRING:
        string = config_setting_get_string(setting);
        value->kind = KIND_STRING;
        value->text = string != NULL ? string : "";
        if (value->text[0] == CONF_BARE_MARK) {
            value->kind = KIND_BARE;
            value->text++;
        }
        return;
    case CONFIG_TYPE_GROUP:
        *value = (struct conf_setting_value){.kind = KIND_OTHER, .text = "this group"};
        return;
    case CONFIG_TYPE_ARRAY:
        *value = (struct conf_setting_value){.kind = KIND_OTHER, .text = "this array"};
        return;
    default:
        *value = (struct conf_setting_value){.kind = KIND_OTHER, .text = "this list"};
        return;
    }
}

/* A hook that is not NULL marks a refused setting. libconfig keeps the pointer and does nothing
 * else with it. */
static void mark(config_setting_t *setting)
{
    config_setting_set_hook(setting, setting);
}

void conf_setting_refuse(const struct conf_option *option, config_setting_t *setting,
                         struct conf_report *report, const char *wrong)
{
    char expected[160];
    struct conf_setting_value value;
    conf_setting_value(setting, &value);
    if (option->type == TYPE_SECRET) {
        value = (struct conf_setting_value){.kind = KIND_OTHER, .text = "what stands here"};
    }
    mark(setting);
    conf_option_expected(option, expected, sizeof expected);
    const char *quote = value.kind == KIND_STRING ? "\"" : "";
    conf_report_option(report, config_setting_source_line(setting), option,
                       "%s%s%s is %s, write %s", quote, conf_report_shown(value.text).bytes, quote,
                       wrong, expected);
}

void conf_setting_refuse_bare(const struct conf_option *option, config_setting_t *setting,
                              struct conf_report *report)
{
    struct conf_setting_value value;
    unsigned line = config_setting_source_line(setting);
    conf_setting_value(setting, &value);
    char *text = strdup(value.text);
    if (option->type == TYPE_SECRET) {
        conf_report_option(report, line, option, "write the hash in quotation marks");
    } else {
        conf_report_option(report, line, option, "write \"%s\" in quotation marks",
                           conf_report_shown(value.text).bytes);
    }
    if (text == NULL || !config_setting_set_string(setting, text)) {
        report->no_memory = true;
    }
    mark(setting);
    free(text);
}

bool conf_setting_refused(const config_setting_t *group, const char *name)
{
    const config_setting_t *setting = config_setting_get_member(group, name);
    return setting != NULL && config_setting_get_hook(setting) != NULL;
}

bool conf_setting_given(const config_setting_t *group, const char *name)
{
    const config_setting_t *setting = config_setting_get_member(group, name);
    return setting != NULL && config_setting_get_hook(setting) == NULL;
}
