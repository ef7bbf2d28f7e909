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
enum { KEEP_SMALL = 64, KEEP_LARGE = 4, KEEP_CHUNKS = 64, KEEP_DESKS = 64, KEEP_CONNS = 256 };

bool crew_init(struct crew *crew, struct store *store, struct instance *instance, unsigned id)
{
    *crew = (struct crew){.store = store, .instance = instance, .metrics = &instance->metrics[id]};
    pool_init(&crew->inboxes.small, INBOX_SMALL, KEEP_SMALL);
    pool_init(&crew->inboxes.large, INBOX_LARGE, KEEP_LARGE);
    pool_init(&crew->chunks, OUTBOX_CHUNK, KEEP_CHUNKS);
    pool_init(&crew->desks, sizeof(struct desk), KEEP_DESKS);
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
        store_lane_name_maker(crew->lane, execute_maker, &crew->by);
    }
    return crew->lane != NULL;
}

void crew_configure(struct crew *crew, const struct conn_settings *settings)
{
    crew->settings = *settings;
    crew->by.lane = crew->lane;
    crew->by.auth = &crew->auth;
    crew->by.metrics = crew->metrics;
    crew->by.instance = crew->instance;
    crew->by.default_namespace = slice_of(crew->settings.default_namespace);
    crew->by.max_value = crew->settings.max_value;
    crew->by.idle_timeout = crew->settings.idle_timeout;
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
    pool_deinit(&crew->inboxes.small);
    pool_deinit(&crew->inboxes.large);
    pool_deinit(&crew->chunks);
    pool_deinit(&crew->desks);
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
