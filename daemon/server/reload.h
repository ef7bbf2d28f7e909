/*
 * reload.h - reads the configuration again and puts it in force while the daemon serves.
 *
 * The main thread accepts connections meanwhile, so nothing there may take long. A thread of its
 * own reads the file and makes everything that can fail; if something does, nothing has changed.
 * Then the main thread puts all in force at once, except for existing namespaces: these follow in
 * slices, between which connections are accepted.
 *
 * A reload that is asked for while one is under way comes after it. All calls are for the main
 * thread.
 */
#ifndef KVCACHED_DAEMON_SERVER_RELOAD_H
#define KVCACHED_DAEMON_SERVER_RELOAD_H

#include <event2/util.h>

struct server;
struct reload;

/* The server has its event base by then, and the namespaces of the first configuration; it must
 * outlive the reload. NULL with errno. */
struct reload *reload_create(struct server *server);

/* Abandons a reload that is under way, and answers all clients that have asked for one, now and
 * from now on, that the daemon stops. Sets *reload to NULL. */
void reload_destroy(struct reload **reload);

/* Begins a reload, or has one follow the reload that is under way. */
void reload_begin(struct reload *reload);

/* The callback of the server's reload_queue, with the server for context: a client asks for a
 * reload, and is answered when that has ended. */
void reload_on_asked(evutil_socket_t fd, short what, void *context);

#endif
