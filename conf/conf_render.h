/*
 * conf_render.h - an option's value as a file has it.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_RENDER_H
#define KVCACHED_CONF_CONF_RENDER_H

#include <stdbool.h>
#include <stdio.h>

struct conf_option;

/* Whether the option has a value in the struct of its scope: strings may have none. */
bool conf_render_has(const struct conf_option *option, const void *fields);

/* Writes the value; "none" where it has none, and "hidden" for a secret. Not for options that are
 * groups. There are no blanks outside of quotation marks, and no control characters. */
void conf_render_value(const struct conf_option *option, const void *fields, FILE *out);

struct conf_plain {
    char bytes[64]; /* what is longer is cut off */
};

/* The value in a sentence: without quotation marks, as it is. Empty for secrets, patterns and
 * groups. */
struct conf_plain conf_render_plain(const struct conf_option *option, const void *fields);

/* Writes what holds where the option is not given, in the same way. */
void conf_render_fallback(const struct conf_option *option, FILE *out);

#endif
