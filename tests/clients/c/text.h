/*
 * text.h - bytes that tests put together, and strings as vectors.txt writes them.
 */
#ifndef KVCACHED_TESTS_CLIENTS_C_TEXT_H
#define KVCACHED_TESTS_CLIENTS_C_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "scripts/clients/c/kvcached.h"

/* Bytes with a NUL behind them. */
struct text {
    char *at;
    size_t length;
};

void text_deinit(struct text *text);
void text_add(struct text *text, struct kvc_bytes bytes);
void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* In quotation marks, with \r \n \t \" \\ and \xHH. */
void text_add_quoted(struct text *text, struct kvc_bytes bytes);
/* Reads such a string, and moves *at behind it. False: it is none. */
bool text_read_quoted(const char **at, struct text *text);

#endif
