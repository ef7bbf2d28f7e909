/*
 * threads.h - all the threads of the daemon together: workers, housekeeper and authenticator.
 */
#ifndef KVCACHED_DAEMON_SERVER_THREADS_H
#define KVCACHED_DAEMON_SERVER_THREADS_H

#include <stdbool.h>

#include "conf/conf.h"
#include "daemon/auth/authenticator.h"
#include "daemon/base/instance.h"
#include "daemon/conn/worker.h"
#include "daemon/maintenance/housekeeper.h"

struct threads {
    struct housekeeper *housekeeper;
    struct authenticator *authenticator;
    struct worker **workers;
    unsigned count; /* of workers */
};

/* Starts instance->threads workers, the housekeeper and the authenticator. False when one of them
 * could not start: then the log has said which, and threads_end ends the others. `store` and
 * `instance` must outlive them. */
bool threads_start(struct threads *threads, const struct conf *conf, struct users *users,
                   struct store *store, struct instance *instance);

/* What of a reloaded configuration concerns threads. It is in force everywhere when this
 * returns, unless the log says otherwise. */
void threads_reconfigure(struct threads *threads, const struct conf *conf, struct users *users);

/* Lets them finish what was asked of them, waits for that, and frees all. Good for
 * a zeroed one. */
void threads_end(struct threads *threads);

#endif
