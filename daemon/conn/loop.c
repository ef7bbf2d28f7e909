/*
 * loop.c - sets a loop up and down, and arms its timers.
 */
#include "daemon/conn/loop.h"

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/thread.h"
#include "daemon/request/pipeline.h"
#include "daemon/request/reply_queue.h"

/* How many free blocks of each kind are kept. */
enum { KEEP_SMALL = 64, KEEP_LARGE = 4, KEEP_CHUNKS = 64, KEEP_PIPELINES = 64 };

bool loop_init(struct loop *loop, struct store *store, struct instance *instance, unsigned id)
{
    *loop = (struct loop){.store = store, .instance = instance, .metrics = &instance->metrics[id]};
    pool_init(&loop->recv_buffers.small, RECV_BUFFER_SMALL, KEEP_SMALL);
    pool_init(&loop->recv_buffers.large, RECV_BUFFER_LARGE, KEEP_LARGE);
    pool_init(&loop->chunks, REPLY_QUEUE_CHUNK, KEEP_CHUNKS);
    pool_init(&loop->pipelines, sizeof(struct pipeline), KEEP_PIPELINES);
    TAILQ_INIT(&loop->active);
    TAILQ_INIT(&loop->lingering);
    TAILQ_INIT(&loop->unauthenticated);
    for (int size_class = 0; size_class < HELD_CLASSES; size_class++) {
        TAILQ_INIT(&loop->pressure.holders[size_class]);
    }
    TAILQ_INIT(&loop->pressure.waiters);
    TAILQ_INIT(&loop->run_queue.high);
    TAILQ_INIT(&loop->run_queue.low);
    loop->now = clock_now();
    loop->base = thread_base(0);
    if (loop->base == NULL) {
        return false;
    }
    errno = ENOMEM;
    loop->store_thread = store_thread_create(store);
    if (loop->store_thread != NULL) {
        store_thread_set_creator(loop->store_thread, command_creator, &loop->ctx);
    }
    return loop->store_thread != NULL;
}

void loop_configure(struct loop *loop, const struct conn_settings *settings)
{
    loop->settings = *settings;
    loop->ctx.store_thread = loop->store_thread;
    loop->ctx.auth = &loop->auth;
    loop->ctx.metrics = loop->metrics;
    loop->ctx.instance = loop->instance;
    loop->ctx.default_namespace = slice_of(loop->settings.default_namespace);
    loop->ctx.max_value = loop->settings.max_value;
    loop->ctx.idle_timeout = loop->settings.idle_timeout;
}

void loop_deinit(struct loop *loop)
{
    if (loop->store_thread != NULL) {
        store_thread_destroy(&loop->store_thread);
    }
    if (loop->base != NULL) {
        event_base_free(loop->base);
        loop->base = NULL;
    }
    users_put(&loop->auth.users);
    pool_deinit(&loop->recv_buffers.small);
    pool_deinit(&loop->recv_buffers.large);
    pool_deinit(&loop->chunks);
    pool_deinit(&loop->pipelines);
    pool_deinit(&loop->conns);
}

uint64_t loop_sweep_interval(const struct loop *loop)
{
    uint64_t interval = loop->settings.idle_timeout / 4;
    if (interval == 0 || interval > 1000) {
        return 1000;
    }
    return interval < 10 ? 10 : interval;
}

void loop_arm(struct event *timer, uint64_t milliseconds)
{
    struct timeval after = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_usec = (suseconds_t)(milliseconds % 1000 * 1000)};
    if (!event_pending(timer, EV_TIMEOUT, NULL)) {
        event_add(timer, &after);
    }
}

void loop_arm_sweep(struct loop *loop)
{
    bool needed = !TAILQ_EMPTY(&loop->lingering) || !TAILQ_EMPTY(&loop->unauthenticated) ||
                  loop->half_closed > 0 ||
                  (loop->settings.idle_timeout != 0 && !TAILQ_EMPTY(&loop->active));
    if (needed) {
        loop_arm(&loop->sweep, loop_sweep_interval(loop));
    }
}

void loop_end_if_drained(struct loop *loop)
{
    if (loop->draining && TAILQ_EMPTY(&loop->active) && TAILQ_EMPTY(&loop->lingering)) {
        event_base_loopbreak(loop->base);
    }
}
