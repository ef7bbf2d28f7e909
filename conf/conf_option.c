/*
 * conf_option.c - options.def as a table, and what follows from it for each option.
 *
 * Messages and the manual page both describe an option's range with conf_option_expected, so
 * that they cannot differ.
 */
#include "conf/conf_option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_units.h"
#include "protocol/edit_distance.h"

#define STRUCT_TOP        struct conf
#define STRUCT_LISTEN     struct conf_listen
#define STRUCT_NAMESPACES struct conf_namespace
#define STRUCT_USERS      struct conf_user
#define STRUCT_ARENA      struct conf
#define STRUCT_CLUSTER    struct conf
#define STRUCT_METRICS    struct conf
#define STRUCT_SLOW_LOG   struct conf
#define STRUCT_LOG        struct conf

const struct conf_option conf_options[] = {
#define OPTION(scope, name, field, type, range, fallback, change, help)                            \
    {SCOPE_##scope, #name,           TYPE_##type, range,                                           \
     fallback,      CHANGE_##change, help,        offsetof(STRUCT_##scope, field)},
#include "conf/options.def"
#undef OPTION
};

const size_t conf_option_count = sizeof conf_options / sizeof conf_options[0];

const struct conf_option *conf_option_find(enum conf_scope scope, const char *name)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        if (conf_options[i].scope == scope && strcmp(conf_options[i].name, name) == 0) {
            return &conf_options[i];
        }
    }
    return NULL;
}

const char *conf_option_prefix(enum conf_scope scope)
{
    static const char *const prefixes[] = {
        [SCOPE_TOP] = "",
        [SCOPE_LISTEN] = "listen.",
        [SCOPE_NAMESPACES] = "namespaces.",
        [SCOPE_USERS] = "users.",
        [SCOPE_ARENA] = "arena.",
        [SCOPE_CLUSTER] = "cluster.",
        [SCOPE_METRICS] = "metrics.",
        [SCOPE_SLOW_LOG] = "slow_log.",
        [SCOPE_LOG] = "log.",
    };
    return prefixes[scope];
}

enum conf_scope conf_option_members(const struct conf_option *option)
{
    switch (option->type) {
    case TYPE_LISTENERS:
        return SCOPE_LISTEN;
    case TYPE_NAMESPACES:
        return SCOPE_NAMESPACES;
    case TYPE_USERS:
        return SCOPE_USERS;
    case TYPE_ARENA:
        return SCOPE_ARENA;
    case TYPE_CLUSTER:
        return SCOPE_CLUSTER;
    case TYPE_METRICS:
        return SCOPE_METRICS;
    case TYPE_SLOW_LOG:
        return SCOPE_SLOW_LOG;
    case TYPE_LOGGING:
        return SCOPE_LOG;
    default:
        return SCOPE_TOP;
    }
}

bool conf_option_quoted(const struct conf_option *option)
{
    switch (option->type) {
    case TYPE_COUNT:
    case TYPE_PORT:
    case TYPE_BOOL:
    case TYPE_PATTERNS:
    case TYPE_NODES:
        return false;
    default:
        return conf_option_members(option) == SCOPE_TOP;
    }
}

static uint64_t bound(const struct conf_option *option, const char *text)
{
    uint64_t value = 0;
    switch (option->type) {
    case TYPE_SIZE:
    case TYPE_MEMORY:
    case TYPE_QUOTA:
        conf_units_parse_size(text, &value);
        return value;
    case TYPE_DURATION:
    case TYPE_LIFETIME:
        conf_units_parse_duration(text, &value);
        return value;
    case TYPE_MODE:
        return strtoull(text, NULL, 8);
    default:
        return strtoull(text, NULL, 10);
    }
}

/* "4M..1T" as its two texts. */
struct ends {
    char least[24];
    char most[24];
};

static struct ends ends(const struct conf_option *option)
{
    struct ends texts = {"0", "0"};
    const char *dots = strstr(option->range, "..");
    if (dots != NULL) {
        snprintf(texts.least, sizeof texts.least, "%.*s", (int)(dots - option->range),
                 option->range);
        snprintf(texts.most, sizeof texts.most, "%s", dots + 2);
    }
    return texts;
}

struct conf_bounds conf_option_bounds(const struct conf_option *option)
{
    struct ends texts = ends(option);
    return (struct conf_bounds){bound(option, texts.least), bound(option, texts.most)};
}

