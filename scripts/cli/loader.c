/*
 * loader.c - stores many records, without waiting for each.
 *
 * So many bytes, or so many requests, are sent at once; then their replies are read. Both sides
 * work at the same time, since client_flush takes in replies while it writes.
 */
#include "scripts/cli/loader.h"

#include <inttypes.h>

enum { BATCH_BYTES = 256 * 1024, BATCH_RECORDS = 1024 };

void loader_init(struct loader *loader, struct session *session, bool add, uint64_t total)
{
    *loader = (struct loader){.session = session, .add = add};
    progress_begin(&loader->progress, "records", total);
}

void loader_deinit(struct loader *loader)
{
    bytes_deinit(&loader->reason);
}

static void count_reply(struct loader *loader, const struct reply *reply)
{
    if (reply_is(reply, "STORED")) {
        loader->stored++;
    } else if (reply_is(reply, "EXISTS")) {
        loader->there++;
    } else {
        loader->refused++;
        if (loader->reason.length == 0) {
            bytes_append(&loader->reason, reply->line);
        }
    }
}

enum client_result loader_finish(struct loader *loader)
{
    struct client *client = &loader->session->client;
    enum client_result result = client_flush(client);
    while (result == CLIENT_DONE && loader->awaited > 0) {
        struct reply reply;
        result = client_read(client, REPLY_VALUES, &reply);
        if (result == CLIENT_DONE) {
            loader->awaited--;
            count_reply(loader, &reply);
            progress_add(&loader->progress, 1);
        }
    }
    return result;
}

static void append(struct loader *loader, const struct loader_record *record)
{
    struct bytes *out = client_out(&loader->session->client);
    bytes_append_text(out, loader->add ? "ADD " : "PUT ");
    bytes_append(out, record->ns);
    bytes_append_byte(out, ' ');
    bytes_append(out, record->key);
    if (record->ttl == LOADER_NEVER) {
        bytes_append_text(out, " never");
    } else {
        bytes_print(out, " %" PRIu64 "ms", record->ttl);
    }
    bytes_print(out, " %zu", record->value.length);
    if (record->flags != 0) {
        bytes_print(out, " %" PRIu64, record->flags);
    }
    bytes_append_text(out, "\r\n");
    bytes_append(out, record->value);
    bytes_append_text(out, "\r\n");
    loader->awaited++;
}

enum client_result loader_put(struct loader *loader, const struct loader_record *record)
{
    if (record->ttl == 0) {
        loader->expired++;
        progress_add(&loader->progress, 1);
        return CLIENT_DONE;
    }
    append(loader, record);
    bool full = client_out(&loader->session->client)->length >= BATCH_BYTES ||
                loader->awaited >= BATCH_RECORDS;
    return full ? loader_finish(loader) : CLIENT_DONE;
}

enum status loader_report(struct loader *loader, enum client_result result, bool complete)
{
    struct bytes text = {.at = NULL};
    progress_end(&loader->progress);
    bytes_print(&text, "%" PRIu64 " stored", loader->stored);
    if (loader->add) {
        bytes_print(&text, ", %" PRIu64 " were there", loader->there);
    }
    bytes_print(&text, ", %" PRIu64 " had expired, %" PRIu64 " refused", loader->expired,
                loader->refused);
    if (loader->reason.length > 0) {
        bytes_append_text(&text, ": ");
        bytes_append(&text, bytes_slice(&loader->reason));
    }
    if (result != CLIENT_DONE && loader->awaited > 0) {
        bytes_print(&text, ", %zu not known", loader->awaited);
    }
    bytes_append_byte(&text, '\0');
    printer_fail(&loader->session->printer, text.at);
    bytes_deinit(&text);
    enum status status = session_result(loader->session, result);
    return loader->refused > 0 || !complete ? status_worse(status, STATUS_REFUSED) : status;
}
