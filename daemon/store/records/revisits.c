/*
 * revisits.c - a list that grows into a map; see revisits.h.
 */
#include "daemon/store/records/revisits.h"

#include <stdlib.h>

enum {
    LIST_FIRST = 32,   /* hashes */
    CELLS_A_BUCKET = 4 /* as a power of two */
};

uint64_t revisits_reverse(uint64_t hash)
{
    static const uint64_t ones = UINT64_C(0x5555555555555555);
    static const uint64_t twos = UINT64_C(0x3333333333333333);
    static const uint64_t fours = UINT64_C(0x0f0f0f0f0f0f0f0f);
    hash = (hash >> 1 & ones) | (hash & ones) << 1;
    hash = (hash >> 2 & twos) | (hash & twos) << 2;
    hash = (hash >> 4 & fours) | (hash & fours) << 4;
    return __builtin_bswap64(hash);
}

/* --- memory ------------------------------------------------------------------- */

static void account(struct revisits *set, struct revisits_total *total, uint64_t bytes)
{
    __atomic_fetch_add(&total->bytes, bytes - set->bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&set->bytes, bytes, __ATOMIC_RELAXED);
}

static bool may_grow(const struct revisits *set, const struct revisits_total *total, uint64_t bytes)
{
    return __atomic_load_n(&total->bytes, __ATOMIC_RELAXED) + bytes - set->bytes <=
           __atomic_load_n(&total->most, __ATOMIC_RELAXED);
}

void revisits_clear(struct revisits *set, struct revisits_total *total)
{
    account(set, total, 0);
    free(set->list);
    free(set->map);
    set->list = set->map = NULL;
    set->count = set->room = 0;
}

/* --- marking -------------------------------------------------------------------- */

static unsigned bits_for(uint64_t buckets)
{
    unsigned bits = (unsigned)(63 - __builtin_clzll(buckets)) + CELLS_A_BUCKET;
    return bits < REVISITS_BITS_MIN   ? REVISITS_BITS_MIN
           : bits > REVISITS_BITS_MAX ? REVISITS_BITS_MAX
                                      : bits;
}

static void mark(struct revisits *set, uint64_t at)
{
    uint64_t cell = at >> (64 - set->bits);
    set->map[cell / 64] |= UINT64_C(1) << (cell % 64);
}

static bool make_map(struct revisits *set, struct revisits_total *total, unsigned bits)
{
    uint64_t bytes = UINT64_C(1) << (bits - 3);
    set->map = may_grow(set, total, bytes) ? calloc(1, bytes) : NULL;
    if (set->map == NULL) {
        return false;
    }
    set->bits = bits;
    for (uint32_t i = 0; i < set->count; i++) {
        mark(set, set->list[i]);
    }
    free(set->list);
    set->list = NULL;
    set->count = set->room = 0;
    account(set, total, bytes);
    return true;
}

static bool grow_list(struct revisits *set, struct revisits_total *total)
{
    uint32_t room = set->room == 0 ? LIST_FIRST : 2 * set->room;
    uint64_t bytes = room * sizeof *set->list;
    uint64_t *list = may_grow(set, total, bytes) ? realloc(set->list, bytes) : NULL;
    if (list == NULL) {
        return false;
    }
    set->list = list;
    set->room = room;
    account(set, total, bytes);
    return true;
}

/* Room for one more, in a list or in a map. */
static bool make_room(struct revisits *set, struct revisits_total *total, uint64_t buckets)
{
    unsigned bits = bits_for(buckets);
    bool is_long = set->room * sizeof *set->list >= UINT64_C(1) << (bits - 3);
    return is_long ? make_map(set, total, bits) : grow_list(set, total);
}

bool revisits_add(struct revisits *set, struct revisits_total *total, uint64_t hash,
                  uint64_t buckets)
{
    if (set->map == NULL && set->count == set->room && !make_room(set, total, buckets)) {
        return false;
    }
    if (set->map != NULL) {
        mark(set, revisits_reverse(hash));
    } else {
        set->list[set->count++] = revisits_reverse(hash);
    }
    return true;
}

bool revisits_next(const struct revisits *set, uint64_t *at)
{
    unsigned shift = 64 - set->bits;
    uint64_t cell = *at >> shift;
    uint64_t words = UINT64_C(1) << (set->bits - 6);
    uint64_t word = cell / 64;
    uint64_t left = set->map[word] >> (cell % 64) << (cell % 64);
    while (left == 0 && ++word < words) {
        left = set->map[word];
    }
    if (left == 0) {
        return false;
    }
    uint64_t next = word * 64 + (uint64_t)__builtin_ctzll(left);
    *at = next == cell ? *at : next << shift;
    return true;
}
