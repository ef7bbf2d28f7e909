/*
 * keyspace.h - which records there are: the name, key and ttl of record i.
 *
 * A record is known by its number alone; everything else follows from that, so
 * that the generator remembers nothing about what it stored and can still tell
 * a right answer from a wrong one. Popular ranks are scattered over the numbers,
 * so that what was stored together is not popular together.
 */
#ifndef KVCACHED_SCRIPTS_LOAD_KEYSPACE_H
#define KVCACHED_SCRIPTS_LOAD_KEYSPACE_H

#include "scripts/load/chance.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_NAMESPACE_MAX 64
#define RECORD_KEY_MIN       9 /* a letter and eight hexadecimal digits */
#define RECORD_KEY_MAX       250

struct record {
    char space[RECORD_NAMESPACE_MAX + 16]; /* the namespace; may be empty */
    size_t space_bytes;
    char key[RECORD_KEY_MAX];
    size_t key_bytes;
    uint32_t ttl; /* milliseconds; 0: does not expire */
};

struct keyspace {
    uint64_t count; /* of records; below 2^32 */
    size_t key_bytes;
    const char *name;    /* of the namespace, or the front of its name */
    uint32_t namespaces; /* 1: `name` as it is; more: name0, name1, … in turns */
    uint32_t ttl_min;    /* milliseconds, evenly spread over the records */
    uint32_t ttl_max;
    uint32_t brief; /* milliseconds that half of them, by chance, live instead; 0: none */
    bool skewed;
    struct zipf zipf; /* when skewed */
    uint64_t stride;  /* coprime to count: rank * stride mod count is a record */
};

/* Finishes a keyspace whose fields up to ttl_max are set; `s` of 0 is uniform. */
void keyspace_init(struct keyspace *k, double s);

/* The number of a random record. */
uint64_t keyspace_draw(const struct keyspace *k, struct chance *c);

/* Whether record i is one of those that live briefly. */
bool keyspace_is_brief(const struct keyspace *k, uint64_t i);

/* What all records of the keyspace share, once for each struct record. */
void keyspace_prepare(const struct keyspace *k, struct record *r);

/* What only record i has, into a prepared struct. */
void keyspace_record(const struct keyspace *k, uint64_t i, struct record *r);

#endif
