/*
 * conf_render.c - see conf_render.h.
 */
#include "conf/conf_render.h"

#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <syslog.h>

#include "conf/conf.h"
#include "conf/conf_option.h"
#include "conf/conf_units.h"

static void render_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < ' ' || c == 0x7f) {
            fprintf(out, "\\x%02x", c);
        } else {
            fprintf(out, "%s%c", c == '"' || c == '\\' ? "\\" : "", c);
        }
    }
    fputc('"', out);
}

static void render_patterns(const struct conf_patterns *patterns, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < patterns->count; i++) {
        fputs(i > 0 ? "," : "", out);
        render_string(patterns->of[i], out);
    }
    fputc(']', out);
}

static uint64_t number_of(const void *field)
{
    uint64_t number;
    memcpy(&number, field, sizeof number);
    return number;
}

static const char *string_of(const void *field)
{
    return *(char *const *)field;
}

static bool is_string(const struct conf_option *option)
{
    switch (option->type) {
    case TYPE_WORD:
    case TYPE_NAME:
    case TYPE_LOGIN:
    case TYPE_ADDRESS:
    case TYPE_PATH:
    case TYPE_OWNER:
    case TYPE_USER:
    case TYPE_TARGET:
    case TYPE_SECRET:
        return true;
    default:
        return false;
    }
}

bool conf_render_has(const struct conf_option *option, const void *fields)
{
    const void *field = (const char *)fields + option->offset;
    return !is_string(option) || string_of(field) != NULL;
}

static struct conf_plain plain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static struct conf_plain plain(const char *format, ...)
{
    struct conf_plain text;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text.bytes, sizeof text.bytes, format, arguments);
    va_end(arguments);
    return text;
}

/* The word of that place in the range. */
static struct conf_plain word_at(const struct conf_option *option, size_t place)
{
    const char *at = option->range;
    for (; place > 0; place--) {
        at += strcspn(at, "|");
        at += *at == '|';
    }
    return plain("%.*s", (int)strcspn(at, "|"), at);
}

struct conf_plain conf_render_plain(const struct conf_option *option, const void *fields)
{
    const void *field = (const char *)fields + option->offset;
    switch (option->type) {
    case TYPE_SIZE:
    case TYPE_MEMORY:
    case TYPE_QUOTA:
        return plain("%s", conf_units_size(number_of(field)).bytes);
    case TYPE_DURATION:
    case TYPE_LIFETIME:
        return plain("%s", conf_units_duration(number_of(field)).bytes);
    case TYPE_COUNT:
        return plain("%u", *(const unsigned *)field);
    case TYPE_PORT:
        return plain("%u", (unsigned)*(const uint16_t *)field);
    case TYPE_MODE:
        return plain("%04o", (unsigned)*(const mode_t *)field);
    case TYPE_BOOL:
        return plain("%s", *(const bool *)field ? "true" : "false");
    case TYPE_CHOICE:
        return word_at(option, *(const unsigned *)field);
    case TYPE_LEVEL:
        return word_at(option, (size_t)(*(const int *)field - LOG_ERR));
    case TYPE_SECRET:
        return plain("%s", "");
    default:
        return plain("%s", !is_string(option)                ? ""
                           : conf_render_has(option, fields) ? string_of(field)
                                                             : "none");
    }
}

void conf_render_value(const struct conf_option *option, const void *fields, FILE *out)
{
    const void *field = (const char *)fields + option->offset;
    if (!conf_render_has(option, fields)) {
        fputs("none", out);
    } else if (option->type == TYPE_SECRET) {
        fputs("hidden", out);
    } else if (option->type == TYPE_PATTERNS || option->type == TYPE_NODES) {
        render_patterns(field, out);
    } else if (is_string(option)) {
        render_string(string_of(field), out);
    } else {
        const char *mark = conf_option_quoted(option) ? "\"" : "";
        fprintf(out, "%s%s%s", mark, conf_render_plain(option, fields).bytes, mark);
    }
}

void conf_render_fallback(const struct conf_option *option, FILE *out)
{
    if (option->type == TYPE_PATTERNS || option->type == TYPE_NODES) {
        fputs("[]", out);
    } else if (option->fallback == NULL || option->fallback[0] == '\0') {
        fputs("none", out);
    } else if (conf_option_quoted(option)) {
        render_string(option->fallback, out);
    } else {
        fputs(option->fallback, out);
    }
}
