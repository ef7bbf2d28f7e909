/*
 * segment_numbers.c - bits for numbers, bits for shelves; see segment_numbers.h.
 */
#include "daemon/store/records/segment_numbers.h"

#include <string.h>

#include "daemon/store/arena/pages.h"

enum { WORD = 64 };

static size_t free_bytes(const struct shelves *shelves)
{
    return shelves->most * sizeof *shelves->free;
}

static uint32_t words(const struct shelves *shelves)
{
    return shelves->most / WORD + 1;
}

static size_t bits_bytes(const struct shelves *shelves)
{
    return words(shelves) * sizeof(uint64_t);
}

bool shelves_init(struct shelves *shelves, uint64_t numbers)
{
    memset(shelves, 0, sizeof *shelves);
    shelves->most = (uint32_t)(numbers / SHELF_NUMBERS);
    shelves->free = reserve_pages(free_bytes(shelves));
    shelves->vacant = reserve_pages(bits_bytes(shelves));
    shelves->present = reserve_pages(bits_bytes(shelves));
    if (shelves->free == NULL || shelves->vacant == NULL || shelves->present == NULL) {
        shelves_deinit(shelves);
        return false;
    }
    return true;
}

void shelves_deinit(struct shelves *shelves)
{
    reserve_release(shelves->free, free_bytes(shelves));
    reserve_release(shelves->vacant, bits_bytes(shelves));
    reserve_release(shelves->present, bits_bytes(shelves));
    memset(shelves, 0, sizeof *shelves);
}

/* --- bits of shelves -------------------------------------------------------------- */

static void set_bit(uint64_t *bits, uint32_t at, bool on)
{
    uint64_t bit = UINT64_C(1) << at % WORD;
    bits[at / WORD] = on ? bits[at / WORD] | bit : bits[at / WORD] & ~bit;
}

/* The first one that is set, from word *from on, with `flip` applied to each word; *from becomes
 * its word. A number behind the last bit: none. */
static uint32_t first_bit(const struct shelves *shelves, const uint64_t *bits, uint64_t flip,
                          uint32_t *from)
{
    uint32_t last = words(shelves) - 1;
    while (*from < last && (bits[*from] ^ flip) == 0) {
        (*from)++;
    }
    uint64_t word = bits[*from] ^ flip;
    return word == 0 ? shelves->most : *from * WORD + (uint32_t)__builtin_ctzll(word);
}

/* --- numbers ------------------------------------------------------------------------ */

void shelves_claim(struct shelves *shelves, uint32_t number)
{
    uint32_t shelf = shelf_of(number);
    shelves->free[shelf] &= ~(UINT64_C(1) << number % SHELF_NUMBERS);
    if (shelves->free[shelf] == 0) {
        set_bit(shelves->vacant, shelf, false);
    }
}

uint32_t shelves_take(struct shelves *shelves)
{
    uint32_t shelf = first_bit(shelves, shelves->vacant, 0, &shelves->vacant_from);
    if (shelf >= shelves->most) {
        return 0;
    }
    uint32_t number = shelf * SHELF_NUMBERS + (uint32_t)__builtin_ctzll(shelves->free[shelf]);
    shelves_claim(shelves, number);
    return number;
}

void shelves_give(struct shelves *shelves, uint32_t number)
{
    uint32_t shelf = shelf_of(number);
    shelves->free[shelf] |= UINT64_C(1) << number % SHELF_NUMBERS;
    set_bit(shelves->vacant, shelf, true);
    if (shelf / WORD < shelves->vacant_from) {
        shelves->vacant_from = shelf / WORD;
    }
}

/* --- shelves ------------------------------------------------------------------------ */

uint32_t shelves_absent(struct shelves *shelves)
{
    uint32_t shelf = first_bit(shelves, shelves->present, UINT64_MAX, &shelves->absent_from);
    return shelf < shelves->most ? shelf : shelves->most;
}

static uint64_t all_of(uint32_t shelf)
{
    return shelf == 0 ? ~UINT64_C(1) : ~UINT64_C(0); /* there is no segment 0 */
}

void shelves_reopen(struct shelves *shelves, uint32_t shelf)
{
    shelves->free[shelf] = all_of(shelf);
    set_bit(shelves->vacant, shelf, true);
    if (shelf / WORD < shelves->vacant_from) {
        shelves->vacant_from = shelf / WORD;
    }
}

void shelves_add(struct shelves *shelves, uint32_t shelf)
{
    set_bit(shelves->present, shelf, true);
    shelves_reopen(shelves, shelf);
    __atomic_store_n(&shelves->count, shelves->count + 1, __ATOMIC_RELAXED);
    if (shelf >= shelves->end) {
        __atomic_store_n(&shelves->end, shelf + 1, __ATOMIC_RELEASE);
    }
}

bool shelves_close(struct shelves *shelves, uint32_t shelf)
{
    bool empty = shelf_is_there(shelves, shelf) && shelves->free[shelf] == all_of(shelf);
    if (empty) {
        shelves->free[shelf] = 0;
        set_bit(shelves->vacant, shelf, false);
    }
    return empty;
}

void shelves_remove(struct shelves *shelves, uint32_t shelf)
{
    uint32_t end = shelves->end;
    set_bit(shelves->present, shelf, false);
    if (shelf / WORD < shelves->absent_from) {
        shelves->absent_from = shelf / WORD;
    }
    while (end > 0 && !shelf_is_there(shelves, end - 1)) {
        end--;
    }
    __atomic_store_n(&shelves->end, end, __ATOMIC_RELEASE);
    __atomic_store_n(&shelves->count, shelves->count - 1, __ATOMIC_RELAXED);
}
