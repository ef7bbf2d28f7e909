/*
 * native.h - what only the files of the native protocol share.
 *
 *   native_frame.c  how lines and values are framed
 *   native_line.c   one line: verb and words to a request
 *   native_reply.c  a reply to bytes
 *   native_help.c   HELP's text
 */
#ifndef KVCACHED_PROTOCOL_NATIVE_H
#define KVCACHED_PROTOCOL_NATIVE_H

#include "protocol/frame.h"

enum frame_line native_line_read(struct parser *parser, struct slice line, struct request *request);

/* As frame.begin_keys and frame.is_key. */
size_t native_begin_keys(struct parser *parser, struct slice start, struct request *request);
bool native_is_key(struct parser *parser, struct slice word, bool *escaped);

size_t native_reply_head(const struct request *request, const struct reply *reply, char *to);
size_t native_reply_tail(const struct request *request, const struct reply *reply, char *to);

/* HELP's text, made from verbs.def. */
struct slice native_help(void);

#endif
