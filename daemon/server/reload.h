/*
 * reload.h - the configuration, read again and put in force while the daemon serves.
 *
 * The main thread accepts meanwhile, so nothing that takes long is done there in one go. A
 * thread of its own reads the file and makes what can fail; where something does, nothing has
 * changed. Then all is put in force at once but for the namespaces that there are already:
 * these follow in slices, between which connections are accepted.
 *
 * A reload that is asked for while one is under way comes after it. For the main thread.
 */
#ifndef KVCACHED_DAEMON_SERVER_RELOAD_H
#define KVCACHED_DAEMON_SERVER_RELOAD_H

struct server;
struct reload;

/* When the base is there, and the namespaces of the first configuration. NULL with errno. The
 * server must outlive it. */
struct reload *reload_create(struct server *server);

/* What is under way is given up. Sets *reload to NULL. */
void reload_destroy(struct reload **reload);

void reload_begin(struct reload *reload);

#endif
