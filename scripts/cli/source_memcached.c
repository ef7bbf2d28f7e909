/*
 * source_memcached.c - records of memcached: their keys by lru_crawler metadump, their values,
 * flags and times by mg, in pipelines.
 *
 * A connection for the keys and another for the values, so that neither waits for the other. A
 * metadump lists keys as in a URI; records come and go meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base64.h"
#include "protocol/token.h"
#include "scripts/cli/interrupt.h"
#include "scripts/cli/source.h"

enum { BATCH = 256 };

/* Keys of which values were not asked for yet, as memcached has them. */
struct batch {
    struct bytes keys; /* all of them */
    size_t ends[BATCH];
    size_t count;
};

struct import {
    struct source *source;
    struct loader *loader;
    enum client_result *result;   /* of the loader */
    struct kvc *listing, *values; /* connections to memcached */
    struct batch batch;
};

static enum source_result fail(struct import *import, const char *what)
{
    snprintf(import->source->error, CLIENT_ERROR_MAX, "%s", what);
    return SOURCE_BROKEN;
}

/* --- bytes ------------------------------------------------------------------------ */

static bool send_all(struct kvc *kvc, struct slice bytes)
{
    return kvc_send(kvc, (struct kvc_bytes){bytes.bytes, bytes.length}) == KVC_OK &&
           kvc_flush(kvc) == KVC_OK;
}

/* That many bytes, which are taken; good until the next call. */
static bool read_bytes(struct kvc *kvc, size_t length, struct slice *bytes)
{
    struct kvc_bytes read;
    bool done = kvc_read_bytes(kvc, length, &read) == KVC_OK;
    if (done) {
        *bytes = (struct slice){read.bytes, read.length};
    }
    return done;
}

/* A line, without its end. memcached ends those of a metadump in a line feed only. */
static bool read_line(struct kvc *kvc, struct slice *line)
{
    struct kvc_bytes read;
    bool done = kvc_read_line(kvc, &read) == KVC_OK;
    if (done) {
        *line = (struct slice){read.bytes, read.length};
    }
    return done;
}

/* --- keys ------------------------------------------------------------------------- */

static int digit(char byte)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = memchr(digits, byte | ('A' <= byte && byte <= 'F' ? 0x20 : 0), 16);
    return at != NULL ? (int)(at - digits) : -1;
}

/* Appends a key that is written as in a URI. */
static void decode(struct bytes *keys, struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char byte = text.bytes[i];
        if (byte == '%' && i + 2 < text.length && digit(text.bytes[i + 1]) >= 0 &&
            digit(text.bytes[i + 2]) >= 0) {
            byte = (char)(digit(text.bytes[i + 1]) * 16 + digit(text.bytes[i + 2]));
            i += 2;
        }
        bytes_append_byte(keys, byte);
    }
}

static struct slice key_at(const struct batch *batch, size_t number)
{
    size_t from = number == 0 ? 0 : batch->ends[number - 1];
    return (struct slice){batch->keys.at + from, batch->ends[number] - from};
}

/* --- values ----------------------------------------------------------------------- */

/* In base64, so that any bytes of a key are asked for in the same way. */
static bool ask_values(struct import *import)
{
    struct bytes request = {.at = NULL};
    for (size_t i = 0; i < import->batch.count; i++) {
        struct slice key = key_at(&import->batch, i);
        bytes_append_text(&request, "mg ");
        char *to = bytes_reserve(&request, key.length / 3 * 4 + 8);
        request.length += (size_t)(base64_encode(to, key) - to);
        bytes_append_text(&request, " b v f t\r\n");
    }
    bool sent = send_all(import->values, bytes_slice(&request));
    bytes_deinit(&request);
    return sent;
}

/* Of a line `VA <bytes> f<flags> t<seconds>`; a time of -1 has no end. False: it is none. */
static bool read_meta(struct slice line, size_t *length, uint64_t *flags, uint64_t *ttl)
{
    uint64_t number;
    *flags = 0;
    *ttl = LOADER_NEVER;
    if (!slice_equal(reply_nth(line, 0), slice_of("VA")) ||
        !token_number(reply_nth(line, 1), &number) || number > UINT32_MAX) {
        return false;
    }
    *length = (size_t)number;
    for (size_t i = 2;; i++) {
        struct slice word = reply_nth(line, i);
        if (word.length == 0) {
            return true;
        }
        struct slice rest = {word.bytes + 1, word.length - 1};
        if (word.bytes[0] == 'f' && !token_number(rest, flags)) {
            return false;
        }
        if (word.bytes[0] == 't' && token_number(rest, &number)) {
            *ttl = number * 1000;
        }
    }
}

