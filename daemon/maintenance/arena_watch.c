/*
 * arena_watch.c - see arena_watch.h.
 *
 * The store asks a full file system again every second, and gets a block now and then as other
 * files shrink. So a refusal is logged once, and its end only after a minute without one.
 */
#include "daemon/maintenance/arena_watch.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/log.h"

enum { MIB = 1 << 20 };

static void log_refused(const struct store_file_stats *figures)
{
    log_warning("arena %s: the file system refuses blocks: %s; the daemon uses %ju of %ju MiB and "
                "evicts until there is room: free space there",
                figures->file, strerror(figures->why_refused),
                (uintmax_t)(figures->memory_used / MIB), (uintmax_t)(figures->memory_limit / MIB));
}

/* Only a block that was granted shows that there is room; a store that did not grow shows nothing.
 */
static bool has_room_again(const struct arena_watch *watch, const struct store_file_stats *figures,
                           uint64_t now)
{
    return watch->refuses && figures->granted != watch->granted &&
           now - watch->refused_at >= ARENA_WATCH_LULL_MS;
}

void arena_watch_check(struct arena_watch *watch, const struct store_file_stats *figures,
                       uint64_t now)
{
    if (figures->refused != watch->refused) {
        if (!watch->refuses) {
            log_refused(figures);
        }
        watch->refuses = true;
        watch->refused = figures->refused;
        watch->granted = figures->granted;
        watch->refused_at = now;
    } else if (has_room_again(watch, figures, now)) {
        watch->refuses = false;
        log_notice("arena %s: the file system has room again", figures->file);
    }
    if (figures->kept != 0 && !watch->keeps) {
        watch->keeps = true;
        log_warning("arena %s: the file system does not take blocks back: %s; the file stays as "
                    "large as it is",
                    figures->file, strerror(figures->why_kept));
    }
}

/* --- faults ----------------------------------------------------------------------- */

static struct {
    _Atomic uintptr_t from; /* 0: not known yet */
    _Atomic size_t length;
} range;

static bool is_arena(const void *address)
{
    uintptr_t from = atomic_load(&range.from);
    return from == 0 || (uintptr_t)address - from < atomic_load(&range.length);
}

/* The handler logs the line and removes itself, so that the thread faults again and the same signal
 * ends the process. Other threads that fault meanwhile wait for that. */
static void on_fault(int number, siginfo_t *about, void *context)
{
    static atomic_flag said = ATOMIC_FLAG_INIT;
    (void)context;
    if (is_arena(about->si_addr)) {
        while (atomic_flag_test_and_set(&said)) {
            pause();
        }
        log_prepared();
    }
    signal(number, SIG_DFL);
}

void arena_watch_faults(const char *file)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    log_prepare(LOG_ERR,
                "arena %s: a part of it cannot be read: another program has truncated the file, or "
                "its disk fails; the daemon ends: check the disk, then start it again",
                file);
    sigfillset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

void arena_watch_range(const void *from, size_t length)
{
    atomic_store(&range.length, length);
    atomic_store(&range.from, (uintptr_t)from);
}
