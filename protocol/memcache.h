/*
 * memcache.h - what only the files of memcached's protocol share.
 *
 *   memcache.def      the commands
 *   memcache_frame.c  how lines and values are framed, and which kind of reply is written
 *   memcache_word.c   what the words of a line are
 *   memcache_line.c   one line of a text command to a request
 *   memcache_admin.c  the same for commands that are not about a record
 *   memcache_inspect.c  events and connections to bytes
 *   meta_line.c       the same for meta commands
 *   memcache_reply.c  a reply to a text command to bytes
 *   memcache_dump.c   the same for listings
 *   meta_reply.c      the same for meta commands
 *
 * A request's `form` is the command; `words` are a meta command's flags as the line has them,
 * from which its reply is made.
 */
#ifndef KVCACHED_PROTOCOL_MEMCACHE_H
#define KVCACHED_PROTOCOL_MEMCACHE_H

#include "protocol/digits.h"
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
    /* Seconds; a larger exptime is a date, in seconds since 1970. */
    MEMCACHE_RELATIVE_MAX = 60 * 60 * 24 * 30,
    MEMCACHE_EXPTIME_MAX = INT32_MAX,
};

#define MEMCACHE_VALUE_MAX (UINT64_C(1) << 30) /* bytes; larger ones are dropped by the parser */

/* A line that is being parsed. */
struct memcache_line {
    struct parser *parser;
    const char *start;
    const char *at; /* after the last word that was taken */
    const char *end;
};

/* Takes the next word; false at the end of the line. Several blanks may separate words. */
static inline bool memcache_word(struct memcache_line *line, struct slice *word)
{
    const char *from = line->at;
    while (from < line->end && *from == ' ') {
        from++;
    }
    line->at = bytes_find(line->start, from, line->end, ' ');
    *word = (struct slice){from, (size_t)(line->at - from)};
    return from < line->end;
}

/* A key has any bytes except blanks and line ends, which no word has. */
static inline bool memcache_fits_key(struct slice word)
{
    return word.length <= MEMCACHE_KEY_MAX;
}

/* Takes the word as a key; false with parser.error set where it is none. */
bool memcache_key(struct memcache_line *line, struct slice word, struct slice *key);

/* An exptime: 0, seconds, a date, or negative. False when it is not a signed number of 32
 * bits. */
bool memcache_exptime(struct slice word, struct ttl *ttl);
/* The same for storage commands, which take signed numbers of 64 bits: a larger one than a date
 * can be is what some clients print for a negative number, so the record has expired at once. */
bool memcache_storing_exptime(struct slice word, struct ttl *ttl);

/* What an exptime that is not negative means. */
static inline struct ttl memcache_ttl(uint64_t seconds)
{
    if (seconds > MEMCACHE_EXPTIME_MAX) {
        return (struct ttl){TTL_GONE, 0};
    }
    enum ttl_kind kind = seconds <= MEMCACHE_RELATIVE_MAX ? TTL_FOR : TTL_UNTIL;
    return (struct ttl){seconds == 0 ? TTL_DEFAULT : kind, seconds * 1000};
}

/* Each sets parser.error and returns FRAME_REFUSED. `text`: of CLIENT_ERROR. */
enum frame_line memcache_refuse(struct memcache_line *line, const char *text);
/* CLIENT_ERROR: words are missing or wrong. */
enum frame_line memcache_bad_format(struct memcache_line *line);
/* ERROR: there is no such command. */
enum frame_line memcache_unknown(struct memcache_line *line);

/* As frame.begin_keys and frame.is_key. */
size_t memcache_begin_keys(struct parser *parser, struct slice start, struct request *request);
bool memcache_is_key(struct parser *parser, struct slice word, bool *escaped);

/* Parses the words after the command; request->form and verb are set. */
typedef enum frame_line memcache_reader(struct memcache_line *line, struct request *request);
memcache_reader meta_read_get, meta_read_set, meta_read_delete, meta_read_arithmetic,
    meta_read_debug, memcache_read_verbosity, memcache_read_stats, memcache_read_crawler,
    memcache_read_limit, memcache_read_watch;

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

/* As protocol.event, skipped and client. */
size_t memcache_event(const struct watch_event *event, uint64_t number, char *to);
size_t memcache_skipped(uint64_t events, char *to);
size_t memcache_client(const struct client *client, char *to);

/* Writes all bytes except letters, digits and - . _ ~ as %XX. */
char *memcache_add_uri(char *to, struct slice key);

struct slice memcache_help(const struct request *request);

static inline bool memcache_is_meta(const struct request *request)
{
    return request->form >= MEMCACHE_MG;
}

/* Whether the reply to a write without a record is NOT_FOUND instead of NOT_STORED. */
static inline bool memcache_compares(const struct request *request)
{
    return (request->options & REQUEST_COMPARE) != 0 && request->verb != VERB_APPEND &&
           request->verb != VERB_PREPEND;
}

/* Each appends at `to` and returns the new end. */
static inline char *memcache_add_number(char *to, uint64_t number)
{
    return digits_write(to, number);
}

static inline char *memcache_add(char *to, struct slice text)
{
    return bytes_copy(to, text.bytes, text.length);
}

#endif
