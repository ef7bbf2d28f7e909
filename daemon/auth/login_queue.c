/*
 * login_queue.c - a table of addresses, and the lists that they go through.
 *
 *      asked ---> ready <--- its time has come --- delayed
 *                   |                                 ^
 *                its turn --- a petition waits there -+---> ready
 *                   +--- none, it is known ---> known
 *                   +--- none, a failure is remembered ---> quiet
 *                   +--- neither ---> spare
 *
 * An address is in one list at a time. There is a list of ready ones for each kind, in the
 * order of their turns. Delayed ones are in the order in which they become ready, known and
 * quiet ones in the order in which they went quiet: where room is needed, the first of them
 * is forgotten.
 */
#include "daemon/auth/login_queue.h"

#include <stdlib.h>
#include <sys/random.h>

#include "daemon/store/arena/hash.h"

enum {
    BUCKETS = GATE_ADDRESSES_MAX,
    KNOWN_MAX = GATE_ADDRESSES_MAX / 4, /* quiet ones that are kept before those that failed */
};

enum kind { KIND_KNOWN, KIND_FRESH, KIND_FAILED, KINDS };

TAILQ_HEAD(gate_entries, gate_entry);

struct gate_entry {
    LIST_ENTRY(gate_entry) bucket;
    TAILQ_ENTRY(gate_entry) next;
    struct gate_entries *in; /* the list where it is; NULL: it has its turn, or is new */
    struct peer_address address;
    struct petitions waiting;
    unsigned failures;
    bool known;
    uint64_t failed_at; /* the last time; with failures */
    uint64_t ready_at;
};

LIST_HEAD(bucket, gate_entry);

struct gate_queue {
    struct gate_entries ready[KINDS];
    struct gate_entries delayed, known, quiet, spare;
    struct petitions all; /* that wait, the first first; by `age` */
    struct gate_entry *turn;
    unsigned turns;       /* so far */
    unsigned fresh_turns; /* those of fresh ones */
    size_t known_count;   /* in `known` */
    size_t used;          /* of `of`; those after it were never touched */
    struct hash_secret secret;
    struct bucket buckets[BUCKETS];
    struct gate_entry of[GATE_ADDRESSES_MAX];
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
    for (int kind = 0; kind < KINDS; kind++) {
        TAILQ_INIT(&queue->ready[kind]);
    }
    TAILQ_INIT(&queue->delayed);
    TAILQ_INIT(&queue->known);
    TAILQ_INIT(&queue->quiet);
    TAILQ_INIT(&queue->spare);
    TAILQ_INIT(&queue->all);
    return queue;
}

void gate_queue_destroy(struct gate_queue **queue)
{
    free(*queue);
    *queue = NULL;
}

/* --- failures -------------------------------------------------------------- */

static unsigned failures_of(const struct gate_entry *entry, uint64_t now)
{
    return now - entry->failed_at < GATE_FORGET_MS ? entry->failures : 0;
}

static void count_failure(struct gate_entry *entry, uint64_t now)
{
    entry->failures = failures_of(entry, now) + 1;
    entry->failed_at = now;
}

static uint64_t delay_after(unsigned failures)
{
    uint64_t delay = GATE_DELAY_MS;

    while (--failures > 0 && delay < GATE_DELAY_MOST_MS) {
        delay *= 2;
    }
    return delay < GATE_DELAY_MOST_MS ? delay : GATE_DELAY_MOST_MS;
}

/* --- lists ----------------------------------------------------------------- */

static void take_out(struct gate_queue *queue, struct gate_entry *entry)
{
    if (entry->in != NULL) {
        TAILQ_REMOVE(entry->in, entry, next);
        queue->known_count -= entry->in == &queue->known;
        entry->in = NULL;
    }
}

static void put_last(struct gate_queue *queue, struct gate_entries *list, struct gate_entry *entry)
{
    TAILQ_INSERT_TAIL(list, entry, next);
    queue->known_count += list == &queue->known;
    entry->in = list;
}

