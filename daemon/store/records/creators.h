/*
 * creators.h - how many namespaces each creator has made that are not declared.
 *
 * A creator is a number that the threads above name (store_thread_set_creator): a user, say. There
 * is an entry for as long as it has a namespace. Under namespaces.lock.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_CREATORS_H
#define KVCACHED_DAEMON_STORE_RECORDS_CREATORS_H

#include <stdint.h>

enum { CREATORS_HEADS = 256 };

struct creator {
    struct creator *next;
    uint64_t tag;
    uint32_t namespaces;
};

struct creators {
    struct creator *heads[CREATORS_HEADS];
};

/* How many are that creator's. */
uint32_t creators_namespaces(const struct creators *creators, uint64_t tag);

/* One more is. NULL without memory, or where `tag` is 0, which is no creator's. */
struct creator *creators_take(struct creators *creators, uint64_t tag);
/* One less. Sets *creator to NULL; good for NULL. */
void creators_give(struct creators *creators, struct creator **creator);

#endif
