/*
 * write_txn.h - the frame in which a record is written.
 *
 *   change_begin   the namespace is locked: nobody else writes in it
 *   change_look    the key's bucket is locked too, and its record found
 *   change_unlook  the bucket is free again, say to make room
 *   change_commit  the new record is in place of the old one
 *   change_end     both are free
 *
 * While the namespace is locked a record can go away (deleted, evicted, expired)
 * but not be replaced or moved.
 */
#ifndef KVCACHED_DAEMON_STORE_ACCESS_WRITE_TXN_H
#define KVCACHED_DAEMON_STORE_ACCESS_WRITE_TXN_H

#include "daemon/store/reclaim/housekeep.h"
#include "daemon/store/records/append.h"
#include "daemon/store/records/lookup.h"

struct change {
    struct lane *lane;
    struct store_key *at;
    uint64_t now;
    struct bucket *home; /* locked, or NULL */
    bool found;          /* there is a record, alive or expired */
    bool lives;          /* and it has not expired */
    struct found old;
};

enum create { CHANGE_EXISTING, CHANGE_OR_CREATE };

/* STORE_OK: go on, and change_end in the end. Else nothing is locked. */
enum store_status change_begin(struct change *change, struct lane *lane, struct store_key *at,
                               enum create create, uint64_t now);
void change_look(struct change *change);
void change_unlook(struct change *change);

/* A slot for the record, the old one's or a new one. False without memory. */
bool change_slot(struct change *change, struct slot *slot);
/* Turns that slot to the record at `place`, which is in the segment already, and
 * buries the old one. */
void change_commit(struct change *change, struct slot *slot, uint32_t place);
void change_end(struct change *change);
/* The same where nothing was written: the namespace may have been made in vain. */
void change_fail(struct change *change);

/*
 * Ends the change and makes the room that was found lacking. True when it makes
 * sense to begin again; else nothing more may be evicted.
 */
bool change_make_room(struct change *change, enum lack lack);

#endif
