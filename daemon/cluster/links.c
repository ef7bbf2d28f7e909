/*
 * links.c - makes links, and has them do in time what is to be done.
 *
 * One timer of a link does all that is about time, by the link's state. It is not set anew with
 * each request: when it fires it looks at the oldest one, and sleeps on if that is not overdue.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/metrics.h"
#include "daemon/cluster/link_dial.h"
#include "daemon/cluster/link_io.h"
#include "daemon/cluster/resp.h"

/* --- the timer -------------------------------------------------------------- */

/* Where this thread stood still, the reply or room may be there, and was not polled for yet. */
static bool is_overdue(struct link *link, uint64_t now)
{
    if (now < link_io_due(link)) {
        return false;
    }
    if (link->blocked) {
        link_io_write(link, now);
    }
    if (link->state == LINK_READY) {
        link_io_read(link);
    }
    return link->state == LINK_READY && now >= link_io_due(link);
}

static void keep_alive(struct link *link, uint64_t now)
{
    if (is_overdue(link, now)) {
        metrics_add(link->links->options.metrics, METRIC_CLUSTER_OVERDUE, 1);
        link_io_break(link, "its reply is overdue");
    }
    if (link->state != LINK_READY) {
        return;
    }
    uint64_t at = link_io_due(link);
    if (at == UINT64_MAX) {
        at = link->heard + LINK_KEEPALIVE;
    }
    if (now >= at) {
        link_io_wake_at(link, now, now + link->links->options.deadline);
        link_dial_ping(link);
        return;
    }
    link_io_wake_at(link, now, at);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct link *link = context;
    (void)fd;
    (void)what;
    switch (link->state) {
    case LINK_WAITS:
        link_dial(link);
        break;
    case LINK_RESOLVES:
    case LINK_CONNECTS:
    case LINK_HANDSHAKES:
    case LINK_GREETS:
        link_io_break(link, link->state == LINK_GREETS ? "it does not answer PING"
                                                       : "it does not answer in time");
        break;
    case LINK_READY:
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

static void on_flush(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    links_flush(context);
}

bool links_init(struct links *links, const struct links_options *options)
{
    *links = (struct links){.options = *options};
    TAILQ_INIT(&links->unflushed);
    event_assign(&links->flush, options->base, -1, 0, on_flush, links);
    links->buffer = malloc(LINK_BUFFER);
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
    link->backoff = LINK_BACKOFF_MIN;
    memcpy(link->host, host, length);
    snprintf(link->name, sizeof link->name, strchr(host, ':') == NULL ? "%s:%u" : "[%s]:%u", host,
             (unsigned)port);
    link->is_numeric = address_numeric(&link->address, host, port);
    TAILQ_INIT(&link->unsent);
    TAILQ_INIT(&link->awaited);
    event_assign(&link->timer, links->options.base, -1, 0, on_timer, link);
    uint64_t now = clock_now();
    link_io_wake_at(link, now, now);
    return link;
}

void link_destroy(struct link **place)
{
    struct link *link = *place;
    *place = NULL;
    if (link != NULL) {
        event_del(&link->timer);
        link_io_close(link);
        link_io_lose(link);
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
