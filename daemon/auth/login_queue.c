/*
 * login_queue.c - a table of addresses, and the lists that they go through.
 *
 *      asked ---> ready <--- its delay is over --- delayed
 *                   |                                 ^
 *                checked --- a login waits there -----+---> ready
 *                   +--- none, it is known ---> known
 *                   +--- none, a failure is remembered ---> quiet
 *                   +--- neither ---> unused
 *
 * An address is in one list at a time. There is a list of ready ones for each kind, in the order in
 * which they are served. Delayed ones are in the order in which they become ready, known and quiet
 * ones in the order in which they went quiet: where room is needed, the first of them is forgotten.
 */
#include "daemon/auth/login_queue.h"

#include <stdlib.h>
#include <sys/random.h>

#include "daemon/base/siphash.h"

enum {
    BUCKETS = LOGIN_ADDRESSES_MAX,
    KNOWN_MAX = LOGIN_ADDRESSES_MAX / 4, /* that are kept in preference to those that failed */
};

enum kind { KIND_KNOWN, KIND_FRESH, KIND_FAILED, KINDS };

TAILQ_HEAD(login_queue_entries, login_queue_entry);

struct login_queue_entry {
    LIST_ENTRY(login_queue_entry) bucket;
    TAILQ_ENTRY(login_queue_entry) next;
    struct login_queue_entries *in; /* the list where it is; NULL: it is being checked, or new */
    struct peer_address address;
    struct logins waiting;
    unsigned failures;
    bool known;
    uint64_t failed_at; /* the last time; where there are failures */
    uint64_t ready_at;
};

LIST_HEAD(bucket, login_queue_entry);

struct login_queue {
    struct login_queue_entries ready[KINDS];
    struct login_queue_entries delayed, known, quiet, unused;
    struct logins all; /* that wait, the oldest first; by `age` */
    struct login_queue_entry *being_checked;
    unsigned checks;       /* so far */
    unsigned fresh_checks; /* of fresh addresses */
    size_t known_count;    /* in `known` */
    size_t used;           /* of `entries`; those after it were never touched */
    struct siphash_key secret;
    struct bucket buckets[BUCKETS];
    struct login_queue_entry entries[LOGIN_ADDRESSES_MAX];
};

struct login_queue *login_queue_create(void)
{
    struct login_queue *queue = calloc(1, sizeof *queue);
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
    TAILQ_INIT(&queue->unused);
    TAILQ_INIT(&queue->all);
    return queue;
}

void login_queue_destroy(struct login_queue **queue)
{
    free(*queue);
    *queue = NULL;
}

/* --- failures -------------------------------------------------------------- */

static unsigned failures_of(const struct login_queue_entry *entry, uint64_t now)
{
    return now - entry->failed_at < LOGIN_FORGET_MS ? entry->failures : 0;
}

static void count_failure(struct login_queue_entry *entry, uint64_t now)
{
    entry->failures = failures_of(entry, now) + 1;
    entry->failed_at = now;
}

static uint64_t delay_after(unsigned failures)
{
    uint64_t delay = LOGIN_DELAY_MS;
    while (--failures > 0 && delay < LOGIN_DELAY_MOST_MS) {
        delay *= 2;
    }
    return delay < LOGIN_DELAY_MOST_MS ? delay : LOGIN_DELAY_MOST_MS;
}

/* --- lists ----------------------------------------------------------------- */

static void take_out(struct login_queue *queue, struct login_queue_entry *entry)
{
    if (entry->in != NULL) {
        TAILQ_REMOVE(entry->in, entry, next);
        queue->known_count -= entry->in == &queue->known;
        entry->in = NULL;
    }
}

static void put_last(struct login_queue *queue, struct login_queue_entries *list,
                     struct login_queue_entry *entry)
{
    TAILQ_INSERT_TAIL(list, entry, next);
    queue->known_count += list == &queue->known;
    entry->in = list;
}

/* Most delays that begin later end later. */
static void delay(struct login_queue *queue, struct login_queue_entry *entry)
{
    struct login_queue_entry *before = TAILQ_LAST(&queue->delayed, login_queue_entries);
    while (before != NULL && before->ready_at > entry->ready_at) {
        before = TAILQ_PREV(before, login_queue_entries, next);
    }
    if (before != NULL) {
        TAILQ_INSERT_AFTER(&queue->delayed, before, entry, next);
    } else {
        TAILQ_INSERT_HEAD(&queue->delayed, entry, next);
    }
    entry->in = &queue->delayed;
}

static enum kind kind_of(const struct login_queue_entry *entry, uint64_t now)
{
    if (entry->known) {
        return KIND_KNOWN;
    }
    return failures_of(entry, now) > 0 ? KIND_FAILED : KIND_FRESH;
}

static void forget(struct login_queue *queue, struct login_queue_entry *entry)
{
    LIST_REMOVE(entry, bucket);
    TAILQ_INSERT_HEAD(&queue->unused, entry, next);
    entry->in = &queue->unused;
}

/* Puts an entry that is in no list where it belongs. */
static void put_in_place(struct login_queue *queue, struct login_queue_entry *entry, uint64_t now)
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

