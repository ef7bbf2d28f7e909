/*
 * malloc_trim_none.c - a C library that cannot be asked.
 */
#include "daemon/maintenance/malloc_trim.h"

void heap_trim(struct heap *heap, uint64_t now)
{
    (void)heap;
    (void)now;
}