static enum source_result take_value(struct import *import, struct slice key)
{
    struct slice line, value;
    size_t length;
    uint64_t flags, ttl;
    if (!read_line(import->values, &line)) {
        return interrupt_noted() ? SOURCE_STOPPED : fail(import, "memcached closed the connection");
    }
    if (slice_equal(line, slice_of("EN"))) {
        return SOURCE_DONE; /* it has gone meanwhile */
    }
    if (!read_meta(line, &length, &flags, &ttl)) {
        return fail(import, "memcached does not know mg; it must be 1.6 or newer");
    }
    if (!read_bytes(import->values, length + 2, &value)) {
        return fail(import, "memcached closed the connection");
    }
    value.length = length;
    *import->result = source_put(import->source, import->loader, key, ttl, flags, value);
    return *import->result == CLIENT_DONE ? SOURCE_DONE : SOURCE_STOPPED;
}

static enum source_result take_batch(struct import *import)
{
    enum source_result result = SOURCE_DONE;
    if (import->batch.count > 0 && !ask_values(import)) {
        result = fail(import, "memcached closed the connection");
    }
    for (size_t i = 0; result == SOURCE_DONE && i < import->batch.count; i++) {
        result = take_value(import, key_at(&import->batch, i));
    }
    import->batch.count = import->batch.keys.length = 0;
    return result;
}

/* --- the import ------------------------------------------------------------------- */

static enum source_result take_key(struct import *import, struct slice line)
{
    static const char begin[] = "key=";
    struct slice word = reply_nth(line, 0);
    if (word.length <= sizeof begin - 1 || memcmp(word.bytes, begin, sizeof begin - 1) != 0) {
        return fail(import, "memcached does not list its keys: lru_crawler is off, or it is busy");
    }
    struct batch *batch = &import->batch;
    decode(&batch->keys,
           (struct slice){word.bytes + sizeof begin - 1, word.length - (sizeof begin - 1)});
    batch->ends[batch->count++] = batch->keys.length;
    return batch->count == BATCH ? take_batch(import) : SOURCE_DONE;
}

/* How many records there are, for the progress. What goes wrong shows at the next request. */
static void count_records(struct import *import)
{
    struct slice line;
    if (!send_all(import->values, slice_of("stats\r\n"))) {
        return;
    }
    while (read_line(import->values, &line) && slice_equal(reply_nth(line, 0), slice_of("STAT"))) {
        if (slice_equal(reply_nth(line, 1), slice_of("curr_items"))) {
            token_number(reply_nth(line, 2), &import->loader->progress.total);
        }
    }
}

static enum source_result read_all(struct import *import)
{
    enum source_result result = SOURCE_DONE;
    struct slice line;
    count_records(import);
    if (!send_all(import->listing, slice_of("lru_crawler metadump all\r\n"))) {
        return fail(import, "memcached closed the connection");
    }
    while (result == SOURCE_DONE) {
        if (interrupt_noted()) {
            return SOURCE_STOPPED;
        }
        if (!read_line(import->listing, &line)) {
            return interrupt_noted() ? SOURCE_STOPPED
                                     : fail(import, "memcached closed the connection");
        }
        if (slice_equal(line, slice_of("END"))) {
            return take_batch(import);
        }
        result = take_key(import, line);
    }
    return result;
}

/* NULL with the source's error. */
static struct kvc *open_connection(struct source *source)
{
    char name[ENDPOINT_NAME_MAX];
    struct kvc_error error;
    const struct kvc_options options = {.size = sizeof options,
                                        .address = name,
                                        .connect_timeout = CLIENT_CONNECT_TIMEOUT,
                                        .timeout = CLIENT_TIMEOUT,
                                        .poll = interrupt_wait};
    endpoint_name(&source->endpoint, name);
    struct kvc *kvc = kvc_create(&options, &error);
    if (kvc == NULL) {
        snprintf(source->error, sizeof source->error, "%s: %s", name, error.text);
    } else if (kvc_connect(kvc) != KVC_OK) {
        snprintf(source->error, sizeof source->error, "%s", kvc_last_error(kvc)->text);
        kvc_destroy(kvc);
        kvc = NULL;
    }
    return kvc;
}

enum source_result source_read_memcached(struct source *source, struct loader *loader,
                                         enum client_result *result)
{
    struct import import = {.source = source, .loader = loader, .result = result};
    import.listing = open_connection(source);
    import.values = import.listing != NULL ? open_connection(source) : NULL;
    enum source_result done = import.values != NULL ? read_all(&import) : SOURCE_UNREACHABLE;
    kvc_destroy(import.listing);
    kvc_destroy(import.values);
    bytes_deinit(&import.batch.keys);
    return done;
}
