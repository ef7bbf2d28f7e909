/*
 * eviction_watch.c - logs that living records are evicted, when that begins.
 */
#include "daemon/maintenance/eviction_watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/log.h"

/* A size as the configuration has it. */
struct size {
    char text[24];
};

static struct size size_of(uint64_t bytes)
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    struct size size;
    size_t unit = 0;
    for (; unit < 4 && bytes >= 1024 && bytes % 1024 == 0; unit++) {
        bytes /= 1024;
    }
    snprintf(size.text, sizeof size.text, "%" PRIu64 "%s", bytes, units[unit]);
    return size;
}

/* Whether that is longer ago than lines are held back; `then` of 0 is. */
static bool is_past(uint64_t then, uint64_t now)
{
    return then == 0 || (now > then && now - then >= EVICTION_WATCH_QUIET_MS);
}

/* --- a round ------------------------------------------------------------------------ */

bool eviction_watch_is_due(const struct eviction_watch *watch, uint64_t now)
{
    return now >= watch->next_round;
}

static void keep(struct eviction_watch_namespace *namespace, const struct store_evicted *evicted)
{
    *namespace =
        (struct eviction_watch_namespace){.quota = evicted->quota, .records = evicted->records};
    memcpy(namespace->name, evicted->name.bytes, evicted->name.length);
}

/* Keeps those with the most records; the others are counted only. */
static void note_begun(struct eviction_watch *watch, const struct store_evicted *evicted)
{
    struct eviction_watch_namespace *least = &watch->begun[0];
    for (size_t i = 1; i < EVICTION_WATCH_NAMED; i++) {
        if (watch->begun[i].records < least->records) {
            least = &watch->begun[i];
        }
    }
    watch->beyond += least->records > 0;
    if (evicted->records > least->records) {
        keep(least, evicted);
    }
}

void eviction_watch_note(struct eviction_watch *watch, const struct store_evicted *evicted,
                         uint64_t now)
{
    if (evicted->quota == 0) {
        watch->sharing += evicted->namespaces;
        if (evicted->records > watch->shared.records) {
            keep(&watch->shared, evicted);
        }
    } else if (is_past(evicted->before, now)) {
        note_begun(watch, evicted);
    }
}

/* --- lines --------------------------------------------------------------------------- */

/* Where to note a further line about a namespace; NULL: there were too many lately. */
static uint64_t *place_for_line(struct eviction_watch *watch, uint64_t now)
{
    for (size_t i = 0; i < EVICTION_WATCH_NAMED; i++) {
        if (is_past(watch->named_at[i], now)) {
            return &watch->named_at[i];
        }
    }
    return NULL;
}

static void log_begun(struct eviction_watch *watch, uint64_t now)
{
    for (size_t i = 0; i < EVICTION_WATCH_NAMED && watch->begun[i].records > 0; i++) {
        const struct eviction_watch_namespace *begun = &watch->begun[i];
        uint64_t *at = place_for_line(watch, now);
        if (at == NULL) {
            watch->beyond++;
            continue;
        }
        *at = now;
        log_notice("namespace %s is full (quota %s): records are evicted before their time to live "
                   "ends",
                   begun->name, size_of(begun->quota).text);
    }
}

static void log_beyond(struct eviction_watch *watch, uint64_t now)
{
    if (watch->beyond > 0 && is_past(watch->beyond_at, now)) {
        log_notice("%zu other namespace%s a quota %s full: records are evicted before their time "
                   "to live ends",
                   watch->beyond, watch->beyond == 1 ? " with" : "s with",
                   watch->beyond == 1 ? "is" : "are");
        watch->beyond = 0;
        watch->beyond_at = now;
    }
}

static void log_shared(struct eviction_watch *watch, uint64_t memory, uint64_t now)
{
    bool begins = is_past(watch->shared_at, now);
    char others[64] = "";
    if (watch->sharing == 0) {
        return;
    }
    watch->shared_at = now;
    if (!begins) {
        return;
    }
    if (watch->sharing > 1) {
        snprintf(others, sizeof others, " and %zu other%s", watch->sharing - 1,
                 watch->sharing > 2 ? "s" : "");
    }
    log_notice("memory is full (%s): records of namespace %s%s are evicted before their time to "
               "live ends",
               size_of(memory).text, watch->shared.name, others);
}

void eviction_watch_end(struct eviction_watch *watch, uint64_t memory, uint64_t now)
{
    log_begun(watch, now);
    log_beyond(watch, now);
    log_shared(watch, memory, now);
    memset(watch->begun, 0, sizeof watch->begun);
    memset(&watch->shared, 0, sizeof watch->shared);
    watch->sharing = 0;
    watch->next_round = now + EVICTION_WATCH_ROUND_MS;
}
