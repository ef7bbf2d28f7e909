/*
 * link_io.c - sends and reads, and breaks off.
 *
 * Overdue is what is about no progress: the time counts from the last byte of the request that the
 * kernel has taken, or from the last bytes that came, whichever is later. So a large value on a
 * slow line is not cut off. Where this thread itself stood still, replies may wait in the socket
 * that are older than the deadline; they are believed up to LINK_STALE deadlines, and not beyond:
 * then the whole machine may have stood still, with a node that was replaced meanwhile.
 */
#include "daemon/cluster/link_io.h"

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/metrics.h"
#include "daemon/base/thread.h"
#include "daemon/cluster/reply.h"
#include "daemon/cluster/resp.h"

enum {
    READS_MAX = 16,     /* in a row; then other links have their turn */
    WRITE_PIECES = 256, /* of one write */
};

/* --- time ------------------------------------------------------------------- */

void link_io_wake_at(struct link *link, uint64_t now, uint64_t at)
{
    struct timeval in = thread_timeval(at > now ? at - now : 0);
    link->timer_at = at;
    event_add(&link->timer, &in);
}

uint64_t link_io_due(const struct link *link)
{
    const struct link_request *oldest = TAILQ_FIRST(&link->awaited);
    uint64_t since = UINT64_MAX;
    if (oldest != NULL) {
        since = oldest->sent > link->heard ? oldest->sent : link->heard;
    }
    if (link->blocked && link->taken < since) {
        since = link->taken;
    }
    return since == UINT64_MAX ? since : since + link->links->options.deadline;
}

/* After requests were sent: the timer may be set for the keepalive only. */
static void wake_for_reply(struct link *link, uint64_t now)
{
    uint64_t at = now + link->links->options.deadline;
    if (link->state == LINK_READY && link->timer_at > at) {
        link_io_wake_at(link, now, at);
    }
}

bool link_is_ready(const struct link *link, uint64_t now)
{
    return link->state == LINK_READY &&
           now - link->heard <= LINK_KEEPALIVE + LINK_STALE * link->links->options.deadline;
}

/* --- breaking off ------------------------------------------------------------ */

static void lose(struct link *link, struct link_requests *requests, bool sent)
{
    struct link_request *request;
    while ((request = TAILQ_FIRST(requests)) != NULL) {
        TAILQ_REMOVE(requests, request, next);
        request->ops->lost(link, request, sent);
    }
}

void link_io_close(struct link *link)
{
    lookup_end(&link->lookup);
    if (link->state >= LINK_CONNECTS) {
        event_del(&link->readable);
        event_del(&link->writable);
        link->transport.ops->close(&link->transport);
    }
    resp_reader_destroy(&link->reader);
    link->blocked = false;
    link->sent_of_first = 0;
    link->state = LINK_WAITS;
}

void link_io_lose(struct link *link)
{
    if (link->unflushed) {
        TAILQ_REMOVE(&link->links->unflushed, link, next);
        link->unflushed = false;
    }
    lose(link, &link->awaited, true);
    lose(link, &link->unsent, false);
}

/* The same complaint is made once, until the link was ready again. */
static void complain(struct link *link, const char *reason)
{
    static struct log_limit limit = LOG_LIMIT("links to nodes of the cluster that broke");
    if (strcmp(reason, link->complaint) != 0) {
        snprintf(link->complaint, sizeof link->complaint, "%s", reason);
        if (log_admits(&limit, LOG_WARNING)) {
            log_warning("cluster: node %s: %s", link->name, reason);
        }
    }
}

void link_io_break(struct link *link, const char *format, ...)
{
    const struct link_listener *listener = &link->links->options.listener;
    char reason[LINK_REASON_MAX];
    bool was_ready = link->state == LINK_READY;
    link->failures += !was_ready;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    complain(link, reason);
    link_io_close(link);
    uint64_t now = clock_now();
    link_io_wake_at(link, now, now + link->backoff);
    link->backoff = link->backoff * 2 < LINK_BACKOFF_MAX ? link->backoff * 2 : LINK_BACKOFF_MAX;
    link_io_lose(link);
    if (was_ready) {
        metrics_add(link->links->options.metrics, METRIC_CLUSTER_BROKEN, 1);
        listener->broke(listener->context, link);
    }
}

/* --- writing ---------------------------------------------------------------- */

/* What is unsent, in pieces; returns how many, and their bytes. */
static size_t gather(const struct link *link, struct iovec pieces[WRITE_PIECES], size_t *bytes)
{
    const struct link_request *request;
    size_t count = 0, skip = link->sent_of_first;
    *bytes = 0;
    TAILQ_FOREACH(request, &link->unsent, next)
    {
        for (unsigned i = 0; i < request->count; i++) {
            const struct iovec *piece = &request->pieces[i];
            size_t skipped = skip < piece->iov_len ? skip : piece->iov_len;
            skip -= skipped;
            if (piece->iov_len == skipped) {
                continue;
            }
            if (count == WRITE_PIECES) {
                return count;
            }
            pieces[count++] =
                (struct iovec){(char *)piece->iov_base + skipped, piece->iov_len - skipped};
            *bytes += piece->iov_len - skipped;
        }
    }
    return count;
}

static size_t length_of(const struct link_request *request)
{
    size_t length = 0;
    for (unsigned i = 0; i < request->count; i++) {
        length += request->pieces[i].iov_len;
    }
    return length;
}

