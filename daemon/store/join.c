/*
 * join.c - large values that are given at once: put, append and prepend.
 *
 * A record that is appended to and needs segments of its own is written anew, from
 * the old value and the added one, and takes the old one's place only if that is
 * still the same by then.
 */
#include <string.h>

#include "daemon/store/rewrite.h"
#include "daemon/store/stream.h"

enum {
    PIECES_AT_ONCE = 16,
    ATTEMPTS = 100, /* of a record that others write at the same time */
};

/* --- copying into a write ----------------------------------------------------- */

static enum store_status feed(struct lane *lane, struct store_write *write, struct slice bytes,
                              uint64_t now)
{
    while (bytes.length > 0) {
        struct iovec space;
        enum store_status status = store_write_space(lane, write, now, &space);
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

static enum store_status feed_view(struct lane *lane, struct store_write *write,
                                   const struct store_view *view, uint64_t now)
{
    struct iovec pieces[PIECES_AT_ONCE];
    enum store_status status = STORE_OK;
    uint64_t done = 0;
    while (status == STORE_OK && done < view->length) {
        size_t count = store_view_pieces(view, done, pieces, PIECES_AT_ONCE);
        for (size_t i = 0; i < count && status == STORE_OK; i++) {
            status = feed(lane, write, (struct slice){pieces[i].iov_base, pieces[i].iov_len}, now);
            done += pieces[i].iov_len;
        }
    }
    return status;
}

static enum store_status end(struct lane *lane, struct store_write *write, enum store_status status,
                             uint64_t now, uint64_t *version)
{
    if (status == STORE_OK) {
        return store_write_commit(lane, &write, now, version);
    }
    if (write != NULL) {
        store_write_abort(lane, &write);
    }
    return status;
}

enum store_status stream_put(struct lane *lane, struct store_key *at,
                             const struct store_terms *terms, struct slice value, uint64_t now,
                             uint64_t *version)
{
    struct store_write *write = NULL;
    enum store_status status = stream_begin(lane, at, terms, value.length, now, &write);
    if (status == STORE_OK) {
        status = feed(lane, write, value, now);
    }
    return end(lane, write, status, now, version);
}

/* --- old and new as one ------------------------------------------------------- */

/* One of the two; with `view`, the bytes lie in the store. */
struct part {
    struct slice bytes;
    const struct store_view *view;
    uint64_t length;
};

static enum store_status feed_part(struct lane *lane, struct store_write *write,
                                   const struct part *part, uint64_t now)
{
    return part->view != NULL ? feed_view(lane, write, part->view, now)
                              : feed(lane, write, part->bytes, now);
}

/* The old value, kept where it lies, if the terms allow to write. */
static enum store_status take_old(struct lane *lane, struct store_key *at,
                                  const struct store_terms *terms, uint64_t now,
                                  struct store_view *view)
{
    struct store *store = lane->store;
    struct change change = {.lane = lane, .at = at, .now = now};
    bool stale = false;
    if (!lookup_refresh(lane, at)) {
        return STORE_NOT_FOUND;
    }
    change_look(&change);
    enum store_status status = rewrite_allowed(&change, terms, &stale);
    if (status == STORE_OK && !change.lives) {
        status = STORE_NOT_FOUND;
    }
    if (status == STORE_OK) {
        lookup_pin(store, change.old.segment, &change.old.record, view);
        view->version = found_version(store, &change.old);
    }
    change_unlook(&change);
    return status;
}

/* STORE_CHANGED: somebody else wrote the record meanwhile. */
static enum store_status write_both(struct lane *lane, struct store_key *at,
                                    const struct store_terms *terms, const struct store_view *old,
                                    const struct part *added, uint64_t now, uint64_t *version)
{
    struct store_terms anew = *terms;
    anew.mode = STORE_SET;
    anew.ttl = (struct store_ttl){STORE_TTL_KEEP, 0};
    anew.client_flags = old->client_flags;
    anew.makes = anew.or_stale = false;
    anew.compares = true;
    anew.expected = old->version;
    struct part before = {.view = old, .length = old->length};
    const struct part *first = terms->mode == STORE_APPEND ? &before : added;
    const struct part *second = terms->mode == STORE_APPEND ? added : &before;
    struct store_write *write = NULL;
    enum store_status status =
        stream_begin(lane, at, &anew, first->length + second->length, now, &write);
    if (status == STORE_OK) {
        status = feed_part(lane, write, first, now);
    }
    if (status == STORE_OK) {
        status = feed_part(lane, write, second, now);
    }
    return end(lane, write, status, now, version);
}

/* There is no record: the added value is the record. */
static enum store_status write_one(struct lane *lane, struct store_key *at,
                                   const struct store_terms *terms, const struct part *added,
                                   uint64_t now, uint64_t *version)
{
    struct store_terms anew = *terms;
    anew.mode = STORE_ADD;
    anew.ttl = terms->make;
    anew.compares = anew.makes = false;
    struct store_write *write = NULL;
    enum store_status status = stream_begin(lane, at, &anew, added->length, now, &write);
    if (status == STORE_OK) {
        status = feed_part(lane, write, added, now);
    }
    return end(lane, write, status, now, version);
}

static enum store_status join(struct lane *lane, struct store_key *at,
                              const struct store_terms *terms, const struct part *added,
                              uint64_t now, uint64_t *version)
{
    enum store_status status = STORE_CHANGED;
    for (int i = 0; i < ATTEMPTS; i++) {
        struct store_view old;
        status = take_old(lane, at, terms, now, &old);
        if (status == STORE_OK) {
            status = write_both(lane, at, terms, &old, added, now, version);
            store_view_put(&old);
        } else if (status == STORE_NOT_FOUND && terms->makes) {
            status = write_one(lane, at, terms, added, now, version);
        } else {
            return status;
        }
        if (status != STORE_CHANGED && status != STORE_EXISTS && status != STORE_NOT_FOUND) {
            return status;
        }
    }
    return STORE_NO_MEMORY;
}

enum store_status stream_join(struct lane *lane, struct store_key *at,
                              const struct store_terms *terms, struct slice value, uint64_t now,
                              uint64_t *version)
{
    struct part added = {.bytes = value, .length = value.length};
    return join(lane, at, terms, &added, now, version);
}

enum store_status stream_join_written(struct lane *lane, struct store_key *at,
                                      const struct store_terms *terms,
                                      const struct store_view *value, uint64_t now,
                                      uint64_t *version)
{
    struct part added = {.view = value, .length = value->length};
    return join(lane, at, terms, &added, now, version);
}
