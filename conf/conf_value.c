/*
 * conf_value.c - reads one value into its field, or reports what is wrong with it.
 *
 * Readers get a value as text, so that an option's fallback goes through the same reader as a
 * value of the file. A reader knows one type and returns how the value fails; the message is
 * made in one place. conf_check compares options with each other.
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
#include "conf/conf_machine.h"
#include "conf/conf_node.h"
#include "conf/conf_option.h"
#include "conf/conf_pattern.h"
#include "conf/conf_report.h"
#include "conf/conf_setting.h"
#include "conf/conf_units.h"

enum verdict {
    VERDICT_TAKEN,
    VERDICT_WRONG, /* not of this type */
    VERDICT_SMALL, /* below the range */
    VERDICT_LARGE, /* above the range */
    VERDICT_NO_MEMORY,
};

typedef enum verdict reader(const struct conf_option *option, const char *text, void *field);

/* --- numbers -------------------------------------------------------------- */

static enum verdict check_range(const struct conf_option *option, uint64_t value)
{
    struct conf_bounds bounds = conf_option_bounds(option);
    if (value < bounds.least) {
        return VERDICT_SMALL;
    }
    return value > bounds.most ? VERDICT_LARGE : VERDICT_TAKEN;
}

/* A text that did not parse: digits alone are a number that does not fit 64 bits in its unit. */
static enum verdict too_large_or_wrong(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text) ? VERDICT_LARGE
                                                                       : VERDICT_WRONG;
}

static enum verdict read_size(const struct conf_option *option, const char *text, void *field)
{
    uint64_t bytes;
    if (*text == '-') {
        return VERDICT_SMALL;
    }
    if (!conf_units_parse_size(text, &bytes)) {
        return too_large_or_wrong(text);
    }
    enum verdict verdict = check_range(option, bytes);
    if (option->type == TYPE_QUOTA && bytes == 0) {
        verdict = VERDICT_TAKEN;
    }
    if (verdict == VERDICT_TAKEN) {
        *(uint64_t *)field = bytes;
    }
    return verdict;
}

/* "75%": of what the process may use, in whole MiB. */
static enum verdict read_memory(const struct conf_option *option, const char *text, void *field)
{
    const uint64_t mebibyte = UINT64_C(1) << 20;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || strcmp(text + digits, "%") != 0) {
        return read_size(option, text, field);
    }
    unsigned long share = strtoul(text, NULL, 10);
    if (share < 1 || share > 100) {
        return share < 1 ? VERDICT_SMALL : VERDICT_LARGE;
    }
    uint64_t bytes = conf_machine_memory("") / mebibyte * share / 100 * mebibyte;
    enum verdict verdict = check_range(option, bytes);
    if (verdict == VERDICT_TAKEN) {
        *(uint64_t *)field = bytes;
    }
    return verdict;
}

static enum verdict read_time(const struct conf_option *option, const char *text, void *field)
{
    uint64_t milliseconds;
    if (*text == '-') {
        return VERDICT_SMALL;
    }
    if (!conf_units_parse_duration(text, &milliseconds)) {
        return too_large_or_wrong(text);
    }
    enum verdict verdict = check_range(option, milliseconds);
    if (option->type == TYPE_LIFETIME && milliseconds == CONF_NEVER) {
        verdict = VERDICT_TAKEN;
    }
    if (verdict == VERDICT_TAKEN) {
        *(uint64_t *)field = milliseconds;
    }
    return verdict;
}

/* Digits only, in base 8 or 10. A number that does not fit 64 bits is above any range. */
static enum verdict read_digits(const struct conf_option *option, const char *text, unsigned base,
                                uint64_t *number)
{
    *number = 0;
    if (*text == '-') {
        return VERDICT_SMALL;
    }
    if (*text == '\0') {
        return VERDICT_WRONG;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text >= (char)('0' + base)) {
            return VERDICT_WRONG;
        }
        if (*number < UINT64_MAX / 16) {
            *number = *number * base + (uint64_t)(*text - '0');
        }
    }
    return check_range(option, *number);
}

static enum verdict read_count(const struct conf_option *option, const char *text, void *field)
{
    uint64_t number;
    enum verdict verdict = read_digits(option, text, 10, &number);
    if (verdict == VERDICT_TAKEN) {
        *(unsigned *)field = (unsigned)number;
    }
    return verdict;
}

