/*
 * base64.h - keys of any bytes as the meta commands send them: RFC 4648, with padding.
 */
#ifndef KVCACHED_PROTOCOL_BASE64_H
#define KVCACHED_PROTOCOL_BASE64_H

#include "protocol/slice.h"

/* Whether the text is base64, and how many bytes it stands for. */
bool base64_check(struct slice text, size_t *length);

/* Decodes in place and sets *length. False when it is no base64: then nothing has changed. */
bool base64_decode(char *bytes, size_t *length);

/* Writes at `to`, 4 bytes for each 3 that were begun; returns where the text ends. */
char *base64_encode(char *to, struct slice bytes);

#endif
