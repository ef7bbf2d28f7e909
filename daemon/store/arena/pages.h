/*
 * pages.h - tables that may grow to a known size, as address space whose
 * pages appear when they are first touched.
 *
 * What may be wanted one day is reserved without access (pages_reserve), which no rule of the
 * system counts as memory, and made accessible from its front as it is wanted (pages_open).
 *
 * Huge pages are not asked for: a store that grows then clears two megabytes inside of a
 * PUT, and GETs wait for five milliseconds now and then, for no measurable gain with a
 * million records.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_PAGES_H
#define KVCACHED_DAEMON_STORE_ARENA_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>

/* Address space that must not be touched yet. NULL with errno. */
static inline void *pages_reserve(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

/* The first `bytes` of it can be used, zeroed and not resident; what could be used before
 * stays as it is. False with errno. */
static inline bool pages_open(void *pages, size_t bytes)
{
    return mprotect(pages, bytes, PROT_READ | PROT_WRITE) == 0;
}

/* Zeroed, page aligned, not resident. NULL with errno. */
static inline void *pages_for(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

static inline void pages_release(void *pages, size_t bytes)
{
    if (pages != NULL) {
        munmap(pages, bytes);
    }
}

/* Gives the pages back; they read as zeros from then on. Both page aligned. */
static inline void pages_forget(void *pages, size_t bytes)
{
    madvise(pages, bytes, MADV_DONTNEED);
}

#endif
