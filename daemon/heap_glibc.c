/*
 * heap_glibc.c - malloc_trim, when there is something to be trimmed.
 *
 * What was given back counts as free for malloc all the same, so how much is free does not say
 * how much can be given back. But what was given back and is used again costs a page fault a
 * page: without so many since the last time there is nothing. The records' memory costs them
 * too, while a store grows; so what was in vain is not tried again for a while.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/heap.h"

enum {
    LOOK_EVERY_MS = 1000,
    LOOK_AT_LEAST_MS = 64000, /* however often it was in vain */
    WORTH_BYTES = 1024 * 1024,
};

/* Of the process; 0: that cannot be told. */
static size_t resident_bytes(void)
{
    char text[128] = "";
    size_t pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t length = read(fd, text, sizeof text - 1);
        close(fd);
        if (length <= 0 || sscanf(text, "%*u %zu", &pages) != 1) {
            pages = 0;
        }
    }
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static uint64_t page_faults(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_minflt : 0;
}

static bool may_be_worth_it(const struct heap *heap, uint64_t faults)
{
    uint64_t touched = (faults - heap->faults) * (uint64_t)sysconf(_SC_PAGESIZE);
    return touched >= WORTH_BYTES && mallinfo2().fordblks >= WORTH_BYTES;
}

void heap_trim(struct heap *heap, uint64_t now)
{
    if (now < heap->next) {
        return;
    }
    heap->next = now + LOOK_EVERY_MS;
    if (!may_be_worth_it(heap, page_faults())) {
        return;
    }
    size_t before = resident_bytes();
    malloc_trim(0);
    heap->faults = page_faults();
    if (resident_bytes() + WORTH_BYTES <= before) {
        heap->vain = 0;
        return;
    }
    uint64_t wait = (uint64_t)LOOK_EVERY_MS << heap->vain;
    heap->next = now + (wait < LOOK_AT_LEAST_MS ? wait : LOOK_AT_LEAST_MS);
    heap->vain += wait < LOOK_AT_LEAST_MS;
}
