/*
 * malloc_trim_none.c - for C libraries without malloc_trim and mallinfo2: does nothing.
 */
#include "daemon/maintenance/malloc_trim.h"

void malloc_trim_run(struct malloc_trim *state, uint64_t now)
{
    (void)state;
    (void)now;
}
