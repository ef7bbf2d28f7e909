/*
 * stats_conns.c - the connection that asks, as memcached tells of connections. Others are
 * their workers' own, and not looked at from here.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/net/transport.h"
#include "daemon/request/stats.h"
#include "daemon/request/verbs.h"

/* An address as memcached writes it: tcp:127.0.0.1:4711, tcp6:[::1]:4711, unix:/a/path. */
static void spell(char to[ENDPOINT_NAME_MAX + 8], const char *kind, const char *address)
{
    snprintf(to, ENDPOINT_NAME_MAX + 8, "%s:%s", kind, address);
}

enum outcome stats_conns(struct command_context *ctx, const struct request *request)
{
    const char *endpoint = ctx->endpoint->name;
    bool is_local = endpoint_is_local(ctx->endpoint);
    const char *kind = is_local ? "unix" : endpoint[0] == '[' ? "tcp6" : "tcp";
    char peer[TRANSPORT_PEER_MAX];
    char address[ENDPOINT_NAME_MAX + 8];
    char listener[ENDPOINT_NAME_MAX + 8];
    transport_peer(ctx->identity->fd, peer, sizeof peer);
    spell(address, kind, is_local ? endpoint : peer);
    spell(listener, kind, endpoint);
    const struct {
        const char *name, *value;
    } told[] = {{"addr", address},
                {"listen_addr", listener},
                {"state", "conn_parse_cmd"},
                {"secs_since_last_cmd", "0"}};
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        char name[48];
        snprintf(name, sizeof name, "%d:%s", ctx->identity->fd, told[i].name);
        stats_text(ctx, request, name, told[i].value);
    }
    reply_queue_status(ctx->replies, request, REPLY_END);
    return OUTCOME_DONE;
}
