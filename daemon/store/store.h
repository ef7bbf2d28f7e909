/*
 * store.h - the records, and the only door to them.
 *
 * The store keeps records (namespace, key, value, time to live) in a hash index
 * over an append-only log of segments. It knows no protocol, no configuration
 * file, no event loop and no clock: `now` is an argument everywhere, in
 * milliseconds of any clock that never goes back (start above 0), rounded down.
 * A record's ttl counts from the `now` of its write, which must not be earlier
 * than the request. A record lives for all of its ttl, by the most exact of clocks. The
 * rounding adds less than a millisecond.
 *
 * Threads. Each thread that uses the store has a store_thread, and calls between store_enter and
 * store_leave. In between, namespaces that it looked up are not freed. All calls but create and
 * destroy may run at once. A call waits for locks, which are held for about a microsecond, and,
 * when no memory is free, until some was freed.
 *
 * Ownership. The store copies the slices that it keeps. A store_view that it hands out stays
 * valid until it is given back.
 */
#ifndef KVCACHED_DAEMON_STORE_STORE_H
#define KVCACHED_DAEMON_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "daemon/store/store_evicted.h"
#include "daemon/store/store_policy.h"
#include "daemon/store/store_stats.h"
#include "daemon/store/store_status.h"
#include "protocol/slice.h"

struct store;
struct store_append;
struct store_thread;
struct namespace;
struct generation;
struct store_ttl;

/* --- the store ---------------------------------------------------------- */

/* What time it is, and in which run of the machine. */
struct store_clock {
    uint8_t boot[16]; /* names the run; zeros: unknown */
    uint64_t uptime;  /* ms since the machine started, sleep included */
    uint64_t wall;    /* ms since 1970 */
};

enum store_arena {
    STORE_ARENA_MEMORY,    /* there is no file */
    STORE_ARENA_NEW,       /* it was not there */
    STORE_ARENA_KEPT,      /* its records are the store's */
    STORE_ARENA_DISCARDED, /* its contents cannot be trusted: emptied */
    STORE_ARENA_ASIDE,     /* not an arena, or damaged: renamed */
};

/* How a store with a file found it. */
struct store_recovery {
    enum store_arena arena;
    char why[96];         /* DISCARDED, ASIDE: a clause for the log */
    char *aside;          /* ASIDE: where it is now; the caller frees it */
    int64_t clock_offset; /* ms: `now` of this store is the uptime and this */
    uint64_t records, bytes, namespaces;
    uint64_t expired, duplicates, evicted;
    uint64_t damaged_records, damaged_segments, damaged_namespaces;
    uint64_t beyond; /* bytes of memory that the file has no room for */
};

struct store_options {
    uint64_t memory;    /* bytes that bound everything, index included; at
                           least STORE_MEMORY_MIN. store_set_memory changes it */
    uint64_t max_value; /* bytes */
    uint8_t secret[16]; /* random: keys the hash, against chosen collisions */

    /* For a store with a file, which keeps its records when the process ends. */
    const char *file; /* NULL: memory of the process's own, and none of the rest */
    /* Opens it for reading and writing, or makes it for its owner alone (*made), and decides
     * whether it is to be trusted: a descriptor, or -1 with errno. NULL: open(2). */
    int (*open_file)(void *context, const char *path, bool *made);
    unsigned threads;         /* that read the file at the start; 0: 1 */
    struct store_clock clock; /* at the call */
    uint8_t file_secret[16];  /* random: for a file that is made */
    /* Reports progress now and then, from store_create, on the calling thread; NULL: not wanted.
     * In bytes of records, each of which is read twice. */
    void (*progress)(void *context, uint64_t done, uint64_t all);
    /* Whether store_create gives up, with ECANCELED, and leaves the file in order; called often,
     * on the calling thread. NULL: never. */
    bool (*cancelled)(void *context);
    void *context;
    struct store_recovery *recovery; /* filled; or NULL */
};

#define STORE_MEMORY_MIN (4u << 20)

/*
 * NULL with errno when the address space cannot be had. With a file also: EWOULDBLOCK another
 * process has it, ECANCELED, ENOSPC, EINVAL it is not a regular file, and others of open(2). `now`
 * of every call is from here on clock.uptime + recovery.clock_offset.
 */
struct store *store_create(const struct store_options *options);
/* Every store_thread must have been destroyed. Sets *store to NULL. A file is left as by a crash.
 */
