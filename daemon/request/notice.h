/*
 * notice.h - tells watchers what a command has done.
 *
 * While none watches, a command asks notice_wants and nothing else.
 *
 * For the thread of the context. No value may be held under a lock (store_view).
 */
#ifndef KVCACHED_DAEMON_REQUEST_NOTICE_H
#define KVCACHED_DAEMON_REQUEST_NOTICE_H

#include "daemon/request/command.h"

/* `kinds` are bits of enum event_kind. */
static inline bool notice_wants(const struct command_context *ctx, unsigned kinds)
{
    return watch_wants(&ctx->instance->watched, kinds);
}

/* What became of a request for one key, as the store has answered; `bytes`: of the value. */
void notice_record(struct command_context *ctx, enum event_kind kind, const struct request *request,
                   const struct store_key *at, enum store_status status, uint64_t bytes);

/* What became of a write of a value. */
static inline void notice_write(struct command_context *ctx, const struct request *request,
                                const struct store_key *at, enum store_status status)
{
    if (notice_wants(ctx, EVENT_BIT(EVENT_WRITE))) {
        notice_record(ctx, EVENT_WRITE, request, at, status, request->value_length);
    }
}

/* A connection was opened or closed; `reason` as in struct watch_event. */
void notice_connection(struct watch_source *source, enum event_kind kind,
                       const struct identity *identity, const struct endpoint *endpoint,
                       const char *reason);

#endif
