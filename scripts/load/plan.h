/*
 * plan.h - what one run of the generator shall do, read from its arguments.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_PLAN_H
#define KVCACHED_SCRIPTS_LOAD_PLAN_H

#include "scripts/load/dialect.h"
#include "scripts/load/keyspace.h"

#include <sys/types.h>

enum plan_mode {
    PLAN_FILL, /* store every record once, in order */
    PLAN_READ, /* read every record once, in order */
    PLAN_MIX,  /* sets and gets of random records for a time */
    PLAN_IDLE, /* hold the connections and ask nothing */
};

struct plan {
    const char *host; /* numeric address */
    const char *port;
    const struct dialect *dialect;
    bool tls;
    bool trust; /* the server's replies are fixed: judge their form only */
    enum plan_mode mode;
    unsigned connections;
    unsigned pipeline; /* requests sent at once on a connection, then awaited */
    unsigned rate;     /* requests a second, sent on time whatever the replies do; 0: as
                          fast as the server answers */
    struct keyspace keys;
    size_t value_bytes;
    unsigned sets, gets; /* the mixture */
    bool cache_aside;    /* a miss is followed by a set of that record */
    uint64_t requests;   /* PLAN_MIX: stop after so many; 0: only by time */
    double seconds;      /* measured; in the other modes the most that it may take */
    double warmup;       /* before that, not measured */
    uint64_t seed;
    pid_t pid; /* of the server, for its CPU time; 0: not asked */
};

/* Reads the arguments. On a mistake it explains it on stderr and returns false. */
bool plan_read(struct plan *plan, int argc, char **argv);

#endif
