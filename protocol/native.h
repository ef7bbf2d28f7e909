/*
 * native.h - what only the files of the native protocol share.
 *
 *   native_frame.c    how lines and values are framed
 *   native_line.c     one line: verb and words to a request
 *   native_value.c    where a value ends whose line is refused
 *   native_unknown.c  a line without a verb: what was meant
 *   native_reply.c    a reply to bytes
 *   native_help.c     HELP's texts
 *   native_inspect.c  events and connections to bytes
 */
#ifndef KVCACHED_PROTOCOL_NATIVE_H
#define KVCACHED_PROTOCOL_NATIVE_H

#include "protocol/frame.h"
#include "protocol/token.h"

enum frame_line native_line_read(struct parser *parser, struct slice line, struct request *request);

/* As frame.begin_keys and frame.is_key. */
size_t native_begin_keys(struct parser *parser, struct slice start, struct request *request);
bool native_is_key(struct parser *parser, struct slice word, bool *escaped);

/* Reads the words of SLOW, WATCH and KILL; request->verb is set. False with parser.error. */
bool native_read_inspecting(struct parser *parser, const char *usage, struct slice rest,
                            struct request *request);

/* As protocol.event, skipped and client. */
size_t native_event(const struct watch_event *event, uint64_t number, char *to);
size_t native_skipped(uint64_t events, char *to);
size_t native_client(const struct client *client, char *to);

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

enum { NATIVE_TTL_MAX = 64 /* bytes of the word */ };

static inline bool native_is_time(enum token_time time)
{
    return time != TOKEN_NO_TIME && time != TOKEN_TIME_TOO_FAR;
}

/* What the word means as a ttl. *ttl is set where it is a time. */
static inline enum token_time native_ttl(struct slice word, struct ttl *ttl)
{
    enum token_time time = token_time(word, &ttl->milliseconds);
    if (time == TOKEN_TIME_NEVER || time == TOKEN_TIME_FOR) {
        ttl->kind = time == TOKEN_TIME_FOR ? TTL_FOR : TTL_NEVER;
    }
    return time;
}

#endif
