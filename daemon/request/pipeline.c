/*
 * pipeline.c - a turn: parse what is there, execute it, say what is needed next.
 *
 * step() is the whole of it: whatever stands at the front of the inbox (a batch
 * of requests, or the bytes of a value that is being uploaded) is taken one step
 * further. desk_work repeats that within a budget.
 */
#include "daemon/request/pipeline.h"

#include <string.h>

#include "daemon/base/clock.h"

enum {
    STEPS_SHORT = 2, /* of a turn that shall be short: a batch, and what comes behind it */
};

/* What a stranger has said, or what was refused, may have a secret in it, however badly said:
 * it shall not be found in the memory later. */
static void wipe(struct desk *desk, size_t length)
{
    explicit_bzero(inbox_bytes(&desk->inbox), length);
}

struct desk *desk_create(struct crew *crew, const struct endpoint *endpoint,
                         struct identity *identity)
{
    struct desk *desk = pool_get(&crew->desks);
    if (desk == NULL) {
        return NULL;
    }
    desk->endpoint = endpoint;
    desk->identity = identity;
    inbox_init(&desk->inbox);
    desk->wanted = 1;
    desk->overflew = false;
    parser_init(&desk->parser, INBOX_LARGE);
    batch_init(&desk->batch);
    desk->upload.write = NULL;
    desk->upload.join = NULL;
    desk->upload.whole = false;
    outbox_init(&desk->outbox, endpoint->protocol, &crew->chunks);
    return desk;
}

void desk_destroy(struct desk **place, struct crew *crew)
{
    struct desk *desk = *place;
    *place = NULL;
    batch_deinit(&desk->batch);
    upload_abort(&desk->upload, crew->lane);
    outbox_deinit(&desk->outbox);
    if (desk->identity->state == IDENTITY_UNAUTHENTICATED && inbox_length(&desk->inbox) > 0) {
        wipe(desk, inbox_length(&desk->inbox));
    }
    inbox_deinit(&desk->inbox, &crew->inboxes);
    pool_put(&crew->desks, desk);
}

bool desk_is_clear(const struct desk *desk)
{
    const struct parser *parser = &desk->parser;
    return inbox_length(&desk->inbox) == 0 && outbox_is_empty(&desk->outbox) && !desk->batch.open &&
           !upload_is_open(&desk->upload) && parser->state == 0 && parser->dropping == 0;
}

/* The crew's executor, at this desk, and what a reload may have changed for its parser. */
static struct executor *seat(struct desk *desk, struct crew *crew)
{
    desk->parser.max_value = crew->settings.max_value;
    desk->parser.login = desk->identity->state == IDENTITY_UNAUTHENTICATED;
    crew->by.outbox = &desk->outbox;
    crew->by.endpoint = desk->endpoint;
    crew->by.identity = desk->identity;
    crew->by.crowded = false;
    return &crew->by;
}

/* --- reading -------------------------------------------------------------- */

/* Where an upload's next bytes go. False when they go to the inbox: there is no
 * upload, or the store has refused it just now or lets it wait. */
static bool space_in_store(struct desk *desk, struct crew *crew, struct iovec *space)
{
    const struct upload *upload = &desk->upload;
    if (!upload_is_open(upload) || upload->left == 0 || inbox_length(&desk->inbox) > 0) {
        return false;
    }
    struct executor *by = seat(desk, crew);
    by->now = clock_now();
    bool given = upload_space(&desk->upload, by, space);
    if (!upload_is_open(upload)) {
        desk->endpoint->protocol->body_refused(&desk->parser, &upload->request, upload->left);
    }
    return given;
}

enum transport_status desk_receive(struct desk *desk, struct crew *crew,
                                   struct transport *transport, size_t *moved)
{
    struct iovec space;
    bool stored = space_in_store(desk, crew, &space);
    if (!stored) {
        if (!inbox_make_room(&desk->inbox, &crew->inboxes, desk->wanted)) {
            return TRANSPORT_FAILED;
        }
        space.iov_base = inbox_free(&desk->inbox, &space.iov_len);
    }
    size_t allowance = identity_allowance(desk->identity);
    if (space.iov_len > allowance) {
        space.iov_len = allowance;
    }
    enum transport_status status =
        transport->ops->read(transport, space.iov_base, space.iov_len, moved);
    crew->by.now = 0; /* what has come may have come after that */
    desk->overflew = status == TRANSPORT_OK && *moved == space.iov_len;
    if (status != TRANSPORT_OK) {
        return status;
    }
    if (desk->identity->state == IDENTITY_UNAUTHENTICATED) {
        desk->identity->received += (unsigned)*moved;
    }
    if (stored) {
        upload_advance(&desk->upload, *moved);
    } else {
        inbox_fill(&desk->inbox, *moved);
    }
    return status;
}

