/*
 * upload.h - a large value on its way into the store.
 *
 * A value that does not fit the receive buffer is not waited for: its bytes go straight
 * from the socket to where they will lie. Nobody sees the record before the
 * value is whole and its line end was there.
 *
 * Where the key lives is decided at the beginning. A reload in between can change what the same
 * words would mean now; the record goes where it began all the same, if what it takes is
 * still allowed there, by rights and by the policy.
 *
 * Where the store refuses it, at first or in the middle, the refusal is
 * answered at once, and upload_is_open is false from then on: what is left of
 * the value is the parser's to drop.
 *
 * For the thread of the connection, between store_enter and store_leave of the store thread, but
 * for upload_abort, which is good everywhere.
 */
#ifndef KVCACHED_DAEMON_REQUEST_UPLOAD_H
#define KVCACHED_DAEMON_REQUEST_UPLOAD_H

#include "daemon/request/command.h"

struct upload {
    struct store_write *write; /* NULL: there is none */
    struct store_append *join; /* it is whole, and being appended to a large value; or NULL */
    bool whole;                /* all of it has come, but it is not committed */
    uint64_t left;             /* bytes of the value that are still to come */
    struct stored stored;      /* what its commit made */
    struct request request; /* its slices point to `text`: the receive buffer has dropped its own */
    struct slice name, key; /* where the record lives; they point to what follows */
    char name_text[REQUEST_NAMESPACE_MAX];
    char text[REQUEST_NAMESPACE_MAX + REQUEST_KEY_MAX + REQUEST_WORDS_MAX];
};

static inline bool upload_is_open(const struct upload *upload)
{
    return upload->write != NULL || upload->join != NULL;
}

/* Of a request whose value is to come. */
void upload_begin(struct upload *upload, struct command_context *ctx,
                  const struct request *request);

/* Takes as many of the bytes as belong to the value and returns how many. Fewer where the store
 * refuses it, or where it has to wait: then by->crowded is set. */
size_t upload_take(struct upload *upload, struct command_context *ctx, struct slice bytes);

/* Where the next bytes may be read to, and how many of them came. False: refused, or by->crowded.
 */
bool upload_space(struct upload *upload, struct command_context *ctx, struct iovec *space);
void upload_advance(struct upload *upload, size_t size);

static inline bool upload_arrives(const struct upload *upload)
{
    return upload->write != NULL && !upload->whole;
}

/* The value is whole: commits and answers. False: that takes longer, or where by->crowded is set
 * it has to wait; to be called again. */
bool upload_commit(struct upload *upload, struct command_context *ctx);

/* It came too slowly, and gives way: that is answered. */
void upload_give_way(struct upload *upload, struct command_context *ctx);

/* The connection ends, or the value has no line end. */
void upload_abort(struct upload *upload, struct store_thread *store_thread);

#endif
