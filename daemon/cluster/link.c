/*
 * link.c - dials, greets, sends, reads, and gives up in time.
 *
 * One timer does all that is about time, by the state of the link. It is not set anew with each
 * request: when it fires it looks at the oldest one, and sleeps on if that is not overdue.
 *
 * Overdue is what is about no progress: the time counts from the last byte of the request that the
 * kernel has taken, or from the last bytes that came, whichever is later. So a large value on a
 * slow line is not cut off. Where this thread itself stood still, replies may wait in the socket
 * that are older than the deadline; they are believed up to STALE deadlines, and not beyond: then
 * the whole machine may have stood still, with a node that was replaced meanwhile.
 */
#include "daemon/cluster/link.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/metrics.h"
#include "daemon/base/thread.h"
#include "daemon/cluster/reply.h"
#include "daemon/cluster/resolver.h"
#include "daemon/cluster/resp.h"
#include "daemon/net/transport.h"

enum {
    BACKOFF_MIN = 20,   /* ms until the next attempt to connect */
    BACKOFF_MAX = 500,  /* it doubles up to here */
    GREETING_MS = 2000, /* from the beginning of an attempt until the link is ready */
    STALE = 4,          /* deadlines after which no reply is believed */
    BUFFER = 64 << 10,  /* bytes of one read */
    READS_MAX = 16,     /* in a row; then other links have their turn */
    WRITE_PIECES = 256, /* of one write */
    REASON_MAX = 160,
};

enum link_state { WAITS, RESOLVES, CONNECTS, HANDSHAKES, GREETS, READY };

/* A request of the link's own. */
struct own_request {
    struct link_request request;
    struct link *link;
};

struct link {
    struct links *links;
    void *owner;
    enum link_state state;
    bool replica;   /* what the node is */
    bool reads;     /* READONLY was sent, and READWRITE was not */
    bool blocked;   /* the socket did not take all of `unsent` */
    bool unflushed; /* it stands in links->unflushed */
    TAILQ_ENTRY(link) next;
    struct address address; /* the last that was found */
    bool is_numeric;
    struct lookup *lookup;
    struct transport transport; /* from CONNECTS on */
    struct event readable, writable, timer;
    uint64_t timer_at; /* ms, when the timer fires */
    struct resp_reader *reader;
    struct link_requests unsent, awaited;
    size_t sent_of_first; /* bytes of the first of `unsent` that were taken */
    uint64_t heard;       /* ms, when bytes came last */
    uint64_t taken;       /* ms, when the socket took bytes last */
    unsigned backoff;
    unsigned greeted; /* replies to the greeting that came */
    struct own_request greeting, ping, role;
    bool role_asked;            /* `role` is on its way */
    char complaint[REASON_MAX]; /* what was logged since it was ready last */
    uint16_t port;
    char name[LINK_HOST_MAX + 16];
    char host[];
};

