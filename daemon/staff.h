/*
 * staff.h - all the threads of the daemon together: workers and housekeeper.
 */
#ifndef KVCACHED_STAFF_H
#define KVCACHED_STAFF_H

#include <stdbool.h>

#include "conf/conf.h"
#include "daemon/facts.h"
#include "daemon/housekeeper.h"
#include "daemon/worker.h"

struct staff {
    struct housekeeper *housekeeper;
    struct worker **workers;
    unsigned count; /* of workers */
};

/* Starts facts->threads workers, and the housekeeper. False when one of them could
 * not start: then the log has said which, and staff_end ends the others. `store`
 * and `facts` must outlive them. */
bool staff_start(struct staff *staff, const struct conf *conf, struct store *store,
                 struct facts *facts);

/* What of a reloaded configuration concerns threads. */
void staff_reconfigure(struct staff *staff, const struct conf *conf);

/* Lets them finish what was asked of them, waits for that, and frees all. Good for
 * a zeroed one. */
void staff_end(struct staff *staff);

#endif
