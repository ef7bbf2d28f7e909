/*
 * pipeline.c - a turn: parses the bytes that have come, executes the requests, and says what is
 * needed next.
 *
 * step() takes whatever stands at the front of the receive buffer (a batch of requests, or the
 * bytes of a value that is being uploaded) one step further. pipeline_work repeats that until the
 * turn is over.
 */
#include "daemon/request/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/request/authorize.h"
#include "daemon/request/inspection.h"
#include "daemon/request/slow_timer.h"
#include "daemon/request/workspace.h"

enum {
    STEPS_SHORT = 2, /* of a short turn (until == 0): a batch, and what comes behind it */
    /* Free blocks of each kind that are kept. */
    KEEP_SMALL = 64,
    KEEP_LARGE = 4,
    KEEP_CHUNKS = 64,
    KEEP_PIPELINES = 64,
};

void pipeline_init_workspace(struct workspace *workspace)
{
    pool_init(&workspace->recv_buffers.small, RECV_BUFFER_SMALL, KEEP_SMALL);
    pool_init(&workspace->recv_buffers.large, RECV_BUFFER_LARGE, KEEP_LARGE);
    pool_init(&workspace->chunks, REPLY_QUEUE_CHUNK, KEEP_CHUNKS);
    workspace->rested = NULL;
    workspace->rested_count = 0;
}

/* Frees a pipeline that holds nothing but blocks. */
static void release(struct pipeline *pipeline, struct workspace *workspace)
{
    reply_queue_deinit(&pipeline->replies);
    recv_buffer_deinit(&pipeline->input, &workspace->recv_buffers);
    free(pipeline);
}

void pipeline_deinit_workspace(struct workspace *workspace)
{
    while (workspace->rested != NULL) {
        struct pipeline *pipeline = workspace->rested;
        workspace->rested = pipeline->next;
        release(pipeline, workspace);
    }
    workspace->rested_count = 0;
    pool_deinit(&workspace->recv_buffers.small);
    pool_deinit(&workspace->recv_buffers.large);
    pool_deinit(&workspace->chunks);
}

/* Bytes of an unauthenticated client, or of a request that was refused, may hold a secret, however
 * malformed: no later read of the memory shall find it. */
static void wipe(struct pipeline *pipeline, size_t length)
{
    explicit_bzero(recv_buffer_bytes(&pipeline->input), length);
}

static struct pipeline *make(struct workspace *workspace, const struct protocol *protocol)
{
    struct pipeline *pipeline = malloc(sizeof *pipeline);
    if (pipeline != NULL) {
        recv_buffer_init(&pipeline->input);
        batch_init(&pipeline->batch);
        pipeline->upload.write = NULL;
        pipeline->upload.append = NULL;
        pipeline->upload.remote = NULL;
        pipeline->upload.whole = false;
        reply_queue_init(&pipeline->replies, protocol, &workspace->chunks);
    }
    return pipeline;
}

static struct pipeline *take_rested(struct workspace *workspace)
{
    struct pipeline *pipeline = workspace->rested;
    if (pipeline != NULL) {
        workspace->rested = pipeline->next;
        workspace->rested_count--;
    }
    return pipeline;
}

struct pipeline *pipeline_create(struct workspace *workspace, const struct endpoint *endpoint,
                                 struct identity *identity)
{
    struct pipeline *pipeline = take_rested(workspace);
    if (pipeline == NULL) {
        pipeline = make(workspace, endpoint->protocol);
    }
    if (pipeline != NULL) {
        pipeline->endpoint = endpoint;
        pipeline->identity = identity;
        pipeline->wanted = 1;
        pipeline->read_was_full = false;
        parser_init(&pipeline->parser, RECV_BUFFER_LARGE);
        pipeline->replies.protocol = endpoint->protocol;
        pipeline->replies.refused = false;
    }
    return pipeline;
}

bool pipeline_is_idle(const struct pipeline *pipeline)
{
    const struct parser *parser = &pipeline->parser;
    uint64_t holds = recv_buffer_length(&pipeline->input) | pipeline->replies.backlog |
                     pipeline->batch.open | parser->state | parser->dropping;
    return holds == 0 && !upload_is_open(&pipeline->upload);
}

/* Whether another connection can go on with it, which is idle: its buffers are not larger than most
 * connections need. */
static bool may_rest(const struct pipeline *pipeline, const struct workspace *workspace)
{
    return workspace->rested_count < KEEP_PIPELINES &&
           pipeline->input.capacity <= RECV_BUFFER_SMALL &&
           reply_queue_is_as_new(&pipeline->replies);
}