void store_destroy(struct store **store);
/* The same, and a file is left in order, so that its records are good after a reboot too. False,
 * with errno: it could not be written, and is left as by a crash. */
bool store_close(struct store **store, const struct store_clock *clock);

enum store_resize {
    STORE_RESIZED,
    STORE_RESIZE_TOO_SMALL, /* below store_memory_least */
    STORE_RESIZE_TOO_LARGE, /* above store_memory_most */
    STORE_RESIZE_PROMISED,  /* below the sum of quotas, or four values of max_value */
    STORE_RESIZE_FAILED,    /* with errno: ENOSPC no room for the file, EFBIG, ENOMEM */
};

/*
 * Sets another memory. Where it is refused, nothing has changed. More memory can be used at once.
 * When it becomes less, housekeeping gives back what is too much, by evicting where it must; until
 * then more is in use than is allowed, and nothing is taken that was not given back before. Memory
 * that readers pin is given back after they have ended.
 *
 * The size of segments is chosen for the memory at store_create, and stays. A store that becomes
 * 100 times larger has 100 times as many segments, and its large records lie in more pieces. One
 * that becomes 100 times smaller has few segments, and evicts a larger part of itself at once: with
 * 8 segments, the fewest, half of the memory holds records.
 *
 * A file grows with the memory. It does not get shorter, but gets holes. A start with the new
 * memory finds the records in either case.
 */
enum store_resize store_set_memory(struct store_thread *thread, uint64_t memory);
/* Bytes that bound everything; and the least and the most that can be set. */
uint64_t store_memory(const struct store *store);
uint64_t store_memory_least(const struct store *store);
uint64_t store_memory_most(const struct store *store);

/* --- threads -------------------------------------------------------------- */

/* One for each thread. NULL when out of memory, or where 72 exist. The caller destroys it. */
struct store_thread *store_thread_create(struct store *store);
void store_thread_destroy(struct store_thread **thread);
/* The store that the thread was made for. */
struct store *store_of(const struct store_thread *thread);

/* The number of the user that made the current request, the same across restarts; 0: none in
 * particular. Called only when a namespace is made. */
typedef uint64_t store_creator(void *context);
void store_thread_set_creator(struct store_thread *thread, store_creator *creator, void *context);

/* What a thread does to records of others' making, or has to do itself. */
enum store_deed {
    STORE_DEED_EVICTED,  /* a record was dropped before its time */
    STORE_DEED_EXPIRED,  /* a record was removed because its time was over */
    STORE_DEED_RECLAIMS, /* a write begins to make room; there is no record */
};

struct store_observed {
    enum store_deed deed;
    struct slice ns, key; /* good until the observer returns */
    uint32_t number;      /* of the namespace */
    uint64_t bytes;       /* that the record took */
    uint64_t left;        /* milliseconds that it had to live, or STORE_NEVER */
    bool was_read;        /* since it was written, as far as known */
};

/* Called under locks, and for each record: it must neither wait nor call the store. */
typedef void store_observer(void *context, const struct store_observed *observed);
void store_thread_set_observer(struct store_thread *thread, store_observer *observer,
                               void *context);

void store_enter(struct store_thread *thread);
void store_leave(struct store_thread *thread);

/* --- namespaces whose records are elsewhere -------------------------------- */

/*
 * The policy may say that the records of a namespace are kept by another server (`remote`). The
 * store then has its settings and its counters only: requests for its records are not to be made
 * here, and whatever the store held of it is flushed when the policy comes in force.
 */
bool store_is_remote(struct store_thread *thread, struct slice name);

/* When a record of that namespace that is written now expires, by the policy: on the clock of
 * `now`, or STORE_NEVER. STORE_OK, STORE_TTL_REQUIRED or STORE_UNDECLARED. */
enum store_status store_expires(struct store_thread *thread, struct slice name,
                                struct store_ttl ttl, uint64_t now, uint64_t *expires);

/* The thread's counters for that namespace; of all that do not exist together, where there is none
 * of that name. Only the thread changes them, with store_count, and between enter and leave. */
struct store_counters *store_counters_of(struct store_thread *thread, struct slice name);
void store_count(uint64_t *counter);

/* --- one record --------------------------------------------------------- */

