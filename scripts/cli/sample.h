/*
 * sample.h - the figures of a server at one moment, for `top`.
 */
#ifndef KVCACHED_SCRIPTS_CLI_SAMPLE_H
#define KVCACHED_SCRIPTS_CLI_SAMPLE_H

#include <stdint.h>

#include "scripts/cli/client.h"

enum { SAMPLE_NAMESPACES = 1000, SAMPLE_NAME_MAX = 65, SAMPLE_WORD_MAX = 24 };

/* Of a namespace, or of all. Counters are since the start. */
struct sample_row {
    char name[SAMPLE_NAME_MAX];
    uint64_t records, bytes;
    uint64_t memory, quota;    /* bytes; a quota of 0: none */
    char ttl[SAMPLE_WORD_MAX]; /* as STATS has it: seconds, or never */
    uint64_t reads, hits, writes, expired, evicted;
};

struct sample {
    int64_t at; /* milliseconds of clock_now */
    char version[SAMPLE_WORD_MAX];
    uint64_t uptime; /* seconds */
    uint64_t connections, connections_limit;
    uint64_t memory_limit;
    struct sample_row total;
    struct sample_row *rows; /* by name: those that hold most, SAMPLE_NAMESPACES of them at most */
    size_t count;
    size_t namespaces; /* that there are */
};

/* Asks for the figures. What is not CLIENT_DONE has its reason in client->error, and so has false
 * in *allowed: the server refused. The sample is to be freed in any case. */
enum client_result sample_take(struct client *client, struct sample *sample, bool *allowed);
void sample_deinit(struct sample *sample);

/* The row of a namespace; NULL: there was none. */
const struct sample_row *sample_find(const struct sample *sample, const char *name);

#endif
