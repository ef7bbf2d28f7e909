/*
 * watch.c - slots for watchers, each with a ring for every source.
 *
 * A slot is taken by setting `active`, and free again when it is not. A source that is about to
 * write into a ring says so in `busy` before it looks at `active`, both in one order that all
 * threads agree on (seq_cst). So where `active` was unset, and `busy` is not set after that, the
 * source will not write any more. A slot is taken anew only where no source is busy with it, and
 * no thread waits for that: such a slot counts as taken.
 *
 * Memory of the rings is mapped once for each slot, and given back to the system when the watcher
 * leaves.
 */
#include "daemon/watch/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "daemon/watch/ring.h"

/* An event in a ring; the bytes of its slices follow, in the order of `slices`. */
enum { SLICES = 6 };

struct packed {
    struct watch_event event;
    uint32_t lengths[SLICES];
};

struct lane {
    struct ring ring;
    _Alignas(64) atomic_bool busy; /* its source looks at the slot */
};

struct watcher {
    struct watch *watch;
    struct watch_source *_Atomic owner;
    void *context;       /* this and the next two are the owner's */
    unsigned next;       /* the lane to be looked at first */
    struct ring *peeked; /* the ring of the event that is looked at */
    atomic_bool active;
    atomic_bool signalled; /* the owner has been woken, and has not looked yet */
    /* Written before `active` is set. */
    unsigned kinds;
    uint64_t sample;
    size_t ns_length;
    char ns[REQUEST_NAMESPACE_MAX];
    char *memory; /* of all rings, or NULL */
    struct lane *lanes;
};

struct watch {
    unsigned sources;
    atomic_uint *wanted;
    pthread_mutex_t lock; /* of join and leave, which hold it for some microseconds */
    struct watch_source *source;
    struct watcher watchers[WATCH_MAX];
};

/* --- beginning and end ------------------------------------------------------------------ */

static bool make_lanes(struct watch *watch)
{
    size_t bytes = watch->sources * sizeof(struct lane);
    for (unsigned i = 0; i < WATCH_MAX; i++) {
        struct watcher *watcher = &watch->watchers[i];
        watcher->watch = watch;
        watcher->lanes = aligned_alloc(_Alignof(struct lane), bytes);
        if (watcher->lanes == NULL) {
            return false;
        }
        memset(watcher->lanes, 0, bytes);
    }
    return true;
}

struct watch *watch_create(unsigned sources, atomic_uint *wanted)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL) {
        return NULL;
    }
    pthread_mutex_init(&watch->lock, NULL);
    watch->sources = sources;
    watch->wanted = wanted;
    watch->source = calloc(sources, sizeof *watch->source);
    if (watch->source == NULL || !make_lanes(watch)) {
        watch_destroy(&watch);
        return NULL;
    }
    for (unsigned i = 0; i < sources; i++) {
        watch->source[i] = (struct watch_source){.watch = watch, .number = i, .chance = i + 1};
    }
    return watch;
}

static size_t memory_of(const struct watch *watch)
{
    return (size_t)watch->sources * RING_BYTES;
}

void watch_destroy(struct watch **place)
{
    struct watch *watch = *place;
    *place = NULL;
    if (watch == NULL) {
        return;
    }
    for (unsigned i = 0; i < WATCH_MAX; i++) {
        if (watch->watchers[i].memory != NULL) {
            munmap(watch->watchers[i].memory, memory_of(watch));
        }
        free(watch->watchers[i].lanes);
    }
    pthread_mutex_destroy(&watch->lock);
    free(watch->source);
    free(watch);
}

struct watch_source *watch_source(struct watch *watch, unsigned number)
{
    return &watch->source[number];
}

/* --- publishing -------------------------------------------------------------------------- */

static struct slice *slice_at(struct watch_event *event, unsigned number)
{
    struct slice *const slices[SLICES] = {&event->ns,   &event->key,      &event->peer,
                                          &event->user, &event->listener, &event->reason};
    return slices[number];
}

