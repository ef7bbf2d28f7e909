/*
 * exchange.h - requests written, replies judged and counted, on any link.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_EXCHANGE_H
#define KVCACHED_SCRIPTS_LOAD_EXCHANGE_H

#include "scripts/load/histogram.h"
#include "scripts/load/link.h"
#include "scripts/load/source.h"

struct tally {
    uint64_t requests; /* answered */
    uint64_t stored, hits, misses;
    uint64_t lasting_hits, lasting_misses; /* of them, of records that are not brief */
    uint64_t refused;                      /* error lines and wrong values */
    struct histogram latency;
};

struct exchange {
    const struct plan *plan;
    struct source *source;
    struct tally tally;
    uint64_t under_way; /* asked and not answered, on all links */
    uint64_t answered;  /* since the start, warm-up included */
    /* When the first and the last of the stored records expire at the latest,
     * by process_clock: the reply's time plus the ttl. 0: none does. */
    uint64_t first_deadline, last_deadline;
    /* scratch */
    struct record record;
    struct payload payload;
    char *filler, *in, *out;
};

bool exchange_init(struct exchange *x, const struct plan *plan, struct source *source);
void exchange_deinit(struct exchange *x);

/* Sends up to `most` requests on the link in one go. False: it is closed. */
bool exchange_ask(struct exchange *x, struct link *l, unsigned most);

/* Reads once and judges what is whole. False, with a word on stderr, when the
 * link is closed or a reply makes no sense. */
bool exchange_take(struct exchange *x, struct link *l);

#endif
