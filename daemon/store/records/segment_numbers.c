/*
 * segment_numbers.c - bits for numbers, bits for chunks; see segment_numbers.h.
 */
#include "daemon/store/records/segment_numbers.h"

#include <string.h>

#include "daemon/store/arena/pages.h"

enum { WORD = 64 };

static size_t free_bytes(const struct segment_numbers *set)
{
    return set->most * sizeof *set->free;
}

static uint32_t words(const struct segment_numbers *set)
{
    return set->most / WORD + 1;
}

static size_t bits_bytes(const struct segment_numbers *set)
{
    return words(set) * sizeof(uint64_t);
}

bool segment_numbers_init(struct segment_numbers *set, uint64_t numbers)
{
    memset(set, 0, sizeof *set);
    set->most = (uint32_t)(numbers / NUMBER_CHUNK_NUMBERS);
    set->free = pages_for(free_bytes(set));
    set->vacant = pages_for(bits_bytes(set));
    set->present = pages_for(bits_bytes(set));
    if (set->free == NULL || set->vacant == NULL || set->present == NULL) {
        segment_numbers_deinit(set);
        return false;
    }
    return true;
}

void segment_numbers_deinit(struct segment_numbers *set)
{
    pages_release(set->free, free_bytes(set));
    pages_release(set->vacant, bits_bytes(set));
    pages_release(set->present, bits_bytes(set));
    memset(set, 0, sizeof *set);
}

/* --- bits of chunks -------------------------------------------------------------- */

static void set_bit(uint64_t *bits, uint32_t at, bool on)
{
    uint64_t bit = UINT64_C(1) << at % WORD;
    bits[at / WORD] = on ? bits[at / WORD] | bit : bits[at / WORD] & ~bit;
}

/* The first one that is set, from word *from on, with `flip` applied to each word; *from becomes
 * its word. A number behind the last bit: none. */
static uint32_t first_bit(const struct segment_numbers *set, const uint64_t *bits, uint64_t flip,
                          uint32_t *from)
{
    uint32_t last = words(set) - 1;
    while (*from < last && (bits[*from] ^ flip) == 0) {
        (*from)++;
    }
    uint64_t word = bits[*from] ^ flip;
    return word == 0 ? set->most : *from * WORD + (uint32_t)__builtin_ctzll(word);
}

/* --- numbers ------------------------------------------------------------------------ */

void segment_numbers_claim(struct segment_numbers *set, uint32_t number)
{
    uint32_t chunk = number_chunk_of(number);
    set->free[chunk] &= ~(UINT64_C(1) << number % NUMBER_CHUNK_NUMBERS);
    if (set->free[chunk] == 0) {
        set_bit(set->vacant, chunk, false);
    }
}

uint32_t segment_numbers_take(struct segment_numbers *set)
{
    uint32_t chunk = first_bit(set, set->vacant, 0, &set->vacant_from);
    if (chunk >= set->most) {
        return 0;
    }
    uint32_t number = chunk * NUMBER_CHUNK_NUMBERS + (uint32_t)__builtin_ctzll(set->free[chunk]);
    segment_numbers_claim(set, number);
    return number;
}

void segment_numbers_give(struct segment_numbers *set, uint32_t number)
{
    uint32_t chunk = number_chunk_of(number);
    set->free[chunk] |= UINT64_C(1) << number % NUMBER_CHUNK_NUMBERS;
    set_bit(set->vacant, chunk, true);
    if (chunk / WORD < set->vacant_from) {
        set->vacant_from = chunk / WORD;
    }
}

/* --- chunks ------------------------------------------------------------------------ */

uint32_t segment_numbers_absent(struct segment_numbers *set)
{
    uint32_t chunk = first_bit(set, set->present, UINT64_MAX, &set->absent_from);
    return chunk < set->most ? chunk : set->most;
}

static uint64_t all_of(uint32_t chunk)
{
    return chunk == 0 ? ~UINT64_C(1) : ~UINT64_C(0); /* there is no segment 0 */
}

void segment_numbers_reopen(struct segment_numbers *set, uint32_t chunk)
{
    set->free[chunk] = all_of(chunk);
    set_bit(set->vacant, chunk, true);
    if (chunk / WORD < set->vacant_from) {
        set->vacant_from = chunk / WORD;
    }
}

void segment_numbers_add(struct segment_numbers *set, uint32_t chunk)
{
    set_bit(set->present, chunk, true);
    segment_numbers_reopen(set, chunk);
    __atomic_store_n(&set->count, set->count + 1, __ATOMIC_RELAXED);
    if (chunk >= set->end) {
        __atomic_store_n(&set->end, chunk + 1, __ATOMIC_RELEASE);
    }
}

bool segment_numbers_close(struct segment_numbers *set, uint32_t chunk)
{
    bool empty = number_chunk_is_there(set, chunk) && set->free[chunk] == all_of(chunk);
    if (empty) {
        set->free[chunk] = 0;
        set_bit(set->vacant, chunk, false);
    }
    return empty;
}

void segment_numbers_remove(struct segment_numbers *set, uint32_t chunk)
{
    uint32_t end = set->end;
    set_bit(set->present, chunk, false);
    if (chunk / WORD < set->absent_from) {
        set->absent_from = chunk / WORD;
    }
    while (end > 0 && !number_chunk_is_there(set, end - 1)) {
        end--;
    }
    __atomic_store_n(&set->end, end, __ATOMIC_RELEASE);
    __atomic_store_n(&set->count, set->count - 1, __ATOMIC_RELAXED);
}
