/*
 * malloc_trim_glibc.c - see malloc_trim.h.
 *
 * Memory that malloc_trim returned still counts as free in mallinfo2. So we trim when free memory
 * has grown by WORTH_BYTES since the last trim. Memory that was used and freed again in between
 * does not show as growth, only as page faults. As the growing arena of the records faults too, a
 * trim that only faults asked for and that returned nothing doubles the time until faults may ask
 * again, up to TRY_EVERY_MS.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/maintenance/malloc_trim.h"

enum {
    CHECK_EVERY_MS = 1000,
    TRY_EVERY_MS = 64000,      /* at least, for page faults */
    WORTH_BYTES = 1024 * 1024, /* free memory that is worth a trim */
};

/* Of the process; 0: unknown. */
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

static void trim(struct malloc_trim *state)
{
    malloc_trim(0);
    state->baseline = mallinfo2().fordblks;
    state->faults = page_faults();
}

/* Whether page faults since the last trim make up for WORTH_BYTES. */
static bool has_faulted(const struct malloc_trim *state)
{
    uint64_t bytes = (page_faults() - state->faults) * (uint64_t)sysconf(_SC_PAGESIZE);
    return bytes >= WORTH_BYTES;
}

/* For page faults. The result decides when they may ask again. */
static void try_to_trim(struct malloc_trim *state, uint64_t now)
{
    size_t before = resident_bytes();
    uint64_t wait = (uint64_t)CHECK_EVERY_MS << state->vain;
    trim(state);
    if (resident_bytes() + WORTH_BYTES <= before) {
        state->vain = 0;
    } else {
        state->faults_ignored_until = now + wait;
        state->vain += wait < TRY_EVERY_MS;
    }
}

void malloc_trim_run(struct malloc_trim *state, uint64_t now)
{
    if (now - state->checked < CHECK_EVERY_MS) {
        return;
    }
    state->checked = now;
    size_t unused = mallinfo2().fordblks;
    if (unused >= state->baseline + WORTH_BYTES) {
        trim(state);
    } else if (unused >= WORTH_BYTES && now >= state->faults_ignored_until && has_faulted(state)) {
        try_to_trim(state, now);
    }
    if (unused < state->baseline) {
        state->baseline = unused;
    }
}