/* --- working -------------------------------------------------------------- */

/* The functions below say whether the turn goes on at once. Where it does not,
 * they leave the reason in desk->state. */
static bool stop(struct desk *desk, enum desk_state state)
{
    desk->state = state;
    return false;
}

static bool wait_for_bytes(struct desk *desk, size_t wanted)
{
    desk->wanted = wanted;
    return stop(desk, DESK_HUNGRY);
}

/* Its value is whole, and its line end was there. */
static bool commit_upload(struct desk *desk, struct executor *by)
{
    by->now = clock_now();
    if (upload_commit(&desk->upload, by)) {
        return true;
    }
    return stop(desk, by->crowded ? DESK_CROWDED : DESK_TIRED);
}

/* The value's line end: commits it when it is there. */
static bool end_upload(struct desk *desk, struct executor *by)
{
    struct slice bytes = inbox_slice(&desk->inbox);
    size_t consumed = 0;
    enum parse_result result =
        desk->endpoint->protocol->body_end(&desk->parser, bytes.bytes, bytes.length, &consumed);
    if (result == PARSE_MORE) {
        return wait_for_bytes(desk, desk->parser.wanted);
    }
    desk->wanted = 1;
    if (result == PARSE_REQUEST) {
        inbox_drop(&desk->inbox, consumed);
        return commit_upload(desk, by);
    }
    upload_abort(&desk->upload, by->lane);
    outbox_reply(&desk->outbox, NULL, &desk->parser.error);
    return stop(desk, DESK_CONFUSED);
}

static bool go_on_with_upload(struct desk *desk, struct executor *by)
{
    struct upload *upload = &desk->upload;
    by->now = clock_now();
    inbox_drop(&desk->inbox, upload_take(upload, by, inbox_slice(&desk->inbox)));
    if (!upload_is_open(upload)) {
        desk->endpoint->protocol->body_refused(&desk->parser, &upload->request, upload->left);
        return true;
    }
    if (by->crowded) {
        return stop(desk, DESK_CROWDED);
    }
    return upload->left > 0 ? wait_for_bytes(desk, 1) : end_upload(desk, by);
}

/* A PUT whose value is still to come: its batch is done but for this. */
static void begin_upload(struct desk *desk, struct executor *by)
{
    const struct request *request = batch_last_request(&desk->batch);
    by->now = clock_now();
    upload_begin(&desk->upload, by, request);
    if (!upload_is_open(&desk->upload)) {
        desk->endpoint->protocol->body_refused(&desk->parser, request, request->value_length);
    }
}

static void say_error(struct desk *desk, struct executor *by)
{
    if (desk->identity->state == IDENTITY_UNAUTHENTICATED) {
        execute_refuse_stranger(by, NULL);
        return;
    }
    metrics_add(by->metrics, METRIC_REQUESTS_REFUSED, 1);
    if (desk->parser.error.reason == REASON_TOO_LARGE) {
        metrics_add(by->metrics, METRIC_STORE_TOO_LARGE, 1);
    }
    outbox_reply(&desk->outbox, NULL, &desk->parser.error);
}

/* Of a line behind which the next request is known. */
static void refuse_line(struct desk *desk, struct executor *by)
{
    if (desk->parser.silent) {
        metrics_add(by->metrics, METRIC_REQUESTS_REFUSED, 1);
    } else {
        say_error(desk, by);
    }
}

/* Of what was hung up on: whether it is a client of TLS. */
static bool greets(const struct inbox *inbox)
{
    return inbox_length(inbox) > 0 && inbox_bytes(inbox)[0] == 0x16;
}

