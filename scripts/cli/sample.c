/*
 * sample.c - the figures of a server at one moment: STATS, NAMESPACES, and STATS of each namespace,
 * all of them in one pipeline.
 */
#include "scripts/cli/sample.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/token.h"
#include "scripts/cli/clock.h"
#include "scripts/cli/exchange.h"

/* Where a figure of STATS goes. */
struct place {
    const char *name;
    size_t offset;
};

static const struct place of_server[] = {
    {"uptime", offsetof(struct sample, uptime)},
    {"curr_connections", offsetof(struct sample, connections)},
    {"max_connections", offsetof(struct sample, connections_limit)},
    {"limit_maxbytes", offsetof(struct sample, memory_limit)},
    {"curr_items", offsetof(struct sample, total.records)},
    {"bytes", offsetof(struct sample, total.bytes)},
    {"memory_used", offsetof(struct sample, total.memory)},
    {"cmd_get", offsetof(struct sample, total.reads)},
    {"get_hits", offsetof(struct sample, total.hits)},
    {"cmd_set", offsetof(struct sample, total.writes)},
    {"expirations", offsetof(struct sample, total.expired)},
    {"evictions", offsetof(struct sample, total.evicted)},
    {NULL, 0},
};

static const struct place of_namespace[] = {
    {"items", offsetof(struct sample_row, records)},
    {"bytes", offsetof(struct sample_row, bytes)},
    {"memory", offsetof(struct sample_row, memory)},
    {"quota", offsetof(struct sample_row, quota)},
    {"hits", offsetof(struct sample_row, hits)},
    {"misses", offsetof(struct sample_row, reads)},
    {"sets", offsetof(struct sample_row, writes)},
    {"expirations", offsetof(struct sample_row, expired)},
    {"evictions", offsetof(struct sample_row, evicted)},
    {NULL, 0},
};

static void copy_word(char *to, size_t room, struct slice word)
{
    snprintf(to, room, "%.*s", (int)word.length, word.bytes);
}

static void take_figure(const struct place *places, void *record, const struct reply *reply)
{
    struct slice name = reply_nth(reply->rest, 0);
    for (; places->name != NULL; places++) {
        if (slice_equal(name, slice_of(places->name))) {
            uint64_t *to = (uint64_t *)(void *)((char *)record + places->offset);
            token_number(reply_nth(reply->rest, 1), to);
        }
    }
}

/* --- listings --------------------------------------------------------------------- */

/* Takes one row of a listing. */
typedef void row_function(void *context, const struct reply *reply);

/* Reads a listing up to its end. A refusal is noted. */
static enum client_result read_listing(struct client *client, row_function *take, void *context,
                                       bool *allowed)
{
    for (;;) {
        struct reply reply;
        enum client_result result = client_read(client, REPLY_VALUES, &reply);
        if (result != CLIENT_DONE) {
            return result;
        }
        if (exchange_ends(&reply)) {
            if (reply_is_error(&reply)) {
                *allowed = false;
                copy_word(client->error, sizeof client->error, reply.line);
            }
            return CLIENT_DONE;
        }
        take(context, &reply);
    }
}

static void take_server(void *context, const struct reply *reply)
{
    struct sample *sample = context;
    take_figure(of_server, sample, reply);
    if (slice_equal(reply_nth(reply->rest, 0), slice_of("version"))) {
        copy_word(sample->version, sizeof sample->version, reply_nth(reply->rest, 1));
    }
}

static void take_namespace(void *context, const struct reply *reply)
{
    struct sample_row *row = context;
    take_figure(of_namespace, row, reply);
    if (slice_equal(reply_nth(reply->rest, 0), slice_of("ttl"))) {
        copy_word(row->ttl, sizeof row->ttl, reply_nth(reply->rest, 1));
    }
}

static void take_name(void *context, const struct reply *reply)
{
    struct sample *sample = context;
    sample->rows = memory_resize(sample->rows, sample->namespaces + 1, sizeof *sample->rows);
    struct sample_row *row = &sample->rows[sample->namespaces++];
    *row = (struct sample_row){.records = 0};
    copy_word(row->name, sizeof row->name, reply_nth(reply->rest, 0));
    token_number(reply_nth(reply->rest, 1), &row->records);
    token_number(reply_nth(reply->rest, 2), &row->bytes);
}

/* --- a sample --------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    uint64_t left = ((const struct sample_row *)a)->bytes;
    uint64_t right = ((const struct sample_row *)b)->bytes;
    return (left < right) - (left > right);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sample_row *)a)->name, ((const struct sample_row *)b)->name);
}

static void keep_largest(struct sample *sample)
{
    sample->count = sample->namespaces;
    if (sample->count > SAMPLE_NAMESPACES) {
        qsort(sample->rows, sample->count, sizeof *sample->rows, by_bytes);
        sample->count = SAMPLE_NAMESPACES;
    }
    if (sample->count > 0) {
        qsort(sample->rows, sample->count, sizeof *sample->rows, by_name);
    }
}

/* A namespace that has gone meanwhile keeps what NAMESPACES said. Not to be allowed to see one is
 * no mistake. */
static enum client_result read_namespaces(struct client *client, struct sample *sample)
{
    enum client_result result;
    for (size_t i = 0; i < sample->count; i++) {
        bytes_print(client_out(client), "STATS %s\r\n", sample->rows[i].name);
    }
    result = client_flush(client);
    for (size_t i = 0; result == CLIENT_DONE && i < sample->count; i++) {
        bool allowed = true;
        struct sample_row *row = &sample->rows[i];
        result = read_listing(client, take_namespace, row, &allowed);
        row->reads += row->hits; /* there were misses only */
    }
    return result;
}

enum client_result sample_take(struct client *client, struct sample *sample, bool *allowed)
{
    *allowed = true;
    *sample = (struct sample){.at = clock_now()};
    bytes_append_text(client_out(client), "STATS\r\nNAMESPACES\r\n");
    enum client_result result = client_flush(client);
    if (result == CLIENT_DONE) {
        result = read_listing(client, take_server, sample, allowed);
    }
    if (result == CLIENT_DONE) {
        bool named = true;
        result = read_listing(client, take_name, sample, &named);
    }
    if (result == CLIENT_DONE && *allowed) {
        keep_largest(sample);
        result = read_namespaces(client, sample);
    }
    return result;
}

void sample_deinit(struct sample *sample)
{
    free(sample->rows);
    *sample = (struct sample){.rows = NULL};
}

const struct sample_row *sample_find(const struct sample *sample, const char *name)
{
    struct sample_row key;
    snprintf(key.name, sizeof key.name, "%s", name);
    return sample->count == 0
               ? NULL
               : bsearch(&key, sample->rows, sample->count, sizeof *sample->rows, by_name);
}
