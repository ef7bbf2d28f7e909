/*
 * policies.h - caches that only count: what other ways to evict would miss.
 *
 * Each record is charged its bytes and what the policy is told that it costs besides.
 * They are as their authors describe them, record by record, with no segments:
 *
 *   LRU      exact
 *   CLOCK    FIFO with another round for what was read (Corbato, 1969)
 *   SIEVE    Zhang, Yang, Yue, Vigfusson and Rashmi, NSDI 2024
 *   S3-FIFO  Yang, Zhang, Qiu, Yue and Rashmi, SOSP 2023
 */
#ifndef KVCACHED_TESTS_STORE_EVICTION_POLICIES_H
#define KVCACHED_TESTS_STORE_EVICTION_POLICIES_H

#include "tests/store/eviction/trace.h"

enum policy_kind { POLICY_LRU, POLICY_CLOCK, POLICY_SIEVE, POLICY_S3FIFO, POLICIES };

extern const char *const policy_names[POLICIES];

struct policy_entry {
    uint32_t newer, older; /* 0: none */
    uint32_t bytes;
    uint8_t queue; /* 0: not there */
    uint8_t reads;
    uint64_t expires; /* 0: never */
    uint64_t dropped; /* S3-FIFO: when, counted in evictions; 0: not */
};

struct policy_queue {
    uint32_t newest, oldest;
    uint64_t bytes;
    uint64_t count;
};

struct policy {
    enum policy_kind kind;
    uint64_t capacity; /* bytes */
    uint32_t overhead; /* bytes of each record */
    struct policy_entry *entries;
    struct policy_queue queues[3];
    uint32_t hand;
    uint64_t evictions;
};

/* False when out of memory. */
bool policy_init(struct policy *policy, enum policy_kind kind, uint64_t capacity, uint32_t overhead,
                 uint32_t key_bound);
void policy_deinit(struct policy *policy);

/* Serves a request and stores what was missed; whether it was a hit. */
bool policy_serve(struct policy *policy, const struct trace_request *request);

#endif