/* All requests of the batch are answered: deals with what came behind them. */
static bool finish_batch(struct desk *desk, struct executor *by)
{
    struct batch *batch = &desk->batch;
    bool goes_on = true;
    desk->wanted = 1;
    if (batch->goes_on && desk->outbox.refused) {
        desk->endpoint->protocol->keys_refused(&desk->parser);
    }
    switch (batch->ending) {
    case PARSE_REQUEST:
        break;
    case PARSE_MORE:
        goes_on = wait_for_bytes(desk, desk->parser.wanted);
        break;
    case PARSE_BODY:
        begin_upload(desk, by);
        break;
    case PARSE_REFUSED:
        refuse_line(desk, by);
        wipe(desk, batch->taken);
        break;
    case PARSE_FATAL:
        say_error(desk, by);
        wipe(desk, inbox_length(&desk->inbox));
        goes_on = stop(desk, DESK_CONFUSED);
        break;
    case PARSE_HANGUP:
        goes_on = stop(desk, greets(&desk->inbox) ? DESK_HELLO : DESK_BROWSER);
        wipe(desk, inbox_length(&desk->inbox));
        break;
    }
    if (desk->identity->state == IDENTITY_UNAUTHENTICATED) {
        wipe(desk, batch->taken);
    }
    inbox_drop(&desk->inbox, batch->taken);
    batch->open = false;
    return goes_on;
}

static void parse(struct desk *desk)
{
    batch_parse(&desk->batch, desk->endpoint->protocol, &desk->parser, inbox_bytes(&desk->inbox),
                inbox_length(&desk->inbox));
}

static bool go_on_with_batch(struct desk *desk, struct executor *by)
{
    struct batch *batch = &desk->batch;
    if (!batch->open) {
        parse(desk);
    }
    switch (batch_execute(batch, by)) {
    case OUTCOME_LATER:
        if (by->crowded) {
            return stop(desk, DESK_CROWDED);
        }
        return stop(desk, outbox_is_full(&desk->outbox) ? DESK_STALLED : DESK_TIRED);
    case OUTCOME_WAITS:
        return stop(desk, DESK_WAITING);
    case OUTCOME_QUIT:
        return stop(desk, DESK_QUIT);
    case OUTCOME_DONE:
        break;
    }
    return finish_batch(desk, by);
}

static bool is_hungry(const struct desk *desk)
{
    return !desk->batch.open && inbox_length(&desk->inbox) < desk->wanted;
}

static bool step(struct desk *desk, struct executor *by)
{
    if (outbox_is_full(&desk->outbox)) {
        return stop(desk, DESK_STALLED);
    }
    if (desk->upload.whole) {
        return commit_upload(desk, by);
    }
    if (is_hungry(desk)) {
        return stop(desk, DESK_HUNGRY);
    }
    return upload_is_open(&desk->upload) ? go_on_with_upload(desk, by) : go_on_with_batch(desk, by);
}

unsigned desk_prepare(struct desk *desk, struct crew *crew)
{
    struct executor *by = seat(desk, crew);
    if (upload_is_open(&desk->upload) || is_hungry(desk)) {
        return 0;
    }
    if (!desk->batch.open) {
        parse(desk);
    }
    batch_locate(&desk->batch, by);
    return batch_left(&desk->batch);
}

void desk_fetch(struct desk *desk, struct crew *crew)
{
    if (batch_left(&desk->batch) > 0) {
        batch_fetch(&desk->batch, crew->lane);
    }
}

void desk_give_up_upload(struct desk *desk, struct crew *crew)
{
    struct upload *upload = &desk->upload;
    struct executor *by = seat(desk, crew);
    by->now = clock_now();
    upload_give_way(upload, by);
    desk->endpoint->protocol->body_refused(&desk->parser, &upload->request, upload->left);
    desk->wanted = 1;
}

size_t desk_memory(const struct desk *desk)
{
    return sizeof *desk + desk->inbox.capacity + outbox_memory(&desk->outbox);
}

bool desk_presses(const struct desk *desk, const struct store_pressure *pressure)
{
    return (upload_arrives(&desk->upload) && store_write_presses(desk->upload.write, pressure)) ||
           outbox_presses(&desk->outbox, pressure);
}

enum desk_state desk_work(struct desk *desk, struct crew *crew)
{
    struct executor *by = seat(desk, crew);
    int steps = 0;
    desk->state = DESK_TIRED;
    while (step(desk, by) && (executor_has_time(by) || (by->until == 0 && ++steps < STEPS_SHORT))) {
    }
    desk->batch.located = false; /* the store will be left */
    crew->now = by->now == 0 ? clock_now() : by->now;
    return desk->outbox.failed ? DESK_NO_MEMORY : desk->state;
}