static enum verdict read_port(const struct conf_option *option, const char *text, void *field)
{
    uint64_t number;
    enum verdict verdict = read_digits(option, text, 10, &number);
    if (verdict == VERDICT_TAKEN) {
        *(uint16_t *)field = (uint16_t)number;
    }
    return verdict;
}

static enum verdict read_mode(const struct conf_option *option, const char *text, void *field)
{
    uint64_t number;
    enum verdict verdict = read_digits(option, text, 8, &number);
    if (verdict == VERDICT_TAKEN) {
        *(mode_t *)field = (mode_t)number;
    }
    return verdict;
}

static enum verdict read_bool(const struct conf_option *option, const char *text, void *field)
{
    (void)option;
    *(bool *)field = strcmp(text, "true") == 0;
    return VERDICT_TAKEN;
}

/* --- words ---------------------------------------------------------------- */

_Static_assert(sizeof(enum conf_policy) == sizeof(unsigned), "an enum has the size of unsigned");
_Static_assert(sizeof(enum conf_tls_client) == sizeof(unsigned), "this one too");

/* The words are in the enum's order. */
static enum verdict read_choice(const struct conf_option *option, const char *text, void *field)
{
    size_t place = conf_option_word(option, text);
    if (place == conf_option_word(option, "")) {
        return VERDICT_WRONG;
    }
    memcpy(field, &(unsigned){(unsigned)place}, sizeof(unsigned));
    return VERDICT_TAKEN;
}

static enum verdict read_level(const struct conf_option *option, const char *text, void *field)
{
    size_t place = conf_option_word(option, text);
    if (place == conf_option_word(option, "")) {
        return VERDICT_WRONG;
    }
    *(int *)field = LOG_ERR + (int)place; /* syslog's numbers have no gaps */
    return VERDICT_TAKEN;
}

/* --- strings -------------------------------------------------------------- */

/* Replaces the field's string by a copy of the text; "" means none. */
static enum verdict store_string(const char *text, void *field)
{
    char **kept = field;
    char *copy = *text != '\0' ? strdup(text) : NULL;
    if (copy == NULL && *text != '\0') {
        return VERDICT_NO_MEMORY;
    }
    free(*kept);
    *kept = copy;
    return VERDICT_TAKEN;
}

/* Whether a string's length is in the range. */
static enum verdict check_length(const struct conf_option *option, const char *text)
{
    enum verdict verdict = check_range(option, strlen(text));
    return verdict == VERDICT_SMALL ? VERDICT_WRONG : verdict;
}

static enum verdict read_word(const struct conf_option *option, const char *text, void *field)
{
    if (conf_option_word(option, text) == conf_option_word(option, "")) {
        return VERDICT_WRONG;
    }
    return store_string(text, field);
}

static bool consists_of(const char *text, const char *others)
{
    for (; *text != '\0'; text++) {
        bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');
        if (!letter && !(*text >= '0' && *text <= '9') && strchr(others, *text) == NULL) {
            return false;
        }
    }
    return true;
}

static enum verdict read_name(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = check_length(option, text);
    if (!consists_of(text, "_.-") || strcmp(text, "-") == 0) {
        return VERDICT_WRONG;
    }
    return verdict == VERDICT_TAKEN ? store_string(text, field) : verdict;
}

static enum verdict read_address(const struct conf_option *option, const char *text, void *field)
{
    struct in6_addr address;
    char plain[INET_ADDRSTRLEN];
    (void)option;
    if (strcmp(text, CONF_LOCALHOST) == 0) {
        return store_string(text, field);
    }
    if (inet_pton(AF_INET, text, &address) != 1 && inet_pton(AF_INET6, text, &address) != 1) {
        return VERDICT_WRONG;
    }
    if (strchr(text, ':') == NULL || !IN6_IS_ADDR_V4MAPPED(&address)) {
        return store_string(text, field);
    }
    inet_ntop(AF_INET, address.s6_addr + 12, plain, sizeof plain); /* IPv4 in other words */
    return store_string(plain, field);
}

static enum verdict read_path(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = check_length(option, text);
    if (*text != '\0' && *text != '/') {
        return VERDICT_WRONG;
    }
    return verdict == VERDICT_TAKEN ? store_string(text, field) : verdict;
}

static enum verdict read_target(const struct conf_option *option, const char *text, void *field)
{
    if (strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0) {
        return store_string(text, field);
    }
    return read_path(option, text, field);
}

/* Names are looked up when they are read, so that a daemon that could not become its user does
 * not start at all. */
