/*
 * fit.h - whether a large value can be had at all: asked before anything is evicted for it.
 *
 * Beside the value there has to be room for what may not be evicted for it: what is fresh (age.h),
 * the frames that those who make room need, and the index. So a value takes no more than three
 * quarters of a quota. One of a namespace without a quota takes half of the memory at most, and
 * three quarters of what is left of it beside the index and the namespaces with a quota. These
 * count with what they hold, or with their quotas if that is less.
 *
 * What readers hold cannot be evicted either. Where that leaves too little a value whose bytes
 * are all there is refused for now; one that is sent may find more room as it comes.
 */
#ifndef KVCACHED_FIT_H
#define KVCACHED_FIT_H

#include "daemon/store/state.h"

/* STORE_OK, STORE_TOO_LARGE, or with `at_once` STORE_NO_MEMORY. Between store_enter and
 * store_leave; takes leaf locks only. */
enum store_status fit_value(struct store *store, const struct namespace *ns, uint64_t length,
                            bool at_once);

#endif
