/*
 * loop.c - sets a loop up and down, and arms its timers.
 */
#include "daemon/conn/loop.h"

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/thread.h"
#include "daemon/request/pipeline.h"
#include "daemon/request/remote.h"
#include "daemon/request/slow_timer.h"
#include "daemon/watch/observe.h"

/* A store_observer. */
static void on_deed(void *context, const struct store_observed *observed)
{
    struct loop *loop = context;
    if (observed->deed == STORE_DEED_RECLAIMS) {
        slow_timer_reclaims(&loop->workspace.ctx);
    } else if (loop->watch != NULL) {
        observe_deed(loop->watch, &loop->instance->watched, observed);
    }
}

bool loop_init(struct loop *loop, struct store *store, struct instance *instance, unsigned id)
{
    *loop = (struct loop){.store = store, .instance = instance, .metrics = &instance->metrics[id]};
    loop->watch = instance->watch != NULL ? watch_source(instance->watch, id) : NULL;
    loop->workspace.ctx.worker = id;
    pipeline_init_workspace(&loop->workspace);
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
    /* Without timers, as a rule, no turn of the loop needs the time that the base would cache. */
    loop->base = thread_base(EVENT_BASE_FLAG_NO_CACHE_TIME);
    if (loop->base == NULL) {
        return false;
    }
    errno = ENOMEM;
    loop->store_thread = store_thread_create(store);
    if (loop->store_thread != NULL) {
        store_thread_set_creator(loop->store_thread, command_creator, &loop->workspace.ctx);
        store_thread_set_observer(loop->store_thread, on_deed, loop);
    }
    return loop->store_thread != NULL;
}

static uint64_t sweep_interval(uint64_t idle_timeout)
{
    uint64_t interval = idle_timeout / 4;
    if (interval == 0 || interval > 1000) {
        return 1000;
    }
    return interval < 10 ? 10 : interval;
}

void loop_configure(struct loop *loop, const struct conn_settings *settings)
{
    struct command_context *ctx = &loop->workspace.ctx;
    loop->settings = *settings;
    loop->sweep_interval = sweep_interval(settings->idle_timeout);
    ctx->store_thread = loop->store_thread;
    ctx->auth = &loop->auth;
    ctx->metrics = loop->metrics;
    ctx->instance = loop->instance;
    ctx->default_namespace = slice_of(loop->settings.default_namespace);
    ctx->max_value = loop->settings.max_value;
    ctx->watch = loop->watch;
    ctx->slow_threshold = loop->settings.slow_threshold;
    ctx->idle_timeout = loop->settings.idle_timeout;
}

void loop_deinit(struct loop *loop)
{
    remote_destroy(&loop->workspace.ctx.remote);
    if (loop->store_thread != NULL) {
        store_thread_destroy(&loop->store_thread);
    }
    if (loop->base != NULL) {
        event_base_free(loop->base);
        loop->base = NULL;
    }
    users_put(&loop->auth.users);
    pipeline_deinit_workspace(&loop->workspace);
    pool_deinit(&loop->conns);
}

void loop_arm(struct event *timer, uint64_t milliseconds)
{
    const struct timeval after = thread_timeval(milliseconds);
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
        loop_arm(&loop->sweep, loop->sweep_interval);
    }
}

void loop_end_if_drained(struct loop *loop)
{
    if (loop->draining && TAILQ_EMPTY(&loop->active) && TAILQ_EMPTY(&loop->lingering)) {
        event_base_loopbreak(loop->base);
    }
}
