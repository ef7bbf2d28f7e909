/*
 * conf_apply.h - what the configuration means to the store and to connections.
 *
 * The store and the connections know no configuration. This translates it for them, at the start
 * and at every reload. All calls are for the main thread.
 */
#ifndef KVCACHED_DAEMON_SERVER_CONF_APPLY_H
#define KVCACHED_DAEMON_SERVER_CONF_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "daemon/conn/settings.h"
#include "daemon/store/store.h"

/* Gives the store its namespaces and limits. conf_apply_continue has to follow, until it is done;
 * see store_policy_begin. False when there is no memory: nothing has changed then. */
bool conf_apply_begin(const struct conf *conf, struct store_thread *store_thread);

/* The same with all steps, at the start, when no other thread runs. */
bool conf_apply_all(const struct conf *conf, struct store_thread *store_thread, uint64_t now);

/* Does steps for about 0.5 ms. `now` is in milliseconds on clock_now(). */
enum store_progress conf_apply_continue(struct store_thread *store_thread, uint64_t now);

/* Whether the store could not create all declared namespaces yet. Logs how many and why. */
bool conf_apply_is_incomplete(const struct store_thread *store_thread);

/* Which setting does not fit into `memory` (bytes), for the log; NULL: all do. The checks of conf/
 * compare a file with its own memory, which the daemon may not have been able to get. */
const char *conf_apply_conflict(const struct conf *conf, uint64_t memory);

/* Whether the records of some namespace are in a cluster. */
bool conf_apply_needs_cluster(const struct conf *conf);

struct conn_settings conf_apply_conn_settings(const struct conf *conf);

#endif