static void break_off(struct link *link, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void write_out(struct link *link, uint64_t now);

/* --- time ------------------------------------------------------------------- */

static void wake_at(struct link *link, uint64_t now, uint64_t at)
{
    struct timeval in = thread_timeval(at > now ? at - now : 0);
    link->timer_at = at;
    event_add(&link->timer, &in);
}

/* When the link is overdue, if nothing comes until then; UINT64_MAX: it owes nothing. */
static uint64_t due(const struct link *link)
{
    const struct link_request *oldest = TAILQ_FIRST(&link->awaited);
    uint64_t due = UINT64_MAX;
    if (oldest != NULL) {
        due = oldest->sent > link->heard ? oldest->sent : link->heard;
    }
    if (link->blocked && link->taken < due) {
        due = link->taken;
    }
    return due == UINT64_MAX ? due : due + link->links->options.deadline;
}

/* After requests were sent: the timer may be set for the keepalive only. */
static void wake_for_reply(struct link *link, uint64_t now)
{
    uint64_t at = now + link->links->options.deadline;
    if (link->state == READY && link->timer_at > at) {
        wake_at(link, now, at);
    }
}

bool link_is_ready(const struct link *link, uint64_t now)
{
    return link->state == READY &&
           now - link->heard <= LINK_KEEPALIVE + STALE * link->links->options.deadline;
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

static void close_transport(struct link *link)
{
    lookup_end(&link->lookup);
    if (link->state >= CONNECTS) {
        event_del(&link->readable);
        event_del(&link->writable);
        link->transport.ops->close(&link->transport);
    }
    resp_reader_destroy(&link->reader);
    link->blocked = false;
    link->sent_of_first = 0;
    link->state = WAITS;
}

static void lose_all(struct link *link)
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

static void break_off(struct link *link, const char *format, ...)
{
    const struct link_listener *listener = &link->links->options.listener;
    char reason[REASON_MAX];
    bool was_ready = link->state == READY;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    complain(link, reason);
    close_transport(link);
    uint64_t now = clock_now();
    wake_at(link, now, now + link->backoff);
    link->backoff = link->backoff * 2 < BACKOFF_MAX ? link->backoff * 2 : BACKOFF_MAX;
    lose_all(link);
    if (was_ready) {
        metrics_add(link->links->options.metrics, METRIC_CLUSTER_BROKEN, 1);
        listener->broke(listener->context, link);
        listener->round(listener->context);
    }
}

/* --- greeting --------------------------------------------------------------- */

static void add_piece(struct link_request *request, struct slice bytes)
{
    request->pieces[request->count++] = (struct iovec){(char *)bytes.bytes, bytes.length};
    request->replies++;
}

static void own_lost(struct link *link, struct link_request *request, bool sent)
{
    (void)request;
    (void)sent;
    link->role_asked = false;
}

static bool role_replied(struct link *link, struct link_request *request,
                         struct cluster_reply *reply)
{
    bool good = reply->type == CLUSTER_STATUS;
    (void)request;
    reply_free(&reply);
    link->role_asked = false;
    return good;
}

static bool ping_replied(struct link *link, struct link_request *request,
                         struct cluster_reply *reply)
{
    (void)link;
    (void)request;
    reply_free(&reply); /* an error as well: the node answers */
    return true;
}

static const struct link_request_ops role_ops = {.replied = role_replied, .lost = own_lost};
static const struct link_request_ops ping_ops = {.replied = ping_replied, .lost = own_lost};

static void become_ready(struct link *link)
{
    const struct link_listener *listener = &link->links->options.listener;
    link->state = READY;
    link->backoff = BACKOFF_MIN;
    if (link->complaint[0] != '\0') {
        log_notice("cluster: node %s: it answers again", link->name);
        link->complaint[0] = '\0';
    }
    wake_at(link, link->heard, link->heard + LINK_KEEPALIVE);
    link_set_replica(link, link->replica);
    listener->ready(listener->context, link);
}

static const char *refused_what(const struct link *link)
{
    bool auth = link->links->auth.length > 0;
    if (auth && link->greeted == 0) {
        return "AUTH";
    }
    return link->greeting.request.replies > 0 ? "READONLY" : "PING";
}

/* The last one is that to PING. */
static bool greeting_replied(struct link *link, struct link_request *request,
                             struct cluster_reply *reply)
{
    bool last = request->replies == 0;
    bool good =
        reply->type == CLUSTER_STATUS && (!last || slice_equal(reply->text, slice_of("PONG")));
    if (!good) {
        struct slice text = reply->text.bytes == NULL ? slice_of("nonsense") : reply->text;
        link->backoff = BACKOFF_MAX;
        break_off(link, "it refuses %s: %.*s", refused_what(link),
                  (int)(text.length < 100 ? text.length : 100), text.bytes);
    } else if (last) {
        become_ready(link);
    }
    link->greeted++;
    reply_free(&reply);
    return true;
}

static const struct link_request_ops greeting_ops = {.replied = greeting_replied, .lost = own_lost};

static void greet(struct link *link)
{
    struct link_request *request = &link->greeting.request;
    *request = (struct link_request){.ops = &greeting_ops};
    link->state = GREETS;
    link->greeted = 0;
    link->reads = link->replica;
    if (link->links->auth.length > 0) {
        add_piece(request, link->links->auth);
    }
    if (link->replica) {
        add_piece(request, slice_of("*1\r\n$8\r\nREADONLY\r\n"));
    }
    add_piece(request, slice_of("*1\r\n$4\r\nPING\r\n"));
    TAILQ_INSERT_TAIL(&link->unsent, request, next);
    write_out(link, clock_now());
}

static void ask_own(struct link *link, struct own_request *own, const struct link_request_ops *ops,
                    const char *command)
{
    own->request = (struct link_request){.ops = ops};
    add_piece(&own->request, slice_of(command));
    link_send(link, &own->request);
}

void link_set_replica(struct link *link, bool replica)
{
    link->replica = replica;
    if (link->state == READY && link->reads != replica && !link->role_asked) {
        link->reads = replica;
        link->role_asked = true;
        ask_own(link, &link->role, &role_ops,
                replica ? "*1\r\n$8\r\nREADONLY\r\n" : "*1\r\n$9\r\nREADWRITE\r\n");
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
        event_add(&link->writable, NULL);
    }
}

static void write_out(struct link *link, uint64_t now)
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
        break_off(link, "the connection broke while requests were sent");
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
            write_out(link, now);
        }
    }
}

