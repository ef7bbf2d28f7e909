/*
 * source_memcached.c - records of memcached: their keys by lru_crawler metadump, their values,
 * flags and times by mg, in pipelines.
 *
 * A connection for the keys and another for the values, so that neither waits for the other. A
 * metadump lists keys as in a URI; records come and go meanwhile.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base64.h"
#include "protocol/token.h"
#include "scripts/cli/clock.h"
#include "scripts/cli/interrupt.h"
#include "scripts/cli/source.h"
#include "scripts/cli/stream.h"

enum { TIMEOUT = 30000, PIECE = 64 * 1024, BATCH = 256 };

/* A connection to memcached. */
struct wire {
    struct link link;
    struct bytes in;
    size_t taken;
};

/* Keys of which values were not asked for yet, as memcached has them. */
struct batch {
    struct bytes keys; /* all of them */
    size_t ends[BATCH];
    size_t count;
};

struct import {
    struct source *source;
    struct loader *loader;
    enum client_result *result; /* of the loader */
    struct wire listing, values;
    struct batch batch;
};

static enum source_result fail(struct import *import, const char *what)
{
    snprintf(import->source->error, LINK_ERROR_MAX, "%s", what);
    return SOURCE_BROKEN;
}

/* --- bytes ------------------------------------------------------------------------ */

static bool send_all(struct wire *wire, struct slice bytes)
{
    while (bytes.length > 0) {
        size_t count = 0;
        enum link_result result = stream_write(&wire->link, bytes, &count);
        if (result == LINK_LATER) {
            if (link_wait(&wire->link, wire->link.events, TIMEOUT) != LINK_READY) {
                return false;
            }
        } else if (result != LINK_DONE) {
            return false;
        }
        bytes.bytes += count;
        bytes.length -= count;
    }
    return true;
}

static bool read_more(struct wire *wire)
{
    bytes_drop(&wire->in, wire->taken);
    wire->taken = 0;
    for (;;) {
        size_t count = 0;
        char *to = bytes_reserve(&wire->in, PIECE);
        enum link_result result = stream_read(&wire->link, to, PIECE, &count);
        if (result == LINK_DONE) {
            wire->in.length += count;
            return true;
        }
        if (result != LINK_LATER ||
            link_wait(&wire->link, wire->link.events, TIMEOUT) != LINK_READY) {
            return false;
        }
    }
}

/* That many bytes, which are taken; good until the next call. */
static bool read_bytes(struct wire *wire, size_t length, struct slice *bytes)
{
    while (wire->in.length - wire->taken < length) {
        if (!read_more(wire)) {
            return false;
        }
    }
    *bytes = (struct slice){bytes_rest(&wire->in, wire->taken).bytes, length};
    wire->taken += length;
    return true;
}

/* A line, without its end. memcached ends those of a metadump in a line feed only. */
static bool read_line(struct wire *wire, struct slice *line)
{
    const char *end = NULL;
    for (;;) {
        struct slice rest = bytes_rest(&wire->in, wire->taken);
        end = memchr(rest.bytes, '\n', rest.length);
        if (end != NULL) {
            *line = (struct slice){rest.bytes, (size_t)(end - rest.bytes)};
            wire->taken += line->length + 1;
            line->length -= line->length > 0 && end[-1] == '\r';
            return true;
        }
        if (!read_more(wire)) {
            return false;
        }
    }
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
    bool sent = send_all(&import->values, bytes_slice(&request));
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
    if (!read_line(&import->values, &line)) {
        return interrupt_noted() ? SOURCE_STOPPED : fail(import, "memcached closed the connection");
    }
    if (slice_equal(line, slice_of("EN"))) {
        return SOURCE_DONE; /* it has gone meanwhile */
    }
    if (!read_meta(line, &length, &flags, &ttl)) {
        return fail(import, "memcached does not know mg; it must be 1.6 or newer");
    }
    if (!read_bytes(&import->values, length + 2, &value)) {
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
    if (!send_all(&import->values, slice_of("stats\r\n"))) {
        return;
    }
    while (read_line(&import->values, &line) && slice_equal(reply_nth(line, 0), slice_of("STAT"))) {
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
    if (!send_all(&import->listing, slice_of("lru_crawler metadump all\r\n"))) {
        return fail(import, "memcached closed the connection");
    }
    while (result == SOURCE_DONE) {
        if (interrupt_noted()) {
            return SOURCE_STOPPED;
        }
        if (!read_line(&import->listing, &line)) {
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

static bool open_wire(struct import *import, struct wire *wire)
{
    if (stream_open(&wire->link, &import->source->endpoint, CLIENT_CONNECT_TIMEOUT)) {
        return true;
    }
    memcpy(import->source->error, wire->link.error, LINK_ERROR_MAX);
    return false;
}

static void close_wire(struct wire *wire)
{
    stream_close(&wire->link);
    bytes_deinit(&wire->in);
}

enum source_result source_read_memcached(struct source *source, struct loader *loader,
                                         enum client_result *result)
{
    struct import import = {.source = source,
                            .loader = loader,
                            .result = result,
                            .listing = {.link = {.fd = -1}},
                            .values = {.link = {.fd = -1}}};
    bool opened = open_wire(&import, &import.listing) && open_wire(&import, &import.values);
    enum source_result done = opened ? read_all(&import) : SOURCE_UNREACHABLE;
    close_wire(&import.listing);
    close_wire(&import.values);
    bytes_deinit(&import.batch.keys);
    return done;
}
