/*
 * upload.c - feeding a store_write from a connection.
 */
#include "daemon/upload.h"

static struct slice name_of(const struct upload *upload)
{
    return (struct slice){upload->name, upload->name_length};
}

static void refused(struct upload *upload, struct executor *by, enum store_status status)
{
    if (upload->write != NULL) {
        store_write_abort(by->lane, &upload->write);
    }
    execute_stored(by, name_of(upload), status);
}

void upload_begin(struct upload *upload, struct executor *by, const struct request *request)
{
    struct slice ns = execute_namespace(by, request);
    memcpy(upload->name, ns.bytes, ns.length);
    upload->name_length = ns.length;
    upload->left = request->value_length;
    upload->write = NULL;
    upload->request = *request;
    upload->request.ns = upload->request.keys = (struct slice){NULL, 0};

    enum store_mode mode = request->verb == VERB_ADD ? STORE_ADD : STORE_SET;
    struct store_key at;
    enum store_status status = store_locate(by->lane, ns, request->keys, &at);
    if (status == STORE_OK) {
        status = store_write_begin(by->lane, &at, mode, execute_ttl(request), 0,
                                   request->value_length, by->now, &upload->write);
    }
    if (status != STORE_OK) {
        upload->write = NULL;
        refused(upload, by, status);
    }
}

bool upload_space(struct upload *upload, struct executor *by, struct iovec *space)
{
    enum store_status status = store_write_space(by->lane, upload->write, by->now, space);
    if (status != STORE_OK) {
        refused(upload, by, status);
        return false;
    }
    return true;
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
    execute_stored(by, name_of(upload), store_write_commit(by->lane, &upload->write, by->now));
}

void upload_abort(struct upload *upload, struct lane *lane)
{
    if (upload->write != NULL) {
        store_write_abort(lane, &upload->write);
    }
}
