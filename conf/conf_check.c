/*
 * conf_check.c - what options mean together: duplicates and contradictions.
 *
 * Each value for itself was read and found good, or was refused: then nothing
 * is concluded from it here, so that one mistake is told once. A message stands
 * at the line that is to be changed.
 */
#include "conf/conf_check.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_option.h"
#include "conf/conf_report.h"
#include "conf/conf_scan.h"
#include "conf/conf_units.h"
#include "conf/conf_value.h"

enum { MEMORY_PER_VALUE = 4 }; /* a value may take this part of the memory */

/* Reports about an option of a group: at its line, or at the group's where it is
 * not given. */
#define COMPLAIN(report, group, scope, name, ...)                                                  \
    conf_report_option(report, line_of(group, name), conf_option_find(scope, name), __VA_ARGS__)

static unsigned line_of(const config_setting_t *group, const char *name)
{
    const config_setting_t *setting = config_setting_get_member(group, name);

    return setting != NULL ? setting->line : group->line;
}

/* The groups of a list that was not refused: NULL when there is none. */
static const config_setting_t *list_of(const config_setting_t *root, const char *name)
{
    return conf_value_given(root, name) ? config_setting_get_member(root, name) : NULL;
}

static const config_setting_t *group_at(const config_setting_t *list, size_t i)
{
    const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);

    return group != NULL && config_setting_is_group(group) ? group : NULL;
}

/* --- names ---------------------------------------------------------------- */

/* A name that conf_scan has changed because its group had it already. */
static bool check_again(const config_setting_t *group, const config_setting_t *setting,
                        const char *prefix, struct conf_report *report)
{
    const char *at = config_setting_name(setting);
    char *end;

    if (strncmp(at, CONF_SCAN_AGAIN, strlen(CONF_SCAN_AGAIN)) != 0)
        return false;
    unsigned first = (unsigned)strtoul(at + strlen(CONF_SCAN_AGAIN), &end, 10);
    const char *name = *end == '*' ? strchr(end + 1, '*') : NULL;
    if (name == NULL || config_setting_get_member(group, name + 1) == NULL)
        return false;
    conf_report_add(report, setting->line, "%s%s: it is given in %s already, keep one of them",
                    prefix, conf_report_shown(name + 1).bytes,
                    conf_report_line(report, setting->line, first).bytes);
    return true;
}

/* Where an option of that name belongs, or NULL. */
static const char *home_of(const char *name)
{
    static const struct {
        enum conf_scope scope;
        const char *home;
    } homes[] = {
        {SCOPE_TOP, "at the top level"},
        {SCOPE_LISTEN, "in a group of listen"},
        {SCOPE_NAMESPACES, "in a group of namespaces"},
        {SCOPE_ARENA, "in the group arena"},
        {SCOPE_LOG, "in the group log"},
    };

    for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
        if (conf_option_find(homes[i].scope, name) != NULL)
            return homes[i].home;
    return NULL;
}

void conf_check_names(const config_setting_t *group, int scope, struct conf_report *report)
{
    const char *prefix = conf_option_prefix((enum conf_scope)scope);

    for (unsigned i = 0; i < (unsigned)config_setting_length(group); i++) {
        const config_setting_t *setting = config_setting_get_elem(group, i);
        const char *name = config_setting_name(setting);
        if (conf_option_find((enum conf_scope)scope, name) != NULL ||
            check_again(group, setting, prefix, report))
            continue;

        const struct conf_option *nearest = conf_option_nearest((enum conf_scope)scope, name);
        struct conf_shown shown = conf_report_shown(name);
        if (home_of(name) != NULL)
            conf_report_add(report, setting->line, "%s%s: it is no option here, write it %s",
                            prefix, shown.bytes, home_of(name));
        else if (nearest != NULL)
            conf_report_add(report, setting->line,
                            "%s%s: there is no such option, did you mean %s?", prefix, shown.bytes,
                            nearest->name);
        else
            conf_report_add(report, setting->line,
                            "%s%s: there is no such option, see kvcached.conf(5) for those there "
                            "are",
                            prefix, shown.bytes);
    }
}

/* --- listeners -------------------------------------------------------------- */

