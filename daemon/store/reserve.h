/*
 * reserve.h - tables that may grow to a known size, as address space whose
 * pages appear when they are first touched.
 *
 * What is read at random (index, records) asks for huge pages, where the system gives
 * them to those who ask: else nearly every lookup waits for the processor to walk the page
 * tables, once for the index line and once for the record. With a million records they
 * took a fifth off a pipelined GET. The first RESERVE_FINE bytes keep small pages, so that
 * a small store stays small.
 */
#ifndef KVCACHED_RESERVE_H
#define KVCACHED_RESERVE_H

#include <stddef.h>
#include <sys/mman.h>

enum { RESERVE_FINE = 4 << 20 /* bytes */ };

/* Zeroed, page aligned, not resident. NULL with errno. */
static inline void *reserve_pages(size_t bytes)
{
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

/* The same for what is read at random. */
static inline void *reserve_scattered(size_t bytes)
{
    char *pages = reserve_pages(bytes);
    if (pages != NULL && bytes > RESERVE_FINE) {
        madvise(pages + RESERVE_FINE, bytes - RESERVE_FINE, MADV_HUGEPAGE); /* a hint */
    }
    return pages;
}

static inline void reserve_release(void *pages, size_t bytes)
{
    if (pages != NULL) {
        munmap(pages, bytes);
    }
}

/* Gives the pages back; they read as zeros from then on. Both page aligned. */
static inline void reserve_forget(void *pages, size_t bytes)
{
    madvise(pages, bytes, MADV_DONTNEED);
}

#endif
