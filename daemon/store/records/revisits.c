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

static void account(struct revisits *owed, struct owed_total *total, uint64_t bytes)
{
    __atomic_fetch_add(&total->bytes, bytes - owed->bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&owed->bytes, bytes, __ATOMIC_RELAXED);
}

static bool may_grow(const struct revisits *owed, const struct owed_total *total, uint64_t bytes)
{
    return __atomic_load_n(&total->bytes, __ATOMIC_RELAXED) + bytes - owed->bytes <=
           __atomic_load_n(&total->most, __ATOMIC_RELAXED);
}

void revisits_clear(struct revisits *owed, struct owed_total *total)
{
    account(owed, total, 0);
    free(owed->list);
    free(owed->map);
    owed->list = owed->map = NULL;
    owed->count = owed->room = 0;
}

/* --- marking -------------------------------------------------------------------- */

static unsigned bits_for(uint64_t buckets)
{
    unsigned bits = (unsigned)(63 - __builtin_clzll(buckets)) + CELLS_A_BUCKET;
    return bits < OWED_BITS_MIN ? OWED_BITS_MIN : bits > OWED_BITS_MAX ? OWED_BITS_MAX : bits;
}

static void mark(struct revisits *owed, uint64_t at)
{
    uint64_t cell = at >> (64 - owed->bits);
    owed->map[cell / 64] |= UINT64_C(1) << (cell % 64);
}

static bool make_map(struct revisits *owed, struct owed_total *total, unsigned bits)
{
    uint64_t bytes = UINT64_C(1) << (bits - 3);
    owed->map = may_grow(owed, total, bytes) ? calloc(1, bytes) : NULL;
    if (owed->map == NULL) {
        return false;
    }
    owed->bits = bits;
    for (uint32_t i = 0; i < owed->count; i++) {
        mark(owed, owed->list[i]);
    }
    free(owed->list);
    owed->list = NULL;
    owed->count = owed->room = 0;
    account(owed, total, bytes);
    return true;
}

static bool grow_list(struct revisits *owed, struct owed_total *total)
{
    uint32_t room = owed->room == 0 ? LIST_FIRST : 2 * owed->room;
    uint64_t bytes = room * sizeof *owed->list;
    uint64_t *list = may_grow(owed, total, bytes) ? realloc(owed->list, bytes) : NULL;
    if (list == NULL) {
        return false;
    }
    owed->list = list;
    owed->room = room;
    account(owed, total, bytes);
    return true;
}

/* Room for one more, in a list or in a map. */
static bool make_room(struct revisits *owed, struct owed_total *total, uint64_t buckets)
{
    unsigned bits = bits_for(buckets);
    bool is_long = owed->room * sizeof *owed->list >= UINT64_C(1) << (bits - 3);
    return is_long ? make_map(owed, total, bits) : grow_list(owed, total);
}

bool revisits_add(struct revisits *owed, struct owed_total *total, uint64_t hash, uint64_t buckets)
{
    if (owed->map == NULL && owed->count == owed->room && !make_room(owed, total, buckets)) {
        return false;
    }
    if (owed->map != NULL) {
        mark(owed, revisits_reverse(hash));
    } else {
        owed->list[owed->count++] = revisits_reverse(hash);
    }
    return true;
}

bool revisits_next(const struct revisits *owed, uint64_t *at)
{
    unsigned shift = 64 - owed->bits;
    uint64_t cell = *at >> shift;
    uint64_t words = UINT64_C(1) << (owed->bits - 6);
    uint64_t word = cell / 64;
    uint64_t left = owed->map[word] >> (cell % 64) << (cell % 64);
    while (left == 0 && ++word < words) {
        left = owed->map[word];
    }
    if (left == 0) {
        return false;
    }
    uint64_t next = word * 64 + (uint64_t)__builtin_ctzll(left);
    *at = next == cell ? *at : next << shift;
    return true;
}
