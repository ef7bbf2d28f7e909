/*
 * check_share.c - is what is counted as pinned and as being written what is so? For store_check.
 */
#include "daemon/store/lifecycle/check_share.h"

struct sums {
    uint64_t pinned, pooled, orphaned, writing;
};

/* A write's blocks: the head and its pieces. */
static uint64_t blocks_of(const struct segments *segments, const struct segment *segment)
{
    uint64_t bytes = segment_capacity(segment);
    while (segment->piece != 0) {
        segment = segment_at(segments, segment->piece);
        bytes += segment_capacity(segment);
    }
    return bytes;
}

static void sum_segments(const struct store *store, struct sums *sums)
{
    for (uint32_t number = 1; number < segments_end(&store->segments); number++) {
        const struct segment *segment = segment_at(&store->segments, number);
        uint64_t references = segment->references;
        enum segment_state state = segment_state(segment);
        if (state == SEGMENT_WRITING) {
            sums->writing += blocks_of(&store->segments, segment);
        }
        if (state != SEGMENT_FREE && state != SEGMENT_PIECE && segment_has_pins(references)) {
            uint64_t bytes = segment_counted(references);
            sums->pinned += bytes;
            sums->pooled += (references & SEGMENT_POOL) != 0 ? bytes : 0;
            sums->orphaned += (references & SEGMENT_OWNER) == 0 ? bytes : 0;
        }
    }
}

const char *check_shares(const struct store *store)
{
    struct sums of_segments = {0};
    struct sums counted = {.pooled = store->pool.pinned};
    uint64_t announced = 0;
    sum_segments(store, &of_segments);
    for (uint32_t id = 1; id <= store->namespaces.highest; id++) {
        const struct namespace *ns = store->namespaces.by_id[id];
        if (ns != NULL) {
            counted.pinned += ns->share.pinned;
            counted.orphaned += ns->share.orphaned;
            counted.writing += ns->share.writing;
            announced += ns->share.announced;
        }
    }
    if (counted.pinned != of_segments.pinned || counted.pooled != of_segments.pooled) {
        return "pinned memory is miscounted";
    }
    if (counted.orphaned != of_segments.orphaned) {
        return "memory that only readers hold is miscounted";
    }
    if (counted.writing != of_segments.writing) {
        return "memory that is being written is miscounted";
    }
    return store->pool.announced <= announced ? NULL : "announced memory is miscounted";
}
