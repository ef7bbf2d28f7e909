/*
 * malloc_trim.h - decides when malloc_trim(3) is worth a call.
 *
 * After a rush of connections, or of namespaces, the memory that they took is free in the middle of
 * the heap, and malloc returns by itself only what is free at the end of the heap. So the
 * housekeeper checks now and then whether much memory has become free, and returns it to the
 * system.
 *
 * The build takes malloc_trim_glibc.c, or malloc_trim_none.c where the C library lacks the
 * functions.
 */
#ifndef KVCACHED_DAEMON_MAINTENANCE_MALLOC_TRIM_H
#define KVCACHED_DAEMON_MAINTENANCE_MALLOC_TRIM_H

#include <stddef.h>
#include <stdint.h>

/* All zero at the start. One thread's. */
struct malloc_trim {
    uint64_t checked;              /* when, in milliseconds */
    size_t baseline;               /* bytes of free memory that are not worth a call */
    uint64_t faults;               /* page faults of the process until the last trim */
    uint64_t faults_ignored_until; /* milliseconds; see malloc_trim_glibc.c */
    unsigned vain;                 /* trims for page faults that returned nothing, in a row */
};

/* Trims if it is worth it; does nothing within a second of the last check. `now` is in
 * milliseconds, of a clock that does not go back. Other threads that allocate wait meanwhile:
 * microseconds, or about a millisecond for every 10 MiB that are returned. */
void malloc_trim_run(struct malloc_trim *state, uint64_t now);

#endif