/* Where a key is: made once for a request, good until store_leave. */
struct store_key {
    struct slice name; /* the namespace's */
    struct slice key;
    struct namespace *ns;          /* NULL: there is none of that name (yet) */
    struct generation *generation; /* what was current when it was located */
    uint64_t hash;
    unsigned slot; /* where store_fetch has seen it in the index, counted from 1, a hint; 0: nowhere
                      yet */
};

/*
 * Looks the namespace up, hashes the key and asks the processor to fetch the
 * index line. STORE_OK, or STORE_UNDECLARED. A namespace that does not exist is
 * no error here. store_fetch, some requests later, asks for the record's line.
 * Both are hints for a pipeline: skip store_fetch and nothing but time is lost.
 */
enum store_status store_locate(struct store_thread *thread, struct slice name, struct slice key,
                               struct store_key *at);
void store_fetch(struct store_thread *thread, struct store_key *at);

/* The number of its namespace (store_namespace_next); 0: there is none. */
uint32_t store_key_number(const struct store_key *at);

/*
 * A value to be read where it lies. Small ones are held under a lock: copy and
 * give back at once, and call nothing of the store in between. Large ones
 * (`pinned`) may be held for as long as it takes to send them, from any thread,
 * outside of enter and leave too.
 */
struct store_view {
    uint64_t length;   /* bytes of the value */
    const char *bytes; /* all of them, when not `pinned` */
    bool pinned;
    uint64_t expires; /* on the clock of `now`, or STORE_NEVER */
    uint32_t client_flags;
    /* Of store_inspect only. */
    uint64_t version;
    uint64_t size;    /* bytes that the record takes */
    uint64_t idle;    /* milliseconds since it was written or read, as far as known; up to an
                         eighth of a second too much, and never too little */
    uint32_t number;  /* of its namespace: see store_namespace_next */
    bool made;        /* there was none, and it was made */
    bool read_before; /* since it was written */
    bool stale;
    bool won;   /* this reader should write the record again */
    bool taken; /* another reader was told so before */
    /* internal to the store */
    struct store *store;
    struct namespace *ns; /* with `pinned`; it stays as long */
    uint32_t segment;
    uint32_t offset;
    void *held;
};

/* STORE_OK and a view that must be given back, STORE_NOT_FOUND, or of a large value
 * STORE_CROWDED. Counts a hit or a miss. */
enum store_status store_get(struct store_thread *thread, const struct store_key *at, uint64_t now,
                            struct store_view *view);
void store_view_put(struct store_view *view);

/* The pieces of a pinned value from byte `from` on, `count` at most; returns how
 * many were filled. They are in order and cover up to the end if count allows. */
size_t store_view_pieces(const struct store_view *view, uint64_t from, struct iovec *pieces,
                         size_t count);

enum store_ttl_kind {
    STORE_TTL_DEFAULT,
    STORE_TTL_NEVER,
    STORE_TTL_FOR,
    STORE_TTL_UNTIL,
    STORE_TTL_GONE, /* it has expired as soon as it is there */
    STORE_TTL_KEEP, /* the record's own; of a record that is made, as DEFAULT */
};

struct store_ttl {
    enum store_ttl_kind kind;
    uint64_t milliseconds; /* with STORE_TTL_FOR; with STORE_TTL_UNTIL on the clock of `now` */
};

enum store_mode {
    STORE_SET,
    STORE_ADD,     /* STORE_EXISTS where there is such a record; compares nothing */
    STORE_REPLACE, /* STORE_NOT_FOUND where there is none */
    STORE_APPEND,  /* the same; the record keeps its ttl and flags, and the value goes
                      behind its value */
    STORE_PREPEND, /* or before it */
};

/*
 * On what terms a record is written or looked at. All zero: a plain SET with the
 * namespace's ttl.
 *
 * Versions: every record has one, which no record of that key ever had or will
 * have. It stays when only its ttl changes. It comes from where in the log the record
 * was written and costs nothing. Once a client was told the version (`tells_version`), the record
 * keeps it when it is moved, and the next write's version is higher. A version that no client was
 * told is not kept: a later write may have a lower one.
 *
 * Notes: a record that is `noted` has 5 bytes more. They say whether and when it was read, whether
 * it is stale, and whether a reader was told to renew it. Another record gets its notes when
 * store_inspect first reads it.
 */