/* The socket has taken so much more. */
static void note_taken(struct link *link, size_t bytes, uint64_t now)
{
    struct link_request *request;
    link->taken = now;
    link->sent_of_first += bytes;
    while ((request = TAILQ_FIRST(&link->unsent)) != NULL) {
        size_t length = length_of(request);
        if (length > link->sent_of_first) {
            break;
        }
        link->sent_of_first -= length;
        request->sent = now;
        TAILQ_REMOVE(&link->unsent, request, next);
        TAILQ_INSERT_TAIL(&link->awaited, request, next);
    }
}

static void wait_for_room(struct link *link, uint64_t now)
{
    if (!link->blocked) {
        link->blocked = true;
        link->taken = now;
        if ((link->transport.wants & TRANSPORT_WRITE_READS) == 0) {
            event_add(&link->writable, NULL);
        }
    }
}

void link_io_write(struct link *link, uint64_t now)
{
    struct iovec pieces[WRITE_PIECES];
    enum transport_status status = TRANSPORT_OK;
    size_t bytes, moved = 0;
    while (status == TRANSPORT_OK && !TAILQ_EMPTY(&link->unsent)) {
        size_t count = gather(link, pieces, &bytes);
        status = link->transport.ops->writev(&link->transport, pieces, count, &moved);
        if (status == TRANSPORT_OK) {
            note_taken(link, moved, now);
        }
    }
    if (status == TRANSPORT_AGAIN) {
        wait_for_room(link, now);
    } else if (status != TRANSPORT_OK) {
        link_io_break(link, "the connection broke while requests were sent");
        return;
    } else if (link->blocked) {
        link->blocked = false;
        event_del(&link->writable);
    }
    wake_for_reply(link, now);
}

void links_flush(struct links *links)
{
    struct link *link;
    uint64_t now = TAILQ_EMPTY(&links->unflushed) ? 0 : clock_now();
    while ((link = TAILQ_FIRST(&links->unflushed)) != NULL) {
        TAILQ_REMOVE(&links->unflushed, link, next);
        link->unflushed = false;
        if (!link->blocked) {
            link_io_write(link, now);
        }
    }
}

void link_send(struct link *link, struct link_request *request)
{
    request->sent = 0;
    TAILQ_INSERT_TAIL(&link->unsent, request, next);
    if (!link->unflushed) {
        if (TAILQ_EMPTY(&link->links->unflushed)) {
            event_active(&link->links->flush, EV_TIMEOUT, 0);
        }
        TAILQ_INSERT_TAIL(&link->links->unflushed, link, next);
        link->unflushed = true;
    }
}

/* What was offered to a socket that took only a part must be offered again. */
bool link_cancel(struct link *link, struct link_request *request)
{
    if (request->sent != 0 || link->blocked || link->sent_of_first > 0) {
        return false;
    }
    TAILQ_REMOVE(&link->unsent, request, next);
    return true;
}

/* --- reading ---------------------------------------------------------------- */

static bool take_reply(struct link *link, struct cluster_reply *reply)
{
    struct link_request *request = TAILQ_FIRST(&link->awaited);
    if (request == NULL) {
        reply_free(&reply);
        link_io_break(link, "it sent a reply to nothing");
        return false;
    }
    request->replies--;
    if (request->replies == 0) {
        TAILQ_REMOVE(&link->awaited, request, next);
    }
    if (!request->ops->replied(link, request, reply)) {
        link_io_break(link, "it sent a reply that makes no sense");
    }
    return link->state >= LINK_GREETS;
}

/* False: the link has broken. */
static bool take(struct link *link, size_t length)
{
    struct cluster_reply *reply = NULL;
    enum resp_status status = RESP_BROKEN;
    if (resp_reader_feed(link->reader, (struct slice){link->links->buffer, length})) {
        while ((status = resp_reader_next(link->reader, &reply)) == RESP_REPLY) {
            if (!take_reply(link, reply)) {
                return false;
            }
        }
    }
    if (status == RESP_BROKEN) {
        link_io_break(link, "what it sent is not understood: %s", resp_failure(link->reader));
        return false;
    }
    return true;
}

static bool is_stale(const struct link *link, uint64_t now)
{
    uint64_t at = link_io_due(link);
    return link->state == LINK_READY && at != UINT64_MAX &&
           now > at + (LINK_STALE - 1) * link->links->options.deadline;
}

/* False: there is no more to read, or the link has broken. */
static bool read_once(struct link *link, uint64_t now)
{
    struct transport *transport = &link->transport;
    size_t moved = 0;
    enum transport_status status =
        transport->ops->read(transport, link->links->buffer, LINK_BUFFER, &moved);
    if (status == TRANSPORT_AGAIN) {
        if ((transport->wants & TRANSPORT_READ_WRITES) != 0) {
            event_add(&link->writable, NULL);
        }
        return false;
    }
    if (status != TRANSPORT_OK) {
        link_io_break(link, status == TRANSPORT_EOF ? "it closed the connection"
                                                    : "the connection broke");
        return false;
    }
    link->heard = now;
    return take(link, moved) &&
           (moved == LINK_BUFFER || (transport->wants & TRANSPORT_PENDING) != 0);
}

void link_io_read(struct link *link)
{
    uint64_t now = clock_now();
    int reads = 0;
    if (is_stale(link, now)) {
        link_io_break(link, "its replies are too old to be believed");
        return;
    }
    while (read_once(link, now)) {
        if (++reads == READS_MAX) {
            event_active(&link->readable, EV_READ, 0);
            return;
        }
    }
}