/* --- logins --------------------------------------------------------------- */

static void enqueue(struct login_queue *queue, struct login_queue_entry *entry,
                    struct login_request *login, uint64_t now)
{
    TAILQ_INSERT_TAIL(&entry->waiting, login, next);
    TAILQ_INSERT_TAIL(&queue->all, login, age);
    login->entry = entry;
    login->since = now;
}

static void dequeue(struct login_queue *queue, struct login_request *login)
{
    TAILQ_REMOVE(&login->entry->waiting, login, next);
    TAILQ_REMOVE(&queue->all, login, age);
    login->entry = NULL;
}

static void dequeue_all(struct login_queue *queue, struct login_queue_entry *entry,
                        struct logins *out)
{
    struct login_request *login;
    while ((login = TAILQ_FIRST(&entry->waiting)) != NULL) {
        dequeue(queue, login);
        TAILQ_INSERT_TAIL(out, login, next);
    }
}

/* --- the table ------------------------------------------------------------- */

static size_t bucket_of(const struct login_queue *queue, const struct peer_address *address)
{
    const struct slice number = {(const char *)&address->number, sizeof address->number};
    return siphash13_64(&queue->secret, address->family, number) % BUCKETS;
}

static struct login_queue_entry *find(const struct login_queue *queue,
                                      const struct peer_address *address)
{
    struct login_queue_entry *entry;
    LIST_FOREACH(entry, &queue->buckets[bucket_of(queue, address)], bucket)
    {
        if (entry->address.family == address->family && entry->address.number == address->number) {
            return entry;
        }
    }
    return NULL;
}

/* The entry that goes first where room is needed. NULL: all have failed, and have logins waiting.
 */
static struct login_queue_entry *first_to_forget(const struct login_queue *queue)
{
    struct login_queue_entry *known = TAILQ_FIRST(&queue->known);
    struct login_queue_entry *quiet = TAILQ_FIRST(&queue->quiet);
    if (known != NULL && (quiet == NULL || queue->known_count > KNOWN_MAX)) {
        return known;
    }
    return quiet != NULL ? quiet : TAILQ_FIRST(&queue->ready[KIND_FRESH]);
}

static bool has_room(const struct login_queue *queue)
{
    return queue->used < LOGIN_ADDRESSES_MAX || !TAILQ_EMPTY(&queue->unused) ||
           first_to_forget(queue) != NULL;
}

static struct login_queue_entry *obtain_entry(struct login_queue *queue, struct logins *out)
{
    if (TAILQ_EMPTY(&queue->unused) && queue->used < LOGIN_ADDRESSES_MAX) {
        return &queue->entries[queue->used++];
    }
    if (TAILQ_EMPTY(&queue->unused)) {
        struct login_queue_entry *entry = first_to_forget(queue);
        dequeue_all(queue, entry, out);
        take_out(queue, entry);
        forget(queue, entry);
    }
    struct login_queue_entry *entry = TAILQ_FIRST(&queue->unused);
    take_out(queue, entry);
    return entry;
}

/* A new one is in no list. Logins that wait at one that is forgotten for it are appended to `out`.
 * NULL: there is no room. */
static struct login_queue_entry *
find_or_make(struct login_queue *queue, const struct peer_address *address, struct logins *out)
{
    struct login_queue_entry *entry = find(queue, address);
    if (entry == NULL && has_room(queue)) {
        entry = obtain_entry(queue, out);
        *entry = (struct login_queue_entry){.address = *address};
        TAILQ_INIT(&entry->waiting);
        LIST_INSERT_HEAD(&queue->buckets[bucket_of(queue, address)], entry, bucket);
    }
    return entry;
}

/* --- adding and removing ------------------------------------------------------ */

bool login_queue_may_recall(const struct login_queue *queue, const struct peer_address *address,
                            uint64_t now)
{
    const struct login_queue_entry *entry = find(queue, address);
    if (entry == NULL) {
        return has_room(queue);
    }
    return entry != queue->being_checked && TAILQ_EMPTY(&entry->waiting) &&
           failures_of(entry, now) == 0;
}

/* The same for an address at which no login waits: no waiting login is given up for it. */
static struct login_queue_entry *find_or_make_quiet(struct login_queue *queue,
                                                    const struct peer_address *address)
{
    struct logins out = TAILQ_HEAD_INITIALIZER(out);
    struct login_queue_entry *entry = find(queue, address);
    bool room = queue->used < LOGIN_ADDRESSES_MAX || !TAILQ_EMPTY(&queue->unused) ||
                !TAILQ_EMPTY(&queue->known) || !TAILQ_EMPTY(&queue->quiet);
    return entry == NULL && room ? find_or_make(queue, address, &out) : entry;
}

/* Its kind, or the time when it is ready, may have changed. */
static void move(struct login_queue *queue, struct login_queue_entry *entry, uint64_t now)
{
    if (entry != queue->being_checked) {
        take_out(queue, entry);
        put_in_place(queue, entry, now);
    }
}

