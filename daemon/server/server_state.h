/*
 * server_state.h - what a running daemon is made of. For server.c and reload.c, both of which
 * are above it.
 */
#ifndef KVCACHED_DAEMON_SERVER_SERVER_STATE_H
#define KVCACHED_DAEMON_SERVER_SERVER_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "daemon/base/instance.h"
#include "daemon/net/listeners.h"
#include "daemon/os/pidfile.h"
#include "daemon/os/privilege.h"
#include "daemon/server/storage.h"
#include "daemon/server/threads.h"

struct acceptor;
struct event;
struct event_base;
struct reload;
struct users;
struct watchdog;

struct server {
    const char *file; /* these four as in struct server_options */
    int verbosity;
    bool detached;
    const char *version;
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
    struct reload *reload;
};

/* The user that it will become, or is: that user's files it may take for its own. */
uid_t server_state_user(const struct server *server);

/* What the store has, in MiB. */
uintmax_t server_state_memory(const struct server *server);

/* Opens the log that a configuration names. False with errno and *why: it stays as it was. */
bool server_state_open_log(const struct server *server, const struct conf *conf, const char **why);

/* For `systemctl status`. */
void server_state_show(const struct server *server, const char *remark);

#endif
