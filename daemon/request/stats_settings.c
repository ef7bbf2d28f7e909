/*
 * stats_settings.c - what the daemon was told to do, under the names that memcached's clients
 * look up.
 *
 * Where memcached has a setting for what is always so here, that is said; what has no meaning
 * here (its LRU, its logs) is left out. No value is empty, since clients cut lines at blanks:
 * what there is none of is NULL, as memcached says it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/request/batch.h"
#include "daemon/request/stats.h"
#include "daemon/request/verbs.h"

/* The address and port of a listener, or its path. */
static void where(struct executor *by, const struct request *request)
{
    const char *name = by->endpoint->name;
    const char *colon = stats_is_local(by->endpoint) ? NULL : strrchr(name, ':');
    char host[ENDPOINT_NAME_MAX] = "NULL";
    uint64_t port = 0;
    if (colon != NULL) {
        bool bracketed = name[0] == '[';
        snprintf(host, sizeof host, "%.*s", (int)(colon - name) - 2 * bracketed, name + bracketed);
        port = strtoul(colon + 1, NULL, 10);
    }
    stats_number(by, request, "tcpport", port);
    stats_number(by, request, "udpport", 0);
    stats_text(by, request, "inter", host);
    stats_text(by, request, "domain_socket", colon == NULL ? name : "NULL");
    stats_text(by, request, "ssl_enabled", by->endpoint->tls != NULL ? "yes" : "no");
    stats_text(by, request, "auth_enabled_ascii",
               by->identity->state == IDENTITY_NOT_REQUIRED ? "no" : "yes");
}

static void keys(struct executor *by, const struct request *request)
{
    char separator[] = {by->endpoint->separator, '\0'};
    const char *prefix = separator[0] == '\0' ? "NULL" : separator;
    char name[REQUEST_NAMESPACE_MAX + 1] = "";
    struct slice ns = execute_namespace(by, request);
    memcpy(name, ns.bytes, ns.length);
    stats_text(by, request, "namespace", name);
    stats_text(by, request, "prefix_delimiter", prefix);
    stats_text(by, request, "stat_key_prefix", prefix);
}

static void limits(struct executor *by, const struct request *request)
{
    struct store_figures figures;
    store_figures(by->lane, &figures);
    stats_number(by, request, "maxbytes", figures.memory_limit);
    stats_number(by, request, "maxconns", atomic_load(&by->instance->max_connections));
    stats_number(by, request, "num_threads", by->instance->threads);
    stats_number(by, request, "item_size_max", by->max_value);
    stats_number(by, request, "slab_chunk_max", figures.segment_size);
    stats_number(by, request, "chunk_size", figures.grain);
    stats_number(by, request, "idle_timeout", (by->idle_timeout + 999) / 1000);
    stats_number(by, request, "tcp_backlog", ENDPOINT_BACKLOG);
    stats_number(by, request, "reqs_per_event", BATCH_MAX);
}

static unsigned verbosity(void)
{
    if (log_wants(LOG_DEBUG)) {
        return 2;
    }
    return log_wants(LOG_INFO) ? 1 : 0;
}

/* What nothing changes. */
static void always(struct executor *by, const struct request *request)
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
        stats_text(by, request, fixed[i].name, fixed[i].value);
    }
}

enum outcome stats_settings(struct executor *by, const struct request *request)
{
    limits(by, request);
    where(by, request);
    keys(by, request);
    stats_number(by, request, "verbosity", verbosity());
    always(by, request);
    outbox_say(by->outbox, request, REPLY_END);
    return OUTCOME_DONE;
}
