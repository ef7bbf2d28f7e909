/*
 * bytes.c - bytes that grow.
 */
#include "scripts/cli/bytes.h"

#include <err.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "scripts/cli/status.h"

enum { FIRST_ROOM = 256 };

static void *need(void *memory)
{
    if (memory == NULL) {
        errx(STATUS_REFUSED, "no memory");
    }
    return memory;
}

void *memory_new(size_t count, size_t size)
{
    return need(calloc(count > 0 ? count : 1, size));
}

void *memory_resize(void *memory, size_t count, size_t size)
{
    return need(reallocarray(memory, count > 0 ? count : 1, size));
}

char *memory_copy(struct slice slice)
{
    char *copy = memory_new(slice.length + 1, 1);
    if (slice.length > 0) {
        memcpy(copy, slice.bytes, slice.length);
    }
    return copy;
}

void bytes_deinit(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){.at = NULL};
}

char *bytes_reserve(struct bytes *bytes, size_t more)
{
    if (more > SIZE_MAX / 4) {
        need(NULL);
    }
    if (bytes->room - bytes->length < more) {
        size_t room = bytes->room > 0 ? bytes->room : FIRST_ROOM;
        while (room - bytes->length < more) {
            room *= 2;
        }
        bytes->at = need(realloc(bytes->at, room));
        bytes->room = room;
    }
    return bytes->at + bytes->length;
}

void bytes_append(struct bytes *bytes, struct slice slice)
{
    if (slice.length > 0) {
        memcpy(bytes_reserve(bytes, slice.length), slice.bytes, slice.length);
        bytes->length += slice.length;
    }
}

void bytes_append_text(struct bytes *bytes, const char *text)
{
    bytes_append(bytes, slice_of(text));
}

void bytes_append_byte(struct bytes *bytes, char byte)
{
    *bytes_reserve(bytes, 1) = byte;
    bytes->length++;
}

void bytes_print(struct bytes *bytes, const char *format, ...)
{
    va_list values;
    char *text = NULL;
    va_start(values, format);
    int length = vasprintf(&text, format, values);
    va_end(values);
    if (length < 0) {
        need(NULL);
    }
    bytes_append(bytes, (struct slice){text, (size_t)length});
    free(text);
}

void bytes_drop(struct bytes *bytes, size_t count)
{
    bytes->length -= count;
    if (bytes->length > 0) {
        memmove(bytes->at, bytes->at + count, bytes->length);
    }
}
