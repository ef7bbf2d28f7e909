/*
 * resp.c - hiredis's reader with replies of our own, and a writer for commands.
 *
 * hiredis looks for the end of a line from its beginning again with each piece that comes, and
 * bounds neither that line nor the reply. So what waits for more is looked at here: it is a bulk
 * string whose length is known, or it is short.
 */
#include "daemon/cluster/resp.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/cluster/reply.h"

enum {
    LINE_MAX_BYTES = 64 << 10, /* of errors and statuses */
    LENGTH_LINE_MAX = 24,      /* of "$9223372036854775807\r\n" and the like */
};

/* hiredis 1.0 has changed how it says how many elements there are. */
#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

struct resp_reader {
    redisReader *reader;
    uint64_t reply_max;
    uint64_t taken; /* by nodes of the reply that is being read */
    const char *failure;
};

/* --- nodes, for hiredis ------------------------------------------------------ */

/* Whether the reply may have so much more. */
static bool may_take(const redisReadTask *task, uint64_t bytes)
{
    struct resp_reader *reader = task->privdata;
    if (bytes > reader->reply_max - reader->taken) {
        reader->failure = "a reply is larger than it may be";
        return false;
    }
    reader->taken += bytes;
    return true;
}

static void *place(const redisReadTask *task, struct cluster_reply *reply)
{
    if (reply != NULL && task->parent != NULL) {
        struct cluster_reply *parent = task->parent->obj;
        parent->elements[task->idx] = reply;
    }
    return reply;
}

static enum cluster_reply_type type_of(const redisReadTask *task)
{
    switch (task->type) {
    case REDIS_REPLY_ERROR:
        return CLUSTER_ERROR;
    case REDIS_REPLY_STATUS:
        return CLUSTER_STATUS;
    default:
        return CLUSTER_STRING;
    }
}

static void *create_string(const redisReadTask *task, char *bytes, size_t length)
{
    return may_take(task, sizeof(struct cluster_reply) + length)
               ? place(task, reply_text(type_of(task), (struct slice){bytes, length}))
               : NULL;
}

static void *create_array(const redisReadTask *task, element_count count)
{
    uint64_t bytes = sizeof(struct cluster_reply) + (uint64_t)count * sizeof(void *);
    return count >= 0 && may_take(task, bytes) ? place(task, reply_array((size_t)count)) : NULL;
}

static void *create_integer(const redisReadTask *task, long long integer)
{
    return may_take(task, sizeof(struct cluster_reply)) ? place(task, reply_integer(integer))
                                                        : NULL;
}

static void *create_nil(const redisReadTask *task)
{
    return may_take(task, sizeof(struct cluster_reply)) ? place(task, reply_nil()) : NULL;
}

static void free_object(void *object)
{
    struct cluster_reply *reply = object;
    reply_free(&reply);
}

/* hiredis does not write to it. */
static redisReplyObjectFunctions functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_object,
};

/* --- reading ---------------------------------------------------------------- */

struct resp_reader *resp_reader_create(uint64_t reply_max)
{
    struct resp_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return NULL;
    }
    reader->reply_max = reply_max;
    reader->reader = redisReaderCreateWithFunctions(&functions);
    if (reader->reader == NULL) {
        free(reader);
        return NULL;
    }
    reader->reader->privdata = reader;
    return reader;
}

void resp_reader_destroy(struct resp_reader **place_of)
{
    struct resp_reader *reader = *place_of;
    *place_of = NULL;
    if (reader != NULL) {
        redisReaderFree(reader->reader);
        free(reader);
    }
}

static bool failed(struct resp_reader *reader, const char *why)
{
    if (reader->failure == NULL) {
        reader->failure = why;
    }
    return false;
}

bool resp_reader_feed(struct resp_reader *reader, struct slice bytes)
{
    return redisReaderFeed(reader->reader, bytes.bytes, bytes.length) == REDIS_OK ||
           failed(reader, reader->reader->errstr);
}

/* A bulk string that is not whole yet: its length, with or without the `$` before it. */
static bool begins_bulk(const char *bytes, size_t length)
{
    size_t at = bytes[0] == '$';
    while (at < length && at < LENGTH_LINE_MAX && bytes[at] >= '0' && bytes[at] <= '9') {
        at++;
    }
    return at + 1 < length && bytes[at] == '\r' && bytes[at + 1] == '\n';
}

/* Whether what is there may be the beginning of something good. */
static bool may_go_on(struct resp_reader *reader)
{
    const redisReader *inner = reader->reader;
    size_t waiting = inner->len - inner->pos;
    if (waiting > reader->reply_max - reader->taken) {
        return failed(reader, "a reply is larger than it may be");
    }
    if (waiting > LINE_MAX_BYTES && !begins_bulk(inner->buf + inner->pos, waiting)) {
        return failed(reader, "a line is longer than it may be");
    }
    return true;
}

enum resp_status resp_reader_next(struct resp_reader *reader, struct cluster_reply **reply)
{
    void *object = NULL;
    if (redisReaderGetReply(reader->reader, &object) != REDIS_OK) {
        failed(reader, reader->reader->errstr);
        return RESP_BROKEN;
    }
    if (object == NULL) {
        return may_go_on(reader) ? RESP_MORE : RESP_BROKEN;
    }
    reader->taken = 0;
    *reply = object;
    return RESP_REPLY;
}

const char *resp_failure(const struct resp_reader *reader)
{
    return reader->failure == NULL ? "nothing is wrong" : reader->failure;
}

/* --- writing ---------------------------------------------------------------- */

static size_t digits_of(size_t number)
{
    size_t digits = 1;
    for (; number >= 10; number /= 10) {
        digits++;
    }
    return digits;
}

size_t resp_frame_size(size_t length)
{
    return 1 + digits_of(length) + 2 + 2;
}

char *resp_put_end(char *to)
{
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

static char *put_number(char *to, char sign, size_t number)
{
    size_t digits = digits_of(number);
    *to++ = sign;
    for (size_t i = digits; i-- > 0; number /= 10) {
        to[i] = (char)('0' + number % 10);
    }
    return resp_put_end(to + digits);
}

char *resp_put_count(char *to, size_t count)
{
    return put_number(to, '*', count);
}

char *resp_put_length(char *to, size_t length)
{
    return put_number(to, '$', length);
}

char *resp_put_argument(char *to, struct slice argument)
{
    to = resp_put_length(to, argument.length);
    if (argument.length > 0) {
        memcpy(to, argument.bytes, argument.length);
    }
    return resp_put_end(to + argument.length);
}