size_t conf_option_word(const struct conf_option *option, const char *word)
{
    size_t length = strlen(word);
    size_t place = 0;
    for (const char *at = option->range; *at != '\0'; place++) {
        size_t here = strcspn(at, "|");
        if (here == length && memcmp(at, word, length) == 0) {
            return place;
        }
        at += here + (at[here] == '|');
    }
    return place;
}

/* "a|b|c" as `"a", "b" or "c"`. */
static void list_words(const char *range, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (const char *at = range; *at != '\0' && used < size;) {
        size_t here = strcspn(at, "|");
        const char *rest = at + here + (at[here] == '|');
        const char *joint = at == range ? "" : *rest == '\0' ? " or " : ", ";
        int wrote = snprintf(text + used, size - used, "%s\"%.*s\"", joint, (int)here, at);
        used += wrote > 0 ? (size_t)wrote : 0;
        at = rest;
    }
}

/* What the two ends of a range measure. */
static const char *measured(enum conf_type type)
{
    switch (type) {
    case TYPE_SIZE:
    case TYPE_MEMORY:
        return "a size";
    case TYPE_QUOTA:
        return "0 or a size";
    case TYPE_DURATION:
        return "a time";
    case TYPE_LIFETIME:
        return "\"never\" or a time";
    default:
        return "a whole number";
    }
}

void conf_option_expected(const struct conf_option *option, char *text, size_t size)
{
    struct ends range = ends(option);
    switch (option->type) {
    case TYPE_MEMORY:
        snprintf(text, size, "%s from \"%s\" to \"%s\" or a share such as \"75%%\"",
                 measured(option->type), range.least, range.most);
        return;
    case TYPE_SIZE:
    case TYPE_QUOTA:
    case TYPE_DURATION:
    case TYPE_LIFETIME:
        snprintf(text, size, "%s from \"%s\" to \"%s\"", measured(option->type), range.least,
                 range.most);
        return;
    case TYPE_COUNT:
    case TYPE_PORT:
        snprintf(text, size, "%s from %s to %s", measured(option->type), range.least, range.most);
        return;
    case TYPE_MODE:
        snprintf(text, size, "octal digits in quotes, \"0\" to \"%s\"", range.most);
        return;
    case TYPE_BOOL:
        snprintf(text, size, "true or false");
        return;
    case TYPE_CHOICE:
    case TYPE_LEVEL:
    case TYPE_WORD:
        list_words(option->range, text, size);
        return;
    case TYPE_NAME:
    case TYPE_LOGIN:
        snprintf(text, size, "%s to %s of A-Z a-z 0-9 _ . - (but not - alone)", range.least,
                 range.most);
        return;
    case TYPE_ADDRESS:
        snprintf(text, size,
                 "a numeric address such as \"127.0.0.1\" or \"::1\", or \"localhost\"");
        return;
    case TYPE_PATH:
        snprintf(text, size, "a path that begins with / and has at most %s bytes", range.most);
        return;
    case TYPE_OWNER:
        snprintf(text, size, "\"user\" or \"user:group\" of this machine");
        return;
    case TYPE_USER:
        snprintf(text, size, "the name of a user of this machine");
        return;
    case TYPE_TARGET:
        snprintf(text, size, "\"stderr\", \"syslog\" or a path that begins with /");
        return;
    case TYPE_SECRET:
        snprintf(text, size, "what \"kvcached --hash-secret\" prints for the secret");
        return;
    case TYPE_PATTERNS:
        snprintf(text, size, "%s to %s of A-Z a-z 0-9 _ . - * ? [ ] in quotes, or a list of such",
                 range.least, range.most);
        return;
    case TYPE_NODES:
        snprintf(text, size, "a list of %s to %s nodes, ( \"host:port\", \"[2001:db8::1]:6379\" )",
                 range.least, range.most);
        return;
    case TYPE_LISTENERS:
    case TYPE_NAMESPACES:
    case TYPE_USERS:
        snprintf(text, size, "a list of %s to %s groups, ( { ... }, { ... } )", range.least,
                 range.most);
        return;
    case TYPE_ARENA:
        snprintf(text, size, "a group, { file = ...; }");
        return;
    case TYPE_CLUSTER:
        snprintf(text, size, "a group, { nodes = ( ... ); ... }");
        return;
    case TYPE_METRICS:
        snprintf(text, size, "a group, { namespaces = ...; }");
        return;
    case TYPE_SLOW_LOG:
        snprintf(text, size, "a group, { threshold = ...; entries = ...; }");
        return;
    case TYPE_LOGGING:
        snprintf(text, size,
                 "a group, { to = ...; level = ...; }, or \"stderr\", \"syslog\" or a "
                 "path that begins with /");
        return;
    }
}
