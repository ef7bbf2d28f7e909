/*
 * conf_in_use.h - the configurations that the daemon runs with, for threads that show them.
 *
 * A reload replaces the configuration on the main thread while others may read it, so each reader
 * takes references.
 */
#ifndef KVCACHED_DAEMON_BASE_CONF_IN_USE_H
#define KVCACHED_DAEMON_BASE_CONF_IN_USE_H

#include <pthread.h>

struct conf;

struct conf_in_use {
    pthread_mutex_t lock;
    struct conf *first; /* of the start; a reference */
    struct conf *now;   /* loaded last; a reference, under the lock */
};

/* Takes references to a configuration that is both. */
void conf_in_use_init(struct conf_in_use *in_use, struct conf *first);
/* Gives its references back. Legal for a zeroed struct. */
void conf_in_use_deinit(struct conf_in_use *in_use);

/* Takes a reference to the configuration that was loaded, and gives the one before back. */
void conf_in_use_set(struct conf_in_use *in_use, struct conf *now);

/* Any thread: references to both, which the caller gives back with conf_destroy. */
void conf_in_use_get(struct conf_in_use *in_use, struct conf **first, struct conf **now);

#endif
