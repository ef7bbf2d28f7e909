/*
 * write_begin.h - where a write begins: with its namespace, and with room.
 *
 * A write is a write_txn. It begins here, which may make the namespace, and comes back here
 * where it lacks room: making room takes locks that a transaction must not hold.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_WRITE_BEGIN_H
#define KVCACHED_DAEMON_STORE_ACCESS_WRITE_BEGIN_H

#include "daemon/store/reclaim/housekeep.h"
#include "daemon/store/records/write_txn.h"

enum write_create { WRITE_EXISTING, WRITE_OR_CREATE };

/* STORE_OK: go on, and write_txn_end in the end. Else nothing is locked. */
enum store_status write_txn_begin(struct write_txn *txn, struct store_thread *thread,
                                  struct store_key *at, enum write_create create, uint64_t now);
/*
 * Ends the change and makes the room that was found lacking. True when it makes
 * sense to begin again; else nothing more may be evicted.
 */
bool write_txn_make_room(struct write_txn *txn, enum lack lack);

#endif
