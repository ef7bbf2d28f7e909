/*
 * recover.h - making a store of what an arena file holds.
 *
 * Names give the namespaces and their generations, labels the segments; what belongs to no
 * current generation is freed. The segments are walked twice, by several threads: first
 * every record is checked and what is not whole, or not alive, is marked as dead; then the
 * others go into the index. That comes second because to look into the index is to read
 * other segments' records. Of two records of one key that both live any may stay: the
 * process ended between the commit of the newer one and the end of the older one, so no
 * client was told that it was written.
 *
 * Nothing is written that was not so before in meaning: records are marked as dead, segments
 * become shorter, labels become free. So recovery may be ended at any point and begun again.
 *
 * It can be cancelled in between: then the file is as good as it was.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/store/store.h"

/*
 * All parts of the store are initialised and empty, and its file was kept. `now` is on the
 * store's clock. Evicts what does not fit into the memory. False, with errno, without memory
 * for it.
 */
bool recover_store(struct store *store, const struct store_options *options, uint64_t now,
                   struct store_recovery *found);

#endif