bool pipeline_rest(struct pipeline **place, struct workspace *workspace)
{
    struct pipeline *pipeline = *place;
    if (!pipeline_is_idle(pipeline)) {
        return false;
    }
    *place = NULL;
    if (may_rest(pipeline, workspace)) {
        pipeline->next = workspace->rested;
        workspace->rested = pipeline;
        workspace->rested_count++;
    } else {
        release(pipeline, workspace);
    }
    return true;
}

void pipeline_destroy(struct pipeline **place, struct workspace *workspace)
{
    struct pipeline *pipeline = *place;
    if (pipeline_rest(place, workspace)) {
        return;
    }
    *place = NULL;
    batch_deinit(&pipeline->batch);
    upload_abort(&pipeline->upload, workspace->ctx.store_thread);
    if (pipeline->identity->state == IDENTITY_UNAUTHENTICATED &&
        recv_buffer_length(&pipeline->input) > 0) {
        wipe(pipeline, recv_buffer_length(&pipeline->input));
    }
    release(pipeline, workspace);
}

/* Binds the context to this pipeline, and updates what a reload may have changed for its parser. */
static struct command_context *bind_context(struct pipeline *pipeline, struct workspace *workspace)
{
    pipeline->parser.max_value = workspace->ctx.max_value;
    pipeline->parser.login = pipeline->identity->state == IDENTITY_UNAUTHENTICATED;
    workspace->ctx.replies = &pipeline->replies;
    workspace->ctx.endpoint = pipeline->endpoint;
    workspace->ctx.identity = pipeline->identity;
    workspace->ctx.crowded = false;
    return &workspace->ctx;
}

/* --- reading -------------------------------------------------------------- */

/* Where an upload's next bytes go. False: they go to the receive buffer, since there is no upload,
 * or the store has refused it just now or lets it wait. */
static bool space_in_store(struct pipeline *pipeline, struct workspace *workspace,
                           struct iovec *space)
{
    const struct upload *upload = &pipeline->upload;
    if (!upload_is_open(upload) || upload->left == 0 || recv_buffer_length(&pipeline->input) > 0) {
        return false;
    }
    struct command_context *ctx = bind_context(pipeline, workspace);
    ctx->now = clock_now();
    bool given = upload_space(&pipeline->upload, ctx, space);
    if (!upload_is_open(upload)) {
        pipeline->endpoint->protocol->body_refused(&pipeline->parser, &upload->request,
                                                   upload->left);
    }
    return given;
}

enum transport_status pipeline_receive(struct pipeline *pipeline, struct workspace *workspace,
                                       struct transport *transport, size_t *moved)
{
    struct iovec space;
    bool stored = space_in_store(pipeline, workspace, &space);
    if (!stored) {
        if (!recv_buffer_make_room(&pipeline->input, &workspace->recv_buffers, pipeline->wanted)) {
            return TRANSPORT_FAILED;
        }
        space.iov_base = recv_buffer_free(&pipeline->input, &space.iov_len);
    }
    size_t allowance = identity_allowance(pipeline->identity);
    if (space.iov_len > allowance) {
        space.iov_len = allowance;
    }
    enum transport_status status =
        transport->ops->read(transport, space.iov_base, space.iov_len, moved);
    workspace->ctx.now = 0; /* the bytes may have come after the last reading */
    pipeline->read_was_full = status == TRANSPORT_OK && *moved == space.iov_len;
    if (status != TRANSPORT_OK) {
        return status;
    }
    if (pipeline->identity->state == IDENTITY_UNAUTHENTICATED) {
        pipeline->identity->received += (unsigned)*moved;
    }
    if (stored) {
        upload_advance(&pipeline->upload, *moved);
    } else {
        recv_buffer_fill(&pipeline->input, *moved);
    }
    return status;
}

/* --- working -------------------------------------------------------------- */

/* The functions below say whether the turn goes on at once. Where it does not,
 * they leave the reason in pipeline->state. */
static bool stop(struct pipeline *pipeline, enum pipeline_state state)
{
    pipeline->state = state;
    return false;
}

static bool wait_for_bytes(struct pipeline *pipeline, size_t wanted)
{
    pipeline->wanted = wanted;
    return stop(pipeline, PIPELINE_NEEDS_INPUT);
}

