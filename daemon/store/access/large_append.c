/*
 * large_append.c - large values that are given at once: put, append and prepend.
 *
 * A record that is appended to and needs segments of its own is written anew, from
 * the old value and the added one, and takes the old one's place only if that is
 * still the same by then.
 *
 * To copy 64 MiB takes a second, with the eviction that makes room for it. Where the caller has
 * something else to do meanwhile (terms->join), it proceeds in steps. A thread has one such append
 * at a time, so that those of one thread do not undo each other's work, and what it writes is
 * granted to it as to an upload (share.h).
 */
#include "daemon/store/access/large_append.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/store/access/large_write.h"
#include "daemon/store/access/modify.h"
#include "daemon/store/access/write_stats.h"
#include "daemon/store/records/share_limits.h"
#include "daemon/store/records/view.h"

enum {
    ATTEMPTS = 100,      /* of a record that others write at the same time */
    STEP = 128 << 10,    /* bytes that are copied in a step */
    AT_ONCE = 256 << 10, /* bytes of a joined value that needs no steps */
};

/* --- copying into a write ----------------------------------------------------- */

static enum store_status feed(struct store_thread *thread, struct store_write *write,
                              struct slice bytes, uint64_t now)
{
    while (bytes.length > 0) {
        struct iovec space;
        enum store_status status = large_write_space(thread, write, now, &space);
        if (status != STORE_OK) {
            return status;
        }
        size_t size = space.iov_len < bytes.length ? space.iov_len : bytes.length;
        memcpy(space.iov_base, bytes.bytes, size);
        store_write_advance(write, size);
        bytes.bytes += size;
        bytes.length -= size;
    }
    return STORE_OK;
}

static enum store_status end(struct store_thread *thread, struct store_write *write,
                             enum store_status status, uint64_t now, uint64_t *version)
{
    if (status == STORE_OK) {
        status = large_write_commit(thread, &write, now, version);
    }
    if (write != NULL) { /* also where the commit has to wait: it is begun anew later */
        store_write_abort(thread, &write);
    }
    return status;
}

/* --- old and new as one ------------------------------------------------------- */

/* One of the two; with `view`, the bytes lie in the store. */
struct part {
    struct slice bytes;
    const struct store_view *view;
    uint64_t length;
};

struct store_append {
    struct store_thread *thread;
    struct store_key at; /* its name and key are here */
    struct store_terms terms;
    struct store_write *held; /* owned; its value is the one to be added. NULL: none */
    struct store_view held_view, old;
    struct part added;
    struct store_write *write; /* of both; NULL: no attempt is under way */
    bool has_old;              /* `old` is pinned */
    struct part parts[2];      /* what is copied, in this order */
    uint32_t id;               /* its namespace's, for counting; 0: none yet */
    unsigned part;             /* the one that is being copied, */
    uint64_t done;             /* and bytes of it that are */
    int attempts;
    struct namespace *ns; /* held, while there is a grant */
    struct grant grant;
    char name[STORE_NAMESPACE_MAX];
    char key[STORE_KEY_MAX];
};

/* The old value, kept where it lies, if the terms allow to write. */
static enum store_status take_old(struct store_thread *thread, struct store_key *at,
                                  const struct store_terms *terms, uint64_t now,
                                  struct store_view *view)
{
    struct store *store = thread->store;
    struct write_txn txn = {.thread = thread, .at = at, .now = now};
    bool stale = false;
    if (!lookup_refresh(thread, at)) {
        return STORE_NOT_FOUND;
    }
    write_txn_find(&txn);
    enum store_status status = modify_allowed(&txn, terms, &stale);
    if (status == STORE_OK && !txn.lives) {
        status = STORE_NOT_FOUND;
    }
    if (status == STORE_OK) {
        view_pin(store, txn.old.segment, &txn.old.record, view);
        view->version = found_version(store, &txn.old);
    }
    write_txn_unlock(&txn);
    return status;
}

