/*
 * malloc_trim.h - memory that malloc keeps although it is free.
 *
 * After a rush of connections, or of namespaces, what they took is free in the middle of the
 * heap, and malloc gives back by itself only what lies at its end. So the housekeeper looks
 * now and then whether much has become free, and has it given back.
 *
 * Implementations: malloc_trim_glibc.c, and malloc_trim_none.c where the C library does not have
 * what that needs.
 */
#ifndef KVCACHED_DAEMON_MAINTENANCE_MALLOC_TRIM_H
#define KVCACHED_DAEMON_MAINTENANCE_MALLOC_TRIM_H

#include <stddef.h>
#include <stdint.h>

/* All zero at the beginning; one thread's. */
struct malloc_trim {
    uint64_t looked;      /* when, in milliseconds */
    size_t known;         /* bytes that are free and not worth another look */
    uint64_t faults;      /* of pages that there had been when it was given back last */
    uint64_t heard_again; /* when faults of pages may ask for it again */
    unsigned vain;        /* how often nothing came of it */
};

/* Looks, unless that was less than a second ago. Other threads that want memory of the
 * heap wait meanwhile: microseconds, or, where it gives memory back, a millisecond for
 * every ten MiB or so. */
void malloc_trim_trim(struct malloc_trim *trimmer, uint64_t now);

#endif
