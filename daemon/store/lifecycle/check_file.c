/*
 * check_file.c - see check_file.h.
 *
 * It reads as a start would: lengths come from record_measure, facts from file_segment_open.
 */
#include "daemon/store/lifecycle/check_file.h"

#include "daemon/store/arena/file_namespace.h"

static const char *check_guards(const struct segments *segments, const struct segment *segment,
                                const struct file_segment_fields *facts)
{
    uint64_t seed =
        file_segment_record_seed(segments->file, segment_number(segments, segment), facts);
    const char *start = segment_bytes(segments, segment);
    for (uint32_t offset = segments->lead; offset < facts->used;) {
        struct record record;
        uint32_t size = 0;
        if (!record_measure(start + offset, facts->used - offset, &record, &size)) {
            return "what should be a record cannot be one";
        }
        enum guard guard =
            record_guard_check(start + offset, size, segment_guard_seed(seed, offset));
        if (guard != (record_is_dead(start + offset) ? GUARD_DEAD : GUARD_LIVE)) {
            return "a record's guard is not right";
        }
        if (record.span) {
            break;
        }
        offset += place_aligned(segments, size + segments->guard);
    }
    return NULL;
}

static bool says_the_same(const struct segment *segment, const struct file_segment_fields *facts)
{
    return facts->order == segment->order && facts->unit == segment->unit &&
           facts->used == segment->used && facts->piece == segment->piece &&
           facts->base_time == segment->base_time;
}

static bool has_sum(const struct segments *segments, const struct segment *segment, uint32_t from,
                    const struct file_segment_fields *facts)
{
    return facts->sum == file_segment_sum_of(segments->file, facts->version,
                                             segment_bytes(segments, segment) + from,
                                             facts->used - from);
}

/* The value, from the head to the last piece. */
static const char *check_span(const struct segments *segments, const struct segment *head,
                              const struct file_segment_fields *facts)
{
    struct record record;
    const char *bytes = segment_bytes(segments, head);
    record_read(bytes + segments->lead, &record);
    if (facts->bound != head->version + segments->lead && (record.notes & NOTE_STALE) == 0) {
        return "a large record has another version in the file";
    }
    if (facts->stale != ((record.notes & NOTE_STALE) != 0) || facts->expires != head->latest) {
        return "a large record's life is another in the file";
    }
    if (!has_sum(segments, head, (uint32_t)(record.value - bytes), facts)) {
        return "a large record's sum is not right";
    }
    for (uint32_t number = facts->piece; number != 0;) {
        const struct segment *piece = segment_at(segments, number);
        struct file_segment_fields there;
        if (file_segment_open(segments->file, number, &there) != FILE_SEGMENT_IS_VALID ||
            there.kind != FILE_SEGMENT_PIECE || there.bound != facts->version ||
            there.owner != segment_number(segments, head) || !says_the_same(piece, &there)) {
            return "the label of a piece is not right";
        }
        if (!has_sum(segments, piece, 0, &there)) {
            return "a piece's sum is not right";
        }
        number = there.piece;
    }
    return NULL;
}

const char *check_labels(const struct store *store, const struct segment *segment)
{
    const struct segments *segments = &store->segments;
    struct file_segment_fields facts;
    if (segments->file == NULL) {
        return NULL;
    }
    if (file_segment_open(segments->file, segment_number(segments, segment), &facts) !=
            FILE_SEGMENT_IS_VALID ||
        facts.owner != segment->generation->number || !says_the_same(segment, &facts)) {
        return "the label of a segment is not right";
    }
    const char *wrong = check_guards(segments, segment, &facts);
    if (wrong != NULL || facts.kind == FILE_SEGMENT_SPAN) {
        return wrong != NULL ? wrong : check_span(segments, segment, &facts);
    }
    return facts.kind == FILE_SEGMENT_LOG && facts.version == segment->version
               ? NULL
               : "a segment has another version in the file";
}

const char *check_name(const struct store *store, uint32_t id)
{
    const struct namespaces *all = &store->namespaces;
    const struct namespace *ns = all->by_id[id];
    struct file_namespace_fields facts;
    if (all->file == NULL) {
        return NULL;
    }
    enum file_namespace_state state = file_namespace_open(all->file, id, &facts);
    if (ns == NULL) {
        return state == FILE_NAMESPACE_IS_FREE ? NULL : "the file has a namespace that is gone";
    }
    bool same = state == FILE_NAMESPACE_IS_VALID && facts.generation == ns->generation->number &&
                facts.flush_at == ns->flush_at &&
                slice_equal(facts.name, (struct slice){ns->name, ns->name_length});
    return same ? NULL : "the file says something else of a namespace";
}

const char *check_free_labels(struct store *store)
{
    struct segments *segments = &store->segments;
    struct file_segment_fields facts;
    uint64_t version = 0;
    if (segments->file == NULL) {
        return NULL;
    }
    for (uint32_t number = 1; number < segments_end(segments); number++) {
        if (number_chunk_is_there(&segments->numbers, number_chunk_of(number)) &&
            segment_state(segment_at(segments, number)) == SEGMENT_FREE &&
            file_segment_open(segments->file, number, &facts) != FILE_SEGMENT_IS_FREE) {
            return "the file has a segment that is free";
        }
    }
    return file_segment_versions(segments->file, &version) && version >= segments->versions_told
               ? NULL
               : "the file does not know which versions were given";
}
