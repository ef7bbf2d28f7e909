/*
 * expect.h - which replies are awaited, in the order of their requests.
 *
 * A reply that its request cannot have means that the connection is out of step. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_EXPECT_H
#define KVCACHED_SCRIPTS_CLIENTS_C_EXPECT_H

#include <stdbool.h>

#include "scripts/clients/c/buffer.h"
#include "scripts/clients/c/kvcached.h"

enum expect_kind {
    EXPECT_PUT,
    EXPECT_ADD,
    EXPECT_GET,
    EXPECT_DELETE,
    EXPECT_TOUCH,
    EXPECT_TTL,
    EXPECT_NUMBER,
    EXPECT_LIST,
    EXPECT_ALL,
    EXPECT_STATS,
    EXPECT_FLUSH,
    EXPECT_PING,
    EXPECT_VERSION,
    EXPECT_AUTH,
};

/* A request whose replies are awaited. */
struct expected {
    enum expect_kind kind;
    size_t left; /* replies, of a request on keys; else 1 */
    bool begun;  /* a reply has come */
};

struct expect_queue {
    struct expected *at;
    size_t first, count, room; /* count: from first on */
};

void expect_deinit(struct expect_queue *queue);
/* False: there is no memory. */
bool expect_push(struct expect_queue *queue, enum expect_kind kind, size_t replies);
/* Takes the youngest away. */
void expect_pop_last(struct expect_queue *queue);
void expect_clear(struct expect_queue *queue);
/* The oldest; the queue is not empty. */
const struct expected *expect_first(const struct expect_queue *queue);
/* Whether a request of this kind changes something. */
bool expect_writes(enum expect_kind kind);
/* Whether any that is awaited does. */
bool expect_any_writes(const struct expect_queue *queue);

/* What a reply means to the oldest request, which is taken away behind its last one. Completes
 * *reply; `key` is where a key is decoded. KVC_ERROR_PROTOCOL: it can have no such reply. */
enum kvc_result expect_take(struct expect_queue *queue, struct kvc_reply *reply,
                            struct buffer *key);

#endif