/* The value has come as a whole, with its line end. */
static bool commit_upload(struct pipeline *pipeline, struct command_context *ctx)
{
    struct upload *upload = &pipeline->upload;
    ctx->now = clock_now();
    slow_timer_start(ctx, &upload->timer);
    bool done = upload_commit(upload, ctx);
    slow_timer_stop(ctx, &upload->timer, done, &upload->request, upload->name);
    if (done) {
        return true;
    }
    if (upload_awaits_remote(upload)) {
        return stop(pipeline, PIPELINE_AWAITS_ANSWER);
    }
    return stop(pipeline, ctx->crowded ? PIPELINE_AWAITS_MEMORY : PIPELINE_YIELDED);
}

/* Commits the upload when its line end is there. */
static bool end_upload(struct pipeline *pipeline, struct command_context *ctx)
{
    struct slice bytes = recv_buffer_slice(&pipeline->input);
    size_t consumed = 0;
    enum parse_result result = pipeline->endpoint->protocol->body_end(
        &pipeline->parser, bytes.bytes, bytes.length, &consumed);
    if (result == PARSE_MORE) {
        return wait_for_bytes(pipeline, pipeline->parser.wanted);
    }
    pipeline->wanted = 1;
    if (result == PARSE_REQUEST) {
        recv_buffer_drop(&pipeline->input, consumed);
        return commit_upload(pipeline, ctx);
    }
    upload_abort(&pipeline->upload, ctx->store_thread);
    reply_queue_reply(&pipeline->replies, NULL, &pipeline->parser.error);
    return stop(pipeline, PIPELINE_DESYNCED);
}

static bool continue_upload(struct pipeline *pipeline, struct command_context *ctx)
{
    struct upload *upload = &pipeline->upload;
    ctx->now = clock_now();
    recv_buffer_drop(&pipeline->input,
                     upload_take(upload, ctx, recv_buffer_slice(&pipeline->input)));
    if (!upload_is_open(upload)) {
        pipeline->endpoint->protocol->body_refused(&pipeline->parser, &upload->request,
                                                   upload->left);
        return true;
    }
    if (ctx->crowded) {
        return stop(pipeline, PIPELINE_AWAITS_MEMORY);
    }
    return upload->left > 0 ? wait_for_bytes(pipeline, 1) : end_upload(pipeline, ctx);
}

/* Begins the upload of the last request of the batch, whose value is still to come. */
static void begin_upload(struct pipeline *pipeline, struct command_context *ctx)
{
    const struct request *request = batch_last_request(&pipeline->batch);
    ctx->now = clock_now();
    upload_begin(&pipeline->upload, ctx, request);
    if (!upload_is_open(&pipeline->upload)) {
        pipeline->endpoint->protocol->body_refused(&pipeline->parser, request,
                                                   request->value_length);
    }
}

/* A request of memcached's protocol: says where that is spoken. */
static void answer_memcached(struct pipeline *pipeline, const struct instance *instance)
{
    const struct reply *error = &pipeline->parser.error;
    const char *at = instance->memcache_at;
    bool nowhere = at == NULL || at[0] == '\0';
    char text[REPLY_HEAD_MAX];
    int length =
        snprintf(text, sizeof text, "%.*s; memcached's is %s%s", (int)error->text.length,
                 error->text.bytes, nowhere ? "configured nowhere" : "at ", nowhere ? "" : at);
    struct reply whole = {.kind = error->kind, .text = {text, (size_t)length}};
    reply_queue_reply(&pipeline->replies, NULL, &whole);
}

static void answer_error(struct pipeline *pipeline, struct command_context *ctx)
{
    if (pipeline->identity->state == IDENTITY_UNAUTHENTICATED) {
        authorize_refuse_unauthenticated(ctx, NULL);
        return;
    }
    metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    if (pipeline->parser.error.reason == REASON_TOO_LARGE) {
        metrics_add(ctx->metrics, METRIC_STORE_TOO_LARGE, 1);
    }
    if (pipeline->parser.error.reason == REASON_MEMCACHE) {
        answer_memcached(pipeline, ctx->instance);
        return;
    }
    reply_queue_reply(&pipeline->replies, NULL, &pipeline->parser.error);
}

/* Answers a line that is no request, but after which the next one begins. */
static void refuse_line(struct pipeline *pipeline, struct command_context *ctx)
{
    if (pipeline->parser.silent) {
        metrics_add(ctx->metrics, METRIC_REQUESTS_REFUSED, 1);
    } else {
        answer_error(pipeline, ctx);
    }
}

