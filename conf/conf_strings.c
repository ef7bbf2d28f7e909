/*
 * conf_strings.c - see conf_strings.h.
 */
#include "conf/conf_strings.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_report.h"
#include "conf/conf_setting.h"

static bool append(struct conf_patterns *strings, const char *text)
{
    char **more = reallocarray(strings->of, strings->count + 1, sizeof *more);
    char *copy = more != NULL ? strdup(text) : NULL;
    if (more != NULL) {
        strings->of = more;
    }
    if (copy == NULL) {
        return false;
    }
    more[strings->count++] = copy;
    return true;
}

static bool read_one(const struct conf_option *option, config_setting_t *setting,
                     struct conf_patterns *strings, conf_strings_check *check,
                     struct conf_report *report)
{
    struct conf_setting_value value;
    conf_setting_value(setting, &value);
    bool is_string = value.kind == KIND_STRING || value.kind == KIND_BARE;
    if (!check(option, setting, is_string ? value.text : NULL, strings->count, report)) {
        return false;
    }
    if (value.kind == KIND_BARE) {
        conf_setting_refuse_bare(option, setting, report);
        return false;
    }
    if (!append(strings, value.text)) {
        report->no_memory = true;
    }
    return true;
}

bool conf_strings_read(const struct conf_option *option, config_setting_t *setting,
                       struct conf_patterns *strings, conf_strings_check *check,
                       struct conf_report *report)
{
    bool good = true;
    if (setting == NULL) {
        return true;
    }
    if (!config_setting_is_list(setting) && !config_setting_is_array(setting)) {
        return read_one(option, setting, strings, check, report);
    }
    for (unsigned i = 0; i < (unsigned)config_setting_length(setting); i++) {
        good &= read_one(option, config_setting_get_elem(setting, i), strings, check, report);
    }
    return good;
}