void login_queue_know(struct login_queue *queue, const struct peer_address *address, uint64_t now)
{
    struct login_queue_entry *entry = find_or_make_quiet(queue, address);
    if (entry != NULL) {
        entry->known = true;
        move(queue, entry, now);
    }
}

void login_queue_fail(struct login_queue *queue, const struct peer_address *address, uint64_t now)
{
    struct login_queue_entry *entry = find_or_make_quiet(queue, address);
    if (entry != NULL) {
        count_failure(entry, now);
        entry->ready_at = now + delay_after(entry->failures);
        move(queue, entry, now);
    }
}

bool login_queue_add(struct login_queue *queue, struct login_request *login, uint64_t now,
                     struct logins *out)
{
    struct login_queue_entry *entry = find_or_make(queue, &login->address, out);
    login->entry = NULL;
    if (entry == NULL) {
        return false;
    }
    bool waits = !TAILQ_EMPTY(&entry->waiting);
    enqueue(queue, entry, login, now);
    if (!waits) {
        move(queue, entry, now);
    }
    return true;
}

/* Takes a login out unchecked. */
static void take_out_login(struct login_queue *queue, struct login_request *login, uint64_t now)
{
    struct login_queue_entry *entry = login->entry;
    dequeue(queue, login);
    if (login->compared) {
        count_failure(entry, now);
    }
    if (TAILQ_EMPTY(&entry->waiting)) {
        move(queue, entry, now);
    }
}

bool login_queue_withdraw(struct login_queue *queue, struct login_request *login, uint64_t now)
{
    bool waits = login->entry != NULL;
    if (waits) {
        take_out_login(queue, login, now);
    }
    return waits;
}

static bool has_waited_long(const struct login_request *login, uint64_t now)
{
    return login != NULL && now - login->since >= LOGIN_PATIENCE_MS;
}

void login_queue_expire(struct login_queue *queue, uint64_t now, struct logins *out)
{
    struct login_request *login;
    while (has_waited_long(login = TAILQ_FIRST(&queue->all), now)) {
        take_out_login(queue, login, now);
        TAILQ_INSERT_TAIL(out, login, next);
    }
}

/* --- checks ---------------------------------------------------------------- */

static void end_delays(struct login_queue *queue, uint64_t now)
{
    struct login_queue_entry *entry;
    while ((entry = TAILQ_FIRST(&queue->delayed)) != NULL && entry->ready_at <= now) {
        take_out(queue, entry);
        put_in_place(queue, entry, now);
    }
}

/* When a delay or the time of a waiting login ends next. */
static uint64_t due_of(const struct login_queue *queue)
{
    const struct login_queue_entry *entry = TAILQ_FIRST(&queue->delayed);
    const struct login_request *oldest = TAILQ_FIRST(&queue->all);
    uint64_t due = entry != NULL ? entry->ready_at : UINT64_MAX;
    return oldest != NULL && oldest->since + LOGIN_PATIENCE_MS < due
               ? oldest->since + LOGIN_PATIENCE_MS
               : due;
}

static struct login_queue_entry *choose(struct login_queue *queue)
{
    static const enum kind share[] = {KIND_KNOWN, KIND_FRESH, KIND_KNOWN, KIND_FAILED};
    enum kind kind = share[queue->checks++ % (sizeof share / sizeof *share)];
    for (int i = 0; i < KINDS && TAILQ_EMPTY(&queue->ready[kind]); i++) {
        kind = (enum kind)i;
    }
    if (kind == KIND_FRESH && queue->fresh_checks++ % 2 == 1) {
        return TAILQ_LAST(&queue->ready[kind], login_queue_entries);
    }
    return TAILQ_FIRST(&queue->ready[kind]);
}

struct login_request *login_queue_next(struct login_queue *queue, uint64_t now, uint64_t *due)
{
    end_delays(queue, now);
    *due = due_of(queue);
    struct login_queue_entry *entry = choose(queue);
    if (entry == NULL) {
        return NULL;
    }
    take_out(queue, entry);
    queue->being_checked = entry;
    struct login_request *login = failures_of(entry, now) > 0 ? TAILQ_LAST(&entry->waiting, logins)
                                                              : TAILQ_FIRST(&entry->waiting);
    dequeue(queue, login);
    return login;
}

void login_queue_settle(struct login_queue *queue, enum login_result result, uint64_t now)
{
    struct login_queue_entry *entry = queue->being_checked;
    queue->being_checked = NULL;
    if (result == LOGIN_WRONG) {
        count_failure(entry, now);
        entry->ready_at = now + delay_after(entry->failures);
    }
    entry->known |= result == LOGIN_RIGHT;
    put_in_place(queue, entry, now);
}

void login_queue_drain(struct login_queue *queue, struct logins *out)
{
    struct login_request *login;
    while ((login = TAILQ_FIRST(&queue->all)) != NULL) {
        struct login_queue_entry *entry = login->entry;
        dequeue(queue, login);
        TAILQ_INSERT_TAIL(out, login, next);
        if (TAILQ_EMPTY(&entry->waiting) && entry != queue->being_checked) {
            take_out(queue, entry);
            put_last(queue, entry->known ? &queue->known : &queue->quiet, entry);
        }
    }
}
