/*
 * policies.c - lists through one array of entries; see policies.h. An entry's number is
 * its key's and 1.
 */
#include "tests/store/eviction/policies.h"

#include <stdlib.h>

enum { NONE, MAIN, SMALL };

const char *const policy_names[POLICIES] = {"LRU", "CLOCK", "SIEVE", "S3-FIFO"};

bool policy_init(struct policy *policy, enum policy_kind kind, uint64_t capacity, uint32_t overhead,
                 uint32_t key_bound)
{
    *policy = (struct policy){.kind = kind, .capacity = capacity, .overhead = overhead};
    policy->entries = calloc((size_t)key_bound + 1, sizeof *policy->entries);
    return policy->entries != NULL;
}

void policy_deinit(struct policy *policy)
{
    free(policy->entries);
    policy->entries = NULL;
}

static void push(struct policy *policy, uint32_t number, uint8_t which)
{
    struct policy_queue *queue = &policy->queues[which];
    struct policy_entry *entry = &policy->entries[number];
    entry->queue = which;
    entry->newer = 0;
    entry->older = queue->newest;
    if (queue->newest != 0) {
        policy->entries[queue->newest].newer = number;
    } else {
        queue->oldest = number;
    }
    queue->newest = number;
    queue->bytes += entry->bytes;
    queue->count++;
}

static void take(struct policy *policy, uint32_t number)
{
    struct policy_entry *entry = &policy->entries[number];
    struct policy_queue *queue = &policy->queues[entry->queue];
    if (policy->hand == number) {
        policy->hand = entry->newer;
    }
    if (entry->newer != 0) {
        policy->entries[entry->newer].older = entry->older;
    } else {
        queue->newest = entry->older;
    }
    if (entry->older != 0) {
        policy->entries[entry->older].newer = entry->newer;
    } else {
        queue->oldest = entry->newer;
    }
    queue->bytes -= entry->bytes;
    queue->count--;
    entry->queue = NONE;
}

/* --- victims ------------------------------------------------------------ */

static void evict_clock(struct policy *policy)
{
    uint32_t number = policy->queues[MAIN].oldest;
    while (policy->entries[number].reads > 0) {
        take(policy, number);
        policy->entries[number].reads--;
        push(policy, number, MAIN);
        number = policy->queues[MAIN].oldest;
    }
    take(policy, number);
}

static void evict_sieve(struct policy *policy)
{
    uint32_t number = policy->hand;
    for (;; number = policy->entries[number].newer) {
        number = number != 0 ? number : policy->queues[MAIN].oldest;
        if (policy->entries[number].reads == 0) {
            break;
        }
        policy->entries[number].reads = 0;
    }
    policy->hand = number;
    take(policy, number);
}

static void evict_small(struct policy *policy)
{
    uint32_t number = policy->queues[SMALL].oldest;
    struct policy_entry *entry = &policy->entries[number];
    take(policy, number);
    if (entry->reads > 1) {
        entry->reads = 0;
        push(policy, number, MAIN);
    } else {
        entry->dropped = ++policy->evictions;
    }
}

static void evict_s3fifo(struct policy *policy)
{
    if (policy->queues[SMALL].bytes >= policy->capacity / 10 || policy->queues[MAIN].count == 0) {
        evict_small(policy);
    } else {
        evict_clock(policy);
    }
}

static void evict(struct policy *policy)
{
    if (policy->kind == POLICY_LRU) {
        take(policy, policy->queues[MAIN].oldest);
    } else if (policy->kind == POLICY_CLOCK) {
        evict_clock(policy);
    } else if (policy->kind == POLICY_SIEVE) {
        evict_sieve(policy);
    } else {
        evict_s3fifo(policy);
    }
}

/* --- a request ------------------------------------------------------------ */

static void touch(struct policy *policy, uint32_t number)
{
    static const uint8_t most[POLICIES] = {0, 1, 1, 3};
    struct policy_entry *entry = &policy->entries[number];
    if (entry->reads < most[policy->kind]) {
        entry->reads++;
    }
    if (policy->kind == POLICY_LRU) {
        take(policy, number);
        push(policy, number, MAIN);
    }
}

static uint8_t queue_for(const struct policy *policy, const struct policy_entry *entry)
{
    bool ghost =
        entry->dropped != 0 && policy->evictions - entry->dropped < policy->queues[MAIN].count;
    return policy->kind != POLICY_S3FIFO || ghost ? MAIN : SMALL;
}

static void insert(struct policy *policy, const struct trace_request *request, uint32_t number)
{
    struct policy_entry *entry = &policy->entries[number];
    entry->bytes = request->length + policy->overhead;
    while (policy->queues[MAIN].bytes + policy->queues[SMALL].bytes + entry->bytes >
           policy->capacity) {
        evict(policy);
    }
    entry->reads = 0;
    push(policy, number, queue_for(policy, entry));
    entry->dropped = 0;
}

bool policy_serve(struct policy *policy, const struct trace_request *request)
{
    uint32_t number = request->key + 1;
    struct policy_entry *entry = &policy->entries[number];
    bool there = entry->queue != NONE;
    bool hit = there && (entry->expires == 0 || entry->expires > request->now);
    if (there && !hit) {
        take(policy, number);
    }
    if (hit) {
        touch(policy, number);
    } else {
        insert(policy, request, number);
    }
    if (!hit || request->writes) {
        entry->expires = request->ttl == 0 ? 0 : request->now + request->ttl;
    }
    return hit;
}
