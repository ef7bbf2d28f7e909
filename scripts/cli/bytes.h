/*
 * bytes.h - bytes that grow, as they are sent and received.
 *
 * Where there is no memory, the process ends with a message: a command-line client has nothing to
 * go on with. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLI_BYTES_H
#define KVCACHED_SCRIPTS_CLI_BYTES_H

#include <stddef.h>

#include "protocol/slice.h"

struct bytes {
    char *at;
    size_t length;
    size_t room;
};

void bytes_deinit(struct bytes *bytes);
/* Makes room for that many bytes behind those that are there; returns where they go. */
char *bytes_reserve(struct bytes *bytes, size_t more);
void bytes_append(struct bytes *bytes, struct slice slice);
void bytes_append_text(struct bytes *bytes, const char *text);
void bytes_append_byte(struct bytes *bytes, char byte);
void bytes_print(struct bytes *bytes, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes bytes away from the front. */
void bytes_drop(struct bytes *bytes, size_t count);

static inline struct slice bytes_slice(const struct bytes *bytes)
{
    return (struct slice){bytes->at != NULL ? bytes->at : "", bytes->length};
}

/* Those behind the first ones. */
static inline struct slice bytes_rest(const struct bytes *bytes, size_t first)
{
    struct slice all = bytes_slice(bytes);
    return (struct slice){all.bytes + first, all.length - first};
}

/* --- memory that is always there --------------------------------------------------- */

/* As calloc and realloc; the caller frees. */
void *memory_new(size_t count, size_t size);
void *memory_resize(void *memory, size_t count, size_t size);
/* A copy with a NUL behind it; the caller frees. */
char *memory_copy(struct slice slice);

#endif