struct store_terms {
    enum store_mode mode;  /* store_put and store_write_begin */
    struct store_ttl ttl;  /* of what is written; store_inspect, store_add_number,
                              store_make_stale: KEEP, or the record's new one */
    struct store_ttl make; /* with `makes` */
    uint64_t expected;     /* with `compares` */
    uint64_t version;      /* what is written shall have this one; 0: a new one */
    uint64_t refresh;      /* store_inspect: milliseconds. The first reader that finds less
                              than that left wins; 0: no reader does */
    uint32_t client_flags;
    uint64_t *length; /* writes of a value: if not NULL, set to the bytes of the record's whole
                         value when it is written */
    struct store_append **join; /* APPEND, PREPEND: if not NULL, they may be left unfinished, see
                                 store_append_step; it must stay for as long as a write in parts */
    bool compares;              /* STORE_CHANGED where the record has another version than
                                   `expected`, STORE_NOT_FOUND where there is none */
    bool or_stale;              /* with `compares`: where `expected` is lower than the record's
                                   version, write all the same, leave the expiry as it was,
                                   and mark what was written as stale */
    bool makes;                 /* where there is no record: store_inspect makes an empty one, and
                                   its caller has won; store_add_number one that holds `initial`;
                                   APPEND and PREPEND make one of the value. With `make` as ttl */
    bool noted;                 /* writes: keep notes */
    bool tells_version;         /* the caller is told the version */
    bool peeks;                 /* store_inspect: not to be taken for a read */
    bool uncounted;             /* store_inspect: neither a hit nor a miss */
    bool contends;              /* store_inspect: may be told to write the record again */
};

/*
 * store_get on terms: ttl (KEEP: not touched), compares is not looked at. A record
 * that is stale is to be renewed by the first reader: `won`. Where the ttl is changed
 * or a record made, this can fail as a write does. With a new ttl it counts as a touch, and
 * neither as a hit nor as a miss.
 */
enum store_status store_inspect(struct store_thread *thread, struct store_key *at,
                                const struct store_terms *terms, uint64_t now,
                                struct store_view *view);

/* Writes a whole value. Where it fails, the old record stays as it was. *version, if not NULL, is
 * set to the new record's; terms->tells_version says whether a client will be told it. */
enum store_status store_put(struct store_thread *thread, struct store_key *at,
                            const struct store_terms *terms, struct slice value, uint64_t now,
                            uint64_t *version);

/*
 * To append to a large value takes as long as to copy it. Where terms->join is given, store_put and
 * store_write_commit return STORE_UNFINISHED after the first part of that and set *terms->join;
 * each step goes on for some microseconds. The value that was given to store_put must stay
 * where it is until the end. STORE_UNFINISHED: there is more to do; STORE_CROWDED: there is, but
 * not now; else it has ended, and *join is NULL. A thread has one of these at a time, where
 * another one is to begin that is STORE_CROWDED.
 */
enum store_status store_append_step(struct store_thread *thread, struct store_append **join,
                                    uint64_t now, uint64_t *version);
/* On the thread's thread, inside and outside of enter and leave. Sets *join to NULL. */
void store_append_abort(struct store_append **join);

/* `expected`: the version that it must have, or NULL. */
enum store_status store_delete(struct store_thread *thread, struct store_key *at,
                               const uint64_t *expected, uint64_t now);
/* Deletes a record because its new value was refused. Not counted as a deletion. */
void store_drop(struct store_thread *thread, struct store_key *at, uint64_t now);

/* The record stays, gets a new version and is marked as stale. The next reader wins. Terms: ttl,
 * compares, version. */
enum store_status store_make_stale(struct store_thread *thread, struct store_key *at,
                                   const struct store_terms *terms, uint64_t now);

/* The record stays under the same version, but its value goes, and what was noted of it.
 * Terms: ttl, client_flags, compares, version. It counts as a deletion. `stale`: it does not,
 * but the record gets a new version and is marked as by store_make_stale. */
enum store_status store_empty(struct store_thread *thread, struct store_key *at,
                              const struct store_terms *terms, bool stale, uint64_t now);

/* When it expires: on the clock of `now`, or STORE_NEVER. Counts neither hit nor miss. */
enum store_status store_expiry(struct store_thread *thread, const struct store_key *at,
                               uint64_t now, uint64_t *expires);

