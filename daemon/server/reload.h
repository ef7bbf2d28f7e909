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

#include <pthread.h>

#include "conf/conf.h"
#include "daemon/base/wakeup.h"

struct server;
struct users;

struct reload {
    enum {
        RELOAD_IDLE,
        RELOAD_READS,   /* on the thread */
        RELOAD_APPLIES, /* namespaces, slice by slice */
    } state;
    bool again;   /* one more was asked for */
    bool retries; /* what is owed (conf_apply.h) is tried now and then */
    pthread_t reader;
    struct wakeup wakeup; /* rung by the reader at its end */
    struct event *slice;  /* the next one */
    /* What was read: the reader's until it has ended. */
    struct conf *next;
    struct conf_errors errors;
    struct users *users;
    bool prepared;
};

/* When the base is there, and the namespaces of the first configuration. False with errno. */
bool reload_init(struct server *server);
/* What is under way is given up. Good for a zeroed one. */
void reload_deinit(struct server *server);

void reload_begin(struct server *server);

#endif
