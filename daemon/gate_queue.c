/*
 * gate_queue.c - a table of addresses, and the lists that they go through.
 *
 *      asked ---> ready <--- its time has come --- delayed
 *                   |                                 ^
 *                its turn --- somebody waits there ---+---> ready
 *                   +--- nobody, a failure is remembered ---> quiet
 *                   +--- neither ---> spare
 *
 * An address is in one list at a time. Ready ones are in the order of their turns, delayed
 * ones in the order in which they become ready, quiet ones in the order in which they went
 * quiet: where room is needed, the first of them is forgotten.
 */
#include "daemon/gate_queue.h"

#include <stdlib.h>
#include <sys/random.h>

#include "daemon/store/hash.h"

enum { BUCKETS = GATE_ADDRESSES_MAX };

enum place { PLACE_READY, PLACE_DELAYED, PLACE_QUIET, PLACE_TURN };

struct entry {
    LIST_ENTRY(entry) bucket;
    TAILQ_ENTRY(entry) next; /* in the list of its place */
    enum place place;
    struct gate_address address;
    struct petitions waiting;
    unsigned count; /* of those */
    unsigned failures;
    uint64_t failed_at; /* the last time; with failures */
    uint64_t ready_at;
};

TAILQ_HEAD(entries, entry);
LIST_HEAD(bucket, entry);

struct gate_queue {
    struct entries ready, delayed, quiet, spare;
    struct entry *turn;
    size_t used; /* of all; those after it were never touched */
    struct hash_secret secret;
    struct bucket buckets[BUCKETS];
    struct entry all[GATE_ADDRESSES_MAX];
};

struct gate_queue *gate_queue_create(void)
{
    struct gate_queue *queue = calloc(1, sizeof *queue);

    if (queue == NULL) {
        return NULL;
    }
    if (getrandom(&queue->secret, sizeof queue->secret, 0) != sizeof queue->secret) {
        free(queue);
        return NULL;
    }
    TAILQ_INIT(&queue->ready);
    TAILQ_INIT(&queue->delayed);
    TAILQ_INIT(&queue->quiet);
    TAILQ_INIT(&queue->spare);
    return queue;
}

void gate_queue_destroy(struct gate_queue **queue)
{
    free(*queue);
    *queue = NULL;
}

/* --- the table ------------------------------------------------------------- */

static size_t bucket_of(const struct gate_queue *queue, const struct gate_address *address)
{
    const struct slice number = {(const char *)&address->number, sizeof address->number};

    return hash_bytes(&queue->secret, address->family, number) % BUCKETS;
}

static struct entry *find(const struct gate_queue *queue, const struct gate_address *address)
{
    struct entry *entry;

    LIST_FOREACH(entry, &queue->buckets[bucket_of(queue, address)], bucket)
    {
        if (entry->address.family == address->family && entry->address.number == address->number) {
            return entry;
        }
    }
    return NULL;
}

static bool has_room(const struct gate_queue *queue)
{
    return queue->used < GATE_ADDRESSES_MAX || !TAILQ_EMPTY(&queue->spare) ||
           !TAILQ_EMPTY(&queue->quiet);
}

static void forget(struct gate_queue *queue, struct entry *entry)
{
    LIST_REMOVE(entry, bucket);
    TAILQ_INSERT_HEAD(&queue->spare, entry, next);
}

static struct entry *take_room(struct gate_queue *queue)
{
    if (TAILQ_EMPTY(&queue->spare) && queue->used < GATE_ADDRESSES_MAX) {
        return &queue->all[queue->used++];
    }
    if (TAILQ_EMPTY(&queue->spare)) {
        struct entry *longest = TAILQ_FIRST(&queue->quiet);
        TAILQ_REMOVE(&queue->quiet, longest, next);
        forget(queue, longest);
    }
    struct entry *entry = TAILQ_FIRST(&queue->spare);
    TAILQ_REMOVE(&queue->spare, entry, next);
    return entry;
}

/* A new one is quiet, and has nothing to be remembered yet. NULL: all others wait. */
static struct entry *find_or_make(struct gate_queue *queue, const struct gate_address *address)
{
    struct entry *entry = find(queue, address);

    if (entry == NULL && has_room(queue)) {
        entry = take_room(queue);
        *entry = (struct entry){.place = PLACE_QUIET, .address = *address};
        TAILQ_INIT(&entry->waiting);
        LIST_INSERT_HEAD(&queue->buckets[bucket_of(queue, address)], entry, bucket);
        TAILQ_INSERT_TAIL(&queue->quiet, entry, next);
    }
    return entry;
}

/* --- failures -------------------------------------------------------------- */

static unsigned failures_of(const struct entry *entry, uint64_t now)
{
    return now - entry->failed_at < GATE_FORGET_MS ? entry->failures : 0;
}

