/*
 * sketch.c - the most frequent of many keys, in a fixed space.
 */
#include "scripts/cli/sketch.h"

#include <stdlib.h>

/* FNV-1a. */
static uint64_t hash_of(struct slice key)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < key.length; i++) {
        hash = (hash ^ (unsigned char)key.bytes[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

void sketch_init(struct sketch *sketch)
{
    *sketch = (struct sketch){.keys = memory_new(SKETCH_KEYS, sizeof *sketch->keys)};
}

void sketch_deinit(struct sketch *sketch)
{
    for (size_t i = 0; i < sketch->used; i++) {
        bytes_deinit(&sketch->keys[i].key);
    }
    free(sketch->keys);
}

/* NULL: it is not counted. */
static struct sketch_key *find(struct sketch *sketch, struct slice key, uint64_t hash)
{
    for (size_t i = 0; i < sketch->used; i++) {
        struct sketch_key *one = &sketch->keys[i];
        if (one->hash == hash && slice_equal(bytes_slice(&one->key), key)) {
            return one;
        }
    }
    return NULL;
}

/* A free place, or that of the rarest key, whose count the new one takes over. */
static struct sketch_key *make_room(struct sketch *sketch)
{
    if (sketch->used < SKETCH_KEYS) {
        return &sketch->keys[sketch->used++];
    }
    struct sketch_key *rarest = &sketch->keys[0];
    for (size_t i = 1; i < sketch->used; i++) {
        if (sketch->keys[i].count < rarest->count) {
            rarest = &sketch->keys[i];
        }
    }
    rarest->over = rarest->count;
    return rarest;
}

void sketch_add(struct sketch *sketch, struct slice key)
{
    uint64_t hash = hash_of(key);
    struct sketch_key *one = find(sketch, key, hash);
    if (one == NULL) {
        one = make_room(sketch);
        one->hash = hash;
        one->key.length = 0;
        bytes_append(&one->key, key);
    }
    one->count++;
    sketch->total++;
}

static int compare(const void *a, const void *b)
{
    const struct sketch_key *left = a, *right = b;
    return (left->count < right->count) - (left->count > right->count);
}

void sketch_sort(struct sketch *sketch)
{
    if (sketch->used > 0) {
        qsort(sketch->keys, sketch->used, sizeof *sketch->keys, compare);
    }
}
