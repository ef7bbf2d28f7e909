/*
 * store_stats.h - the figures of the store, of its namespaces and of its file. A part of store.h.
 */
#ifndef KVCACHED_DAEMON_STORE_STORE_STATS_H
#define KVCACHED_DAEMON_STORE_STORE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store_status.h"
#include "protocol/slice.h"

struct store;
struct store_thread;

struct store_counters {
    uint64_t hits;
    uint64_t misses;
    uint64_t sets;   /* values that were written: PUT and ADD in all their modes */
    uint64_t denied; /* values that were not: the record was not as the terms want it */
    uint64_t deletes;
    uint64_t touches;
    uint64_t increments, decrements; /* of a number that was there */
    uint64_t made;                   /* records that a look or a sum made, or that were emptied */
    uint64_t cas_hits;               /* of `sets`: the expected version was replaced */
    uint64_t cas_changed;            /* of `denied`: there was another version */
    uint64_t cas_missing;            /* of `denied`: there was no record */
    uint64_t full;                   /* values that no memory could be had for */
    uint64_t expirations;            /* records purged because their time had come */
    uint64_t evictions;              /* records dropped while they still lived */
};

struct store_namespace_stats {
    char name[STORE_NAMESPACE_MAX + 1];
    uint64_t items;
    uint64_t bytes;  /* of live records, headers included */
    uint64_t memory; /* bytes of arena that it owns */
    uint64_t quota;  /* 0: none */
    uint64_t ttl, max_ttl;
    bool declared;
    struct store_counters counters;
};

/* The first namespace with a number of *next or above; sets *next past it. False
 * when there is none. Start with *next = 0. Each namespace that stays is given
 * once. */
bool store_namespace_next(struct store_thread *thread, uint32_t *next,
                          struct store_namespace_stats *stats);
/* Names only, as store_namespace_next gives figures: locks nothing. The name is good until
 * store_leave. */
bool store_namespace_walk(struct store_thread *thread, uint32_t *next, struct slice *name,
                          bool *declared);
/* STORE_OK, STORE_NOT_FOUND or STORE_UNDECLARED. */
enum store_status store_namespace_stats(struct store_thread *thread, struct slice name,
                                        struct store_namespace_stats *stats);

/* Counters by the number of a namespace, which another namespace may get after it. */
struct store_number_stats {
    struct store_counters counters; /* of all namespaces with that number, since the start */
    bool used;                      /* a namespace has it now: `of` */
    struct store_namespace_stats of;
};

/* For counters that never go back. Describes the number *next, and sets *next to the one after it;
 * start with 0, which stands for requests to namespaces that did not exist. False after the last
 * number. The counters of `of` are since the namespace was created, whatever store_reset_counters
 * has done. Holds the lock for one number only. */
bool store_number_next(struct store_thread *thread, uint32_t *next,
                       struct store_number_stats *stats);

struct store_stats {
    uint64_t items;
    uint64_t bytes;
    uint64_t total_items; /* records that were written, changes of numbers apart */
    uint64_t memory_limit;
    uint64_t memory_used; /* arena, index and tables */
    uint64_t index_bytes;
    uint64_t segments;
    uint64_t segment_size;
    uint64_t segments_free;
    uint64_t grain; /* bytes: what a record takes is a multiple of it */
    uint64_t namespaces;
    uint64_t compactions; /* segments rewritten to win back dead space */
    uint64_t reclaims;    /* times that a writer had to make room itself */
    struct store_counters counters;
};
void store_stats(struct store_thread *thread, struct store_stats *stats);
/* The same without the sums over all namespaces, which are 0. Takes no lock. */
void store_memory_stats(struct store_thread *thread, struct store_stats *stats);

/* What the file system has done with the blocks of the arena's file. */
struct store_file_stats {
    const char *file;          /* its name, the store's own; NULL: there is none */
    uint64_t granted, refused; /* how often it gave blocks, and how often it refused them: then
                                  the store makes do with what it has */
    uint64_t kept;             /* how often it did not take blocks back */
    int why_refused, why_kept; /* errno of the last time */
    uint64_t memory_used, memory_limit;
    const void *mapped; /* where in memory all of it is */
    size_t length;
};

/* Any thread, inside or outside of enter and leave; cheap. */
void store_file_stats(const struct store *store, struct store_file_stats *stats);
void store_reset_counters(struct store_thread *thread);

#endif