/* Most delays that begin later end later. */
static void delay(struct gate_queue *queue, struct gate_entry *entry)
{
    struct gate_entry *before = TAILQ_LAST(&queue->delayed, gate_entries);

    while (before != NULL && before->ready_at > entry->ready_at) {
        before = TAILQ_PREV(before, gate_entries, next);
    }
    if (before != NULL) {
        TAILQ_INSERT_AFTER(&queue->delayed, before, entry, next);
    } else {
        TAILQ_INSERT_HEAD(&queue->delayed, entry, next);
    }
    entry->in = &queue->delayed;
}

static enum kind kind_of(const struct gate_entry *entry, uint64_t now)
{
    if (entry->known) {
        return KIND_KNOWN;
    }
    return failures_of(entry, now) > 0 ? KIND_FAILED : KIND_FRESH;
}

static void forget(struct gate_queue *queue, struct gate_entry *entry)
{
    LIST_REMOVE(entry, bucket);
    TAILQ_INSERT_HEAD(&queue->spare, entry, next);
    entry->in = &queue->spare;
}

/* An entry that is in no list goes where it belongs. */
static void put_in_place(struct gate_queue *queue, struct gate_entry *entry, uint64_t now)
{
    bool waits = !TAILQ_EMPTY(&entry->waiting);

    if (waits && entry->ready_at > now) {
        delay(queue, entry);
    } else if (waits) {
        put_last(queue, &queue->ready[kind_of(entry, now)], entry);
    } else if (entry->known) {
        put_last(queue, &queue->known, entry);
    } else if (failures_of(entry, now) > 0) {
        put_last(queue, &queue->quiet, entry);
    } else {
        forget(queue, entry);
    }
}

/* --- petitions --------------------------------------------------------------- */

static void begin_to_wait(struct gate_queue *queue, struct gate_entry *entry,
                          struct petition *petition, uint64_t now)
{
    TAILQ_INSERT_TAIL(&entry->waiting, petition, next);
    TAILQ_INSERT_TAIL(&queue->all, petition, age);
    petition->entry = entry;
    petition->since = now;
}

static void end_to_wait(struct gate_queue *queue, struct petition *petition)
{
    TAILQ_REMOVE(&petition->entry->waiting, petition, next);
    TAILQ_REMOVE(&queue->all, petition, age);
    petition->entry = NULL;
}

static void give_up_all(struct gate_queue *queue, struct gate_entry *entry, struct petitions *out)
{
    struct petition *petition;

    while ((petition = TAILQ_FIRST(&entry->waiting)) != NULL) {
        end_to_wait(queue, petition);
        TAILQ_INSERT_TAIL(out, petition, next);
    }
}

/* --- the table ------------------------------------------------------------- */

static size_t bucket_of(const struct gate_queue *queue, const struct peer_address *address)
{
    const struct slice number = {(const char *)&address->number, sizeof address->number};

    return hash_bytes(&queue->secret, address->family, number) % BUCKETS;
}

static struct gate_entry *find(const struct gate_queue *queue, const struct peer_address *address)
{
    struct gate_entry *entry;

    LIST_FOREACH(entry, &queue->buckets[bucket_of(queue, address)], bucket)
    {
        if (entry->address.family == address->family && entry->address.number == address->number) {
            return entry;
        }
    }
    return NULL;
}

/* NULL: all have failed, and wait. */
static struct gate_entry *least_wanted(const struct gate_queue *queue)
{
    struct gate_entry *known = TAILQ_FIRST(&queue->known);
    struct gate_entry *quiet = TAILQ_FIRST(&queue->quiet);

    if (known != NULL && (quiet == NULL || queue->known_count > KNOWN_MAX)) {
        return known;
    }
    return quiet != NULL ? quiet : TAILQ_FIRST(&queue->ready[KIND_FRESH]);
}

