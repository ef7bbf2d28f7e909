/*
 * buffer.c - bytes that grow.
 */
#include "scripts/clients/c/buffer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/token.h"

enum { FIRST_ROOM = 512, KEPT_ROOM = 256 * 1024 };

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->at);
    *buffer = (struct buffer){.at = NULL};
}

static bool grow(struct buffer *buffer, size_t more)
{
    size_t room = buffer->room > 0 ? buffer->room : FIRST_ROOM;
    if (more > SIZE_MAX / 4 || buffer->length > SIZE_MAX / 4) {
        return false;
    }
    while (room - buffer->length < more) {
        room *= 2;
    }
    char *at = realloc(buffer->at, room);
    if (at != NULL) {
        buffer->at = at;
        buffer->room = room;
    }
    return at != NULL;
}

char *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->room - buffer->length < more && !grow(buffer, more)) {
        buffer->failed = true;
        return NULL;
    }
    return buffer->at + buffer->length;
}

void buffer_append(struct buffer *buffer, struct slice slice)
{
    char *to = slice.length > 0 ? buffer_reserve(buffer, slice.length) : NULL;
    if (to != NULL) {
        memcpy(to, slice.bytes, slice.length);
        buffer->length += slice.length;
    }
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, slice_of(text));
}

void buffer_append_number(struct buffer *buffer, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    buffer_append_text(buffer, text);
}

void buffer_append_key(struct buffer *buffer, struct slice key)
{
    size_t most = key.length * TOKEN_ESCAPE;
    char *to = key.length <= SIZE_MAX / TOKEN_ESCAPE ? buffer_reserve(buffer, most) : NULL;
    if (to != NULL) {
        buffer->length += (size_t)(token_escape(to, most, key) - to);
    }
}

void buffer_drop(struct buffer *buffer, size_t count)
{
    buffer->length -= count;
    if (count > 0 && buffer->length > 0) {
        memmove(buffer->at, buffer->at + count, buffer->length);
    }
}

void buffer_reset(struct buffer *buffer)
{
    buffer->length = 0;
    buffer->failed = false;
    if (buffer->room > KEPT_ROOM) {
        buffer_deinit(buffer);
    }
}

void buffer_wipe(struct buffer *buffer)
{
    if (buffer->at != NULL) {
        explicit_bzero(buffer->at, buffer->room);
    }
}
