/*
 * server_state.h - what a running daemon is made of. For server.c and reload.c.
 */
#ifndef KVCACHED_DAEMON_SERVER_SERVER_STATE_H
#define KVCACHED_DAEMON_SERVER_SERVER_STATE_H

#include <event2/event.h>

#include "daemon/base/instance.h"
#include "daemon/http/http.h"
#include "daemon/net/listeners.h"
#include "daemon/os/pidfile.h"
#include "daemon/os/privilege.h"
#include "daemon/server/acceptor.h"
#include "daemon/server/health.h"
#include "daemon/server/reload.h"
#include "daemon/server/server.h"
#include "daemon/server/storage.h"
#include "daemon/server/threads.h"
#include "daemon/server/watchdog.h"

struct server {
    struct server_options options;
    struct conf *first; /* what the daemon was started with: listeners, threads
                           and so on are still as it says */
    struct conf *conf;  /* what was loaded last; may be `first` */
    struct event_base *base;
    struct event *signals[3];
    struct pidfile pidfile;
    struct privilege_user user;
    bool becomes_user; /* `user` is to be become */
    struct listeners listeners;
    struct storage storage;
    struct users *users; /* those of `conf` */
    struct instance instance;
    struct threads threads;
    struct acceptor *acceptor;
    struct watchdog *watchdog;
    struct http *http;     /* NULL: no listener speaks it */
    struct health *health; /* as the HTTP thread sees it */
    atomic_uint percent;   /* of the arena that is being read; above 100: it is not */
    struct reload reload;
};

/* Opens the log that a configuration names. False with errno and *why: it stays as it was. */
bool server_open_log(const struct server *server, const struct conf *conf, const char **why);
/* For `systemctl status`. */
void server_show_status(const struct server *server, const char *remark);

#endif
