/*
 * hot.c - `hot`: which keys of a namespace are read most, from one of 16 reads that WATCH tells.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "protocol/token.h"
#include "scripts/cli/clock.h"
#include "scripts/cli/command.h"
#include "scripts/cli/interrupt.h"
#include "scripts/cli/sketch.h"

enum { SHOWN = 20, TIME = 5000, SAMPLED = 16 };

/* The word behind `name=` of an event; empty: there is none. */
static struct slice word_of(struct slice event, const char *name)
{
    size_t length = strlen(name);
    struct slice word;
    for (size_t i = 0; (word = reply_nth(event, i)).length > 0; i++) {
        if (word.length > length && word.bytes[length] == '=' &&
            memcmp(word.bytes, name, length) == 0) {
            return (struct slice){word.bytes + length + 1, word.length - length - 1};
        }
    }
    return slice_of("");
}

/* Counts what comes until then. That nothing comes any more is no loss. */
static enum client_result count_reads(struct client *client, int64_t until, struct sketch *sketch)
{
    enum client_result result = CLIENT_DONE;
    int timeout = client->timeout;
    while (result == CLIENT_DONE && clock_left(until) > 0) {
        struct reply reply;
        client->timeout = clock_left(until);
        result = client_read(client, REPLY_NONE, &reply);
        if (result == CLIENT_DONE && reply_is(&reply, "EVENT")) {
            struct slice key = word_of(reply.rest, "key");
            if (key.length > 0) {
                sketch_add(sketch, key);
            }
        }
    }
    client->timeout = timeout;
    client_close(client);
    return clock_left(until) == 0 ? CLIENT_DONE : result;
}

static void print_keys(struct sketch *sketch, double seconds, FILE *out)
{
    sketch_sort(sketch);
    fputs("  reads/s   share  key\n", out);
    for (size_t i = 0; i < sketch->used && i < SHOWN; i++) {
        const struct sketch_key *one = &sketch->keys[i];
        double count = (double)(one->count - one->over);
        fprintf(out, "%9.1f  %5.1f%%  %.*s\n", count * SAMPLED / seconds,
                100 * count / (double)sketch->total, (int)one->key.length, one->key.at);
    }
}

/* Sends WATCH and reads its first reply. */
static enum status begin(struct session *session, const char *ns)
{
    struct reply reply;
    struct client *client = &session->client;
    enum status status = session_ready(session);
    if (status != STATUS_DONE) {
        return status;
    }
    bytes_append_text(client_out(client), "WATCH ");
    message_add_word(client_out(client), slice_of(ns), false);
    bytes_print(client_out(client), " reads 1/%d\r\n", SAMPLED);
    enum client_result result = client_flush(client);
    if (result == CLIENT_DONE) {
        result = client_read(client, REPLY_NONE, &reply);
    }
    if (result == CLIENT_DONE && !reply_is(&reply, "OK")) {
        char *text = memory_copy(reply.line);
        printer_fail(&session->printer, text);
        free(text);
        return STATUS_REFUSED;
    }
    return session_result(session, result);
}

static enum status watch(struct session *session, const char *ns, uint64_t time)
{
    struct sketch sketch;
    int64_t began = clock_now();
    interrupt_catch(true);
    enum status status = begin(session, ns);
    if (status != STATUS_DONE) {
        return status;
    }
    sketch_init(&sketch);
    enum client_result result = count_reads(&session->client, began + (int64_t)time, &sketch);
    print_keys(&sketch, (double)(clock_now() - began) / 1000, session->printer.out);
    sketch_deinit(&sketch);
    return result == CLIENT_INTERRUPTED ? STATUS_DONE : session_result(session, result);
}

enum status hot_run(struct session *session, int count, char **words)
{
    uint64_t time = TIME;
    bool good = true;
    optind = 0;
    opterr = 0;
    for (int code; (code = getopt(count, words, "t:")) != -1;) {
        good = good && code == 't' && token_time(slice_of(optarg), &time) == TOKEN_TIME_FOR &&
               time <= INT32_MAX;
    }
    if (!good || optind + 1 != count) {
        return command_misused(session, "hot");
    }
    return watch(session, words[optind], time);
}
