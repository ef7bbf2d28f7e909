/*
 * conf_render.c - see conf_render.h.
 */
#include "conf/conf_render.h"

#include <inttypes.h>
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

/* The word of that place in the range. */
static void render_word(const struct conf_option *option, size_t place, FILE *out)
{
    const char *at = option->range;
    for (; place > 0; place--) {
        at += strcspn(at, "|");
        at += *at == '|';
    }
    fprintf(out, "\"%.*s\"", (int)strcspn(at, "|"), at);
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

/* Of the types that are numbers or words. */
static void render_number(const struct conf_option *option, const void *field, FILE *out)
{
    switch (option->type) {
    case TYPE_SIZE:
    case TYPE_MEMORY:
    case TYPE_QUOTA:
        fprintf(out, "\"%s\"", conf_units_size(number_of(field)).bytes);
        break;
    case TYPE_DURATION:
    case TYPE_LIFETIME:
        fprintf(out, "\"%s\"", conf_units_duration(number_of(field)).bytes);
        break;
    case TYPE_COUNT:
        fprintf(out, "%u", *(const unsigned *)field);
        break;
    case TYPE_PORT:
        fprintf(out, "%u", (unsigned)*(const uint16_t *)field);
        break;
    case TYPE_MODE:
        fprintf(out, "\"%04o\"", (unsigned)*(const mode_t *)field);
        break;
    case TYPE_BOOL:
        fputs(*(const bool *)field ? "true" : "false", out);
        break;
    case TYPE_CHOICE:
        render_word(option, *(const unsigned *)field, out);
        break;
    case TYPE_LEVEL:
        render_word(option, (size_t)(*(const int *)field - LOG_ERR), out);
        break;
    case TYPE_PATTERNS:
        render_patterns(field, out);
        break;
    default:
        break;
    }
}

void conf_render_value(const struct conf_option *option, const void *fields, FILE *out)
{
    const void *field = (const char *)fields + option->offset;
    if (!conf_render_has(option, fields)) {
        fputs("none", out);
    } else if (option->type == TYPE_SECRET) {
        fputs("hidden", out);
    } else if (is_string(option)) {
        render_string(string_of(field), out);
    } else {
        render_number(option, field, out);
    }
}

void conf_render_fallback(const struct conf_option *option, FILE *out)
{
    if (option->type == TYPE_PATTERNS) {
        fputs("[]", out);
    } else if (option->fallback == NULL || option->fallback[0] == '\0') {
        fputs("none", out);
    } else if (conf_option_quoted(option)) {
        render_string(option->fallback, out);
    } else {
        fputs(option->fallback, out);
    }
}