/* Copies some of a part: *most bytes at most, from which they are taken off. */
static enum store_status feed_part(struct store_append *append, const struct part *part,
                                   size_t *most, uint64_t now)
{
    while (append->done<part->length && * most> 0) {
        struct iovec from = {NULL, 0};
        struct iovec space;
        if (part->view != NULL) {
            store_view_pieces(part->view, append->done, &from, 1);
        } else {
            from.iov_base = (char *)(uintptr_t)part->bytes.bytes + append->done;
            from.iov_len = part->length - append->done;
        }
        enum store_status status = large_write_space(append->thread, append->write, now, &space);
        if (status != STORE_OK) {
            return status;
        }
        size_t size = from.iov_len < space.iov_len ? from.iov_len : space.iov_len;
        size = size < *most ? size : *most;
        memcpy(space.iov_base, from.iov_base, size);
        store_write_advance(append->write, size);
        append->done += size;
        *most -= size;
    }
    return STORE_OK;
}

static enum store_status feed_parts(struct store_append *append, size_t most, uint64_t now)
{
    enum store_status status = STORE_OK;
    while (status == STORE_OK && append->part < 2) {
        const struct part *part = &append->parts[append->part];
        status = feed_part(append, part, &most, now);
        if (status == STORE_OK && append->done < part->length) {
            return STORE_UNFINISHED;
        }
        append->part++;
        append->done = 0;
    }
    return status;
}

static void put_old(struct store_append *append)
{
    if (append->has_old) {
        store_view_put(&append->old);
        append->has_old = false;
    }
}

/* Whether another append of this thread has to end first. */
static bool has_to_wait(const struct store_append *append, uint64_t length)
{
    const struct store_append *under_way = append->thread->appending;
    return append->terms.join != NULL && length > AT_ONCE && under_way != NULL &&
           under_way != append;
}

/* Begins to write so much. Where it is much, it must be granted. */
static enum store_status begin_write(struct store_append *append, const struct store_terms *terms,
                                     uint64_t length, uint64_t now)
{
    if (has_to_wait(append, length)) {
        return STORE_CROWDED;
    }
    enum store_status status =
        large_write_begin(append->thread, &append->at, terms, length, now, &append->write);
    if (status != STORE_OK || append->terms.join == NULL || length <= AT_ONCE ||
        append->ns != NULL) {
        return status;
    }
    if (!share_grant(append->thread->store, append->at.ns, length, 0, now, &append->grant)) {
        store_write_abort(append->thread, &append->write);
        return STORE_CROWDED;
    }
    append->ns = append->at.ns;
    __atomic_fetch_add(&append->ns->references, 1, __ATOMIC_RELAXED);
    return STORE_OK;
}

static void give_back_grant(struct store_append *append)
{
    struct store *store = append->thread->store;
    struct namespace *ns = append->ns;
    if (ns == NULL) {
        return;
    }
    append->ns = NULL;
    share_revoke(store, ns, &append->grant);
    /* The last touch of the namespace is under its lock: it may go after that. */
    lock_take(&ns->lock);
    __atomic_fetch_sub(&ns->references, 1, __ATOMIC_RELAXED);
    backlog_add_namespace(&store->backlog, ns);
    lock_give(&ns->lock);
}

/* Begins to write both. STORE_CHANGED, EXISTS or NOT_FOUND: the record is not what it was. */
static enum store_status begin_both(struct store_append *append, uint64_t now)
{
    struct store_terms anew = append->terms;
    struct part before = {.view = &append->old, .length = append->old.length};
    bool appends = append->terms.mode == STORE_APPEND;
    anew.mode = STORE_SET;
    anew.ttl = (struct store_ttl){STORE_TTL_KEEP, 0};
    anew.client_flags = append->old.client_flags;
    anew.makes = anew.or_stale = false;
    anew.compares = true;
    anew.expected = append->old.version;
    append->parts[0] = appends ? before : append->added;
    append->parts[1] = appends ? append->added : before;
    return begin_write(append, &anew, before.length + append->added.length, now);
}

