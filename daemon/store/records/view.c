/*
 * view.c - making views and giving them back; see view.h.
 */
#include "daemon/store/records/view.h"

#include "daemon/store/records/share_limits.h"

/* Of a span, all its pieces: less than a unit of them is unused. */
static uint64_t pinned_bytes(const struct segment *segment, const struct record *record)
{
    return record->span ? record_size(record) : segment_capacity(segment);
}

bool view_may_pin(struct store *store, struct segment *segment, const struct record *record,
                  uint64_t now)
{
    return share_admits_pin(store, segment->generation->ns, segment, pinned_bytes(segment, record),
                            now);
}

void view_pin(struct store *store, struct segment *segment, const struct record *record,
              struct store_view *view)
{
    view_describe(record, view);
    view->store = store;
    view->segment = segment_number(&store->segments, segment);
    view->offset = (uint32_t)(record->value - segment_bytes(&store->segments, segment));
    view->pinned = true;
    view->ns = segment->generation->ns;
    share_pin(store, segment, pinned_bytes(segment, record));
}

void store_view_put(struct store_view *view)
{
    if (view->pinned) {
        share_unpin(view->store, view->ns, segment_at(&view->store->segments, view->segment));
    } else {
        index_unlock(view->held);
    }
}

size_t store_view_pieces(const struct store_view *view, uint64_t from, struct iovec *pieces,
                         size_t count)
{
    const struct segments *segments = &view->store->segments;
    const struct segment *segment = segment_at(segments, view->segment);
    uint64_t left = view->length - from;
    uint32_t start = view->offset;
    size_t filled = 0;
    while (left > 0 && filled < count) {
        uint64_t here = segment_capacity(segment) - start;
        if (from < here) {
            uint64_t length = here - from < left ? here - from : left;
            pieces[filled].iov_base = segment_bytes(segments, segment) + start + from;
            pieces[filled++].iov_len = length;
            left -= length;
            from = 0;
        } else {
            from -= here;
        }
        segment = segment_at(segments, segment->piece);
        start = 0;
    }
    return filled;
}
