/*
 * evict_namespace.h - a namespace with a quota makes room for itself; see evict.h.
 *
 * With store.reclaim_lock held, and no namespace or bucket locked. Each returns the effort, in
 * records; 0 when there is nothing to evict.
 */
#ifndef KVCACHED_DAEMON_STORE_RECLAIM_EVICT_NAMESPACE_H
#define KVCACHED_DAEMON_STORE_RECLAIM_EVICT_NAMESPACE_H

#include <stddef.h>
#include <stdint.h>

struct namespace;
struct store_thread;

/* Evicts inside of one namespace. */
size_t evict_namespace(struct store_thread *thread, struct namespace *ns, uint64_t now);
/* The same, such that a frame comes free: what other namespaces have in it is moved. */
size_t evict_namespace_frame(struct store_thread *thread, struct namespace *ns, uint64_t now);
/* Evicts from a namespace that nears its quota, or is above it, until it is safely below. */
size_t evict_namespace_ahead(struct store_thread *thread, struct namespace *ns, uint64_t now);

#endif
