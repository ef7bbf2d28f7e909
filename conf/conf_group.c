/*
 * conf_group.c - the groups of a list, and what all checks of groups need.
 *
 * A list can have 60,000 groups, so duplicates are found by sorting.
 */
#include "conf/conf_group.h"

#include <stdlib.h>
#include <string.h>

#include "conf/conf_setting.h"

unsigned conf_group_line(const config_setting_t *group, const char *name)
{
    const config_setting_t *setting = config_setting_get_member(group, name);
    return setting != NULL ? setting->line : group->line;
}

const config_setting_t *conf_group_list(const config_setting_t *root, const char *name)
{
    return conf_setting_given(root, name) ? config_setting_get_member(root, name) : NULL;
}

const config_setting_t *conf_group_at(const config_setting_t *list, size_t i)
{
    const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
    return group != NULL && config_setting_is_group(group) ? group : NULL;
}

/* Below, at or above 0, as strcmp. */
static int compare(const struct conf_group_key *a, const struct conf_group_key *b)
{
    if (a->number != b->number) {
        return a->number < b->number ? -1 : 1;
    }
    return strcmp(a->text, b->text);
}

static int by_key(const void *a, const void *b)
{
    const struct conf_group_key *one = a, *other = b;
    int order = compare(one, other);
    return order != 0 ? order : one->place < other->place ? -1 : 1;
}

static void report_repeated(const config_setting_t *group, const config_setting_t *first,
                            const struct conf_option *option, const char *claim,
                            struct conf_report *report)
{
    const char *value = "";
    unsigned here = conf_group_line(group, option->name);
    unsigned there = conf_group_line(first, option->name);
    config_setting_lookup_string(group, option->name, &value);
    conf_report_option(report, here, option, "\"%s\" %s in %s already, keep one of them", value,
                       claim, conf_report_line(report, here, there).bytes);
}

void conf_group_check_unique(const config_setting_t *list, const struct conf_option *option,
                             const char *claim, struct conf_group_key *keys, size_t count,
                             struct conf_report *report)
{
    size_t first = 0;
    if (count > 0) {
        qsort(keys, count, sizeof keys[0], by_key);
    }
    for (size_t i = 1; i < count; i++) {
        if (compare(&keys[i], &keys[first]) != 0) {
            first = i;
            continue;
        }
        report_repeated(conf_group_at(list, keys[i].place), conf_group_at(list, keys[first].place),
                        option, claim, report);
    }
}

void conf_group_check_names(const config_setting_t *list, enum conf_scope scope,
                            struct conf_report *report)
{
    size_t length = (size_t)config_setting_length(list), count = 0;
    struct conf_group_key *names = calloc(length + 1, sizeof *names);
    report->no_memory |= names == NULL;
    for (size_t i = 0; i < length && names != NULL; i++) {
        const config_setting_t *group = conf_group_at(list, i);
        const char *name;
        if (group == NULL || conf_setting_refused(group, "name")) {
            continue;
        }
        if (config_setting_lookup_string(group, "name", &name)) {
            names[count++] = (struct conf_group_key){.text = name, .place = i};
        } else {
            CONF_COMPLAIN(report, group, scope, "name",
                          "it is missing, write name = \"...\"; in this group");
        }
    }
    conf_group_check_unique(list, conf_option_find(scope, "name"), "is declared", names, count,
                            report);
    free(names);
}
