/*
 * memcache.h - what the files of memcached's protocol share, and nobody else needs.
 *
 *   memcache.def      the commands
 *   memcache_frame.c  how lines and values are framed, and which kind of reply is written
 *   memcache_word.c   what the words of a line are
 *   memcache_line.c   one line of a text command to a request
 *   memcache_admin.c  the same of commands that are about no record
 *   meta_line.c       the flags of a meta command
 *   memcache_reply.c  a reply to bytes: text commands
 *   memcache_dump.c   the same for records that are listed
 *   meta_reply.c      the same for meta commands
 *
 * A request's `form` is the command; `words` are a meta command's flags as they
 * stood on the line, from which its reply is spelled.
 */
#ifndef KVCACHED_PROTOCOL_MEMCACHE_H
#define KVCACHED_PROTOCOL_MEMCACHE_H

#include "protocol/frame.h"
#include "protocol/token.h"

enum memcache_form {
#define COMMAND(id, word, reader, verb) MEMCACHE_##id,
#include "protocol/memcache.def"
#undef COMMAND
};

enum {
    MEMCACHE_KEY_MAX = 250,
    MEMCACHE_OPAQUE_MAX = 32,
    /* Above this an exptime is a date, in seconds since 1970. */
    MEMCACHE_RELATIVE_MAX = 60 * 60 * 24 * 30,
    MEMCACHE_EXPTIME_MAX = INT32_MAX,
};

#define MEMCACHE_VALUE_MAX (UINT64_C(1) << 30) /* larger ones are dropped unseen */

/* A line that is being read. */
struct memcache_line {
    struct parser *parser;
    const char *at; /* behind the last word that was taken */
    const char *end;
};

/* The next word; false at the end of the line. Blanks may be several. */
bool memcache_word(struct memcache_line *line, struct slice *word);

/* A key is any bytes but blanks and line ends, which are no part of a word. */
static inline bool memcache_fits_key(struct slice word)
{
    return word.length <= MEMCACHE_KEY_MAX;
}

/* A key, or false with parser.error set. */
bool memcache_key(struct memcache_line *line, struct slice word, struct slice *key);

/* An exptime: 0, seconds, a date, or below 0. False when it is no number of 32 bits with a
 * sign. */
bool memcache_exptime(struct slice word, struct ttl *ttl);
/* The same for storage commands, which take numbers of 64 bits with a sign: one that does not
 * fit 32 bits is what clients print for a negative number of 32 bits, so the record has expired
 * at once. */
bool memcache_storing_exptime(struct slice word, struct ttl *ttl);

/* Sets parser.error and returns FRAME_REFUSED. `text`: behind CLIENT_ERROR. */
enum frame_line memcache_refuse(struct memcache_line *line, const char *text);
/* The same where the words are too few, or none of them fits. */
enum frame_line memcache_bad_format(struct memcache_line *line);
/* The same, as ERROR: what is asked for is not known at all. */
enum frame_line memcache_unknown(struct memcache_line *line);

/* As frame.begin_keys and frame.is_key. */
size_t memcache_begin_keys(struct parser *parser, struct slice start, struct request *request);
bool memcache_is_key(struct parser *parser, struct slice word, bool *escaped);

/* Reads the words behind the command; request->form and verb are set. */
typedef enum frame_line memcache_reads(struct memcache_line *line, struct request *request);
memcache_reads meta_read_get, meta_read_set, meta_read_delete, meta_read_arithmetic,
    meta_read_debug, memcache_read_verbosity, memcache_read_stats, memcache_read_crawler,
    memcache_read_limit;

enum frame_line memcache_line_read(struct parser *parser, struct slice line,
                                   struct request *request);

/* --- replies ------------------------------------------------------------- */

/* As protocol.head: of text commands, and errors of all commands. */
size_t memcache_reply_head(const struct request *request, const struct reply *reply, char *to);
size_t memcache_reply_tail(const struct request *request, const struct reply *reply, char *to);
/* Of meta commands, errors apart. */
size_t meta_reply_head(const struct request *request, const struct reply *reply, char *to);
/* Of records that are listed: REPLY_ENTRY and, behind the last one, REPLY_END. */
size_t memcache_dump_line(const struct request *request, const struct reply *reply, char *to);

struct slice memcache_help(void);

static inline bool memcache_is_meta(const struct request *request)
{
    return request->form >= MEMCACHE_MG;
}

/* Whether a missing record is NOT_FOUND to a write, and not only NOT_STORED. */
static inline bool memcache_compares(const struct request *request)
{
    return (request->options & REQUEST_COMPARE) != 0 && request->verb != VERB_APPEND &&
           request->verb != VERB_PREPEND;
}

/* Each adds at `to`, and returns where it has come to. */
char *memcache_add_number(char *to, uint64_t number);
static inline char *memcache_add(char *to, struct slice text)
{
    memcpy(to, text.bytes, text.length);
    return to + text.length;
}

#endif
