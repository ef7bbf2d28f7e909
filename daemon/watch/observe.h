/*
 * observe.h - turns what a thread does to records in the store into events of its source.
 */
#ifndef KVCACHED_DAEMON_WATCH_OBSERVE_H
#define KVCACHED_DAEMON_WATCH_OBSERVE_H

#include "daemon/store/store.h"
#include "daemon/watch/watch.h"

/* Publishes an eviction or an expiration, if one is watched. For a store_observer. */
void observe_deed(struct watch_source *source, const atomic_uint *wanted,
                  const struct store_observed *observed);

#endif
