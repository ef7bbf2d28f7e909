/*
 * clients_command.c - CLIENTS, KILL, and memcached's stats conns: each worker is asked for its
 * connections, one worker after the other, and a part of the connections at a time.
 *
 * The command waits for each answer, as a login does. No more than one part is held in memory.
 */
#include "daemon/request/inspection.h"
#include "daemon/request/verbs.h"

/* --- asking ------------------------------------------------------------------------------ */

static enum outcome ask(struct command_context *ctx, const struct command *cmd)
{
    const struct client_desk *desk = ctx->instance->clients;
    struct client_query *query = ctx->identity->inspection->query;
    client_query_clear(query);
    query->id = cmd->request.number;
    query->part = cmd->place.asking.part;
    query->parts = cmd->place.asking.parts;
    query->answered = ctx->answered;
    query->context = ctx->answered_context;
    query->asker = ctx->identity;
    desk->ask(desk->context, cmd->place.asking.worker, query);
    return OUTCOME_WAITS;
}

static enum outcome begin(struct command_context *ctx, struct command *cmd,
                          enum client_query_kind kind)
{
    struct inspection *inspection = inspection_of(ctx->identity);
    if (inspection != NULL) {
        inspection_end_query(inspection);
        inspection->query = client_query_create(kind);
    }
    if (inspection == NULL || inspection->query == NULL) {
        command_refuse(ctx, &cmd->request, cmd->request.ns, STORE_NO_MEMORY);
        return OUTCOME_DONE;
    }
    cmd->begun = true;
    cmd->place.asking.worker = 0;
    cmd->place.asking.part = cmd->place.asking.parts = 0;
    cmd->place.asking.next = 0;
    return ask(ctx, cmd);
}

static enum outcome conclude(struct command_context *ctx, struct command *cmd, enum reply_kind kind)
{
    cmd->begun = false;
    inspection_end_query(ctx->identity->inspection);
    reply_queue_status(ctx->replies, &cmd->request, kind);
    return OUTCOME_DONE;
}

/* --- lists ------------------------------------------------------------------------------- */

/* False: the reply queue is full before all are told. */
static bool tell_clients(struct command_context *ctx, struct command *cmd)
{
    const struct client_query *query = ctx->identity->inspection->query;
    char lines[CLIENT_LINE_MAX];
    while (cmd->place.asking.next < query->count) {
        if (reply_queue_is_full(ctx->replies)) {
            return false;
        }
        const struct client *client = &query->clients[cmd->place.asking.next++];
        size_t length = ctx->replies->protocol->client(client, lines);
        reply_queue_text(ctx->replies, (struct slice){lines, length});
    }
    return true;
}

/* False: there is none after it. */
static bool next_part(const struct command_context *ctx, struct command *cmd)
{
    cmd->place.asking.next = 0;
    cmd->place.asking.parts = ctx->identity->inspection->query->parts;
    if (++cmd->place.asking.part < cmd->place.asking.parts) {
        return true;
    }
    cmd->place.asking.part = cmd->place.asking.parts = 0;
    return ++cmd->place.asking.worker < ctx->instance->clients->workers;
}

enum outcome verb_clients(struct command_context *ctx, struct command *cmd)
{
    if (!cmd->begun) {
        return begin(ctx, cmd, CLIENT_QUERY_LIST);
    }
    if (!tell_clients(ctx, cmd)) {
        return OUTCOME_LATER;
    }
    return next_part(ctx, cmd) ? ask(ctx, cmd) : conclude(ctx, cmd, REPLY_END);
}

/* --- KILL -------------------------------------------------------------------------------- */

enum outcome verb_kill(struct command_context *ctx, struct command *cmd)
{
    if (cmd->request.number == ctx->identity->id) {
        reply_queue_status(ctx->replies, &cmd->request, REPLY_KILLED);
        return OUTCOME_KILLED;
    }
    if (!cmd->begun) {
        return begin(ctx, cmd, CLIENT_QUERY_KILL);
    }
    if (ctx->identity->inspection->query->found) {
        return conclude(ctx, cmd, REPLY_KILLED);
    }
    return ++cmd->place.asking.worker < ctx->instance->clients->workers
               ? ask(ctx, cmd)
               : conclude(ctx, cmd, REPLY_NOT_FOUND);
}
