/*
 * server.h - starts, runs and stops the daemon.
 */
#ifndef KVCACHED_DAEMON_SERVER_SERVER_H
#define KVCACHED_DAEMON_SERVER_SERVER_H

#include <stdbool.h>

#include "conf/conf.h"

struct server;

struct server_options {
    struct conf_source source; /* read again at a reload */
    int verbosity;             /* log levels beyond the configured one */
    bool detached;             /* there is no terminal: a log to stderr goes to syslog */
    const char *version;       /* "x.y.z" */
};

/*
 * Does everything that can fail: binds sockets, becomes the configured user, reserves memory,
 * starts threads. Takes *conf over and sets it to NULL. On failure everything is undone, the
 * error has been logged, the result is NULL, and *status is what to exit with, one of
 * <sysexits.h>. Call it before any other thread runs. The strings in *options must outlive the
 * server.
 */
struct server *server_create(const struct server_options *options, struct conf **conf, int *status);

/* Serves until it is told to stop: SIGTERM or SIGINT. */
void server_run(struct server *server);

/* Drains and ends the threads, and undoes everything. Sets *server to NULL. */
void server_destroy(struct server **server);

#endif
