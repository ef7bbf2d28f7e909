/*
 * conf_apply.h - what the configuration means to the store and to connections.
 *
 * The store and the connections know no configuration; here it is put into
 * their words, at the start and at every reload. All of it is for the main thread.
 */
#ifndef KVCACHED_DAEMON_SERVER_CONF_APPLY_H
#define KVCACHED_DAEMON_SERVER_CONF_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "daemon/conn/settings.h"
#include "daemon/store/store.h"

/* Gives the store its namespaces and limits: see store_policy_begin, whose steps are to follow.
 * False when there is no memory: then nothing has changed. */
bool conf_apply_begin(const struct conf *conf, struct store_thread *store_thread);

/* The same with all its steps, at the start, when nothing else goes on. */
bool conf_apply_all(const struct conf *conf, struct store_thread *store_thread, uint64_t now);

/* Steps for about half a millisecond, as far as that takes it. */
enum store_progress conf_apply_continue(struct store_thread *store_thread, uint64_t now);

/* Says in the log what is owed, if something is: then true. */
bool conf_apply_is_incomplete(const struct store_thread *store_thread);

/* What of it does not fit the `memory` (bytes) that the store has, for the log; NULL: all
 * does. A file's own checks cannot see it where the same file asks for more memory, which could
 * not be had. */
const char *conf_apply_conflict(const struct conf *conf, uint64_t memory);

struct conn_settings conf_apply_conn_settings(const struct conf *conf);

#endif
