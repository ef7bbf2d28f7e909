/*
 * upload.c - feeding a store_write from a connection.
 */
#include "daemon/upload.h"

static struct slice keep(struct slice slice, char **to)
{
    char *at = *to;
    if (slice.length > 0) {
        memcpy(at, slice.bytes, slice.length);
    }
    *to += slice.length;
    return (struct slice){at, slice.length};
}

/* What the answer will need when the inbox has long been filled with other bytes. */
static void keep_request(struct upload *upload, const struct request *request)
{
    char *to = upload->text;
    upload->request = *request;
    upload->request.ns = keep(request->ns, &to);
    upload->request.key = upload->request.keys = keep(request->keys, &to);
    upload->request.words = keep(request->words, &to);
}

/* Locates the key once more: between two turns the store was left. */
static void answer(struct upload *upload, struct executor *by, enum store_status status)
{
    struct store_key at;
    execute_locate_key(by, &upload->request, upload->request.keys, &at);
    execute_stored(by, &upload->request, &at, status, &upload->stored);
}

static void refused(struct upload *upload, struct executor *by, enum store_status status)
{
    struct store_key at;
    if (upload->write != NULL) {
        store_write_abort(by->lane, &upload->write);
    }
    execute_locate_key(by, &upload->request, upload->request.keys, &at);
    /* The answer may take the old record with it, and the right to that may be gone. */
    if (execute_allowed(by, &upload->request, at.name)) {
        execute_stored(by, &upload->request, &at, status, &upload->stored);
    }
}

void upload_begin(struct upload *upload, struct executor *by, const struct request *request)
{
    struct store_terms terms = execute_terms(request);
    struct store_key at;
    keep_request(upload, request);
    upload->left = request->value_length;
    upload->write = NULL;
    upload->stored = (struct stored){0, 0};
    if ((request->options & REQUEST_LENGTH) != 0) {
        terms.length = &upload->stored.length;
    }
    enum store_status status = execute_locate_key(by, &upload->request, upload->request.keys, &at);
    if (!execute_allowed(by, &upload->request, at.name)) {
        return;
    }
    if (status == STORE_OK) {
        status = store_write_begin(by->lane, &at, &terms, request->value_length, by->now,
                                   &upload->write);
    }
    if (status != STORE_OK) {
        upload->write = NULL;
        refused(upload, by, status);
    }
}

bool upload_space(struct upload *upload, struct executor *by, struct iovec *space)
{
    enum store_status status = store_write_space(by->lane, upload->write, by->now, space);
    by->crowded = status == STORE_CROWDED;
    if (status != STORE_OK && !by->crowded) {
        refused(upload, by, status);
    }
    return status == STORE_OK;
}

void upload_advance(struct upload *upload, size_t size)
{
    store_write_advance(upload->write, size);
    upload->left -= size;
}

size_t upload_take(struct upload *upload, struct executor *by, struct slice bytes)
{
    size_t taken = 0;
    while (upload->left > 0 && taken < bytes.length) {
        struct iovec space;
        if (!upload_space(upload, by, &space)) {
            break;
        }
        size_t rest = bytes.length - taken;
        size_t part = space.iov_len < rest ? space.iov_len : rest;
        memcpy(space.iov_base, bytes.bytes + taken, part);
        upload_advance(upload, part);
        taken += part;
    }
    return taken;
}

void upload_commit(struct upload *upload, struct executor *by)
{
    struct store_key at;
    execute_locate_key(by, &upload->request, upload->request.keys, &at);
    if (!execute_allowed(by, &upload->request, at.name)) {
        upload_abort(upload, by->lane);
        return;
    }
    store_write_set_ttl(upload->write, execute_lifetime(upload->request.ttl));
    enum store_status status =
        store_write_commit(by->lane, &upload->write, by->now, &upload->stored.version);
    answer(upload, by, status);
}

void upload_give_way(struct upload *upload, struct executor *by)
{
    refused(upload, by, STORE_TOO_SLOW);
}

void upload_abort(struct upload *upload, struct lane *lane)
{
    if (upload->write != NULL) {
        store_write_abort(lane, &upload->write);
    }
}