static void on_flush(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    links_flush(context);
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
        break_off(link, "it sent a reply to nothing");
        return false;
    }
    request->replies--;
    if (request->replies == 0) {
        TAILQ_REMOVE(&link->awaited, request, next);
    }
    if (!request->ops->replied(link, request, reply)) {
        break_off(link, "it sent a reply that makes no sense");
    }
    return link->state >= GREETS;
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
        break_off(link, "what it sent is not understood: %s", resp_failure(link->reader));
        return false;
    }
    return true;
}

static bool is_stale(const struct link *link, uint64_t now)
{
    uint64_t at = due(link);
    return at != UINT64_MAX && now > at + (STALE - 1) * link->links->options.deadline;
}

static void read_in(struct link *link)
{
    struct transport *transport = &link->transport;
    uint64_t now = clock_now();
    if (is_stale(link, now)) {
        break_off(link, "its replies are too old to be believed");
        return;
    }
    for (int reads = 0; reads < READS_MAX; reads++) {
        size_t moved = 0;
        enum transport_status status =
            transport->ops->read(transport, link->links->buffer, BUFFER, &moved);
        if (status == TRANSPORT_AGAIN) {
            break;
        }
        if (status != TRANSPORT_OK) {
            break_off(link, status == TRANSPORT_EOF ? "it closed the connection"
                                                    : "the connection broke");
            return;
        }
        link->heard = now;
        if (!take(link, moved)) {
            return;
        }
        if (moved < BUFFER && (transport->wants & TRANSPORT_PENDING) == 0) {
            break;
        }
    }
    if ((transport->wants & TRANSPORT_PENDING) != 0) {
        event_active(&link->readable, EV_READ, 0);
    }
}

/* --- connecting ------------------------------------------------------------- */

static void start_greeting(struct link *link)
{
    link->reader = resp_reader_create(link->links->options.reply_max);
    if (link->reader == NULL) {
        break_off(link, "there is no memory to talk to it");
        return;
    }
    event_add(&link->readable, NULL);
    greet(link);
}

static void connected(struct link *link)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(link->transport.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error != 0) {
        break_off(link, "cannot connect: %s", strerror(error));
        return;
    }
    start_greeting(link);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    const struct link_listener *listener = &link->links->options.listener;
    (void)fd;
    (void)what;
    read_in(link);
    listener->round(listener->context);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    (void)fd;
    (void)what;
    if (link->state == CONNECTS) {
        event_del(&link->writable);
        connected(link);
    } else {
        write_out(link, clock_now());
    }
}

static void dial(struct link *link)
{
    int fd = socket(link->address.of.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        break_off(link, "cannot make a socket: %s", strerror(errno));
        return;
    }
    if (connect(fd, (struct sockaddr *)&link->address.of, link->address.length) != 0 &&
        errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        break_off(link, "cannot connect: %s", strerror(error));
        return;
    }
    transport_plain(&link->transport, fd);
    event_assign(&link->readable, link->links->options.base, fd, EV_READ | EV_PERSIST, on_readable,
                 link);
    event_assign(&link->writable, link->links->options.base, fd, EV_WRITE | EV_PERSIST, on_writable,
                 link);
    link->state = CONNECTS;
    event_add(&link->writable, NULL);
}

/* Where the name cannot be found just now, the address of before is tried. */
static void on_found(void *context, const struct address *address)
{
    struct link *link = context;
    if (address != NULL) {
        link->address = *address;
    }
    lookup_end(&link->lookup);
    link->state = WAITS;
    if (link->address.length == 0) {
        break_off(link, "its name has no address");
        return;
    }
    dial(link);
}