/* There is no record: the added value is the record. */
static enum store_status begin_one(struct store_append *append, uint64_t now)
{
    struct store_terms anew = append->terms;
    anew.mode = STORE_ADD;
    anew.ttl = append->terms.make;
    anew.compares = anew.makes = false;
    append->parts[0] = append->added;
    append->parts[1] = (struct part){.length = 0};
    return begin_write(append, &anew, append->added.length, now);
}

/* *final: the terms do not hold, and another attempt would not change that. */
static enum store_status begin_attempt(struct store_append *append, uint64_t now, bool *final)
{
    enum store_status status =
        take_old(append->thread, &append->at, &append->terms, now, &append->old);
    append->has_old = status == STORE_OK;
    append->part = 0;
    append->done = 0;
    append->attempts++;
    if (status == STORE_OK) {
        return begin_both(append, now);
    }
    if (status == STORE_NOT_FOUND && append->terms.makes) {
        return begin_one(append, now);
    }
    *final = true;
    return status;
}

static bool is_overtaken(enum store_status status)
{
    return status == STORE_CHANGED || status == STORE_EXISTS || status == STORE_NOT_FOUND;
}

/* Copies so many bytes at most. STORE_UNFINISHED: there is more to do. */
static enum store_status proceed(struct store_append *append, size_t most, uint64_t now,
                                 uint64_t *version)
{
    enum store_status status = STORE_OK;
    bool final = false;
    append->at.ns = NULL; /* the store may have been left since */
    append->at.generation = NULL;
    if (append->write == NULL) {
        status = begin_attempt(append, now, &final);
        append->id = write_stats_id(&append->at);
    }
    if (status == STORE_OK) {
        status = feed_parts(append, most, now);
    }
    if (status == STORE_UNFINISHED) {
        return status;
    }
    status = end(append->thread, append->write, status, now, version);
    append->write = NULL;
    put_old(append);
    if (final || !is_overtaken(status)) {
        return status;
    }
    return append->attempts < ATTEMPTS ? STORE_UNFINISHED : STORE_NO_MEMORY;
}

static void init(struct store_append *append, struct store_thread *thread,
                 const struct store_key *at, const struct store_terms *terms)
{
    *append = (struct store_append){.thread = thread, .terms = *terms};
    memcpy(append->name, at->name.bytes, at->name.length);
    memcpy(append->key, at->key.bytes, at->key.length);
    append->at.name = (struct slice){append->name, at->name.length};
    append->at.key = (struct slice){append->key, at->key.length};
}

static enum store_status append_at_once(struct store_append *append, uint64_t now,
                                        uint64_t *version)
{
    enum store_status status = STORE_UNFINISHED;
    while (status == STORE_UNFINISHED) {
        status = proceed(append, SIZE_MAX, now, version);
    }
    return status;
}

static void leave(struct store_append *append)
{
    give_back_grant(append);
    if (append->thread->appending == append) {
        append->thread->appending = NULL;
    }
    free(append);
}

/* Its first step. Where it is not the last the caller has it, in *terms->join. */
static enum store_status append_in_steps(const struct store_append *first, uint64_t now,
                                         uint64_t *version)
{
    struct store_append *append = malloc(sizeof *append);
    if (append == NULL) {
        return STORE_NO_MEMORY;
    }
    *append = *first;
    append->at.name.bytes = append->name;
    append->at.key.bytes = append->key;
    if (append->held != NULL) {
        append->added.view = &append->held_view;
    }
    enum store_status status = STORE_UNFINISHED;
    do { /* again only where it is small, and was overtaken */
        status = proceed(append, AT_ONCE, now, version);
    } while (status == STORE_UNFINISHED && append->thread->appending != NULL);
    if (status == STORE_UNFINISHED) {
        append->thread->appending = append;
        *append->terms.join = append;
    } else {
        leave(append);
    }
    return status;
}

