/*
 * housekeeper.h - the thread that runs the store's housekeeping: expired records, memory to
 * reclaim.
 *
 * It has an event base and a store thread of its own. Every purge interval, and sooner when it is
 * poked, it runs store_housekeep in short slices. After each slice it rests for as long as the
 * slice took, so that it takes half a core at most and no request waits behind it.
 */
#ifndef KVCACHED_DAEMON_MAINTENANCE_HOUSEKEEPER_H
#define KVCACHED_DAEMON_MAINTENANCE_HOUSEKEEPER_H

#include <stdint.h>

struct housekeeper;
struct instance;
struct store;

/* Starts the thread. `interval` is in milliseconds, at least 1. Where the instance has a watch, the
 * housekeeper is the source behind those of the workers. The store and the instance must outlive
 * the housekeeper. NULL with errno. */
struct housekeeper *housekeeper_create(struct store *store, const struct instance *instance,
                                       uint64_t interval);

/* Ends the thread, waits for it and frees all. Sets *housekeeper to NULL; NULL is legal. */
void housekeeper_destroy(struct housekeeper **housekeeper);

/* Starts a slice before the interval is over. Any thread. Costs little: only the first call since
 * the last slice makes a system call, so it may be called whenever store_wants_housekeeping is
 * true. */
void housekeeper_poke(struct housekeeper *housekeeper);

/* Sets the interval and restarts it. Any thread. */
void housekeeper_reconfigure(struct housekeeper *housekeeper, uint64_t interval);

/* A number that goes up at least once a second while the thread's event loop runs. Any thread. */
uint64_t housekeeper_heartbeat(const struct housekeeper *housekeeper);

#endif