static void check_socket(const config_setting_t *group, struct conf_report *report)
{
    static const char *const of_tcp[] = {"address", "port"};
    static const char *const of_unix[] = {"owner", "mode"};
    const char *path = NULL;
    bool is_unix = config_setting_lookup_string(group, "path", &path) && *path != '\0';

    if (conf_value_refused(group, "path"))
        return;
    for (size_t i = 0; i < 2; i++) {
        if (is_unix && config_setting_get_member(group, of_tcp[i]) != NULL)
            COMPLAIN(report, group, SCOPE_LISTEN, of_tcp[i],
                     "a Unix socket has none, write either path or address and port");
        if (!is_unix && config_setting_get_member(group, of_unix[i]) != NULL)
            COMPLAIN(report, group, SCOPE_LISTEN, of_unix[i],
                     "only a Unix socket has one, write it beside path or leave it out");
    }
}

/* What only memcached's clients need, who name no namespace. */
static void check_memcache(const config_setting_t *group, struct conf_report *report)
{
    static const char *const options[] = {"namespace", "prefix"};
    const char *protocol = "";

    config_setting_lookup_string(group, "protocol", &protocol);
    if (strcmp(protocol, "memcache") == 0 || conf_value_refused(group, "protocol"))
        return;
    for (size_t i = 0; i < 2; i++)
        if (config_setting_get_member(group, options[i]) != NULL)
            COMPLAIN(report, group, SCOPE_LISTEN, options[i],
                     "it needs protocol = \"memcache\" beside it; clients of the native protocol "
                     "name their namespaces");
}

static bool same_address(const char *a, const char *b)
{
    struct in6_addr one = {0}, other = {0};
    int family = strchr(a, ':') != NULL ? AF_INET6 : AF_INET;

    return inet_pton(family, a, &one) == 1 && inet_pton(family, b, &other) == 1 &&
           memcmp(&one, &other, sizeof(one)) == 0;
}

static bool same_listener(const struct conf_listen *a, const struct conf_listen *b)
{
    if (a->path != NULL || b->path != NULL)
        return a->path != NULL && b->path != NULL && strcmp(a->path, b->path) == 0;
    return a->port == b->port && a->port != 0 && a->address != NULL && b->address != NULL &&
           same_address(a->address, b->address);
}

static bool is_sound(const config_setting_t *group)
{
    return group != NULL && !conf_value_refused(group, "path") &&
           !conf_value_refused(group, "address") && !conf_value_refused(group, "port");
}

static void check_listeners(const config_setting_t *list, const struct conf *conf,
                            struct conf_report *report)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        const config_setting_t *group = group_at(list, i);
        if (group != NULL) {
            check_socket(group, report);
            check_memcache(group, report);
        }
        for (size_t j = 0; j < i && is_sound(group); j++) {
            const config_setting_t *other = group_at(list, j);
            const struct conf_listen *listen = &conf->listen[i];
            if (!is_sound(other) || !same_listener(listen, &conf->listen[j]))
                continue;
            const char *name = listen->path != NULL ? "path" : "port";
            unsigned line = line_of(group, name);
            COMPLAIN(report, group, SCOPE_LISTEN, name,
                     "the group in %s listens there already, write another or leave this one out",
                     conf_report_line(report, line, other->line).bytes);
            break;
        }
    }
}

/* --- namespaces --------------------------------------------------------------- */

static void check_ttl(const config_setting_t *group, const struct conf_namespace *space,
                      struct conf_report *report)
{
    if (!conf_value_given(group, "ttl"))
        return;
    if (space->max_ttl != CONF_NEVER && !conf_value_refused(group, "max_ttl") &&
        (space->ttl == CONF_NEVER || space->ttl > space->max_ttl))
        COMPLAIN(report, group, SCOPE_NAMESPACES, "ttl",
                 "%s is longer than max_ttl, write at most %s",
                 conf_units_duration(space->ttl).bytes, conf_units_duration(space->max_ttl).bytes);
    else if (space->ttl == CONF_NEVER && space->require_ttl)
        COMPLAIN(report, group, SCOPE_NAMESPACES, "ttl",
                 "never is what require_ttl forbids, write a time or leave it out");
}

/* A name and the number of its group, for sorting. */
struct named {
    const char *name;
    size_t number;
};

