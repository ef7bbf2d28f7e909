/*
 * server_state.c - what both the start and a reload do with a running daemon.
 */
#include "daemon/server/server_state.h"

#include <string.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "daemon/os/service_manager.h"

uid_t server_state_user(const struct server *server)
{
    return server->becomes_user ? server->user.uid : geteuid();
}

bool server_state_open_log(const struct server *server, const struct conf *conf, const char **why)
{
    int level = conf->log.level + server->verbosity;
    const char *to = conf->log.to;
    if (server->detached && strcmp(to, "stderr") == 0) {
        to = "syslog";
    }
    return log_open(to, level < LOG_DEBUG ? level : LOG_DEBUG, server_state_user(server), why);
}

uintmax_t server_state_memory(const struct server *server)
{
    return (uintmax_t)(store_memory(server->storage.store) >> 20);
}

void server_state_show(const struct server *server, const char *remark)
{
    notify_status("Listeners: %zu, threads: %u, memory: %ju MiB%s", server->listeners.count,
                  server->instance.threads, server_state_memory(server), remark);
}