/* Whether it is one of those that the sample takes; xorshift64, by Marsaglia (2003). */
static bool is_drawn(struct watch_source *source, uint64_t sample)
{
    if (sample <= 1) {
        return true;
    }
    source->chance ^= source->chance << 13;
    source->chance ^= source->chance >> 7;
    source->chance ^= source->chance << 17;
    return source->chance % sample == 0;
}

static bool is_wanted(struct watch_source *source, const struct watcher *watcher,
                      const struct watch_event *event)
{
    struct slice ns = {watcher->ns, watcher->ns_length};
    return (watcher->kinds & EVENT_BIT(event->kind)) != 0 &&
           (ns.length == 0 || slice_equal(ns, event->ns)) && is_drawn(source, watcher->sample);
}

static bool write_event(struct ring *ring, const struct watch_event *event)
{
    struct watch_event copy = *event;
    size_t size = sizeof(struct packed);
    for (unsigned i = 0; i < SLICES; i++) {
        size += slice_at(&copy, i)->length;
    }
    struct packed *packed = ring_reserve(ring, size);
    if (packed == NULL) {
        return false;
    }
    char *to = (char *)(packed + 1);
    packed->event = copy;
    for (unsigned i = 0; i < SLICES; i++) {
        const struct slice *slice = slice_at(&copy, i);
        packed->lengths[i] = (uint32_t)slice->length;
        if (slice->length > 0) {
            memcpy(to, slice->bytes, slice->length);
        }
        to += slice->length;
    }
    ring_commit(ring, size);
    return true;
}

static void note_unsent(struct watch_source *source, unsigned watcher)
{
    if (source->unsent == 0 && source->plan != NULL) {
        source->plan(source->own);
    }
    source->unsent |= 1u << watcher;
}

void watch_publish(struct watch_source *source, const struct watch_event *event)
{
    for (unsigned i = 0; i < WATCH_MAX; i++) {
        struct watcher *watcher = &source->watch->watchers[i];
        struct lane *lane = &watcher->lanes[source->number];
        if (!atomic_load_explicit(&watcher->active, memory_order_relaxed)) {
            continue;
        }
        atomic_store(&lane->busy, true);
        if (atomic_load(&watcher->active) && is_wanted(source, watcher, event)) {
            write_event(&lane->ring, event);
            note_unsent(source, i);
        }
        atomic_store_explicit(&lane->busy, false, memory_order_release);
    }
}

void watch_wake(struct watch_source *source)
{
    for (unsigned i = 0; i < WATCH_MAX; i++) {
        struct watcher *watcher = &source->watch->watchers[i];
        struct lane *lane = &watcher->lanes[source->number];
        if ((source->unsent & 1u << i) == 0) {
            continue;
        }
        atomic_store(&lane->busy, true);
        if (atomic_load(&watcher->active) && !atomic_exchange(&watcher->signalled, true)) {
            struct watch_source *owner = atomic_load(&watcher->owner);
            owner->wake(owner->own);
        }
        atomic_store_explicit(&lane->busy, false, memory_order_release);
    }
    source->unsent = 0;
}

/* --- watchers ------------------------------------------------------------------------------ */

static bool is_free(const struct watcher *watcher)
{
    if (atomic_load(&watcher->active)) {
        return false;
    }
    for (unsigned i = 0; i < watcher->watch->sources; i++) {
        if (atomic_load(&watcher->lanes[i].busy)) {
            return false;
        }
    }
    return true;
}

