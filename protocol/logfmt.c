/*
 * logfmt.c - see logfmt.h.
 */
#include "protocol/logfmt.h"

#include <string.h>

#include "protocol/escape.h"

static void add_name(struct logfmt *line, const char *name)
{
    size_t length = strlen(name);
    if (line->at > line->start) {
        *line->at++ = ' ';
    }
    memcpy(line->at, name, length);
    line->at += length;
    *line->at++ = '=';
}

static bool is_plain(unsigned char byte)
{
    return byte > ' ' && byte <= '~' && byte != '\\' && byte != '"';
}

void logfmt_text(struct logfmt *line, const char *name, struct slice value)
{
    add_name(line, name);
    if (value.length == 0) {
        *line->at++ = '-';
    }
    for (size_t i = 0; i < value.length; i++) {
        unsigned char byte = (unsigned char)value.bytes[i];
        if (is_plain(byte)) {
            *line->at++ = (char)byte;
        } else {
            line->at = escape_byte(line->at, byte);
        }
    }
}

static void add_digits(struct logfmt *line, uint64_t value, unsigned least)
{
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || sizeof digits - first < least);
    memcpy(line->at, digits + first, sizeof digits - first);
    line->at += sizeof digits - first;
}

void logfmt_number(struct logfmt *line, const char *name, uint64_t value)
{
    add_name(line, name);
    add_digits(line, value, 1);
}

void logfmt_decimal(struct logfmt *line, const char *name, uint64_t value, unsigned digits)
{
    uint64_t unit = 1;
    for (unsigned i = 0; i < digits; i++) {
        unit *= 10;
    }
    add_name(line, name);
    add_digits(line, value / unit, 1);
    *line->at++ = '.';
    add_digits(line, value % unit, digits);
}
