/*
 * server.h - the running daemon: everything is wired together here.
 */
#ifndef KVCACHED_DAEMON_SERVER_SERVER_H
#define KVCACHED_DAEMON_SERVER_SERVER_H

#include <stdbool.h>

#include "conf/conf.h"

struct server;

struct server_options {
    const char *file;    /* read again at a reload; NULL: built-in defaults */
    int verbosity;       /* how many levels to log beyond what is configured */
    bool detached;       /* no terminal: what would go to stderr goes to syslog */
    const char *version; /* "x.y.z" */
};

/*
 * Starts everything that can fail: sockets are bound, the user is changed,
 * memory is reserved, threads run. Takes *conf over and sets it to NULL. On
 * failure everything is undone, the log has said what and where, the result is
 * NULL and *status is what to exit with, one of <sysexits.h>. Before any thread
 * is started; all that is in *options must outlive the server.
 */
struct server *server_create(const struct server_options *options, struct conf **conf, int *status);

/* Serves until it is told to stop: SIGTERM or SIGINT. */
void server_run(struct server *server);

/* Waits for the threads to end; undoes all. Sets *server to NULL. */
void server_destroy(struct server **server);

#endif
