/*
 * conf_pattern.c - globs of namespaces' names, one or a list of them.
 *
 * protocol/glob.h says what a glob is. This room does not link protocol/, and takes fewer globs:
 * bytes that no namespace can have in its name are refused, among them the backslash and the
 * signs that negate a set, because they are more likely a mistake than meant. A test compares the
 * two.
 */
#include "conf/conf_pattern.h"

#include <string.h>

#include "conf/conf_option.h"
#include "conf/conf_report.h"
#include "conf/conf_setting.h"
#include "conf/conf_strings.h"

static const char no_pattern[] = "not a pattern of namespaces";

/* `at` is behind the `[` of a set; returns what follows its `]`. NULL where the set is malformed:
 * then *wrong says how. A `]` that comes first belongs to the set. */
static const char *skip_set(const char *at, const char **wrong)
{
    for (const char *first = at; *at != ']' || at == first;) {
        char low = *at;
        if (low == '\0' || at[1] == '\0') {
            *wrong = "a pattern with a [ that has no ]";
            return NULL;
        }
        at++;
        if (at[0] != '-' || at[1] == ']' || at[1] == '\0') {
            continue;
        }
        if (at[1] < low) {
            *wrong = "a pattern with a range that runs backwards";
            return NULL;
        }
        at += 2;
    }
    return at + 1;
}

/* NULL where the text is a pattern; else what it is instead. */
static const char *find_mistake(const struct conf_option *option, const char *text)
{
    static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_.-*?[]";
    size_t length = strlen(text);
    const char *wrong = NULL;
    if (length == 0 || strspn(text, taken) != length) {
        return no_pattern;
    }
    if (length > conf_option_bounds(option).most) {
        return "too long";
    }
    for (const char *at = text; at != NULL && *at != '\0';) {
        at = *at == '[' ? skip_set(at + 1, &wrong) : at + 1;
    }
    return wrong;
}

/* A conf_strings_check. */
static bool check(const struct conf_option *option, config_setting_t *setting, const char *text,
                  size_t before, struct conf_report *report)
{
    (void)before;
    if (text != NULL && strcmp(text, "-") == 0) {
        conf_report_option(report, config_setting_source_line(setting), option,
                           "\"-\" is no namespace here, write the namespace's own name");
        return false;
    }
    const char *wrong = text != NULL ? find_mistake(option, text) : no_pattern;
    if (wrong != NULL) {
        conf_setting_refuse(option, setting, report, wrong);
    }
    return wrong == NULL;
}

bool conf_pattern_read(const struct conf_option *option, config_setting_t *setting,
                       struct conf_patterns *patterns, struct conf_report *report)
{
    return conf_strings_read(option, setting, patterns, check, report);
}
