/*
 * source_redis.c - records of Redis, by hiredis: SCAN lists keys, PTTL and GET are asked for in
 * pipelines.
 *
 * Only strings are taken over; keys of other types are counted. SCAN may list a key twice, which is
 * stored twice then.
 */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "scripts/cli/interrupt.h"
#include "scripts/cli/source.h"

enum { TIMEOUT_SECONDS = 30 };

struct import {
    struct source *source;
    struct loader *loader;
    enum client_result *result; /* of the loader */
    redisContext *redis;
};

static enum source_result fail(struct import *import, const char *what)
{
    snprintf(import->source->error, CLIENT_ERROR_MAX, "%s", what);
    return interrupt_noted() ? SOURCE_STOPPED : SOURCE_BROKEN;
}

/* The next reply, to be freed; NULL: the connection is lost. */
static redisReply *read_reply(struct import *import)
{
    void *reply = NULL;
    return redisGetReply(import->redis, &reply) == REDIS_OK ? reply : NULL;
}

/* --- a record --------------------------------------------------------------------- */

/* PTTL: -1 has no end, -2 has gone. */
static enum source_result store(struct import *import, const redisReply *key, const redisReply *ttl,
                                const redisReply *value)
{
    if (ttl->type != REDIS_REPLY_INTEGER || value->type == REDIS_REPLY_ERROR) {
        import->source->skipped++;
        return SOURCE_DONE;
    }
    if (ttl->integer == -2 || value->type != REDIS_REPLY_STRING) {
        return SOURCE_DONE;
    }
    *import->result = source_put(import->source, import->loader, (struct slice){key->str, key->len},
                                 ttl->integer < 0 ? LOADER_NEVER : (uint64_t)ttl->integer, 0,
                                 (struct slice){value->str, value->len});
    return *import->result == CLIENT_DONE ? SOURCE_DONE : SOURCE_STOPPED;
}

static enum source_result take_key(struct import *import, const redisReply *key)
{
    enum source_result result;
    redisReply *ttl = read_reply(import);
    redisReply *value = ttl != NULL ? read_reply(import) : NULL;
    if (value == NULL) {
        result = fail(import, import->redis->errstr);
    } else {
        result = store(import, key, ttl, value);
    }
    if (ttl != NULL) {
        freeReplyObject(ttl);
    }
    if (value != NULL) {
        freeReplyObject(value);
    }
    return result;
}

static enum source_result take_keys(struct import *import, const redisReply *keys)
{
    enum source_result result = SOURCE_DONE;
    for (size_t i = 0; i < keys->elements; i++) {
        const redisReply *key = keys->element[i];
        redisAppendCommand(import->redis, "PTTL %b", key->str, (size_t)key->len);
        redisAppendCommand(import->redis, "GET %b", key->str, (size_t)key->len);
    }
    for (size_t i = 0; result == SOURCE_DONE && i < keys->elements; i++) {
        result = take_key(import, keys->element[i]);
    }
    return result;
}

/* --- the import ------------------------------------------------------------------- */

/* One step of SCAN. *cursor becomes "0" behind the last one. */
static enum source_result scan(struct import *import, char cursor[32])
{
    const char *match = import->source->match != NULL ? import->source->match : "*";
    redisReply *reply = redisCommand(import->redis, "SCAN %s MATCH %s COUNT 500", cursor, match);
    enum source_result result;
    if (reply == NULL) {
        return fail(import, import->redis->errstr);
    }
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        result = fail(import, reply->type == REDIS_REPLY_ERROR ? reply->str : "SCAN failed");
    } else {
        result = take_keys(import, reply->element[1]);
        snprintf(cursor, 32, "%s", reply->element[0]->str);
    }
    freeReplyObject(reply);
    return result;
}

/* How many keys there are, for the progress; of those that match it is not known. */
static void count_keys(struct import *import)
{
    redisReply *reply =
        import->source->match == NULL ? redisCommand(import->redis, "DBSIZE") : NULL;
    if (reply != NULL) {
        import->loader->progress.total =
            reply->type == REDIS_REPLY_INTEGER ? (uint64_t)reply->integer : 0;
        freeReplyObject(reply);
    }
}

static enum source_result read_all(struct import *import)
{
    char cursor[32] = "0";
    enum source_result result;
    count_keys(import);
    do {
        result = interrupt_noted() ? SOURCE_STOPPED : scan(import, cursor);
    } while (result == SOURCE_DONE && strcmp(cursor, "0") != 0);
    return result;
}

static enum source_result choose_database(struct import *import)
{
    redisReply *reply = redisCommand(import->redis, "SELECT %u", import->source->database);
    enum source_result result = SOURCE_DONE;
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
        result = fail(import, reply != NULL ? reply->str : import->redis->errstr);
    }
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return result;
}

static redisContext *connect_to(const struct endpoint *endpoint)
{
    struct timeval timeout = {.tv_sec = CLIENT_CONNECT_TIMEOUT / 1000};
    return endpoint->path != NULL
               ? redisConnectUnixWithTimeout(endpoint->path, timeout)
               : redisConnectWithTimeout(endpoint->host, endpoint->port, timeout);
}

enum source_result source_read_redis(struct source *source, struct loader *loader,
                                     enum client_result *result)
{
    struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};
    struct import import = {.source = source,
                            .loader = loader,
                            .result = result,
                            .redis = connect_to(&source->endpoint)};
    if (import.redis == NULL || import.redis->err != 0) {
        char name[ENDPOINT_NAME_MAX];
        endpoint_name(&source->endpoint, name);
        snprintf(source->error, sizeof source->error, "cannot connect to %s: %s", name,
                 import.redis != NULL ? import.redis->errstr : "no memory");
        redisFree(import.redis);
        return SOURCE_UNREACHABLE;
    }
    redisSetTimeout(import.redis, timeout);
    enum source_result done = choose_database(&import);
    if (done == SOURCE_DONE) {
        done = read_all(&import);
    }
    redisFree(import.redis);
    return done;
}
