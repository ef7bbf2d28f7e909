/*
 * conf_diff.c - which options differ between two configurations: those that need a restart, and
 * those that a reload applies.
 *
 * It compares the fields of all options in the table, so that a new option needs nothing here.
 * Namespaces and users are compared by name. Secrets and patterns are never written.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "conf/conf_diff.h"
#include "conf/conf_option.h"
#include "conf/conf_render.h"

enum {
    ITEM_SIZE = 160, /* bytes of the text about one option, with its end; the rest is cut off */
    MORE_SIZE = 24,  /* " and 4294967295 more" */
};

static bool same_string(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_patterns(const struct conf_patterns *a, const struct conf_patterns *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->of[i], b->of[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* All options of a group. */
static bool same_group(enum conf_scope scope, const void *a, const void *b)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        if (conf_options[i].scope == scope && !conf_diff_same(&conf_options[i], a, b)) {
            return false;
        }
    }
    return true;
}

static bool same_listeners(const struct conf *a, const struct conf *b)
{
    bool same = a->listen_count == b->listen_count;
    for (size_t i = 0; same && i < a->listen_count; i++) {
        same = same_group(SCOPE_LISTEN, &a->listen[i], &b->listen[i]);
    }
    return same;
}

static bool same_namespaces(const struct conf *a, const struct conf *b)
{
    bool same = a->namespace_count == b->namespace_count;
    for (size_t i = 0; same && i < a->namespace_count; i++) {
        same = a->namespaces[i].ttl_set == b->namespaces[i].ttl_set &&
               a->namespaces[i].engine_set == b->namespaces[i].engine_set &&
               same_group(SCOPE_NAMESPACES, &a->namespaces[i], &b->namespaces[i]);
    }
    return same;
}

static bool same_users(const struct conf *a, const struct conf *b)
{
    bool same = a->user_count == b->user_count;
    for (size_t i = 0; same && i < a->user_count; i++) {
        same = same_group(SCOPE_USERS, &a->users[i], &b->users[i]);
    }
    return same;
}

bool conf_diff_same(const struct conf_option *option, const void *a, const void *b)
{
    const char *one = (const char *)a + option->offset;
    const char *other = (const char *)b + option->offset;
    switch (option->type) {
    case TYPE_SIZE:
    case TYPE_MEMORY:
    case TYPE_QUOTA:
    case TYPE_DURATION:
    case TYPE_LIFETIME:
        return memcmp(one, other, sizeof(uint64_t)) == 0;
    case TYPE_COUNT:
        return memcmp(one, other, sizeof(unsigned)) == 0;
    case TYPE_PORT:
        return memcmp(one, other, sizeof(uint16_t)) == 0;
    case TYPE_MODE:
        return memcmp(one, other, sizeof(mode_t)) == 0;
    case TYPE_BOOL:
        return memcmp(one, other, sizeof(bool)) == 0;
    case TYPE_CHOICE:
        return memcmp(one, other, sizeof(unsigned)) == 0;
    case TYPE_LEVEL:
        return memcmp(one, other, sizeof(int)) == 0;
    case TYPE_WORD:
    case TYPE_NAME:
    case TYPE_LOGIN:
    case TYPE_SECRET:
    case TYPE_ADDRESS:
    case TYPE_PATH:
    case TYPE_OWNER:
    case TYPE_USER:
    case TYPE_TARGET:
        return same_string(*(char *const *)(const void *)one, *(char *const *)(const void *)other);
    case TYPE_LISTENERS:
        return same_listeners(a, b);
    case TYPE_NAMESPACES:
        return same_namespaces(a, b);
    case TYPE_USERS:
        return same_users(a, b);
    case TYPE_PATTERNS:
    case TYPE_NODES:
        return same_patterns((const void *)one, (const void *)other);
    case TYPE_ARENA:
    case TYPE_CLUSTER:
    case TYPE_METRICS:
    case TYPE_SLOW_LOG:
    case TYPE_LOGGING:
        return same_group(conf_option_members(option), a, b);
    }
    return true;
}

/* Writes the names of the options at the top that differ: of those that need a restart, or of the
 * others. */
static void list_changes(const struct conf *a, const struct conf *b, enum conf_change change,
                         char *names, size_t size)
{
    size_t used = 0;
    if (size > 0) {
        names[0] = '\0';
    }
    for (size_t i = 0; i < conf_option_count && used < size; i++) {
        const struct conf_option *option = &conf_options[i];
        if (option->scope != SCOPE_TOP || option->change != change ||
            conf_diff_same(option, a, b)) {
            continue;
        }
        int wrote = snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "", option->name);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

void conf_needs_restart(const struct conf *now, const struct conf *next, char *names, size_t size)
{
    list_changes(now, next, CHANGE_RESTART, names, size);
}

/* --- what a reload applies ------------------------------------------------- */

struct changes {
    char *text;
    size_t size;
    size_t used;
    unsigned left_out; /* changes for which there was no room */
};

static void add(struct changes *changes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct changes *changes, const char *format, ...)
{
    char item[ITEM_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(item, sizeof item, format, arguments);
    va_end(arguments);
    if (changes->left_out > 0 ||
        changes->used + strlen(item) + 2 + MORE_SIZE > changes->size) { /* 2: the comma */
        changes->left_out++;
        return;
    }
    int wrote = snprintf(changes->text + changes->used, changes->size - changes->used, "%s%s",
                         changes->used > 0 ? ", " : "", item);
    changes->used += wrote > 0 ? (size_t)wrote : 0;
}

/* A namespace's ttl or engine that the file does not have is that of the top level. */
static bool is_unset(const struct conf_option *option, const void *fields)
{
    const struct conf_namespace *space = fields;
    if (option->scope != SCOPE_NAMESPACES) {
        return false;
    }
    return (option->offset == offsetof(struct conf_namespace, ttl) && !space->ttl_set) ||
           (option->offset == offsetof(struct conf_namespace, engine) && !space->engine_set);
}

static bool is_same(const struct conf_option *option, const void *a, const void *b)
{
    return is_unset(option, a) == is_unset(option, b) && conf_diff_same(option, a, b);
}

/* Adds the options of that scope which differ. `before` is written in front of their names. */
static void add_options(struct changes *changes, enum conf_scope scope, const char *before,
                        const void *now, const void *next)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *option = &conf_options[i];
        bool is_group = conf_option_members(option) != SCOPE_TOP; /* its options are compared */
        if (option->scope != scope || option->change != CHANGE_RELOAD || is_group ||
            is_same(option, now, next)) {
            continue;
        }
        struct conf_plain was = conf_render_plain(option, now);
        struct conf_plain is = conf_render_plain(option, next);
        if (is.bytes[0] == '\0') {
            add(changes, "%s%s changed", before, option->name);
        } else {
            add(changes, "%s%s %s (was %s)", before, option->name,
                is_unset(option, next) ? "unset" : is.bytes,
                is_unset(option, now) ? "unset" : was.bytes);
        }
    }
}

/* An array of namespaces or users: structs that begin with their name. */
struct group_list {
    enum conf_scope scope;
    const char *kind;
    const char *first;
    size_t count;
    size_t size; /* of one */
};

static const char *name_of(const void *group)
{
    return *(char *const *)group;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(name_of(*(const void *const *)a), name_of(*(const void *const *)b));
}

/* Pointers to all of them, by name; the caller frees them. NULL when there is no memory. */
static const void **sorted(const struct group_list *list)
{
    const void **groups = calloc(list->count + 1, sizeof *groups);
    for (size_t i = 0; groups != NULL && i < list->count; i++) {
        groups[i] = list->first + i * list->size;
    }
    if (groups != NULL) {
        qsort(groups, list->count, sizeof *groups, compare_names);
    }
    return groups;
}

/* Both are sorted, and end with NULL. */
static void add_groups(struct changes *changes, const struct group_list *list, const void **now,
                       const void **next)
{
    while (*now != NULL || *next != NULL) {
        int order = *now == NULL ? 1 : *next == NULL ? -1 : compare_names(now, next);
        if (order < 0) {
            add(changes, "%s %s removed", list->kind, name_of(*now++));
        } else if (order > 0) {
            add(changes, "%s %s added", list->kind, name_of(*next++));
        } else {
            char before[96];
            snprintf(before, sizeof before, "%s %s: ", list->kind, name_of(*now));
            add_options(changes, list->scope, before, *now++, *next++);
        }
    }
}

static void add_list(struct changes *changes, const struct group_list *now,
                     const struct group_list *next)
{
    const void **before = sorted(now), **after = sorted(next);
    if (before != NULL && after != NULL) {
        add_groups(changes, now, before, after);
    }
    free(before);
    free(after);
}

static struct group_list namespaces_of(const struct conf *conf)
{
    return (struct group_list){SCOPE_NAMESPACES, "namespace", (const char *)conf->namespaces,
                               conf->namespace_count, sizeof *conf->namespaces};
}

static struct group_list users_of(const struct conf *conf)
{
    return (struct group_list){SCOPE_USERS, "user", (const char *)conf->users, conf->user_count,
                               sizeof *conf->users};
}

void conf_changes(const struct conf *now, const struct conf *next, char *text, size_t size)
{
    static const enum conf_scope scopes[] = {SCOPE_TOP, SCOPE_METRICS, SCOPE_SLOW_LOG, SCOPE_LOG};
    struct changes changes = {.text = text, .size = size};
    struct group_list namespaces[] = {namespaces_of(now), namespaces_of(next)};
    struct group_list users[] = {users_of(now), users_of(next)};
    if (size > 0) {
        text[0] = '\0';
    }
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++) {
        add_options(&changes, scopes[i], conf_option_prefix(scopes[i]), now, next);
    }
    add_list(&changes, &users[0], &users[1]);
    add_list(&changes, &namespaces[0], &namespaces[1]);
    if (changes.left_out > 0 && changes.used < size) {
        snprintf(text + changes.used, size - changes.used, changes.used > 0 ? " and %u more" : "%u",
                 changes.left_out);
    }
}