static uint64_t delay_after(unsigned failures)
{
    uint64_t delay = GATE_DELAY_MS;

    while (--failures > 0 && delay < GATE_DELAY_MOST_MS) {
        delay *= 2;
    }
    return delay < GATE_DELAY_MOST_MS ? delay : GATE_DELAY_MOST_MS;
}

static void count_failure(struct entry *entry, uint64_t now, struct petitions *out)
{
    entry->failures = failures_of(entry, now) + 1;
    entry->failed_at = now;
    entry->ready_at = now + delay_after(entry->failures);
    while (entry->count > GATE_WAITING_MAX) {
        struct petition *last = TAILQ_LAST(&entry->waiting, petitions);
        TAILQ_REMOVE(&entry->waiting, last, next);
        TAILQ_INSERT_HEAD(out, last, next);
        entry->count--;
    }
}

bool gate_queue_trusts(const struct gate_queue *queue, const struct gate_address *address,
                       uint64_t now)
{
    const struct entry *entry = find(queue, address);

    if (entry == NULL) {
        return has_room(queue);
    }
    return entry->place == PLACE_QUIET && failures_of(entry, now) == 0;
}

bool gate_queue_has_failed(const struct gate_queue *queue, uint64_t now)
{
    return failures_of(queue->turn, now) > 0;
}

/* --- turns ----------------------------------------------------------------- */

/* Most delays that begin later end later. */
static void delay(struct gate_queue *queue, struct entry *entry)
{
    struct entry *before = TAILQ_LAST(&queue->delayed, entries);

    while (before != NULL && before->ready_at > entry->ready_at) {
        before = TAILQ_PREV(before, entries, next);
    }
    if (before != NULL) {
        TAILQ_INSERT_AFTER(&queue->delayed, before, entry, next);
    } else {
        TAILQ_INSERT_HEAD(&queue->delayed, entry, next);
    }
    entry->place = PLACE_DELAYED;
}

static void make_ready(struct gate_queue *queue, struct entry *entry)
{
    TAILQ_INSERT_TAIL(&queue->ready, entry, next);
    entry->place = PLACE_READY;
}

/* An entry that is in no list goes where it belongs. */
static void put_in_place(struct gate_queue *queue, struct entry *entry, uint64_t now)
{
    if (entry->count > 0 && entry->ready_at > now) {
        delay(queue, entry);
    } else if (entry->count > 0) {
        make_ready(queue, entry);
    } else if (failures_of(entry, now) > 0) {
        TAILQ_INSERT_TAIL(&queue->quiet, entry, next);
        entry->place = PLACE_QUIET;
    } else {
        forget(queue, entry);
    }
}

bool gate_queue_add(struct gate_queue *queue, struct petition *petition, uint64_t now)
{
    struct entry *entry = find_or_make(queue, &petition->address);

    if (entry == NULL || (entry->count >= GATE_WAITING_MAX && failures_of(entry, now) > 0)) {
        return false;
    }
    TAILQ_INSERT_TAIL(&entry->waiting, petition, next);
    entry->count++;
    if (entry->place == PLACE_QUIET) {
        TAILQ_REMOVE(&queue->quiet, entry, next);
        put_in_place(queue, entry, now);
    }
    return true;
}

struct petition *gate_queue_next(struct gate_queue *queue, uint64_t now, uint64_t *due)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(&queue->delayed)) != NULL && entry->ready_at <= now) {
        TAILQ_REMOVE(&queue->delayed, entry, next);
        make_ready(queue, entry);
    }
    *due = entry != NULL ? entry->ready_at : UINT64_MAX;
    entry = TAILQ_FIRST(&queue->ready);
    if (entry == NULL) {
        return NULL;
    }
    TAILQ_REMOVE(&queue->ready, entry, next);
    entry->place = PLACE_TURN;
    queue->turn = entry;

    struct petition *petition = TAILQ_FIRST(&entry->waiting);
    TAILQ_REMOVE(&entry->waiting, petition, next);
    entry->count--;
    return petition;
}

void gate_queue_settle(struct gate_queue *queue, bool failed, uint64_t now, struct petitions *out)
{
    struct entry *entry = queue->turn;
    struct petitions lost = TAILQ_HEAD_INITIALIZER(lost);

    queue->turn = NULL;
    if (failed) {
        count_failure(entry, now, &lost);
    }
    TAILQ_CONCAT(out, &lost, next);
    put_in_place(queue, entry, now);
}

static void drain_list(struct entries *list, struct entries *quiet, struct petitions *out)
{
    struct entry *entry;

    while ((entry = TAILQ_FIRST(list)) != NULL) {
        TAILQ_CONCAT(out, &entry->waiting, next);
        entry->count = 0;
        TAILQ_REMOVE(list, entry, next);
        TAILQ_INSERT_TAIL(quiet, entry, next);
        entry->place = PLACE_QUIET;
    }
}

void gate_queue_drain(struct gate_queue *queue, struct petitions *out)
{
    drain_list(&queue->ready, &queue->quiet, out);
    drain_list(&queue->delayed, &queue->quiet, out);
}
