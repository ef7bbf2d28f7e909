/*
 * pages.h - tables that may grow to a known size, as address space whose
 * pages appear when they are first touched.
 *
 * The largest size is reserved without access (pages_reserve), which the system does not count as
 * memory, and made accessible from its front as it is needed (pages_open).
 *
 * Huge pages are not asked for. A store that grows would clear 2 MiB inside of a PUT, GETs would
 * wait for 5 ms now and then, and with 1,000,000 records no gain could be measured. Any thread.
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

/* The first `bytes` of the range can be used from here on. What is new reads as zeros and is not
 * resident; what could be used before does not change. False with errno. */
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

/* Gives the pages back; they read as zeros then. Both arguments are multiples of a page. */
static inline void pages_forget(void *pages, size_t bytes)
{
    madvise(pages, bytes, MADV_DONTNEED);
}

#endif
