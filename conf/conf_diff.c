/*
 * conf_diff.c - which options differ between two configurations, and which of them need a restart.
 *
 * It compares the fields of all options in the table, so that a new option needs nothing here.
 */
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "conf/conf_diff.h"
#include "conf/conf_option.h"

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
    case TYPE_ARENA:
        return same_group(SCOPE_ARENA, a, b);
    case TYPE_NAMESPACES:
        return same_namespaces(a, b);
    case TYPE_USERS:
        return same_users(a, b);
    case TYPE_PATTERNS:
        return same_patterns((const void *)one, (const void *)other);
    case TYPE_METRICS:
        return same_group(SCOPE_METRICS, a, b);
    case TYPE_LOGGING:
        return same_group(SCOPE_LOG, a, b);
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

void conf_changes(const struct conf *before, const struct conf *next, char *names, size_t size)
{
    list_changes(before, next, CHANGE_RELOAD, names, size);
}
