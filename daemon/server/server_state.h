/*
 * server_state.h - what a running daemon is made of, for server.c and reload.c.
 */
#ifndef KVCACHED_DAEMON_SERVER_SERVER_STATE_H
#define KVCACHED_DAEMON_SERVER_SERVER_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "daemon/base/conf_in_use.h"
#include "daemon/base/instance.h"
#include "daemon/net/listeners.h"
#include "daemon/os/pidfile.h"
#include "daemon/os/privilege.h"
#include "daemon/request/reload_request.h"
#include "daemon/server/cluster_apply.h"
#include "daemon/server/storage.h"
#include "daemon/server/threads.h"

struct acceptor;
struct event;
struct event_base;
struct health;
struct http;
struct reload;
struct users;
struct watchdog;

struct server {
    struct conf_source source; /* these four as in struct server_options */
    int verbosity;
    bool detached;
    const char *version;
    struct conf *first; /* at the start; still in force for options that need a restart */
    struct conf *conf;  /* loaded last; may be `first` */
    struct conf_in_use conf_in_use; /* both, for other threads */
    struct event_base *base;
    struct event *signals[4];
    struct pidfile pidfile;
    struct privilege_user user;
    bool becomes_user; /* `user` is set, and the process started as root */
    struct listeners listeners;
    char memcache_at[LISTENERS_NAMES_MAX]; /* as in struct instance */
    struct storage storage;
    struct users *users; /* of `conf`; a reference */
    struct instance instance;
    struct cluster_apply cluster; /* of `first` */
    struct threads threads;
    struct acceptor *acceptor;
    struct watchdog *watchdog;
    struct http *http;     /* NULL: no listener has HTTP */
    struct health *health; /* used by the HTTP thread */
    atomic_uint percent;   /* of the arena file that has been read; above 100: none is read */
    struct reload_queue reload_queue; /* RELOAD of clients */
    struct reload *reload;
};

/* The user that the process is, or will become: it may use that user's files. */
uid_t server_state_user(const struct server *server);

/* Memory of the store, in MiB. */
uintmax_t server_state_memory(const struct server *server);

/* Opens the log that a configuration names. False with errno and *why: the log stays as it was. */
bool server_state_open_log(const struct server *server, const struct conf *conf, const char **why);

/* Tells the service manager the state of the daemon, for `systemctl status`. */
void server_state_show(const struct server *server, const char *remark);

#endif
