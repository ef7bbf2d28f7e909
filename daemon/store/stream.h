/*
 * stream.h - large records: what the other files of the store need of stream.c.
 */
#ifndef KVCACHED_STREAM_H
#define KVCACHED_STREAM_H

#include "daemon/store/state.h"

/* store_put for a record that needs segments of its own. */
enum store_status stream_put(struct lane *lane, struct store_key *at, enum store_mode mode,
                             struct store_ttl ttl, uint32_t client_flags, struct slice value,
                             uint64_t now);

/* Gives a large record another expiry where it lies. Namespace and bucket are
 * locked. */
void stream_set_expiry(struct store *store, struct segment *segment, uint64_t expires);

#endif
