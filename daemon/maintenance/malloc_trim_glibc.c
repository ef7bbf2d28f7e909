/*
 * malloc_trim_glibc.c - malloc_trim, when there is something to be trimmed.
 *
 * What was given back counts as free for malloc all the same. So it is an increase since the
 * last time that is asked for; and when some of it was used again, since then. Where all of it
 * was used again and is free again since the last look, nothing shows that but page faults. The
 * records' memory costs such too, while a store grows; so where it was them that asked, and in
 * vain, they are not heard again for a while.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/maintenance/malloc_trim.h"

enum {
    LOOK_EVERY_MS = 1000,
    TRY_EVERY_MS = 64000, /* at least, though it is in vain */
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

static void trim(struct malloc_trim *trimmer)
{
    malloc_trim(0);
    trimmer->known = mallinfo2().fordblks;
    trimmer->faults = page_faults();
}

static bool were_touched(const struct malloc_trim *trimmer)
{
    uint64_t bytes = (page_faults() - trimmer->faults) * (uint64_t)sysconf(_SC_PAGESIZE);
    return bytes >= WORTH_BYTES;
}

/* Whether that was worth it decides when it is tried again. */
static void try_to_trim(struct malloc_trim *trimmer, uint64_t now)
{
    size_t before = resident_bytes();
    uint64_t wait = (uint64_t)LOOK_EVERY_MS << trimmer->vain;
    trim(trimmer);
    if (resident_bytes() + WORTH_BYTES <= before) {
        trimmer->vain = 0;
    } else {
        trimmer->heard_again = now + wait;
        trimmer->vain += wait < TRY_EVERY_MS;
    }
}

void malloc_trim_trim(struct malloc_trim *trimmer, uint64_t now)
{
    if (now - trimmer->looked < LOOK_EVERY_MS) {
        return;
    }
    trimmer->looked = now;
    size_t unused = mallinfo2().fordblks;
    if (unused >= trimmer->known + WORTH_BYTES) {
        trim(trimmer);
    } else if (unused >= WORTH_BYTES && now >= trimmer->heard_again && were_touched(trimmer)) {
        try_to_trim(trimmer, now);
    }
    if (unused < trimmer->known) {
        trimmer->known = unused;
    }
}
