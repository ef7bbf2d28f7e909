/*
 * pipeline.h - what a connection needs while it has something to do.
 *
 * The inbox, the parser's state, the requests under way, the replies that are
 * not sent. An idle connection has none of that: its desk goes back to the crew
 * as soon as nothing lies on it, so that ten thousand idle connections cost no
 * more than their descriptors and timers.
 *
 * A desk knows bytes and requests, but no events: whoever has it is told what
 * it waits for.
 */
#ifndef KVCACHED_DAEMON_REQUEST_PIPELINE_H
#define KVCACHED_DAEMON_REQUEST_PIPELINE_H

#include "daemon/conn/loop.h"
#include "daemon/net/endpoint.h"
#include "daemon/request/batch.h"
#include "daemon/request/recv_buffer.h"
#include "daemon/request/reply_queue.h"
#include "daemon/request/upload.h"

enum desk_state {
    DESK_HUNGRY,    /* needs more bytes */
    DESK_TIRED,     /* could go on, but others shall have their turn */
    DESK_STALLED,   /* the peer must take replies first */
    DESK_WAITING,   /* for the authenticator to answer */
    DESK_CROWDED,   /* for memory: too much of it is pinned, or being uploaded */
    DESK_QUIT,      /* the peer asked to be let go, when all is sent */
    DESK_CONFUSED,  /* to be closed when all is sent: what follows has no meaning */
    DESK_BROWSER,   /* to be hung up on */
    DESK_HELLO,     /* the same, for TLS that is not spoken here */
    DESK_NO_MEMORY, /* to be closed: replies are missing */
};

struct desk {
    const struct endpoint *endpoint;
    struct identity *identity; /* of its connection */
    enum desk_state state;
    struct inbox inbox;
    size_t wanted; /* bytes of the inbox below which parsing makes no sense */
    bool overflew; /* the last read filled all the space it had: there may be more */
    struct parser parser;
    struct batch batch;
    struct upload upload;
    struct outbox outbox;
};

/* NULL: no memory. */
struct desk *desk_create(struct crew *crew, const struct endpoint *endpoint,
                         struct identity *identity);
/* Abandons what is under way. Sets *desk to NULL. */
void desk_destroy(struct desk **desk, struct crew *crew);

/* Bytes of memory that it takes now. */
size_t desk_memory(const struct desk *desk);

/* Whether peers that take or send nothing shall give way, for that this desk's is one that
 * keeps others waiting. */
bool desk_presses(const struct desk *desk, const struct store_pressure *pressure);

/* Nothing is under way: it could be destroyed, and made anew for the next byte. */
bool desk_is_clear(const struct desk *desk);

/* All that follows happens between store_enter and store_leave of the crew's lane. */

/* One read, to where the bytes are wanted. TRANSPORT_FAILED
 * also where there is no memory to read to. */
enum transport_status desk_receive(struct desk *desk, struct crew *crew,
                                   struct transport *transport, size_t *moved);

/* More of the value that is being uploaded may have come already. */
static inline bool desk_expects_more(const struct desk *desk)
{
    return desk->overflew && upload_is_open(&desk->upload);
}

/* Ahead of desk_work, where it pays: parses what has come and sets index lines on their
 * way, and says how many requests that were. */
unsigned desk_prepare(struct desk *desk, struct crew *crew);
/* The same for their records. */
void desk_fetch(struct desk *desk, struct crew *crew);

/* The value that is being uploaded is given up, and that is answered. */
void desk_give_up_upload(struct desk *desk, struct crew *crew);

/* Works on what has come for one turn at most. Sets crew->now. The clock is looked at now
 * and then, and at first where crew->by.now is 0. */
enum desk_state desk_work(struct desk *desk, struct crew *crew);

#endif
