/*
 * conf_value.c - one value into one field, or what is wrong with it.
 *
 * A value comes as a text and what kind of text it is, whether it stands in the
 * file or is the option's fallback, so that fallbacks go through the same
 * readers. A reader knows one type; it says how the value fails, and the
 * sentence is made in one place. What the values of two options mean together
 * is not asked here.
 */
#include "conf/conf_value.h"

#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <syslog.h>

#include "conf/conf.h"
#include "conf/conf_option.h"
#include "conf/conf_pattern.h"
#include "conf/conf_report.h"

enum kind { KIND_STRING, KIND_NUMBER, KIND_BOOL, KIND_OTHER };

struct value {
    enum kind kind;
    const char *text;
    char digits[32]; /* a number's text */
};

enum verdict {
    VERDICT_TAKEN,
    VERDICT_WRONG, /* nothing of this type */
    VERDICT_SMALL, /* below the range */
    VERDICT_LARGE, /* above it */
    VERDICT_NO_MEMORY,
};

typedef enum verdict reader(const struct conf_option *option, const char *text, void *field);

/* --- numbers -------------------------------------------------------------- */

static enum verdict within(const struct conf_option *option, uint64_t value)
{
    struct conf_bounds bounds = conf_option_bounds(option);

    if (value < bounds.least)
        return VERDICT_SMALL;
    return value > bounds.most ? VERDICT_LARGE : VERDICT_TAKEN;
}

/* A number that the unit makes too large for 64 bits is one, not no number. */
static enum verdict unreadable(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text) ? VERDICT_LARGE
                                                                       : VERDICT_WRONG;
}

static enum verdict read_size(const struct conf_option *option, const char *text, void *field)
{
    uint64_t bytes;

    if (*text == '-')
        return VERDICT_SMALL;
    if (!conf_parse_size(text, &bytes))
        return unreadable(text);

    enum verdict verdict = within(option, bytes);
    if (option->type == TYPE_QUOTA && bytes == 0)
        verdict = VERDICT_TAKEN;
    if (verdict == VERDICT_TAKEN)
        *(uint64_t *)field = bytes;
    return verdict;
}

static enum verdict read_time(const struct conf_option *option, const char *text, void *field)
{
    uint64_t milliseconds;

    if (*text == '-')
        return VERDICT_SMALL;
    if (!conf_parse_duration(text, &milliseconds))
        return unreadable(text);

    enum verdict verdict = within(option, milliseconds);
    if (option->type == TYPE_LIFETIME && milliseconds == CONF_NEVER)
        verdict = VERDICT_TAKEN;
    if (verdict == VERDICT_TAKEN)
        *(uint64_t *)field = milliseconds;
    return verdict;
}

/* Digits only, in base 8 or 10. What does not fit is larger than any range. */
static enum verdict read_digits(const struct conf_option *option, const char *text, unsigned base,
                                uint64_t *number)
{
    *number = 0;
    if (*text == '-')
        return VERDICT_SMALL;
    if (*text == '\0')
        return VERDICT_WRONG;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text >= (char)('0' + base))
            return VERDICT_WRONG;
        if (*number < UINT64_MAX / 16)
            *number = *number * base + (uint64_t)(*text - '0');
    }
    return within(option, *number);
}

static enum verdict read_count(const struct conf_option *option, const char *text, void *field)
{
    uint64_t number;
    enum verdict verdict = read_digits(option, text, 10, &number);

    if (verdict == VERDICT_TAKEN)
        *(unsigned *)field = (unsigned)number;
    return verdict;
}

static enum verdict read_port(const struct conf_option *option, const char *text, void *field)
{
    uint64_t number;
    enum verdict verdict = read_digits(option, text, 10, &number);

    if (verdict == VERDICT_TAKEN)
        *(uint16_t *)field = (uint16_t)number;
    return verdict;
}

static enum verdict read_mode(const struct conf_option *option, const char *text, void *field)
{
    uint64_t number;
    enum verdict verdict = read_digits(option, text, 8, &number);

