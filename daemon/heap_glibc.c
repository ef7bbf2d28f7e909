/*
 * heap_glibc.c - malloc_trim, when there is something to be trimmed.
 *
 * What was given back counts as free for malloc all the same. So it is an increase since the
 * last time that is asked for; and when some of it was used again, since then.
 */
#include <malloc.h>

#include "daemon/heap.h"

enum {
    LOOK_EVERY_MS = 1000,
    WORTH_BYTES = 1024 * 1024,
};

void heap_trim(struct heap *heap, uint64_t now)
{
    if (now - heap->looked < LOOK_EVERY_MS) {
        return;
    }
    heap->looked = now;
    size_t unused = mallinfo2().fordblks;
    if (unused >= heap->known + WORTH_BYTES) {
        malloc_trim(0);
        unused = mallinfo2().fordblks;
        heap->known = unused;
    }
    if (unused < heap->known) {
        heap->known = unused;
    }
}
