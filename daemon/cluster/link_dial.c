/*
 * link_dial.c - looks a name up, connects, shakes hands, and greets.
 */
#include "daemon/cluster/link_dial.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/cluster/link_io.h"
#include "daemon/cluster/reply.h"
#include "daemon/cluster/resp.h"

enum {
    GREETING_MS = 2000, /* from the beginning of an attempt until the link is ready */
    SHOWN_MAX = 100,    /* bytes of what a node says, in the log */
};

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
    link->state = LINK_READY;
    link->backoff = LINK_BACKOFF_MIN;
    if (link->complaint[0] != '\0') {
        log_notice("cluster: node %s: it answers again", link->name);
        link->complaint[0] = '\0';
    }
    link_io_wake_at(link, link->heard, link->heard + LINK_KEEPALIVE);
    link_set_replica(link, link->replica);
    listener->ready(listener->context, link);
}

static const char *refused_what(const struct link *link)
{
    bool auth = link->links->auth.length > 0;
    if (auth && link->greeted == 0) {
        return "AUTH";
    }
    return link->greeting.replies > 0 ? "READONLY" : "PING";
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
        link->backoff = LINK_BACKOFF_MAX;
        link_io_break(link, "it refuses %s: %.*s", refused_what(link),
                      (int)(text.length < SHOWN_MAX ? text.length : SHOWN_MAX), text.bytes);
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
    struct link_request *request = &link->greeting;
    *request = (struct link_request){.ops = &greeting_ops};
    link->state = LINK_GREETS;
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
    link_io_write(link, clock_now());
}

static void ask_own(struct link *link, struct link_request *request,
                    const struct link_request_ops *ops, const char *command)
{
    *request = (struct link_request){.ops = ops};
    add_piece(request, slice_of(command));
    link_send(link, request);
}

void link_dial_ping(struct link *link)
{
    ask_own(link, &link->ping, &ping_ops, "*1\r\n$4\r\nPING\r\n");
}

void link_set_replica(struct link *link, bool replica)
{
    link->replica = replica;
    if (link->state == LINK_READY && link->reads != replica && !link->role_asked) {
        link->reads = replica;
        link->role_asked = true;
        ask_own(link, &link->role, &role_ops,
                replica ? "*1\r\n$8\r\nREADONLY\r\n" : "*1\r\n$9\r\nREADWRITE\r\n");
    }
}

/* --- connecting ------------------------------------------------------------- */

static void start_greeting(struct link *link)
{
    link->reader = resp_reader_create(link->links->options.reply_max);
    if (link->reader == NULL) {
        link_io_break(link, "there is no memory to talk to it");
        return;
    }
    event_add(&link->readable, NULL);
    greet(link);
}

/* Waits for what the handshake waits for. */
static void wait_for_handshake(struct link *link)
{
    if ((link->transport.wants & TRANSPORT_READ_WRITES) != 0) {
        event_add(&link->writable, NULL);
    } else {
        event_del(&link->writable);
        event_add(&link->readable, NULL);
    }
}

static void shake_hands(struct link *link)
{
    struct transport_handshake handshake = {.failure = "it closed the connection"};
    switch (link->transport.ops->handshake(&link->transport, &handshake)) {
    case TRANSPORT_AGAIN:
        wait_for_handshake(link);
        break;
    case TRANSPORT_OK:
        event_del(&link->writable);
        start_greeting(link);
        break;
    default:
        link_io_break(link, "TLS: %s", handshake.failure);
        break;
    }
}

static void connected(struct link *link)
{
    struct tls *tls = link->links->options.tls;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(link->transport.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        error = errno;
    }
    if (error != 0) {
        link_io_break(link, "cannot connect: %s", strerror(error));
    } else if (tls == NULL) {
        start_greeting(link);
    } else if (!transport_tls_client(&link->transport, tls, link->is_numeric ? NULL : link->host)) {
        link_io_break(link, "there is no memory for TLS");
    } else {
        link->state = LINK_HANDSHAKES;
        shake_hands(link);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    const struct link_listener *listener = &link->links->options.listener;
    (void)fd;
    (void)what;
    if (link->state == LINK_HANDSHAKES) {
        shake_hands(link);
        return;
    }
    if (link->blocked && (link->transport.wants & TRANSPORT_WRITE_READS) != 0) {
        link_io_write(link, clock_now());
    }
    if (link->state >= LINK_GREETS) {
        link_io_read(link);
    }
    listener->round(listener->context);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    (void)fd;
    (void)what;
    switch (link->state) {
    case LINK_CONNECTS:
        event_del(&link->writable);
        connected(link);
        break;
    case LINK_HANDSHAKES:
        shake_hands(link);
        break;
    default:
        if (!link->blocked) {
            event_del(&link->writable);
        }
        if ((link->transport.wants & TRANSPORT_READ_WRITES) != 0) {
            on_readable(fd, what, context);
        }
        if (link->state >= LINK_GREETS && link->blocked) {
            link_io_write(link, clock_now());
        }
        break;
    }
}

static void connect_to(struct link *link)
{
    int fd = socket(link->address.of.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        link_io_break(link, "cannot make a socket: %s", strerror(errno));
        return;
    }
    if (connect(fd, (struct sockaddr *)&link->address.of, link->address.length) != 0 &&
        errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        link_io_break(link, "cannot connect: %s", strerror(error));
        return;
    }
    transport_plain(&link->transport, fd);
    event_assign(&link->readable, link->links->options.base, fd, EV_READ | EV_PERSIST, on_readable,
                 link);
    event_assign(&link->writable, link->links->options.base, fd, EV_WRITE | EV_PERSIST, on_writable,
                 link);
    link->state = LINK_CONNECTS;
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
    link->state = LINK_WAITS;
    if (link->address.length == 0) {
        link_io_break(link, "its name has no address");
        return;
    }
    connect_to(link);
}

void link_dial(struct link *link)
{
    uint64_t now = clock_now();
    link_io_wake_at(link, now, now + GREETING_MS);
    if (link->is_numeric) {
        connect_to(link);
        return;
    }
    link->state = LINK_RESOLVES;
    link->lookup = lookup_begin(link->links->options.base, link->host, link->port, link->failures,
                                on_found, link);
    if (link->lookup == NULL) {
        link_io_break(link, "there is no memory to look its name up");
    }
}
