/*
 * conf_diff.c - which options differ between two configurations and need a restart.
 *
 * It compares the fields of all options in the table, so that a new option needs nothing here.
 */
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "conf/conf_option.h"

static bool same_string(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_listeners(const struct conf *a, const struct conf *b);
static bool same_group(enum conf_scope scope, const struct conf *a, const struct conf *b);

/* Whether an option has the same value in two structs of its scope. */
static bool same_value(const struct conf_option *option, const void *a, const void *b)
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
    case TYPE_USERS:
    case TYPE_PATTERNS:
    case TYPE_METRICS:
    case TYPE_SLOW_LOG:
    case TYPE_LOGGING:
        return true; /* a reload applies these */
    }
    return true;
}

/* A group whose options are fields of struct conf itself. */
static bool same_group(enum conf_scope scope, const struct conf *a, const struct conf *b)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        if (conf_options[i].scope == scope && !same_value(&conf_options[i], a, b)) {
            return false;
        }
    }
    return true;
}

static bool same_listeners(const struct conf *a, const struct conf *b)
{
    if (a->listen_count != b->listen_count) {
        return false;
    }
    for (size_t i = 0; i < a->listen_count; i++) {
        for (size_t j = 0; j < conf_option_count; j++) {
            if (conf_options[j].scope == SCOPE_LISTEN &&
                !same_value(&conf_options[j], &a->listen[i], &b->listen[i])) {
                return false;
            }
        }
    }
    return true;
}

void conf_needs_restart(const struct conf *now, const struct conf *next, char *names, size_t size)
{
    size_t used = 0;
    if (size > 0) {
        names[0] = '\0';
    }
    for (size_t i = 0; i < conf_option_count && used < size; i++) {
        const struct conf_option *option = &conf_options[i];
        if (option->scope != SCOPE_TOP || option->change != CHANGE_RESTART ||
            same_value(option, now, next)) {
            continue;
        }
        int wrote = snprintf(names + used, size - used, "%s%s", used > 0 ? ", " : "", option->name);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}