static enum store_status run(struct store_append *append, uint64_t now, uint64_t *version)
{
    return append->terms.join != NULL ? append_in_steps(append, now, version)
                                      : append_at_once(append, now, version);
}

enum store_status large_append(struct store_thread *thread, struct store_key *at,
                               const struct store_terms *terms, struct slice value, uint64_t now,
                               uint64_t *version)
{
    struct store_append made;
    init(&made, thread, at, terms);
    made.added = (struct part){.bytes = value, .length = value.length};
    return run(&made, now, version);
}

/* --- a value that came in parts ------------------------------------------------- */

/* The value as it lies in the write's segments; good until the write ends. */
static struct store_view written_value(const struct store_write *write)
{
    const struct span *span = &write->span;
    return (struct store_view){.length = span->given,
                               .pinned = true,
                               .store = span->store,
                               .segment = span->head,
                               .offset = span->store->segments.lead + span_header_and_key(span)};
}

static bool appends(const struct store_write *write)
{
    return write->terms.mode == STORE_APPEND || write->terms.mode == STORE_PREPEND;
}

/* The write ends with this, but for STORE_CROWDED. */
static enum store_status append_written(struct store_thread *thread, struct store_write **write,
                                        uint64_t now, uint64_t *version)
{
    struct store_append made;
    struct store_key at = large_write_key(*write);
    enum store_status status = large_write_complete(thread, *write, now);
    if (status == STORE_OK) {
        init(&made, thread, &at, &(*write)->terms);
        made.held = *write;
        made.held_view = written_value(*write);
        made.added = (struct part){.view = &made.held_view, .length = made.held_view.length};
        status = run(&made, now, version);
    }
    if (status == STORE_UNFINISHED) {
        *write = NULL; /* the append's */
    } else if (status != STORE_CROWDED) {
        store_write_abort(thread, write);
    }
    return status;
}

static enum store_status commit(struct store_thread *thread, struct store_write **write,
                                uint64_t now, uint64_t *version)
{
    return appends(*write) ? append_written(thread, write, now, version)
                           : large_write_commit(thread, write, now, version);
}

enum store_status large_put(struct store_thread *thread, struct store_key *at,
                            const struct store_terms *terms, struct slice value, uint64_t now,
                            uint64_t *version)
{
    struct store_write *write = NULL;
    enum store_status status = large_write_begin(thread, at, terms, value.length, now, &write);
    if (status == STORE_OK) {
        status = feed(thread, write, value, now);
    }
    if (status == STORE_OK) {
        status = commit(thread, &write, now, version);
    }
    if (write != NULL) {
        store_write_abort(thread, &write);
    }
    return status;
}

enum store_status store_write_commit(struct store_thread *thread, struct store_write **write,
                                     uint64_t now, uint64_t *version)
{
    struct store_terms terms = (*write)->terms;
    uint32_t id = (*write)->ns->id;
    enum store_status status = commit(thread, write, now, version);
    write_stats_write(thread, id, &terms, status);
    return status;
}

/* --- its further steps ---------------------------------------------------------- */

enum store_status store_append_step(struct store_thread *thread, struct store_append **append,
                                    uint64_t now, uint64_t *version)
{
    enum store_status status = proceed(*append, STEP, now, version);
    if (status != STORE_UNFINISHED && status != STORE_CROWDED) {
        write_stats_write(thread, (*append)->id, &(*append)->terms, status);
        store_append_abort(append);
    }
    return status;
}

void store_append_abort(struct store_append **place)
{
    struct store_append *append = *place;
    *place = NULL;
    if (append->write != NULL) {
        store_write_abort(append->thread, &append->write);
    }
    if (append->held != NULL) {
        store_write_abort(append->thread, &append->held);
    }
    put_old(append);
    leave(append);
}
