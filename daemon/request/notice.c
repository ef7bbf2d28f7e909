/*
 * notice.c - see notice.h.
 */
#include "daemon/request/notice.h"

#include "daemon/net/peer.h"

/* Adds what is known of the connection. */
static void publish(struct watch_source *source, const struct identity *identity,
                    struct watch_event *event)
{
    if (source == NULL) {
        return;
    }
    if (source->peer_id != identity->id) {
        peer_name(identity->fd, source->peer, sizeof source->peer);
        source->peer_id = identity->id;
    }
    event->us = clock_wall_us();
    event->fd = identity->fd;
    event->id = identity->id;
    event->peer = slice_of(source->peer);
    if (identity->state == IDENTITY_AUTHENTICATED) {
        event->user = user_name(identity->user);
    }
    watch_publish(source, event);
}

static enum event_status status_of(enum event_kind kind, enum store_status status)
{
    switch (status) {
    case STORE_OK:
        return kind == EVENT_WRITE ? EVENT_STORED : EVENT_FOUND;
    case STORE_NOT_FOUND:
        return EVENT_NOT_FOUND;
    case STORE_EXISTS:
        return EVENT_NOT_STORED;
    case STORE_CHANGED:
        return EVENT_CHANGED;
    case STORE_TOO_LARGE:
        return EVENT_TOO_LARGE;
    case STORE_NO_MEMORY:
        return EVENT_NO_MEMORY;
    default:
        return EVENT_REFUSED;
    }
}

static uint32_t seconds_of(struct ttl ttl)
{
    if (ttl.kind != TTL_FOR) {
        return 0;
    }
    uint64_t seconds = (ttl.milliseconds + 999) / 1000;
    return seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
}

void notice_record(struct command_context *ctx, enum event_kind kind, const struct request *request,
                   const struct store_key *at, enum store_status status, uint64_t bytes)
{
    publish(ctx->watch, ctx->identity,
            &(struct watch_event){.kind = kind,
                                  .status = status_of(kind, status),
                                  .verb = request->verb,
                                  .compares = (request->options & REQUEST_COMPARE) != 0,
                                  .number = store_key_number(at),
                                  .ttl = seconds_of(request->ttl),
                                  .bytes = bytes,
                                  .ns = at->name,
                                  .key = at->key});
}

void notice_connection(struct watch_source *source, enum event_kind kind,
                       const struct identity *identity, const struct endpoint *endpoint,
                       const char *reason)
{
    publish(source, identity,
            &(struct watch_event){
                .kind = kind, .listener = slice_of(endpoint->name), .reason = slice_of(reason)});
}
