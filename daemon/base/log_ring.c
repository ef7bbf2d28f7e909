/*
 * log_ring.c - see log_ring.h.
 *
 * A line takes the bytes of struct log_entry up to its text, and the bytes of its text. When the
 * ring is empty it begins again at its first byte, so that a log that keeps up touches the first
 * pages only.
 */
#include "daemon/base/log_ring.h"

#include <string.h>

enum { HEAD_BYTES = offsetof(struct log_entry, text) };

static void copy_in(struct log_ring *ring, const void *bytes, size_t length)
{
    size_t at = (ring->begin + ring->used) % LOG_RING_BYTES;
    size_t first = length < LOG_RING_BYTES - at ? length : LOG_RING_BYTES - at;
    memcpy(ring->bytes + at, bytes, first);
    memcpy(ring->bytes, (const char *)bytes + first, length - first);
    ring->used += length;
}

static void copy_out(struct log_ring *ring, void *bytes, size_t length)
{
    size_t at = ring->begin;
    size_t first = length < LOG_RING_BYTES - at ? length : LOG_RING_BYTES - at;
    memcpy(bytes, ring->bytes + at, first);
    memcpy((char *)bytes + first, ring->bytes, length - first);
    ring->begin = (at + length) % LOG_RING_BYTES;
    ring->used -= length;
}

bool log_ring_put(struct log_ring *ring, const struct log_entry *entry)
{
    if (HEAD_BYTES + entry->length > LOG_RING_BYTES - ring->used) {
        return false;
    }
    copy_in(ring, entry, HEAD_BYTES + entry->length);
    ring->put++;
    return true;
}

bool log_ring_get(struct log_ring *ring, struct log_entry *entry)
{
    if (ring->used == 0) {
        return false;
    }
    copy_out(ring, entry, HEAD_BYTES);
    copy_out(ring, entry->text, entry->length);
    entry->text[entry->length] = '\0';
    if (ring->used == 0) {
        ring->begin = 0;
    }
    ring->got++;
    return true;
}
