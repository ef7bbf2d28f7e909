/*
 * upload.h - a large value on its way into the store.
 *
 * A value that does not fit the receive buffer is not waited for: its bytes go straight from the
 * socket to where they will lie. The record becomes visible when the value has come as a whole,
 * with its line end.
 *
 * Where the key lives is decided at the beginning. A reload in between can change what the same
 * words would mean now. The record goes where it began all the same, if rights and the policy still
 * allow it there.
 *
 * Where the store refuses the value, at first or in the middle, the refusal is answered at once,
 * and upload_is_open is false from then on: the parser has to drop the rest of the value.
 *
 * For the thread of the connection, between store_enter and store_leave of the store thread; only
 * upload_abort may be called at any time.
 */
#ifndef KVCACHED_DAEMON_REQUEST_UPLOAD_H
#define KVCACHED_DAEMON_REQUEST_UPLOAD_H

#include "daemon/request/command.h"

struct remote_work;

struct upload {
    struct store_write *write; /* NULL: there is none */
    struct store_append
        *append;                /* the value is whole, and being appended to a large one; or NULL */
    struct remote_work *remote; /* the record is a cluster's: the value on its way there; or NULL */
    bool whole;                 /* the value has come as a whole, but is not committed */
    struct slow_timer timer;    /* of the commit */
    uint64_t left;              /* bytes of the value that are still to come */
    struct stored stored;       /* what its commit made */
    struct request request;     /* its slices point to `text` */
    struct slice name, key;     /* where the record lives; they point to the arrays below */
    char name_text[REQUEST_NAMESPACE_MAX];
    char text[REQUEST_NAMESPACE_MAX + REQUEST_KEY_MAX + REQUEST_WORDS_MAX];
};

static inline bool upload_is_open(const struct upload *upload)
{
    return ((uintptr_t)upload->write | (uintptr_t)upload->append | (uintptr_t)upload->remote) != 0;
}

/* Begins with a request whose value is still to come. */
void upload_begin(struct upload *upload, struct command_context *ctx,
                  const struct request *request);

/* Takes those of the bytes that belong to the value, and returns how many. Fewer: the store has
 * refused the value, or lets it wait: then ctx->crowded is set. */
size_t upload_take(struct upload *upload, struct command_context *ctx, struct slice bytes);

/* Where the next bytes are to be written. False: the store has refused the value, or ctx->crowded
 * is set. */
bool upload_space(struct upload *upload, struct command_context *ctx, struct iovec *space);
/* `size` bytes were written there. */
void upload_advance(struct upload *upload, size_t size);

/* Whether bytes of the value are still to come. */
static inline bool upload_arrives(const struct upload *upload)
{
    return (upload->write != NULL || upload->remote != NULL) && !upload->whole;
}

/* Whether it waits for the answer of a cluster. */
bool upload_awaits_remote(const struct upload *upload);

/* Bytes of memory that it holds outside of the store. */
size_t upload_memory(const struct upload *upload);

/* Commits a value that is whole, and answers. False: to be called again, since that takes longer,
 * or has to wait: then ctx->crowded is set, or upload_awaits_remote says so. */
bool upload_commit(struct upload *upload, struct command_context *ctx);

/* Gives up a value that comes too slowly, and answers that. */
void upload_give_way(struct upload *upload, struct command_context *ctx);

/* Gives up the value without an answer: the connection is closed, or the value has no line end. */
void upload_abort(struct upload *upload, struct store_thread *store_thread);

#endif