static int by_name(const void *a, const void *b)
{
    const struct named *one = a, *other = b;
    int order = strcmp(one->name, other->name);

    return order != 0 ? order : one->number < other->number ? -1 : 1;
}

static void check_named_once(const config_setting_t *list, struct named *names, size_t count,
                             struct conf_report *report)
{
    size_t first = 0;

    qsort(names, count, sizeof(names[0]), by_name);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(names[i].name, names[first].name) != 0) {
            first = i;
            continue;
        }
        const config_setting_t *group = group_at(list, names[i].number);
        unsigned there = line_of(group_at(list, names[first].number), "name");
        COMPLAIN(report, group, SCOPE_NAMESPACES, "name",
                 "\"%s\" is declared in %s already, keep one of them", names[i].name,
                 conf_report_line(report, line_of(group, "name"), there).bytes);
    }
}

static void check_namespaces(const config_setting_t *list, const struct conf *conf,
                             struct conf_report *report)
{
    struct named *names = calloc(conf->namespace_count + 1, sizeof(*names));
    size_t count = 0;

    if (names == NULL) {
        report->lost = true;
        return;
    }
    for (size_t i = 0; i < conf->namespace_count; i++) {
        const config_setting_t *group = group_at(list, i);
        if (group == NULL)
            continue;
        if (conf_value_given(group, "name"))
            names[count++] = (struct named){conf->namespaces[i].name, i};
        else if (!conf_value_refused(group, "name"))
            COMPLAIN(report, group, SCOPE_NAMESPACES, "name",
                     "it is missing, write name = \"...\"; in this group");
        check_ttl(group, &conf->namespaces[i], report);
    }
    if (count > 0)
        check_named_once(list, names, count, report);
    free(names);
}

/* Told once, at the quota that is too much. */
static void check_quotas(const config_setting_t *list, const struct conf *conf,
                         struct conf_report *report)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < conf->namespace_count; i++) {
        sum += conf->namespaces[i].memory;
        if (sum <= conf->memory)
            continue;
        const config_setting_t *group = group_at(list, i);
        COMPLAIN(report, group, SCOPE_NAMESPACES, "memory",
                 "the quotas up to here come to %s, which is more than memory at the top level, "
                 "write smaller ones or a memory larger than %s",
                 conf_units_size(sum).bytes, conf_units_size(conf->memory).bytes);
        return;
    }
}

/* --- the rest ------------------------------------------------------------------ */

static void check_max_value(const config_setting_t *root, const struct conf *conf,
                            struct conf_report *report)
{
    uint64_t most = conf->memory / MEMORY_PER_VALUE;

    if (conf->max_value > most)
        COMPLAIN(report, root, SCOPE_TOP, "max_value",
                 "%s is more than a quarter of memory, write at most %s",
                 conf_units_size(conf->max_value).bytes, conf_units_size(most).bytes);
}

/* A default namespace that was chosen and that nobody may use. */
static void check_default_namespace(const config_setting_t *root, const struct conf *conf,
                                    struct conf_report *report)
{
    if (conf->policy != CONF_DECLARED || !conf_value_given(root, "namespace") ||
        conf_value_refused(root, "namespaces"))
        return;
    for (size_t i = 0; i < conf->namespace_count; i++)
        if (conf->namespaces[i].name != NULL &&
            strcmp(conf->namespaces[i].name, conf->default_namespace) == 0)
            return;
    COMPLAIN(report, root, SCOPE_TOP, "namespace",
             "\"%s\" is not declared, and namespaces_policy wants it to be: add it to namespaces",
             conf->default_namespace);
}

void conf_check(const config_setting_t *root, const struct conf *conf, struct conf_report *report)
{
    const config_setting_t *listen = list_of(root, "listen");
    const config_setting_t *namespaces = list_of(root, "namespaces");
    bool memory_known = !conf_value_refused(root, "memory");

    if (listen != NULL)
        check_listeners(listen, conf, report);
    if (namespaces != NULL)
        check_namespaces(namespaces, conf, report);
    if (namespaces != NULL && memory_known)
        check_quotas(namespaces, conf, report);
    if (memory_known && !conf_value_refused(root, "max_value"))
        check_max_value(root, conf, report);
    check_default_namespace(root, conf, report);
}