/* Answers a client that speaks another protocol, in that protocol. */
static bool end_foreign(struct pipeline *pipeline)
{
    static const enum pipeline_state states[] = {
        [FOREIGN_NONE] = PIPELINE_DESYNCED,
        [FOREIGN_HTTP] = PIPELINE_HTTP,
        [FOREIGN_TLS] = PIPELINE_TLS_HELLO,
        [FOREIGN_REDIS] = PIPELINE_REDIS,
    };
    enum foreign foreign = pipeline->parser.foreign;
    char answer[FOREIGN_ANSWER_MAX];
    size_t length = foreign_answer(foreign, pipeline->endpoint->protocol->speaks, answer);
    reply_queue_text(&pipeline->replies, (struct slice){answer, length});
    return stop(pipeline, states[foreign]);
}

/* Deals with the ending of a batch, where it is not that more bytes have to come. Whether the turn
 * goes on. */
static bool __attribute__((noinline))
end_batch(struct pipeline *pipeline, struct command_context *ctx)
{
    const struct batch *batch = &pipeline->batch;
    bool goes_on = true;
    switch (batch->ending) {
    case PARSE_REQUEST:
    case PARSE_MORE: /* not here */
        break;
    case PARSE_BODY:
        begin_upload(pipeline, ctx);
        break;
    case PARSE_REFUSED:
        refuse_line(pipeline, ctx);
        wipe(pipeline, batch->taken);
        break;
    case PARSE_FATAL:
        answer_error(pipeline, ctx);
        wipe(pipeline, recv_buffer_length(&pipeline->input));
        goes_on = stop(pipeline, PIPELINE_DESYNCED);
        break;
    case PARSE_HANGUP:
        goes_on = end_foreign(pipeline);
        wipe(pipeline, recv_buffer_length(&pipeline->input));
        break;
    }
    return goes_on;
}

/* All requests of the batch are answered: deals with its ending. */
static bool finish_batch(struct pipeline *pipeline, struct command_context *ctx)
{
    struct batch *batch = &pipeline->batch;
    pipeline->wanted = 1;
    if (batch->goes_on && pipeline->replies.refused) {
        pipeline->endpoint->protocol->keys_refused(&pipeline->parser);
    }
    bool goes_on = batch->ending == PARSE_MORE ? wait_for_bytes(pipeline, pipeline->parser.wanted)
                                               : end_batch(pipeline, ctx);
    if (pipeline->identity->state == IDENTITY_UNAUTHENTICATED) {
        wipe(pipeline, batch->taken);
    }
    recv_buffer_drop(&pipeline->input, batch->taken);
    batch->open = false;
    return goes_on;
}

static void parse(struct pipeline *pipeline)
{
    batch_parse(&pipeline->batch, pipeline->endpoint->protocol, &pipeline->parser,
                recv_buffer_bytes(&pipeline->input), recv_buffer_length(&pipeline->input));
}

/* The next request of the batch is not answered yet, or ends the connection. */
static bool __attribute__((noinline))
stop_batch(struct pipeline *pipeline, const struct command_context *ctx, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_LATER:
        if (ctx->crowded) {
            return stop(pipeline, PIPELINE_AWAITS_MEMORY);
        }
        return stop(pipeline, reply_queue_is_full(&pipeline->replies) ? PIPELINE_OUTPUT_FULL
                                                                      : PIPELINE_YIELDED);
    case OUTCOME_WAITS:
        return stop(pipeline, PIPELINE_AWAITS_ANSWER);
    case OUTCOME_QUIT:
        return stop(pipeline, PIPELINE_QUIT);
    case OUTCOME_KILLED:
        return stop(pipeline, PIPELINE_KILLED);
    case OUTCOME_DONE: /* not here */
        break;
    }
    return true;
}

static bool continue_batch(struct pipeline *pipeline, struct command_context *ctx)
{
    struct batch *batch = &pipeline->batch;
    if (!batch->open) {
        parse(pipeline);
    }
    enum outcome outcome = batch_execute(batch, ctx);
    return outcome == OUTCOME_DONE ? finish_batch(pipeline, ctx)
                                   : stop_batch(pipeline, ctx, outcome);
}

static bool needs_input(const struct pipeline *pipeline)
{
    return !pipeline->batch.open && recv_buffer_length(&pipeline->input) < pipeline->wanted;
}

