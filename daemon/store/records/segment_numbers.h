/*
 * segment_numbers.h - which numbers of segments are free, and for which of them there is memory.
 *
 * Numbers come by the shelf, SHELF_NUMBERS at once: what a segment's number takes (its place in
 * the table, its label) is then a whole number of pages, which come with the shelf and go with
 * it. A number that is taken is always the lowest that is free, so that the last shelves are
 * the first to be empty when there are fewer segments.
 *
 * Under segments.lock. The bits are address space that is reserved for all numbers there may
 * be one day; the searches go on from where nothing lower can be found.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_SEGMENT_NUMBERS_H
#define KVCACHED_DAEMON_STORE_RECORDS_SEGMENT_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHELF_NUMBERS = 64 };

struct shelves {
    uint32_t most;        /* shelves that there may be */
    uint64_t *free;       /* by the shelf: its free numbers, a bit for each */
    uint64_t *vacant;     /* a bit for each shelf: some number is free */
    uint64_t *present;    /* a bit for each shelf: it is there */
    uint32_t vacant_from; /* words of `vacant` before this one are 0 */
    uint32_t absent_from; /* words of `present` before this one are all ones */
    uint32_t end;         /* behind the last shelf that is there; atomic */
    uint32_t count;       /* of those that are there; atomic */
};

/* For numbers below `numbers`, a multiple of SHELF_NUMBERS; number 0 is never free. No shelf is
 * there. False with errno when there is no address space. */
bool shelves_init(struct shelves *shelves, uint64_t numbers);
void shelves_deinit(struct shelves *shelves);

static inline uint32_t shelf_of(uint32_t number)
{
    return number / SHELF_NUMBERS;
}

static inline bool shelf_is_there(const struct shelves *shelves, uint32_t shelf)
{
    return (shelves->present[shelf / 64] >> shelf % 64 & 1) != 0;
}

/* The lowest free number, which is free no more; 0: none is. */
uint32_t shelves_take(struct shelves *shelves);
void shelves_give(struct shelves *shelves, uint32_t number);
/* That very number, of a shelf that is there, is free no more. */
void shelves_claim(struct shelves *shelves, uint32_t number);

/* The lowest shelf that is not there; `most` when all are. */
uint32_t shelves_absent(struct shelves *shelves);
/* It is there from now on, and all of its numbers are free. */
void shelves_add(struct shelves *shelves, uint32_t shelf);
/* Where none of its numbers is taken: none will be until one of the next two. False: some are,
 * or it is not there. */
bool shelves_close(struct shelves *shelves, uint32_t shelf);
/* One that was closed: all its numbers are free again; or it goes. */
void shelves_reopen(struct shelves *shelves, uint32_t shelf);
void shelves_remove(struct shelves *shelves, uint32_t shelf);

#endif
