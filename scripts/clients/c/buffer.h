/*
 * buffer.h - bytes that grow, as they are sent and received.
 *
 * Where there is no memory, the buffer is marked as failed and stays as it was; what is appended
 * then is dropped. So several appends need one look at the end. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_BUFFER_H
#define KVCACHED_SCRIPTS_CLIENTS_C_BUFFER_H

#include <stdint.h>

#include "protocol/slice.h"

struct buffer {
    char *at;
    size_t length;
    size_t room;
    bool failed;
};

void buffer_deinit(struct buffer *buffer);
/* Makes room for that many bytes behind those that are there; returns where they go, or NULL. */
char *buffer_reserve(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, struct slice slice);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_number(struct buffer *buffer, uint64_t number);
/* Appends the bytes as a word that is escaped as keys are. */
void buffer_append_key(struct buffer *buffer, struct slice key);
/* Takes bytes away from the front. */
void buffer_drop(struct buffer *buffer, size_t count);
/* Takes all bytes away, and gives memory back where there is much of it. */
void buffer_reset(struct buffer *buffer);
/* Overwrites all bytes that there ever were. */
void buffer_wipe(struct buffer *buffer);

/* Those behind the first ones. */
static inline struct slice buffer_rest(const struct buffer *buffer, size_t first)
{
    const char *bytes = buffer->at != NULL ? buffer->at + first : "";
    return (struct slice){bytes, buffer->length - first};
}

#endif
