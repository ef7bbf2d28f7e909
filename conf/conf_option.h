/*
 * conf_option.h - options.def as a table.
 *
 * Inside conf/ only. The table is constant. conf_value.h reads a value into its field,
 * conf_check.h compares options with each other.
 */
#ifndef KVCACHED_CONF_CONF_OPTION_H
#define KVCACHED_CONF_CONF_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum conf_scope {
    SCOPE_TOP,
    SCOPE_LISTEN,
    SCOPE_NAMESPACES,
    SCOPE_USERS,
    SCOPE_ARENA,
    SCOPE_CLUSTER,
    SCOPE_METRICS,
    SCOPE_SLOW_LOG,
    SCOPE_LOG,
};

enum conf_change { CHANGE_RELOAD, CHANGE_RESTART };

/* What may be written, and in parentheses the field's type. */
enum conf_type {
    TYPE_SIZE,       /* bytes, or "64M" (uint64_t) */
    TYPE_MEMORY,     /* the same, or "75%" of what the process may use (uint64_t) */
    TYPE_QUOTA,      /* the same, or 0 (uint64_t) */
    TYPE_DURATION,   /* seconds, or "100ms" (uint64_t, milliseconds) */
    TYPE_LIFETIME,   /* the same, or 0 or "never" (uint64_t, milliseconds) */
    TYPE_COUNT,      /* a whole number (unsigned) */
    TYPE_PORT,       /* a whole number (uint16_t) */
    TYPE_MODE,       /* "0660" (mode_t) */
    TYPE_BOOL,       /* true or false (bool) */
    TYPE_CHOICE,     /* one of the range's words (enum: the word's place) */
    TYPE_LEVEL,      /* one of the range's words (int: syslog's number) */
    TYPE_WORD,       /* one of the range's words (char *) */
    TYPE_NAME,       /* a namespace's name (char *) */
    TYPE_LOGIN,      /* a name of struct conf's users (char *) */
    TYPE_ADDRESS,    /* a numeric IPv4 or IPv6 address (char *) */
    TYPE_PATH,       /* an absolute path (char *) */
    TYPE_OWNER,      /* "user" or "user:group" (char *) */
    TYPE_USER,       /* "user" (char *) */
    TYPE_TARGET,     /* "stderr", "syslog" or an absolute path (char *) */
    TYPE_SECRET,     /* a hash of crypt(3); is never shown (char *) */
    TYPE_PATTERNS,   /* a glob of namespaces' names, or a list (struct conf_patterns) */
    TYPE_NODES,      /* "host:port", or a list (struct conf_patterns) */
    TYPE_LISTENERS,  /* a list of groups of SCOPE_LISTEN */
    TYPE_NAMESPACES, /* a list of groups of SCOPE_NAMESPACES */
    TYPE_USERS,      /* a list of groups of SCOPE_USERS */
    TYPE_ARENA,      /* a group of SCOPE_ARENA */
    TYPE_CLUSTER,    /* a group of SCOPE_CLUSTER */
    TYPE_METRICS,    /* a group of SCOPE_METRICS */
    TYPE_SLOW_LOG,   /* a group of SCOPE_SLOW_LOG */
    TYPE_LOGGING,    /* a group of SCOPE_LOG, or log.to alone */
};

struct conf_option {
    enum conf_scope scope;
    const char *name;
    enum conf_type type;
    const char *range;
    const char *fallback;
    enum conf_change change;
    const char *help;
    size_t offset; /* of the field, in the struct of its scope */
};

extern const struct conf_option conf_options[];
extern const size_t conf_option_count;

/* The option of that name; NULL when the scope has none. */
const struct conf_option *conf_option_find(enum conf_scope scope, const char *name);

/* What messages write before the option's name: "" or "listen.". */
const char *conf_option_prefix(enum conf_scope scope);

/* Of a group, or a list of groups: the scope of the options in it. SCOPE_TOP: it is neither. */
enum conf_scope conf_option_members(const struct conf_option *option);

/* True where the option's value is written in quotation marks. */
bool conf_option_quoted(const struct conf_option *option);

/* The two ends of a range, in bytes, milliseconds or as they are. */
struct conf_bounds {
    uint64_t least;
    uint64_t most;
};
struct conf_bounds conf_option_bounds(const struct conf_option *option);

/* The index of `word` among the range's words; the number of words where it is none of them. */
size_t conf_option_word(const struct conf_option *option, const char *word);

/* Writes what the option takes, as the end of a sentence: "a size from 4M to 1T". At most `size`
 * bytes, always terminated. */
void conf_option_expected(const struct conf_option *option, char *text, size_t size);

#endif