static bool map_rings(struct watcher *watcher)
{
    if (watcher->memory != NULL) {
        return true;
    }
    char *memory = mmap(NULL, memory_of(watcher->watch), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    watcher->memory = memory;
    for (unsigned i = 0; i < watcher->watch->sources; i++) {
        watcher->lanes[i].ring.memory = memory + (size_t)i * RING_BYTES;
    }
    return true;
}

/* The caller holds the lock. */
static void publish_kinds(struct watch *watch)
{
    unsigned kinds = 0;
    for (unsigned i = 0; i < WATCH_MAX; i++) {
        if (atomic_load(&watch->watchers[i].active)) {
            kinds |= watch->watchers[i].kinds;
        }
    }
    atomic_store(watch->wanted, kinds);
}

static void begin(struct watcher *watcher, struct watch_source *owner,
                  const struct watch_terms *terms, void *context)
{
    for (unsigned i = 0; i < watcher->watch->sources; i++) {
        ring_clear(&watcher->lanes[i].ring);
    }
    atomic_store(&watcher->owner, owner);
    watcher->context = context;
    watcher->kinds = terms->kinds;
    watcher->sample = terms->sample;
    watcher->ns_length = terms->ns.length;
    if (terms->ns.length > 0) {
        memcpy(watcher->ns, terms->ns.bytes, terms->ns.length);
    }
    watcher->next = 0;
    watcher->peeked = NULL;
    atomic_store(&watcher->signalled, false);
    atomic_store(&watcher->active, true);
}

static struct watcher *find_free(struct watch *watch)
{
    for (unsigned i = 0; i < WATCH_MAX; i++) {
        if (is_free(&watch->watchers[i])) {
            return &watch->watchers[i];
        }
    }
    return NULL;
}

enum watch_status watch_join(struct watch_source *owner, const struct watch_terms *terms,
                             void *context, struct watcher **place)
{
    struct watch *watch = owner->watch;
    enum watch_status status = WATCH_OK;
    pthread_mutex_lock(&watch->lock);
    struct watcher *watcher = find_free(watch);
    if (watcher == NULL) {
        status = WATCH_TOO_MANY;
    } else if (!map_rings(watcher)) {
        status = WATCH_NO_MEMORY;
    } else {
        begin(watcher, owner, terms, context);
        publish_kinds(watch);
        *place = watcher;
    }
    pthread_mutex_unlock(&watch->lock);
    return status;
}

void watch_leave(struct watcher **place)
{
    struct watcher *watcher = *place;
    *place = NULL;
    if (watcher == NULL) {
        return;
    }
    struct watch *watch = watcher->watch;
    madvise(watcher->memory, memory_of(watch), MADV_DONTNEED); /* nothing of it is read any more */
    pthread_mutex_lock(&watch->lock);
    atomic_store(&watcher->active, false);
    publish_kinds(watch);
    pthread_mutex_unlock(&watch->lock);
}

bool watcher_peek(struct watcher *watcher, struct watch_event *event)
{
    unsigned sources = watcher->watch->sources;
    for (unsigned i = 0; i < sources; i++) {
        unsigned lane = (watcher->next + i) % sources;
        struct ring *ring = &watcher->lanes[lane].ring;
        size_t size;
        const struct packed *packed = ring_peek(ring, &size);
        if (packed == NULL) {
            continue;
        }
        const char *from = (const char *)(packed + 1);
        *event = packed->event;
        for (unsigned slice = 0; slice < SLICES; slice++) {
            *slice_at(event, slice) = (struct slice){from, packed->lengths[slice]};
            from += packed->lengths[slice];
        }
        watcher->next = lane;
        watcher->peeked = ring;
        return true;
    }
    return false;
}

void watcher_drop(struct watcher *watcher)
{
    ring_drop(watcher->peeked);
    watcher->peeked = NULL;
    watcher->next = (watcher->next + 1) % watcher->watch->sources;
}

uint64_t watcher_take_lost(struct watcher *watcher)
{
    uint64_t lost = 0;
    for (unsigned i = 0; i < watcher->watch->sources; i++) {
        lost += ring_take_lost(&watcher->lanes[i].ring);
    }
    return lost;
}

void watch_woken(struct watch_source *source, void (*each)(void *context))
{
    for (unsigned i = 0; i < WATCH_MAX; i++) {
        struct watcher *watcher = &source->watch->watchers[i];
        if (atomic_load(&watcher->active) && atomic_load(&watcher->owner) == source &&
            atomic_exchange(&watcher->signalled, false)) {
            each(watcher->context);
        }
    }
}
