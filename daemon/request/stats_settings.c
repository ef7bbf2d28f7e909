/*
 * stats_settings.c - STATS of settings, under the names that memcached's clients look up.
 *
 * A setting of memcached that kvcached always has is given with its one value. One that means
 * nothing here (its LRU, its logs) is left out. No value is empty, since clients split lines at
 * blanks: like memcached, NULL stands for none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/request/stats_lines.h"
#include "daemon/request/verbs.h"

/* The address and port of the endpoint, or its path. */
static void listener(struct command_context *ctx, const struct request *request)
{
    const char *name = ctx->endpoint->name;
    const char *colon = endpoint_is_local(ctx->endpoint) ? NULL : strrchr(name, ':');
    char host[ENDPOINT_NAME_MAX] = "NULL";
    uint64_t port = 0;
    if (colon != NULL) {
        bool bracketed = name[0] == '[';
        snprintf(host, sizeof host, "%.*s", (int)(colon - name) - 2 * bracketed, name + bracketed);
        port = strtoul(colon + 1, NULL, 10);
    }
    stats_number(ctx, request, "tcpport", port);
    stats_number(ctx, request, "udpport", 0);
    stats_text(ctx, request, "inter", host);
    stats_text(ctx, request, "domain_socket", colon == NULL ? name : "NULL");
    stats_text(ctx, request, "ssl_enabled", ctx->endpoint->tls != NULL ? "yes" : "no");
    stats_text(ctx, request, "auth_enabled_ascii",
               ctx->identity->state == IDENTITY_NOT_REQUIRED ? "no" : "yes");
}

static void keys(struct command_context *ctx, const struct request *request)
{
    char separator[] = {ctx->endpoint->separator, '\0'};
    const char *prefix = separator[0] == '\0' ? "NULL" : separator;
    char name[REQUEST_NAMESPACE_MAX + 1] = "";
    struct slice ns = command_namespace(ctx, request);
    memcpy(name, ns.bytes, ns.length);
    stats_text(ctx, request, "namespace", name);
    stats_text(ctx, request, "prefix_delimiter", prefix);
    stats_text(ctx, request, "stat_key_prefix", prefix);
}

static void limits(struct command_context *ctx, const struct request *request)
{
    struct store_stats stats;
    store_stats(ctx->store_thread, &stats);
    stats_number(ctx, request, "maxbytes", stats.memory_limit);
    stats_number(ctx, request, "maxconns", atomic_load(&ctx->instance->max_connections));
    stats_number(ctx, request, "num_threads", ctx->instance->threads);
    stats_number(ctx, request, "item_size_max", ctx->max_value);
    stats_number(ctx, request, "slab_chunk_max", stats.segment_size);
    stats_number(ctx, request, "chunk_size", stats.grain);
    stats_number(ctx, request, "idle_timeout", (ctx->idle_timeout + 999) / 1000);
    stats_number(ctx, request, "tcp_backlog", ENDPOINT_BACKLOG);
    stats_number(ctx, request, "reqs_per_event", COMMAND_BATCH_MAX);
}

static unsigned verbosity(void)
{
    if (log_wants(LOG_DEBUG)) {
        return 2;
    }
    return log_wants(LOG_INFO) ? 1 : 0;
}

/* Settings that have one value here. */
static void always(struct command_context *ctx, const struct request *request)
{
    static const struct {
        const char *name, *value;
    } fixed[] = {
        {"evictions", "on"},
        {"cas_enabled", "yes"},
        {"flush_enabled", "yes"},
        {"dump_enabled", "yes"},
        {"detail_enabled", "yes"},
        {"track_sizes", "yes"},
        {"maxconns_fast", "yes"},
        {"lru_crawler", "yes"},
        {"lru_crawler_sleep", "0"},
        {"lru_crawler_tocrawl", "0"},
        {"lru_maintainer_thread", "yes"},
        {"lru_segmented", "no"},
        {"temp_lru", "no"},
        {"slab_reassign", "yes"},
        {"slab_automove", "1"},
        {"growth_factor", "1.00"},
        {"hashpower_init", "0"},
        {"hash_algorithm", "siphash13"},
        {"binding_protocol", "ascii"},
        {"auth_enabled_sasl", "no"},
        {"shutdown_command", "no"},
        {"drop_privileges", "no"},
        {"inline_ascii_response", "no"},
        {"proxy_enabled", "no"},
        {"client_flags_size", "4"},
    };
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        stats_text(ctx, request, fixed[i].name, fixed[i].value);
    }
}

enum outcome stats_settings(struct command_context *ctx, struct command *cmd)
{
    const struct request *request = &cmd->request;
    limits(ctx, request);
    listener(ctx, request);
    keys(ctx, request);
    stats_number(ctx, request, "verbosity", verbosity());
    always(ctx, request);
    reply_queue_status(ctx->replies, request, REPLY_END);
    return OUTCOME_DONE;
}