/* Whole milliseconds that a record which expires then is sure to live from any moment of `now`
 * on; 0: less than one. Right after a write it is the ttl. */
static inline uint64_t store_left(uint64_t expires, uint64_t now)
{
    return expires > now ? expires - now - 1 : 0;
}

enum store_status store_touch(struct store_thread *thread, struct store_key *at,
                              struct store_ttl ttl, uint64_t now);

struct store_sum {
    uint64_t by;
    uint64_t initial; /* with terms->makes */
    bool subtract;    /* stops at 0 */
    bool wraps;       /* a sum beyond 64 bits begins at 0 again, else STORE_OVERFLOW; and
                         blanks around the number are no error */
    /* results */
    uint64_t number;
    uint64_t version;
    uint64_t expires; /* or STORE_NEVER */
    bool made;        /* there was none, and it was made */
};

/* Adds, or takes. The record keeps its expiry with a ttl of KEEP; one that is made has
 * `make` for its ttl then. Terms: ttl,
 * compares, makes, version, noted, tells_version. */
enum store_status store_add_number(struct store_thread *thread, struct store_key *at,
                                   const struct store_terms *terms, struct store_sum *sum,
                                   uint64_t now);

/* --- when memory is short ------------------------------------------------ */

/*
 * Pinned values and unfinished uploads are bounded (share.h); what exceeds the bounds waits. The
 * wait ends when peers read or send those values. So the caller ends transfers that were stuck for
 * longest, one at a time, and only while these functions say that memory which they hold is
 * waited for.
 */
struct store_pressure {
    uint64_t now;
    bool scarce; /* hardly any memory is free, and much is pinned */
    bool calm;   /* nothing presses */
};

struct store_write;
void store_pressure(struct store *store, uint64_t now, struct store_pressure *pressure);
/* Of a pinned view. */
bool store_view_presses(const struct store_view *view, const struct store_pressure *pressure);
bool store_write_presses(const struct store_write *write, const struct store_pressure *pressure);

/* --- a large value that arrives in parts -------------------------------- */

/*
 * A write in progress is no record yet: readers do not find it before it is committed. Its memory
 * is taken piece by piece as the bytes come, and counts as its namespace's. All writes in progress
 * together take 3/8 of a quota at most, or of the memory that no quota claims; a write that would
 * exceed that waits until others have ended. Use it from one thread at a time; it lives across
 * leave and enter.
 */
struct store_write;

/* Checks everything that can be known before the value is there. */
enum store_status store_write_begin(struct store_thread *thread, struct store_key *at,
                                    const struct store_terms *terms, uint64_t length, uint64_t now,
                                    struct store_write **write);
/* Where the next bytes go: one contiguous place, `space->iov_len` at least 1 and
 * never past the value's end. STORE_CROWDED: ask again later; only before the first byte.
 * Else not STORE_OK: abort it. */
enum store_status store_write_space(struct store_thread *thread, struct store_write *write,
                                    uint64_t now, struct iovec *space);
void store_write_advance(struct store_write *write, size_t bytes);
/* Another time to live than the terms had: of one that ends at a date, less is left by the
 * time all bytes are there. */
void store_write_set_ttl(struct store_write *write, struct store_ttl ttl);
/* All bytes must have been given. Ends the write and sets it to NULL, but for STORE_CROWDED. The
 * time to live counts from this `now`. *version as in store_put. STORE_UNDECLARED: the policy
 * does not allow the namespace any more. */
enum store_status store_write_commit(struct store_thread *thread, struct store_write **write,
                                     uint64_t now, uint64_t *version);
/* Legal inside and outside of enter and leave. Sets *write to NULL. */
void store_write_abort(struct store_thread *thread, struct store_write **write);

/* --- whole namespaces --------------------------------------------------- */

/* Forgets a namespace in O(1); *records is how many it held. STORE_OK also where
 * there is no such namespace (0 records), or STORE_UNDECLARED. */
enum store_status store_flush(struct store_thread *thread, struct slice name, uint64_t now,
                              uint64_t *records);

/*
 * The same at a time to come, for what the namespace holds then; `when` of 0 takes
 * back what was set before. It happens in the first store_tick from that time on.
 * STORE_NOT_FOUND where there is no such namespace.
 */
enum store_status store_flush_at(struct store_thread *thread, struct slice name, uint64_t when);

/* Carries out what was set for a time that has come. Cheap: to be called after
 * every reading of the clock, between enter and leave. */
