/*
 * acceptor.h - accepts connections and dispatches them to the workers.
 */
#ifndef KVCACHED_DAEMON_SERVER_ACCEPTOR_H
#define KVCACHED_DAEMON_SERVER_ACCEPTOR_H

#include "daemon/base/instance.h"
#include "daemon/net/listeners.h"
#include "daemon/server/threads.h"

struct acceptor;
struct event_base;

/* All that is pointed to must outlive the acceptor. */
struct acceptor_options {
    struct event_base *base;
    const struct listeners *listeners;
    const struct threads *threads;
    struct instance *instance;
};

/* Accepts from now on, while the base runs. NULL with errno when there is no memory or no
 * descriptor. All calls are for the thread of the base. */
struct acceptor *acceptor_create(const struct acceptor_options *options);

/* Accepts all connections that are in the listen backlogs, before the listeners are closed: they
 * are answered, not reset. The backlog of a socket that the service manager keeps is left to the
 * next process. */
void acceptor_last_call(struct acceptor *acceptor);

/* Accepts no more; the listeners stay open. Sets *acceptor to NULL. */
void acceptor_destroy(struct acceptor **acceptor);

#endif
