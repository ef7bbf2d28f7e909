/*
 * creators.h - how many namespaces each maker has made that are not declared.
 *
 * A maker is a number that the threads above name (store_lane_name_maker): a user, say. There
 * is an entry for as long as it has a namespace. Under namespaces.lock.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_CREATORS_H
#define KVCACHED_DAEMON_STORE_RECORDS_CREATORS_H

#include <stdint.h>

enum { MAKERS_HEADS = 256 };

struct maker {
    struct maker *next;
    uint64_t tag;
    uint32_t namespaces;
};

struct makers {
    struct maker *heads[MAKERS_HEADS];
};

/* How many are that maker's. */
uint32_t makers_namespaces(const struct makers *makers, uint64_t tag);

/* One more is. NULL without memory, or where `tag` is 0, which is no maker's. */
struct maker *makers_take(struct makers *makers, uint64_t tag);
/* One less. Sets *maker to NULL; good for NULL. */
void makers_give(struct makers *makers, struct maker **maker);

#endif
