/*
 * housekeeper.h - the thread that gives back what has expired.
 *
 * It has an event base and a store thread of its own. Every purge interval, and sooner
 * when it is poked, it runs the store's housekeeping in short slices, resting as
 * long after each one as the slice took, so that it never has more than half a
 * core and no request waits behind it.
 */
#ifndef KVCACHED_DAEMON_MAINTENANCE_HOUSEKEEPER_H
#define KVCACHED_DAEMON_MAINTENANCE_HOUSEKEEPER_H

#include <stdint.h>

struct housekeeper;
struct store;

/* Makes its store thread and its thread; `interval` is in milliseconds, at least 1. NULL,
 * with errno, when something of it cannot be had. */
struct housekeeper *housekeeper_create(struct store *store, uint64_t interval);

/* Ends the thread, waits for it and sets *housekeeper to NULL. */
void housekeeper_destroy(struct housekeeper **housekeeper);

/* Any thread: do not wait for the interval. Cheap enough to be called after every
 * turn in which store_wants_housekeeping said so: only the first call since the
 * housekeeper last looked makes a system call. */
void housekeeper_poke(struct housekeeper *housekeeper);

/* Any thread: the interval counts from now on. */
void housekeeper_reconfigure(struct housekeeper *housekeeper, uint64_t interval);

/* Any thread: a number that goes up at least once a second while the thread
 * turns; for the watchdog. */
uint64_t housekeeper_heartbeat(const struct housekeeper *housekeeper);

#endif