static bool has_room(const struct gate_queue *queue)
{
    return queue->used < GATE_ADDRESSES_MAX || !TAILQ_EMPTY(&queue->spare) ||
           least_wanted(queue) != NULL;
}

static struct gate_entry *take_room(struct gate_queue *queue, struct petitions *out)
{
    if (TAILQ_EMPTY(&queue->spare) && queue->used < GATE_ADDRESSES_MAX) {
        return &queue->of[queue->used++];
    }
    if (TAILQ_EMPTY(&queue->spare)) {
        struct gate_entry *entry = least_wanted(queue);
        give_up_all(queue, entry, out);
        take_out(queue, entry);
        forget(queue, entry);
    }
    struct gate_entry *entry = TAILQ_FIRST(&queue->spare);
    take_out(queue, entry);
    return entry;
}

/* A new one is in no list. NULL: there is no room. */
static struct gate_entry *find_or_make(struct gate_queue *queue, const struct peer_address *address,
                                       struct petitions *out)
{
    struct gate_entry *entry = find(queue, address);

    if (entry == NULL && has_room(queue)) {
        entry = take_room(queue, out);
        *entry = (struct gate_entry){.address = *address};
        TAILQ_INIT(&entry->waiting);
        LIST_INSERT_HEAD(&queue->buckets[bucket_of(queue, address)], entry, bucket);
    }
    return entry;
}

/* --- asking and leaving ------------------------------------------------------- */

bool gate_queue_trusts(const struct gate_queue *queue, const struct peer_address *address,
                       uint64_t now)
{
    const struct gate_entry *entry = find(queue, address);

    if (entry == NULL) {
        return has_room(queue);
    }
    return entry != queue->turn && TAILQ_EMPTY(&entry->waiting) && failures_of(entry, now) == 0;
}

/* What is remembered of an address where no petition may wait: nothing that waits has to go for
 * it. NULL: there is no room. */
static struct gate_entry *make_note(struct gate_queue *queue, const struct peer_address *address)
{
    struct petitions out = TAILQ_HEAD_INITIALIZER(out);
    struct gate_entry *entry = find(queue, address);
    bool room = queue->used < GATE_ADDRESSES_MAX || !TAILQ_EMPTY(&queue->spare) ||
                !TAILQ_EMPTY(&queue->known) || !TAILQ_EMPTY(&queue->quiet);

    return entry == NULL && room ? find_or_make(queue, address, &out) : entry;
}

/* Its kind, or when it is ready, may have changed. */
static void move(struct gate_queue *queue, struct gate_entry *entry, uint64_t now)
{
    if (entry != queue->turn) {
        take_out(queue, entry);
        put_in_place(queue, entry, now);
    }
}

void gate_queue_know(struct gate_queue *queue, const struct peer_address *address, uint64_t now)
{
    struct gate_entry *entry = make_note(queue, address);

    if (entry != NULL) {
        entry->known = true;
        move(queue, entry, now);
    }
}

void gate_queue_fail(struct gate_queue *queue, const struct peer_address *address, uint64_t now)
{
    struct gate_entry *entry = make_note(queue, address);

    if (entry != NULL) {
        count_failure(entry, now);
        entry->ready_at = now + delay_after(entry->failures);
        move(queue, entry, now);
    }
}

bool gate_queue_add(struct gate_queue *queue, struct petition *petition, uint64_t now,
                    struct petitions *out)
{
    struct gate_entry *entry = find_or_make(queue, &petition->address, out);

    petition->entry = NULL;
    if (entry == NULL) {
        return false;
    }
    bool waits = !TAILQ_EMPTY(&entry->waiting);
    begin_to_wait(queue, entry, petition, now);
    if (!waits) {
        move(queue, entry, now);
    }
    return true;
}

/* Without its turn. */
static void leave(struct gate_queue *queue, struct petition *petition, uint64_t now)
{
    struct gate_entry *entry = petition->entry;

    end_to_wait(queue, petition);
    if (petition->compared) {
        count_failure(entry, now);
    }
    if (TAILQ_EMPTY(&entry->waiting)) {
        move(queue, entry, now);
    }
}