    if (verdict == VERDICT_TAKEN)
        *(mode_t *)field = (mode_t)number;
    return verdict;
}

static enum verdict read_bool(const struct conf_option *option, const char *text, void *field)
{
    (void)option;
    *(bool *)field = strcmp(text, "true") == 0;
    return VERDICT_TAKEN;
}

/* --- words ---------------------------------------------------------------- */

_Static_assert(sizeof(enum conf_policy) == sizeof(unsigned), "an enum is an unsigned");
_Static_assert(sizeof(enum conf_tls_client) == sizeof(unsigned), "this one too");

/* The words are in the enum's order. */
static enum verdict read_choice(const struct conf_option *option, const char *text, void *field)
{
    size_t place = conf_option_word(option, text);

    if (place == conf_option_word(option, ""))
        return VERDICT_WRONG;
    memcpy(field, &(unsigned){(unsigned)place}, sizeof(unsigned));
    return VERDICT_TAKEN;
}

static enum verdict read_level(const struct conf_option *option, const char *text, void *field)
{
    size_t place = conf_option_word(option, text);

    if (place == conf_option_word(option, ""))
        return VERDICT_WRONG;
    *(int *)field = LOG_ERR + (int)place; /* syslog's numbers have no gaps */
    return VERDICT_TAKEN;
}

/* --- strings -------------------------------------------------------------- */

/* Replaces what the field had. "" means none. */
static enum verdict keep(const char *text, void *field)
{
    char **kept = field;
    char *copy = *text != '\0' ? strdup(text) : NULL;

    if (copy == NULL && *text != '\0')
        return VERDICT_NO_MEMORY;
    free(*kept);
    *kept = copy;
    return VERDICT_TAKEN;
}

/* How a string's length fits the range. */
static enum verdict length_within(const struct conf_option *option, const char *text)
{
    enum verdict verdict = within(option, strlen(text));

    return verdict == VERDICT_SMALL ? VERDICT_WRONG : verdict;
}

static enum verdict read_word(const struct conf_option *option, const char *text, void *field)
{
    if (conf_option_word(option, text) == conf_option_word(option, ""))
        return VERDICT_WRONG;
    return keep(text, field);
}

static bool consists_of(const char *text, const char *others)
{
    for (; *text != '\0'; text++) {
        bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');
        if (!letter && !(*text >= '0' && *text <= '9') && strchr(others, *text) == NULL)
            return false;
    }
    return true;
}

static enum verdict read_name(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = length_within(option, text);

    if (!consists_of(text, "_.-") || strcmp(text, "-") == 0)
        return VERDICT_WRONG;
    return verdict == VERDICT_TAKEN ? keep(text, field) : verdict;
}

static enum verdict read_address(const struct conf_option *option, const char *text, void *field)
{
    struct in6_addr address;
    char plain[INET_ADDRSTRLEN];

    (void)option;
    if (strcmp(text, "localhost") == 0)
        return keep("127.0.0.1", field);
    if (inet_pton(AF_INET, text, &address) != 1 && inet_pton(AF_INET6, text, &address) != 1)
        return VERDICT_WRONG;
    if (strchr(text, ':') == NULL || !IN6_IS_ADDR_V4MAPPED(&address))
        return keep(text, field);
    inet_ntop(AF_INET, address.s6_addr + 12, plain, sizeof(plain)); /* IPv4 in other words */
    return keep(plain, field);
}

static enum verdict read_path(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = length_within(option, text);

    if (*text != '\0' && *text != '/')
        return VERDICT_WRONG;
    return verdict == VERDICT_TAKEN ? keep(text, field) : verdict;
}

static enum verdict read_target(const struct conf_option *option, const char *text, void *field)
{
    if (strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0)
        return keep(text, field);
    return read_path(option, text, field);
}

/* Names are looked up when they are read, so that a daemon which could not
 * become its user does not start at all. */
static enum verdict read_user(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = length_within(option, text);

    if (verdict == VERDICT_TAKEN && *text != '\0' && getpwnam(text) == NULL)
        return VERDICT_WRONG;
    return verdict == VERDICT_TAKEN ? keep(text, field) : verdict;
}