void store_tick(struct store_thread *thread, uint64_t now);

/* Whether the policy declares such a namespace. */
bool store_declares(struct store_thread *thread, struct slice name);

/*
 * A listing. Opened, stepped until it ends, closed; it holds no lock between
 * steps and lives across leave and enter, on one thread.
 *
 * Each key that has a living record from open to end is visited at least once, with
 * the value that it has then. It is visited exactly once if its record was neither
 * written nor moved meanwhile, by compaction or eviction; no key is more than twice. One that
 * is written first, or deleted and written again, after the opening may be visited.
 * Records that do not live are never visited.
 *
 * The work is bounded by what the namespace held at the opening and by how many of these
 * records were written again or moved. Whatever is written meanwhile, a listing ends.
 * Compaction and eviction go on beside it. Of a record that was written again or moved it
 * holds eight bytes, and 128 KiB at most. All listings together hold a 32nd of the memory
 * at most, but at least 512 KiB, besides the memory of the store. Where half of that is held,
 * one that was not stepped for 10 seconds is ended; where all of it is, the one that needs more.
 */
struct store_cursor;

/* STORE_OK with *cursor, STORE_UNDECLARED, STORE_NO_MEMORY. A namespace that does
 * not exist is an empty listing. */
enum store_status store_cursor_open(struct store_thread *thread, struct slice name,
                                    struct store_cursor **cursor);

/* From here on each entry comes with its notes, which takes a look into the index. */
void store_cursor_want_notes(struct store_cursor *cursor);
/* From here on entries come without their values, so that none is pinned and none waited for. */
void store_cursor_skip_values(struct store_cursor *cursor);

struct store_entry {
    struct slice key;
    uint64_t value_length;
    struct slice value;       /* where `large` is NULL: at most STORE_COPY_MAX bytes */
    struct store_view *large; /* else: pinned; the visitor copies *large and so takes it
                                 over, or leaves it and it is put back. With
                                 store_cursor_skip_values neither is there */
    uint64_t size;            /* bytes that the record takes */
    uint64_t expires;         /* on the clock of `now`, or STORE_NEVER */
    uint64_t version;
    uint32_t client_flags;
    /* With store_cursor_want_notes: as in store_view. */
    uint64_t idle;
    bool read_before;
};

/* Returns false to stop before this entry: it will be the next one. A visitor
 * that keeps entry->large sets entry->large to NULL. Of the store it must call nothing but
 * store_declares. */
typedef bool store_visit(void *context, struct store_entry *entry);

/*
 * Visits up to `limit` records (live or not: what bounds the time it takes).
 * True when the listing has ended.
 */
bool store_cursor_step(struct store_thread *thread, struct store_cursor *cursor, uint64_t now,
                       size_t limit, store_visit *visit, void *context);
/* Whether the last step stopped because too much is pinned: to be gone on with in a few
 * milliseconds. */
bool store_cursor_is_crowded(const struct store_cursor *cursor);
/* Of what namespace it is; empty where there was none. */
struct slice store_cursor_namespace(const struct store_cursor *cursor);
/* Of a listing that has ended: STORE_OK, or STORE_FELL_BEHIND where it did so before its time
 * and what it should have visited may be missing. */
enum store_status store_cursor_status(const struct store_cursor *cursor);
/* Legal inside and outside of enter and leave, from the thread that opened it. */
void store_cursor_close(struct store_cursor **cursor);

/* --- the housekeeper's side --------------------------------------------- */

/*
 * One slice of housekeeping: purges what has expired, takes back what was
 * flushed, compacts, evicts ahead of need, shrinks the index, returns memory to
 * the operating system. `effort` bounds the work: about so many records are
 * looked at (4096 is about half a millisecond). True when there is more to do
 * now; else the next call is due after the purge interval, or when
 * store_wants_housekeeping says so.
 */
bool store_housekeep(struct store_thread *thread, uint64_t now, size_t effort);

/* Cheap; any thread. True when a writer found memory short or a namespace was
 * flushed, so that the housekeeper should not wait for its interval. */
bool store_wants_housekeeping(const struct store *store);

/* Walks everything and checks that counters, index and segments agree; for
 * tests, when no other thread is inside. NULL, or what is wrong. */
const char *store_check(struct store_thread *thread, uint64_t now);

#endif
