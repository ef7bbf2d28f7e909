/*
 * conf_group.c - groups of a list, for those who check them.
 *
 * A list can have tens of thousands of groups, so what must be there only once
 * is found by sorting.
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

static int by_name(const void *a, const void *b)
{
    const struct conf_named *one = a, *other = b;
    int order = strcmp(one->name, other->name);
    return order != 0 ? order : one->place < other->place ? -1 : 1;
}

void conf_group_named_once(const config_setting_t *list, enum conf_scope scope,
                           struct conf_named *names, size_t count, struct conf_report *report)
{
    size_t first = 0;
    if (count > 0) {
        qsort(names, count, sizeof names[0], by_name);
    }
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i].name, names[first].name) != 0) {
            first = i;
            continue;
        }
        const config_setting_t *group = conf_group_at(list, names[i].place);
        unsigned there = conf_group_line(conf_group_at(list, names[first].place), "name");
        unsigned here = conf_group_line(group, "name");
        CONF_COMPLAIN(report, group, scope, "name",
                      "\"%s\" is declared in %s already, keep one of them", names[i].name,
                      conf_report_line(report, here, there).bytes);
    }
}
