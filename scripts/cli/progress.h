/*
 * progress.h - says on standard error how far something has come that takes longer than a second.
 */
#ifndef KVCACHED_SCRIPTS_CLI_PROGRESS_H
#define KVCACHED_SCRIPTS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "records" */
    int64_t began;    /* milliseconds of clock_now */
    int64_t next;     /* when something is to be said */
    uint64_t done;
    uint64_t total; /* 0: not known */
    bool terminal;  /* the line is written over */
    bool said;
};

/* `total` is a guess. */
void progress_begin(struct progress *progress, const char *what, uint64_t total);
void progress_add(struct progress *progress, uint64_t count);
/* Ends the line that was written over. */
void progress_end(struct progress *progress);

#endif