static enum verdict read_owner(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = length_within(option, text);
    size_t user = strcspn(text, ":");
    char name[80];

    if (verdict != VERDICT_TAKEN || *text == '\0')
        return verdict;
    snprintf(name, sizeof(name), "%.*s", (int)user, text);
    if (getpwnam(name) == NULL)
        return VERDICT_WRONG;
    if (text[user] == ':' && getgrnam(text + user + 1) == NULL)
        return VERDICT_WRONG;
    return keep(text, field);
}

/* Of the form that all of crypt(3)'s hashes have, but for those too old to be of
 * use: `$`, the method, another `$`, and what is its own. A secret that was
 * written here by mistake seldom looks so. */
static enum verdict read_secret(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = length_within(option, text);

    if (text[0] != '$' || text[1] == '$' || strchr(text + 1, '$') == NULL)
        return VERDICT_WRONG;
    for (const char *at = text; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return VERDICT_WRONG;
    return verdict == VERDICT_TAKEN ? keep(text, field) : verdict;
}

/* --- types ---------------------------------------------------------------- */

enum {
    TAKES_STRING = 1 << KIND_STRING,
    TAKES_NUMBER = 1 << KIND_NUMBER,
    TAKES_BOOL = 1 << KIND_BOOL,
};

static const struct {
    reader *read;
    unsigned takes;
    const char *is_not; /* "is not ..." */
} types[] = {
    [TYPE_SIZE] = {read_size, TAKES_STRING | TAKES_NUMBER, "a size"},
    [TYPE_QUOTA] = {read_size, TAKES_STRING | TAKES_NUMBER, "a size"},
    [TYPE_DURATION] = {read_time, TAKES_STRING | TAKES_NUMBER, "a time"},
    [TYPE_LIFETIME] = {read_time, TAKES_STRING | TAKES_NUMBER, "a time"},
    [TYPE_COUNT] = {read_count, TAKES_NUMBER, "a whole number"},
    [TYPE_PORT] = {read_port, TAKES_NUMBER, "a port"},
    [TYPE_MODE] = {read_mode, TAKES_STRING, "a mode in quotes"},
    [TYPE_BOOL] = {read_bool, TAKES_BOOL, "one of its words"},
    [TYPE_CHOICE] = {read_choice, TAKES_STRING, "one of its words"},
    [TYPE_LEVEL] = {read_level, TAKES_STRING, "a level"},
    [TYPE_WORD] = {read_word, TAKES_STRING, "one of its words"},
    [TYPE_NAME] = {read_name, TAKES_STRING, "a namespace's name"},
    [TYPE_LOGIN] = {read_name, TAKES_STRING, "a user's name"},
    [TYPE_ADDRESS] = {read_address, TAKES_STRING, "a numeric address"},
    [TYPE_PATH] = {read_path, TAKES_STRING, "an absolute path"},
    [TYPE_OWNER] = {read_owner, TAKES_STRING, "a user or group of this machine"},
    [TYPE_USER] = {read_user, TAKES_STRING, "known here"},
    [TYPE_TARGET] = {read_target, TAKES_STRING, "a place for messages"},
    [TYPE_SECRET] = {read_secret, TAKES_STRING, "a secret's hash"},
    [TYPE_PATTERNS] = {NULL, 0, "a pattern"},
    [TYPE_LISTENERS] = {NULL, 0, "a list of groups"},
    [TYPE_NAMESPACES] = {NULL, 0, "a list of groups"},
    [TYPE_USERS] = {NULL, 0, "a list of groups"},
    [TYPE_ARENA] = {NULL, 0, "a group"},
    [TYPE_METRICS] = {NULL, 0, "a group"},
    [TYPE_LOGGING] = {NULL, 0, "a group"},
};

static void value_of(const config_setting_t *setting, struct value *value)
{
    const char *string;

    *value = (struct value){.kind = KIND_NUMBER, .text = value->digits};
    switch (config_setting_type(setting)) {
    case CONFIG_TYPE_INT:
        snprintf(value->digits, sizeof(value->digits), "%d", config_setting_get_int(setting));
        return;
    case CONFIG_TYPE_INT64:
        snprintf(value->digits, sizeof(value->digits), "%lld", config_setting_get_int64(setting));
        return;
    case CONFIG_TYPE_FLOAT:
        snprintf(value->digits, sizeof(value->digits), "%.15g", config_setting_get_float(setting));
        return;
    case CONFIG_TYPE_BOOL:
        value->kind = KIND_BOOL;
        value->text = config_setting_get_bool(setting) ? "true" : "false";
        return;
    case CONFIG_TYPE_STRING:
        string = config_setting_get_string(setting);
        value->kind = KIND_STRING;
        value->text = string != NULL ? string : "";
        return;
    case CONFIG_TYPE_GROUP:
        *value = (struct value){.kind = KIND_OTHER, .text = "this group"};
        return;
    case CONFIG_TYPE_ARRAY:
        *value = (struct value){.kind = KIND_OTHER, .text = "this array"};
        return;
    default:
        *value = (struct value){.kind = KIND_OTHER, .text = "this list"};
        return;
    }
}

/* A non-null hook is the mark of a setting that was refused. libconfig keeps it
 * and does nothing else with it. */
static void mark(config_setting_t *setting)
{
    config_setting_set_hook(setting, setting);
}

void conf_value_refuse(const struct conf_option *option, config_setting_t *setting,
                       struct conf_report *report, const char *wrong)
{
    char expected[160];
    struct value value;

    value_of(setting, &value);
    if (option->type == TYPE_SECRET)
        value = (struct value){.kind = KIND_OTHER, .text = "what stands here"};
    mark(setting);
    conf_option_expected(option, expected, sizeof(expected));
    const char *quote = value.kind == KIND_STRING ? "\"" : "";
    conf_report_option(report, config_setting_source_line(setting), option,
                       "%s%s%s is %s, write %s", quote, conf_report_shown(value.text).bytes, quote,
                       wrong, expected);
}

static void refuse(const struct conf_option *option, config_setting_t *setting,
                   struct conf_report *report, enum verdict verdict)
{
    char wrong[48];
    bool string = types[option->type].takes == TAKES_STRING && option->type != TYPE_MODE;

    switch (verdict) {
    case VERDICT_TAKEN:
        return;
    case VERDICT_NO_MEMORY:
        report->lost = true;
        return;
    case VERDICT_SMALL:
        conf_value_refuse(option, setting, report, "too small");
        return;
    case VERDICT_LARGE:
        conf_value_refuse(option, setting, report, string ? "too long" : "too large");
        return;
    case VERDICT_WRONG:
        snprintf(wrong, sizeof(wrong), "not %s", types[option->type].is_not);
        conf_value_refuse(option, setting, report, wrong);
        return;
    }
}

bool conf_value_read(const struct conf_option *option, config_setting_t *setting, void *fields,
                     struct conf_report *report)
{
    void *field = (char *)fields + option->offset;
    reader *read = types[option->type].read;
    enum verdict verdict = VERDICT_WRONG;
    struct value value;

    if (option->type == TYPE_PATTERNS)
        return conf_pattern_read(option, setting, field, report);
    if (setting == NULL) {
        if (option->fallback != NULL && read(option, option->fallback, field) != VERDICT_TAKEN)
            report->lost = true;
        return true;
    }
    value_of(setting, &value);
    if (types[option->type].takes & (1u << value.kind))
        verdict = read(option, value.text, field);
    refuse(option, setting, report, verdict);
    return verdict == VERDICT_TAKEN;
}

bool conf_value_refused(const config_setting_t *group, const char *name)
{
    const config_setting_t *setting = config_setting_get_member(group, name);

    return setting != NULL && config_setting_get_hook(setting) != NULL;
}

bool conf_value_given(const config_setting_t *group, const char *name)
{
    const config_setting_t *setting = config_setting_get_member(group, name);

    return setting != NULL && config_setting_get_hook(setting) == NULL;
}
