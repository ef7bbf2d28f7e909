/*
 * malloc_trim_none.c - a C library that cannot be asked.
 */
#include "daemon/maintenance/malloc_trim.h"

void malloc_trim_trim(struct malloc_trim *trimmer, uint64_t now)
{
    (void)trimmer;
    (void)now;
}
