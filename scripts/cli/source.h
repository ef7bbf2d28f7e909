/*
 * source.h - other caches whose records are imported.
 */
#ifndef KVCACHED_SCRIPTS_CLI_SOURCE_H
#define KVCACHED_SCRIPTS_CLI_SOURCE_H

#include "scripts/cli/loader.h"

/* Where records come from, and what they become. */
struct source {
    struct endpoint endpoint;
    unsigned database; /* of Redis */
    const char *match; /* of Redis: only keys that match; NULL: all */
    char prefix;       /* ends the namespace in a key; 0: keys have none */
    const char *ns;    /* of keys without one */
    uint64_t skipped;  /* that could not be taken over: of other types, for example */
    char error[CLIENT_ERROR_MAX];
};

/* What reading came to. */
enum source_result {
    SOURCE_DONE,
    SOURCE_UNREACHABLE, /* see error, which names the address */
    SOURCE_BROKEN,      /* it does not speak as it should, see error */
    SOURCE_STOPPED,     /* by Ctrl-C, or since *result of the loader is not CLIENT_DONE */
};

/* Stores every record of the source, up to the last reply but for loader_finish. */
enum source_result source_read_memcached(struct source *source, struct loader *loader,
                                         enum client_result *result);
enum source_result source_read_redis(struct source *source, struct loader *loader,
                                     enum client_result *result);

/* Stores one record; `key` is as the other cache has it, with any bytes. */
enum client_result source_put(struct source *source, struct loader *loader, struct slice key,
                              uint64_t ttl, uint64_t flags, struct slice value);

#endif