static bool step(struct pipeline *pipeline, struct command_context *ctx)
{
    if (reply_queue_is_full(&pipeline->replies)) {
        return stop(pipeline, PIPELINE_OUTPUT_FULL);
    }
    if (pipeline->upload.whole) {
        return commit_upload(pipeline, ctx);
    }
    if (needs_input(pipeline)) {
        return stop(pipeline, PIPELINE_NEEDS_INPUT);
    }
    return upload_is_open(&pipeline->upload) ? continue_upload(pipeline, ctx)
                                             : continue_batch(pipeline, ctx);
}

bool pipeline_awaits_remote(const struct pipeline *pipeline)
{
    return batch_awaits_remote(&pipeline->batch) || upload_awaits_remote(&pipeline->upload);
}

bool pipeline_awaits_answer(const struct pipeline *pipeline)
{
    return identity_waits(pipeline->identity) || inspection_waits(pipeline->identity) ||
           batch_awaits_reload(&pipeline->batch) || pipeline_awaits_remote(pipeline);
}

unsigned pipeline_prepare(struct pipeline *pipeline, struct workspace *workspace)
{
    struct command_context *ctx = bind_context(pipeline, workspace);
    if (upload_is_open(&pipeline->upload) || needs_input(pipeline)) {
        return 0;
    }
    if (!pipeline->batch.open) {
        parse(pipeline);
    }
    batch_locate(&pipeline->batch, ctx);
    return batch_left(&pipeline->batch);
}

void pipeline_fetch(struct pipeline *pipeline, struct workspace *workspace)
{
    if (batch_left(&pipeline->batch) > 0) {
        batch_fetch(&pipeline->batch, workspace->ctx.store_thread);
    }
}

void pipeline_give_up_upload(struct pipeline *pipeline, struct workspace *workspace)
{
    struct upload *upload = &pipeline->upload;
    struct command_context *ctx = bind_context(pipeline, workspace);
    ctx->now = clock_now();
    upload_give_way(upload, ctx);
    pipeline->endpoint->protocol->body_refused(&pipeline->parser, &upload->request, upload->left);
    pipeline->wanted = 1;
}

size_t pipeline_memory(const struct pipeline *pipeline)
{
    return sizeof *pipeline + pipeline->input.capacity + reply_queue_memory(&pipeline->replies) +
           upload_memory(&pipeline->upload) + batch_memory(&pipeline->batch);
}

bool pipeline_presses(const struct pipeline *pipeline, const struct store_pressure *pressure)
{
    return (upload_arrives(&pipeline->upload) && pipeline->upload.write != NULL &&
            store_write_presses(pipeline->upload.write, pressure)) ||
           reply_queue_presses(&pipeline->replies, pressure);
}

enum client_state pipeline_doing(const struct pipeline *pipeline, bool stalls)
{
    if (identity_waits(pipeline->identity)) {
        return CLIENT_AWAITS_AUTH;
    }
    if (pipeline->state == PIPELINE_AWAITS_MEMORY) {
        return CLIENT_AWAITS_MEMORY;
    }
    if (stalls) {
        return CLIENT_STALLED;
    }
    if (upload_is_open(&pipeline->upload)) {
        return CLIENT_UPLOADING;
    }
    if (pipeline->state == PIPELINE_NEEDS_INPUT) {
        return CLIENT_READING;
    }
    return CLIENT_WORKING;
}

static inline __attribute__((always_inline)) enum pipeline_state work(struct pipeline *pipeline,
                                                                      struct command_context *ctx)
{
    int steps = 0;
    pipeline->state = PIPELINE_YIELDED;
    while (step(pipeline, ctx) &&
           (command_has_time(ctx) || (ctx->until == 0 && ++steps < STEPS_SHORT))) {
    }
    pipeline->batch.located = false; /* the caller leaves the store */
    return pipeline->replies.failed ? PIPELINE_NO_MEMORY : pipeline->state;
}

/* The same for a connection that looks into the daemon. */
static enum pipeline_state __attribute__((noinline))
work_and_watch(struct pipeline *pipeline, struct command_context *ctx)
{
    bool more = inspection_watch(ctx);
    enum pipeline_state state = work(pipeline, ctx);
    return more && state == PIPELINE_NEEDS_INPUT ? PIPELINE_YIELDED : state;
}

enum pipeline_state pipeline_work(struct pipeline *pipeline, struct workspace *workspace)
{
    struct command_context *ctx = bind_context(pipeline, workspace);
    return pipeline->identity->inspection != NULL ? work_and_watch(pipeline, ctx)
                                                  : work(pipeline, ctx);
}
