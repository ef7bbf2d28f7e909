/*
 * segment_numbers.h - which numbers of segments are free, and for which of them there is memory.
 *
 * Numbers come by the chunk, NUMBER_CHUNK_NUMBERS at once: what a segment's number takes (its place
 * in the table, its label) is then a whole number of pages, which come with the chunk and go with
 * it. A number that is taken is always the lowest that is free, so that the last chunks are
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

enum { NUMBER_CHUNK_NUMBERS = 64 };

struct segment_numbers {
    uint32_t most;        /* chunks that there may be */
    uint64_t *free;       /* by the chunk: its free numbers, a bit for each */
    uint64_t *vacant;     /* a bit for each chunk: some number is free */
    uint64_t *present;    /* a bit for each chunk: it is there */
    uint32_t vacant_from; /* words of `vacant` before this one are 0 */
    uint32_t absent_from; /* words of `present` before this one are all ones */
    uint32_t end;         /* behind the last chunk that is there; atomic */
    uint32_t count;       /* of those that are there; atomic */
};

/* For numbers below `numbers`, a multiple of NUMBER_CHUNK_NUMBERS; number 0 is never free. No chunk
 * is there. False with errno when there is no address space. */
bool segment_numbers_init(struct segment_numbers *set, uint64_t numbers);
void segment_numbers_deinit(struct segment_numbers *set);

static inline uint32_t number_chunk_of(uint32_t number)
{
    return number / NUMBER_CHUNK_NUMBERS;
}

static inline bool number_chunk_is_there(const struct segment_numbers *set, uint32_t chunk)
{
    return (set->present[chunk / 64] >> chunk % 64 & 1) != 0;
}

/* The lowest free number, which is free no more; 0: none is. */
uint32_t segment_numbers_take(struct segment_numbers *set);
void segment_numbers_give(struct segment_numbers *set, uint32_t number);
/* That very number, of a chunk that is there, is free no more. */
void segment_numbers_claim(struct segment_numbers *set, uint32_t number);

/* The lowest chunk that is not there; `most` when all are. */
uint32_t segment_numbers_absent(struct segment_numbers *set);
/* It is there from now on, and all of its numbers are free. */
void segment_numbers_add(struct segment_numbers *set, uint32_t chunk);
/* Where none of its numbers is taken: none will be until one of the next two. False: some are,
 * or it is not there. */
bool segment_numbers_close(struct segment_numbers *set, uint32_t chunk);
/* One that was closed: all its numbers are free again; or it goes. */
void segment_numbers_reopen(struct segment_numbers *set, uint32_t chunk);
void segment_numbers_remove(struct segment_numbers *set, uint32_t chunk);

#endif
