/*
 * conf_bare.h - values that are written without quotation marks, as in `memory = 64M`.
 *
 * Inside conf/ only. libconfig knows bare numbers, true and false; anything else is a syntax error
 * that says neither the option nor the remedy. So conf_scan passes a bare value on as a string with
 * a mark in front, and the option's reader refuses it (conf_value.h) and says what would be right.
 */
#ifndef KVCACHED_CONF_CONF_BARE_H
#define KVCACHED_CONF_CONF_BARE_H

#include <stddef.h>

struct conf_text;

/* In front of a bare value. No option takes a string that begins with this byte. */
#define CONF_BARE_MARK '\x01'

/*
 * The length of the bare value that begins at `at`, where the language expects a value. It ends
 * with its line at the latest; blanks inside belong to it, as in `64 M`. 0: there is none, but a
 * value that libconfig knows, a comment, the name of the next setting, a sign, or something that is
 * wrong in another way.
 */
size_t conf_bare_length(const char *at, const char *end);

/* Appends such a value as a marked string. Single quotation marks around it are left out. */
void conf_bare_append(struct conf_text *text, const char *at, size_t length);

#endif
