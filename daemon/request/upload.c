/*
 * upload.c - writes the bytes of a connection into a record.
 */
#include "daemon/request/upload.h"

#include "daemon/request/authorize.h"
#include "daemon/request/notice.h"
#include "daemon/request/remote_upload.h"

static struct slice keep(struct slice slice, char **to)
{
    char *at = *to;
    if (slice.length > 0) {
        memcpy(at, slice.bytes, slice.length);
    }
    *to += slice.length;
    return (struct slice){at, slice.length};
}

/* Copies what the answer needs: the receive buffer will be filled with other bytes by then. */
static void keep_request(struct upload *upload, const struct request *request)
{
    char *to = upload->text;
    upload->request = *request;
    upload->request.ns = keep(request->ns, &to);
    upload->request.key = upload->request.keys = keep(request->keys, &to);
    upload->request.words = keep(request->words, &to);
}

/* Copies the name: it may be that of a setting, which a reload changes. */
static void keep_place(struct upload *upload, const struct store_key *at)
{
    char *to = upload->name_text;
    upload->name = keep(at->name, &to);
    upload->key = at->key;
}

/* Locates the key once more, since the store was left between two turns. */
static void answer(struct upload *upload, struct command_context *ctx, enum store_status status)
{
    struct store_key at;
    store_locate(ctx->store_thread, upload->name, upload->key, &at);
    notice_write(ctx, &upload->request, &at, status);
    command_stored(ctx, &upload->request, &at, status, &upload->stored);
}

static void refuse(struct upload *upload, struct command_context *ctx, enum store_status status)
{
    remote_end(&upload->remote);
    if (upload->write != NULL) {
        store_write_abort(ctx->store_thread, &upload->write);
    }
    /* The answer may delete the old record, and a reload may have taken the right to that away. */
    if (authorize_request(ctx, &upload->request, upload->name)) {
        answer(upload, ctx, status);
    }
}

void upload_begin(struct upload *upload, struct command_context *ctx, const struct request *request)
{
    struct store_terms terms;
    command_terms(request, &terms);
    struct store_key at;
    keep_request(upload, request);
    upload->left = request->value_length;
    upload->write = NULL;
    upload->append = NULL;
    upload->remote = NULL;
    upload->whole = false;
    upload->timer = (struct slow_timer){.began = 0};
    upload->stored = (struct stored){0, 0};
    terms.join = &upload->append;
    if ((request->options & REQUEST_LENGTH) != 0) {
        terms.length = &upload->stored.length;
    }
    enum store_status status =
        command_locate_key(ctx, &upload->request, upload->request.keys, SPLIT_OWN, &at);
    keep_place(upload, &at);
    if (!authorize_request(ctx, &upload->request, upload->name)) {
        return;
    }
    if (status == STORE_OK && ctx->remote != NULL && store_is_remote(ctx->store_thread, at.name)) {
        upload->remote = remote_upload_create(ctx, request);
        status = upload->remote != NULL ? STORE_OK : STORE_NO_MEMORY;
    } else if (status == STORE_OK) {
        status = store_write_begin(ctx->store_thread, &at, &terms, request->value_length, ctx->now,
                                   &upload->write);
    }
    if (status != STORE_OK) {
        upload->write = NULL;
        refuse(upload, ctx, status);
    }
}

bool upload_space(struct upload *upload, struct command_context *ctx, struct iovec *space)
{
    if (upload->remote != NULL) {
        *space = remote_upload_space(upload->remote);
        return true;
    }
    enum store_status status = store_write_space(ctx->store_thread, upload->write, ctx->now, space);
    ctx->crowded = status == STORE_CROWDED;
    ctx->reclaim_began = 0; /* its time is not the client's */
    if (status != STORE_OK && !ctx->crowded) {
        refuse(upload, ctx, status);
    }
    return status == STORE_OK;
}

void upload_advance(struct upload *upload, size_t size)
{
    if (upload->remote != NULL) {
        remote_upload_advance(upload->remote, size);
    } else {
        store_write_advance(upload->write, size);
    }
    upload->left -= size;
}

size_t upload_take(struct upload *upload, struct command_context *ctx, struct slice bytes)
{
    size_t taken = 0;
    while (upload->left > 0 && taken < bytes.length) {
        struct iovec space;
        if (!upload_space(upload, ctx, &space)) {
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

/* Commits a whole value, or goes on with that until the turn is over. */
static enum store_status commit(struct upload *upload, struct command_context *ctx)
{
    enum store_status status = STORE_UNFINISHED;
    uint64_t *version = &upload->stored.version;
    if (upload->append == NULL) {
        store_write_set_ttl(upload->write, command_lifetime(upload->request.ttl));
        status = store_write_commit(ctx->store_thread, &upload->write, ctx->now, version);
    }
    while (status == STORE_UNFINISHED) {
        status = store_append_step(ctx->store_thread, &upload->append, ctx->now, version);
        if (!command_has_time(ctx)) {
            break;
        }
    }
    return status;
}

/* The same in the cluster. */
static bool commit_remote(struct upload *upload, struct command_context *ctx)
{
    struct store_key at;
    store_locate(ctx->store_thread, upload->name, upload->key, &at);
    if (!remote_upload_commit(ctx, upload->remote, &upload->request, &at)) {
        return false;
    }
    upload->whole = false;
    remote_end(&upload->remote);
    return true;
}

bool upload_awaits_remote(const struct upload *upload)
{
    return remote_waits(upload->remote);
}

size_t upload_memory(const struct upload *upload)
{
    return upload->remote != NULL ? remote_upload_memory(upload->remote) : 0;
}

bool upload_commit(struct upload *upload, struct command_context *ctx)
{
    upload->whole = true;
    if (!authorize_request(ctx, &upload->request, upload->name)) {
        upload_abort(upload, ctx->store_thread);
        return true;
    }
    if (upload->remote != NULL) {
        return commit_remote(upload, ctx);
    }
    enum store_status status = commit(upload, ctx);
    ctx->crowded = status == STORE_CROWDED;
    if (ctx->crowded || status == STORE_UNFINISHED) {
        return false;
    }
    upload->whole = false;
    answer(upload, ctx, status);
    return true;
}

void upload_give_way(struct upload *upload, struct command_context *ctx)
{
    refuse(upload, ctx, STORE_TOO_SLOW);
}

void upload_abort(struct upload *upload, struct store_thread *store_thread)
{
    upload->whole = false;
    remote_end(&upload->remote);
    if (upload->write != NULL) {
        store_write_abort(store_thread, &upload->write);
    }
    if (upload->append != NULL) {
        store_append_abort(&upload->append);
    }
}
