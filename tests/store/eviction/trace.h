/*
 * trace.h - streams of requests to a cache, made up from a seed.
 *
 * Everything is done in integers, Zipf's law too, so a trace is the same on every
 * machine; trace_checksum tells. A request is a read of a key, which is written when
 * it was missed, or a write.
 */
#ifndef KVCACHED_TESTS_STORE_EVICTION_TRACE_H
#define KVCACHED_TESTS_STORE_EVICTION_TRACE_H

#include <stdbool.h>
#include <stdint.h>

enum trace_kind {
    TRACE_ZIPF_08,
    TRACE_ZIPF_10,
    TRACE_SCANS,      /* Zipf 1; a fourth of the time half of the keys never come again */
    TRACE_DRIFT,      /* Zipf 1; every now and then a new key is the most popular one */
    TRACE_SETS,       /* half Zipf 1, half a set of keys that is replaced by another */
    TRACE_TTL,        /* Zipf 1; half of the keys expire soon */
    TRACE_SIZES,      /* Zipf 1; values of 16 bytes to a kilobyte */
    TRACE_OVERWRITES, /* Zipf 1; one request in twenty is a write */
    TRACE_KINDS,
};

struct trace {
    enum trace_kind kind;
    uint32_t keys;
    uint32_t *keep, *other; /* of each rank: the share that it keeps of its cell, and
                               whose the rest is */
    uint64_t random;
    uint64_t step;
    uint32_t fresh; /* keys that were never there before are from here on */
};

struct trace_request {
    uint32_t key; /* below trace_key_bound */
    uint32_t length;
    uint64_t now; /* ms */
    uint64_t ttl; /* ms; 0: none */
    bool writes;
};

extern const char *const trace_names[TRACE_KINDS];

/* False when out of memory. */
bool trace_init(struct trace *trace, enum trace_kind kind, uint32_t keys);
void trace_deinit(struct trace *trace);

/* Back to the first request. */
void trace_rewind(struct trace *trace);
struct trace_request trace_next(struct trace *trace);

uint32_t trace_key_bound(const struct trace *trace, uint64_t requests);

/* Of so many requests from the beginning; rewinds. */
uint64_t trace_checksum(struct trace *trace, uint64_t requests);

#endif
