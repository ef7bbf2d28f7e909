/*
 * stats_conns.c - STATS of connections, as memcached has them: only of the one that sent the
 * request, since other connections belong to other threads.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/net/peer.h"
#include "daemon/request/stats_lines.h"
#include "daemon/request/verbs.h"

/* An address as memcached writes it: tcp:127.0.0.1:4711, tcp6:[::1]:4711, unix:/a/path. */
static void write_address(char to[ENDPOINT_NAME_MAX + 8], const char *kind, const char *address)
{
    snprintf(to, ENDPOINT_NAME_MAX + 8, "%s:%s", kind, address);
}

enum outcome stats_conns(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    const char *endpoint = ctx->endpoint->name;
    bool is_local = endpoint_is_local(ctx->endpoint);
    const char *kind = is_local ? "unix" : endpoint[0] == '[' ? "tcp6" : "tcp";
    char peer[PEER_NAME_MAX];
    char address[ENDPOINT_NAME_MAX + 8];
    char listener[ENDPOINT_NAME_MAX + 8];
    peer_name(ctx->identity->fd, peer, sizeof peer);
    write_address(address, kind, is_local ? endpoint : peer);
    write_address(listener, kind, endpoint);
    const struct {
        const char *name, *value;
    } lines[] = {{"addr", address},
                 {"listen_addr", listener},
                 {"state", "conn_parse_cmd"},
                 {"secs_since_last_cmd", "0"}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char name[48];
        snprintf(name, sizeof name, "%d:%s", ctx->identity->fd, lines[i].name);
        stats_text(ctx, request, name, lines[i].value);
    }
    reply_queue_status(ctx->replies, request, REPLY_END);
    return OUTCOME_DONE;
}
