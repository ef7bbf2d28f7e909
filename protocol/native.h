/*
 * native.h - what only the files of the native protocol share.
 *
 *   native_frame.c    how lines and values are framed
 *   native_line.c     one line: verb and words to a request
 *   native_value.c    where a value ends whose line is refused
 *   native_unknown.c  a line without a verb: what was meant
 *   native_reply.c    a reply to bytes
 *   native_help.c     HELP's texts
 */
#ifndef KVCACHED_PROTOCOL_NATIVE_H
#define KVCACHED_PROTOCOL_NATIVE_H

#include "protocol/frame.h"

enum frame_line native_line_read(struct parser *parser, struct slice line, struct request *request);

/* As frame.begin_keys and frame.is_key. */
size_t native_begin_keys(struct parser *parser, struct slice start, struct request *request);
bool native_is_key(struct parser *parser, struct slice word, bool *escaped);

#define NATIVE_SPEAKS "kvcached's own protocol" /* as protocol.speaks */

/* What a byte count has to be, in messages. */
#define NATIVE_RIGHT_BYTES "a decimal number, and that many bytes behind the line"

/* Whether several blanks in a line that was refused may be taken for one. Where a value follows,
 * they may if its extent does not depend on it. */
bool native_may_be_lenient(struct slice line, bool has_value);

/* A PUT or an ADD was refused; parser.error says why. Says how its value is framed, here and in
 * parser.error; *length with FRAME_REFUSED_THEN_BYTES. `no_time`: the reason is a ttl that is no
 * time. */
enum frame_line native_refuse_with_value(struct parser *parser, struct slice line, bool no_time,
                                         uint64_t *length);

/* The same where it is unknown where the value ends: FRAME_FATAL. */
enum frame_line native_refuse_unframed(struct parser *parser);

size_t native_reply_head(const struct request *request, const struct reply *reply, char *to);
size_t native_reply_tail(const struct request *request, const struct reply *reply, char *to);

/* Refuses a line that begins with no verb, and says which one may have been meant. */
enum frame_line native_unknown_verb(struct parser *parser, struct slice line);

/* The verb that may have been meant by that word: another system's word for it, or one that differs
 * by few letters. NULL: none. */
const char *native_suggest(struct slice word);

/* HELP's text, made from verbs.def: of the verb whose number + 1 is request->form, or of all where
 * that is 0. */
struct slice native_help(const struct request *request);

#endif