bool gate_queue_withdraw(struct gate_queue *queue, struct petition *petition, uint64_t now)
{
    bool waits = petition->entry != NULL;

    if (waits) {
        leave(queue, petition, now);
    }
    return waits;
}

static bool has_waited(const struct petition *petition, uint64_t now)
{
    return petition != NULL && now - petition->since >= GATE_PATIENCE_MS;
}

void gate_queue_expire(struct gate_queue *queue, uint64_t now, struct petitions *out)
{
    struct petition *petition;

    while (has_waited(petition = TAILQ_FIRST(&queue->all), now)) {
        leave(queue, petition, now);
        TAILQ_INSERT_TAIL(out, petition, next);
    }
}

/* --- turns ----------------------------------------------------------------- */

static void end_delays(struct gate_queue *queue, uint64_t now)
{
    struct gate_entry *entry;

    while ((entry = TAILQ_FIRST(&queue->delayed)) != NULL && entry->ready_at <= now) {
        take_out(queue, entry);
        put_in_place(queue, entry, now);
    }
}

/* When something is to be done next, though it is no turn now. */
static uint64_t due_of(const struct gate_queue *queue)
{
    const struct gate_entry *entry = TAILQ_FIRST(&queue->delayed);
    const struct petition *oldest = TAILQ_FIRST(&queue->all);
    uint64_t due = entry != NULL ? entry->ready_at : UINT64_MAX;

    return oldest != NULL && oldest->since + GATE_PATIENCE_MS < due
               ? oldest->since + GATE_PATIENCE_MS
               : due;
}

static struct gate_entry *choose(struct gate_queue *queue)
{
    static const enum kind share[] = {KIND_KNOWN, KIND_FRESH, KIND_KNOWN, KIND_FAILED};
    enum kind kind = share[queue->turns++ % (sizeof share / sizeof *share)];

    for (int i = 0; i < KINDS && TAILQ_EMPTY(&queue->ready[kind]); i++) {
        kind = (enum kind)i;
    }
    if (kind == KIND_FRESH && queue->fresh_turns++ % 2 == 1) {
        return TAILQ_LAST(&queue->ready[kind], gate_entries);
    }
    return TAILQ_FIRST(&queue->ready[kind]);
}

struct petition *gate_queue_next(struct gate_queue *queue, uint64_t now, uint64_t *due)
{
    end_delays(queue, now);
    *due = due_of(queue);
    struct gate_entry *entry = choose(queue);
    if (entry == NULL) {
        return NULL;
    }
    take_out(queue, entry);
    queue->turn = entry;
    struct petition *petition = failures_of(entry, now) > 0 ? TAILQ_LAST(&entry->waiting, petitions)
                                                            : TAILQ_FIRST(&entry->waiting);
    end_to_wait(queue, petition);
    return petition;
}

void gate_queue_settle(struct gate_queue *queue, enum gate_end end, uint64_t now)
{
    struct gate_entry *entry = queue->turn;

    queue->turn = NULL;
    if (end == GATE_WRONG) {
        count_failure(entry, now);
        entry->ready_at = now + delay_after(entry->failures);
    }
    entry->known |= end == GATE_RIGHT;
    put_in_place(queue, entry, now);
}

void gate_queue_drain(struct gate_queue *queue, struct petitions *out)
{
    struct petition *petition;

    while ((petition = TAILQ_FIRST(&queue->all)) != NULL) {
        struct gate_entry *entry = petition->entry;
        end_to_wait(queue, petition);
        TAILQ_INSERT_TAIL(out, petition, next);
        if (TAILQ_EMPTY(&entry->waiting) && entry != queue->turn) {
            take_out(queue, entry);
            put_last(queue, entry->known ? &queue->known : &queue->quiet, entry);
        }
    }
}