static void begin(struct link *link)
{
    uint64_t now = clock_now();
    wake_at(link, now, now + GREETING_MS);
    if (link->is_numeric) {
        dial(link);
        return;
    }
    link->state = RESOLVES;
    link->lookup = lookup_begin(link->links->options.base, link->host, link->port, on_found, link);
    if (link->lookup == NULL) {
        break_off(link, "there is no memory to look its name up");
    }
}

/* --- the timer -------------------------------------------------------------- */

static void keep_alive(struct link *link, uint64_t now)
{
    uint64_t at = due(link);
    if (now >= at) {
        metrics_add(link->links->options.metrics, METRIC_CLUSTER_OVERDUE, 1);
        break_off(link, "its reply is overdue");
        return;
    }
    if (at == UINT64_MAX) {
        at = link->heard + LINK_KEEPALIVE;
    }
    if (now >= at) {
        wake_at(link, now, now + link->links->options.deadline);
        ask_own(link, &link->ping, &ping_ops, "*1\r\n$4\r\nPING\r\n");
        return;
    }
    wake_at(link, now, at);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    (void)fd;
    (void)what;
    switch (link->state) {
    case WAITS:
        begin(link);
        break;
    case RESOLVES:
    case CONNECTS:
    case HANDSHAKES:
    case GREETS:
        break_off(link,
                  link->state == GREETS ? "it does not answer PING" : "it does not answer in time");
        break;
    case READY:
        keep_alive(link, clock_now());
        break;
    }
}

/* --- making and unmaking ----------------------------------------------------- */

static bool encode_auth(struct links *links)
{
    const struct links_options *options = &links->options;
    struct slice arguments[3] = {slice_of("AUTH")};
    size_t count = 1, size = RESP_COUNT_MAX;
    if (options->secret == NULL) {
        return true;
    }
    if (options->user != NULL) {
        arguments[count++] = slice_of(options->user);
    }
    arguments[count++] = slice_of(options->secret);
    for (size_t i = 0; i < count; i++) {
        size += resp_frame_size(arguments[i].length) + arguments[i].length;
    }
    char *bytes = malloc(size);
    if (bytes == NULL) {
        return false;
    }
    char *to = resp_put_count(bytes, count);
    for (size_t i = 0; i < count; i++) {
        to = resp_put_argument(to, arguments[i]);
    }
    links->auth = (struct slice){bytes, (size_t)(to - bytes)};
    return true;
}

bool links_init(struct links *links, const struct links_options *options)
{
    *links = (struct links){.options = *options};
    TAILQ_INIT(&links->unflushed);
    event_assign(&links->flush, options->base, -1, 0, on_flush, links);
    links->buffer = malloc(BUFFER);
    return encode_auth(links) && links->buffer != NULL;
}

void links_deinit(struct links *links)
{
    if (links->options.base != NULL) {
        event_del(&links->flush);
    }
    if (links->auth.length > 0) {
        explicit_bzero((char *)links->auth.bytes, links->auth.length);
    }
    free((char *)links->auth.bytes);
    free(links->buffer);
    *links = (struct links){.buffer = NULL};
}

struct link *link_create(struct links *links, const char *host, uint16_t port, void *owner)
{
    size_t length = strlen(host);
    struct link *link = calloc(1, sizeof *link + length + 1);
    if (link == NULL) {
        return NULL;
    }
    link->links = links;
    link->owner = owner;
    link->port = port;
    link->backoff = BACKOFF_MIN;
    memcpy(link->host, host, length);
    snprintf(link->name, sizeof link->name, strchr(host, ':') == NULL ? "%s:%u" : "[%s]:%u", host,
             (unsigned)port);
    link->is_numeric = address_numeric(&link->address, host, port);
    TAILQ_INIT(&link->unsent);
    TAILQ_INIT(&link->awaited);
    event_assign(&link->timer, links->options.base, -1, 0, on_timer, link);
    uint64_t now = clock_now();
    wake_at(link, now, now);
    return link;
}

void link_destroy(struct link **place)
{
    struct link *link = *place;
    *place = NULL;
    if (link != NULL) {
        event_del(&link->timer);
        close_transport(link);
        lose_all(link);
        free(link);
    }
}

void *link_owner(const struct link *link)
{
    return link->owner;
}

const char *link_host(const struct link *link)
{
    return link->host;
}

const char *link_name(const struct link *link)
{
    return link->name;
}

bool link_is_idle(const struct link *link)
{
    return TAILQ_EMPTY(&link->awaited) && TAILQ_EMPTY(&link->unsent);
}
