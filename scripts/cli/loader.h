/*
 * loader.h - stores many records, without waiting for each.
 */
#ifndef KVCACHED_SCRIPTS_CLI_LOADER_H
#define KVCACHED_SCRIPTS_CLI_LOADER_H

#include "scripts/cli/progress.h"
#include "scripts/cli/session.h"

#define LOADER_NEVER UINT64_MAX

/* A record; key and ns are words as they are sent. */
struct loader_record {
    struct slice ns, key;
    uint64_t ttl; /* milliseconds that it has left, or LOADER_NEVER */
    uint64_t flags;
    struct slice value;
};

struct loader {
    struct session *session;
    bool add; /* records that are there stay as they are */
    struct progress progress;
    size_t awaited;                           /* replies */
    uint64_t stored, there, expired, refused; /* there: of add; expired: before they were sent */
    struct bytes reason;                      /* the first refusal */
};

/* `total`: a guess, for the progress; or 0. */
void loader_init(struct loader *loader, struct session *session, bool add, uint64_t total);
void loader_deinit(struct loader *loader);

/* Sends a record, perhaps later. One with a ttl of 0 has expired, and is only counted. */
enum client_result loader_put(struct loader *loader, const struct loader_record *record);
/* Waits for all replies. */
enum client_result loader_finish(struct loader *loader);

/* Says how far it came, and what was refused. `result`: of the last call; `what` and
 * `complete`: what was read, and whether all of it was. */
enum status loader_report(struct loader *loader, enum client_result result, bool complete);

#endif
