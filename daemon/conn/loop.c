/*
 * loop.c - setting a crew up, and how closely it looks at the time.
 */
#include "daemon/conn/loop.h"

#include <errno.h>

#include "daemon/base/clock.h"
#include "daemon/base/thread.h"
#include "daemon/conn/conn.h"
#include "daemon/request/pipeline.h"
#include "daemon/request/reply_queue.h"

/* How many free blocks of each kind are kept. */
enum { KEEP_SMALL = 64, KEEP_LARGE = 4, KEEP_CHUNKS = 64, KEEP_PIPELINES = 64, KEEP_CONNS = 256 };

bool crew_init(struct crew *crew, struct store *store, struct instance *instance, unsigned id)
{
    *crew = (struct crew){.store = store, .instance = instance, .metrics = &instance->metrics[id]};
    pool_init(&crew->recv_buffers.small, RECV_BUFFER_SMALL, KEEP_SMALL);
    pool_init(&crew->recv_buffers.large, RECV_BUFFER_LARGE, KEEP_LARGE);
    pool_init(&crew->chunks, REPLY_QUEUE_CHUNK, KEEP_CHUNKS);
    pool_init(&crew->pipelines, sizeof(struct pipeline), KEEP_PIPELINES);
    pool_init(&crew->conns, conn_size(), KEEP_CONNS);
    TAILQ_INIT(&crew->seated);
    TAILQ_INIT(&crew->lingers);
    TAILQ_INIT(&crew->strangers);
    for (int class = 0; class < HELD_CLASSES; class ++) {
        TAILQ_INIT(&crew->pressure.holders[class]);
    }
    TAILQ_INIT(&crew->pressure.crowd);
    TAILQ_INIT(&crew->lines.quick);
    TAILQ_INIT(&crew->lines.slow);
    crew->now = clock_now();
    crew->base = thread_base(0);
    if (crew->base == NULL) {
        return false;
    }
    errno = ENOMEM;
    crew->lane = store_lane_create(store);
    if (crew->lane != NULL) {
        store_lane_name_maker(crew->lane, command_creator, &crew->ctx);
    }
    return crew->lane != NULL;
}

void crew_configure(struct crew *crew, const struct conn_settings *settings)
{
    crew->settings = *settings;
    crew->ctx.lane = crew->lane;
    crew->ctx.auth = &crew->auth;
    crew->ctx.metrics = crew->metrics;
    crew->ctx.instance = crew->instance;
    crew->ctx.default_namespace = slice_of(crew->settings.default_namespace);
    crew->ctx.max_value = crew->settings.max_value;
    crew->ctx.idle_timeout = crew->settings.idle_timeout;
}

void crew_deinit(struct crew *crew)
{
    if (crew->lane != NULL) {
        store_lane_destroy(&crew->lane);
    }
    if (crew->base != NULL) {
        event_base_free(crew->base);
        crew->base = NULL;
    }
    users_put(&crew->auth.users);
    pool_deinit(&crew->recv_buffers.small);
    pool_deinit(&crew->recv_buffers.large);
    pool_deinit(&crew->chunks);
    pool_deinit(&crew->pipelines);
    pool_deinit(&crew->conns);
}

uint64_t crew_grain(const struct crew *crew)
{
    uint64_t grain = crew->settings.idle_timeout / 4;
    if (grain == 0 || grain > 1000) {
        return 1000;
    }
    return grain < 10 ? 10 : grain;
}