static enum verdict read_user(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = check_length(option, text);
    if (verdict == VERDICT_TAKEN && *text != '\0' && getpwnam(text) == NULL) {
        return VERDICT_WRONG;
    }
    return verdict == VERDICT_TAKEN ? store_string(text, field) : verdict;
}

static enum verdict read_owner(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = check_length(option, text);
    size_t user = strcspn(text, ":");
    char name[80];
    if (verdict != VERDICT_TAKEN || *text == '\0') {
        return verdict;
    }
    snprintf(name, sizeof name, "%.*s", (int)user, text);
    if (getpwnam(name) == NULL) {
        return VERDICT_WRONG;
    }
    if (text[user] == ':' && getgrnam(text + user + 1) == NULL) {
        return VERDICT_WRONG;
    }
    return store_string(text, field);
}

/* `$`, the method, `$` and more: the form of all hashes of crypt(3) but the oldest methods, which
 * are too weak. A secret that was written here by mistake seldom has this form. */
static enum verdict read_secret(const struct conf_option *option, const char *text, void *field)
{
    enum verdict verdict = check_length(option, text);
    if (text[0] != '$' || text[1] == '$' || strchr(text + 1, '$') == NULL) {
        return VERDICT_WRONG;
    }
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~') {
            return VERDICT_WRONG;
        }
    }
    return verdict == VERDICT_TAKEN ? store_string(text, field) : verdict;
}

/* --- types ---------------------------------------------------------------- */

enum {
    TAKES_STRING = 1 << KIND_STRING | 1 << KIND_BARE,
    TAKES_NUMBER = 1 << KIND_NUMBER,
    TAKES_BOOL = 1 << KIND_BOOL,
};

static const struct {
    reader *read;
    unsigned takes;
    const char *is_not; /* "is not ..." */
} types[] = {
    [TYPE_SIZE] = {read_size, TAKES_STRING | TAKES_NUMBER, "a size"},
    [TYPE_MEMORY] = {read_memory, TAKES_STRING | TAKES_NUMBER, "a size"},
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
    [TYPE_NODES] = {NULL, 0, "a node"},
    [TYPE_LISTENERS] = {NULL, 0, "a list of groups"},
    [TYPE_NAMESPACES] = {NULL, 0, "a list of groups"},
    [TYPE_USERS] = {NULL, 0, "a list of groups"},
    [TYPE_ARENA] = {NULL, 0, "a group"},
    [TYPE_CLUSTER] = {NULL, 0, "a group"},
    [TYPE_METRICS] = {NULL, 0, "a group"},
    [TYPE_SLOW_LOG] = {NULL, 0, "a group"},
    [TYPE_LOGGING] = {NULL, 0, "a group"},
};

static void refuse(const struct conf_option *option, config_setting_t *setting,
                   struct conf_report *report, enum verdict verdict)
{
    char wrong[48];
    bool string = types[option->type].takes == TAKES_STRING && option->type != TYPE_MODE;
    switch (verdict) {
    case VERDICT_TAKEN:
        return;
    case VERDICT_NO_MEMORY:
        report->no_memory = true;
        return;
    case VERDICT_SMALL:
        conf_setting_refuse(option, setting, report, "too small");
        return;
    case VERDICT_LARGE:
        conf_setting_refuse(option, setting, report, string ? "too long" : "too large");
        return;
    case VERDICT_WRONG:
        snprintf(wrong, sizeof wrong, "not %s", types[option->type].is_not);
        conf_setting_refuse(option, setting, report, wrong);
        return;
    }
}

bool conf_value_read(const struct conf_option *option, config_setting_t *setting, void *fields,
                     struct conf_report *report)
{
    void *field = (char *)fields + option->offset;
    reader *read = types[option->type].read;
    enum verdict verdict = VERDICT_WRONG;
    struct conf_setting_value value;
    if (option->type == TYPE_PATTERNS) {
        return conf_pattern_read(option, setting, field, report);
    }
    if (option->type == TYPE_NODES) {
        return conf_node_read(option, setting, field, report);
    }
    if (setting == NULL) {
        if (option->fallback != NULL && read(option, option->fallback, field) != VERDICT_TAKEN) {
            report->no_memory = true;
        }
        return true;
    }
    conf_setting_value(setting, &value);
    if (types[option->type].takes & (1u << value.kind)) {
        verdict = read(option, value.text, field);
    }
    if (verdict == VERDICT_TAKEN && value.kind == KIND_BARE) {
        conf_setting_refuse_bare(option, setting, report);
        return false;
    }
    refuse(option, setting, report, verdict);
    return verdict == VERDICT_TAKEN;
}
