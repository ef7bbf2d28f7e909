/*
 * logfmt.h - writes lines of words name=value.
 *
 * A value is one word: bytes up to the blank, those above ~, the backslash and the quotation mark
 * become \n, \r, \t, \\ and \xNN. An empty value is written as -.
 */
#ifndef KVCACHED_PROTOCOL_LOGFMT_H
#define KVCACHED_PROTOCOL_LOGFMT_H

#include <stdint.h>

#include "protocol/slice.h"

/* Each appends a blank, unless the line is empty, and "name=value". The caller has room. */
struct logfmt {
    char *start, *at;
};

static inline struct logfmt logfmt_begin(char *to)
{
    return (struct logfmt){to, to};
}

void logfmt_text(struct logfmt *line, const char *name, struct slice value);
void logfmt_number(struct logfmt *line, const char *name, uint64_t value);
/* `value` in units of 10^-digits, with so many digits behind the point; at most 9. */
void logfmt_decimal(struct logfmt *line, const char *name, uint64_t value, unsigned digits);

static inline size_t logfmt_length(const struct logfmt *line)
{
    return (size_t)(line->at - line->start);
}

#endif
