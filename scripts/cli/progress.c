/*
 * progress.c - says on standard error how far something has come.
 */
#include "scripts/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "scripts/cli/clock.h"

enum { PERIOD = 1000, BETWEEN_LOOKS = 64 };

void progress_begin(struct progress *progress, const char *what, uint64_t total)
{
    int64_t now = clock_now();
    *progress = (struct progress){.what = what,
                                  .began = now,
                                  .next = now + PERIOD,
                                  .total = total,
                                  .terminal = isatty(STDERR_FILENO) == 1};
}

static void say(struct progress *progress, int64_t now)
{
    double seconds = (double)(now - progress->began) / 1000;
    double rate = seconds > 0 ? (double)progress->done / seconds : 0;
    fprintf(stderr, "%s%" PRIu64 " %s, %.0f/s", progress->terminal ? "\r" : "", progress->done,
            progress->what, rate);
    if (progress->total > progress->done && rate > 0) {
        fprintf(stderr, ", %.0f s left", (double)(progress->total - progress->done) / rate);
    }
    fputs(progress->terminal ? "   " : "\n", stderr);
    progress->said = true;
}

/* The clock is not read for every record. */
void progress_add(struct progress *progress, uint64_t count)
{
    uint64_t before = progress->done;
    progress->done += count;
    if (before / BETWEEN_LOOKS == progress->done / BETWEEN_LOOKS) {
        return;
    }
    int64_t now = clock_now();
    if (now >= progress->next) {
        say(progress, now);
        progress->next = now + PERIOD;
    }
}

void progress_end(struct progress *progress)
{
    if (progress->said && progress->terminal) {
        fputs("\n", stderr);
    }
}
