/*
 * recover_threads.h - work on all adopted segments, by several threads; see recover.h.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_THREADS_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_RECOVER_THREADS_H

#include "daemon/store/lifecycle/recovery.h"

typedef void recover_work(struct recover *recover, struct segment *segment);

/* Has it done for all adopted segments, on several threads at once. False, with ECANCELED, where
 * it was cancelled meanwhile. */
bool recover_each(struct recover *recover, recover_work *work);

/* The calling thread's. */
bool recover_is_cancelled(struct recover *recover);

#endif
