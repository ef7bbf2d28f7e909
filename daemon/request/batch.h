/*
 * batch.h - requests that are worked on together.
 *
 * A record lies at a random place in memory, and the processor waits for it
 * about as long as all the rest of a GET takes. So requests that have arrived
 * together are parsed ahead, up to BATCH_MAX of them; then the processor is
 * asked to fetch what each will need; and only then are they executed, in
 * order, one after the other, the first one's lines being there by now.
 *
 *     parse      parse      parse   ...  what is there, in place
 *     locate     locate     locate  ...  index lines on their way
 *     fetch      fetch      fetch   ...  records on their way
 *     execute -> execute -> execute ...  replies, strictly in this order
 *
 * Where a request is for a cluster, its nodes are slower memory: they are asked ahead as well, as
 * far as no request can overtake one that it depends on (remote.h). Nothing else takes effect
 * before it is executed. A batch may stop between two
 * requests, or inside a long one, and go on later: its requests are slices of
 * the receive buffer, which stays as it is until the batch is done.
 */
#ifndef KVCACHED_DAEMON_REQUEST_BATCH_H
#define KVCACHED_DAEMON_REQUEST_BATCH_H

#include "daemon/request/command.h"
#include "protocol/protocol.h"

enum { BATCH_MAX = COMMAND_BATCH_MAX };

struct batch {
    bool open;    /* parsed, and not done */
    bool located; /* since the store was entered last */
    bool goes_on; /* more keys of the last request's line follow */
    unsigned next, count;
    enum parse_result ending;               /* what came after the requests: PARSE_REQUEST where
                                               no more were looked for */
    size_t taken;                           /* bytes of the requests, and of the ending */
    struct command commands[BATCH_MAX + 1]; /* the last is room for an ending's request */
};

void batch_init(struct batch *batch);
/* Abandons the commands that are not done. */
void batch_deinit(struct batch *batch);

/* Fills an empty batch with the requests that the bytes hold. */
void batch_parse(struct batch *batch, const struct protocol *protocol, struct parser *parser,
                 char *bytes, size_t length);

/* Asks the processor to load the index lines of all commands that are to be executed; and, when
 * these have had time to arrive, the records. */
void batch_locate(struct batch *batch, struct command_context *ctx);
void batch_fetch(struct batch *batch, struct store_thread *store_thread);

/* How many commands are to be executed. */
static inline unsigned batch_left(const struct batch *batch)
{
    return batch->open ? batch->count - batch->next : 0;
}

/* Goes on with its commands, which it locates first where that was not done. Sets the context's
 * `now`. OUTCOME_DONE: all are answered, and the caller has to deal with the ending. */
enum outcome batch_execute(struct batch *batch, struct command_context *ctx);

/* The request of an ending of PARSE_BODY. */
static inline struct request *batch_last_request(struct batch *batch)
{
    return &batch->commands[batch->count].request;
}

/* Bytes of memory that its commands hold for a cluster. */
size_t batch_memory(const struct batch *batch);

/* Whether the command that is next is a RELOAD that was not answered yet. */
bool batch_awaits_reload(const struct batch *batch);
/* Whether it waits for the answer of a cluster that has not come yet. */
bool batch_awaits_remote(const struct batch *batch);

#endif
