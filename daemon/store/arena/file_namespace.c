/*
 * file_namespace.c - see file_namespace.h.
 *
 * An entry has one check over what never changes while it exists, and two checked words that
 * do change.
 */
#include "daemon/store/arena/file_namespace.h"

#include <string.h>

#include "daemon/store/arena/checksum.h"

_Static_assert(sizeof(((struct namespace_entry *)NULL)->name) == STORE_NAMESPACE_MAX &&
                   (unsigned)LAYOUT_NAMESPACES > (unsigned)STORE_NAMESPACES_MAX,
               "every name has its place");

static uint32_t check_of(const struct file *file, uint32_t id, const struct namespace_entry *entry)
{
    const size_t from = offsetof(struct namespace_entry, name_length);
    return checksum_bytes(file_seed(file, CHECKSUM_NAMESPACE, id), (const char *)entry + from,
                          offsetof(struct namespace_entry, creator) - from);
}

bool file_namespace_add(struct file *file, uint32_t id, const struct file_namespace_fields *fields)
{
    if (file == NULL) {
        return true;
    }
    if (!file_back_namespace(file, id)) {
        return false;
    }
    struct namespace_entry *entry = &file->namespaces[id];
    entry->flush_at = 0;
    entry->name_length = (uint8_t)fields->name.length;
    memset(entry->spare, 0, sizeof entry->spare);
    memset(entry->name, 0, sizeof entry->name);
    memcpy(entry->name, fields->name.bytes, fields->name.length);
    entry->check = check_of(file, id, entry);
    entry->creator = fields->creator;
    file_namespace_set_generation(file, id, fields->generation);
    return true;
}

void file_namespace_set_generation(struct file *file, uint32_t id, uint64_t generation)
{
    if (file != NULL) {
        checksum_store_word(&file->namespaces[id].generation,
                            checksum_word(file_seed(file, CHECKSUM_GENERATION, id), generation));
    }
}

void file_namespace_set_flush_at(struct file *file, uint32_t id, uint64_t when)
{
    if (file != NULL) {
        uint64_t bounded = when < CHECKSUM_PAYLOAD_MAX ? when : CHECKSUM_PAYLOAD_MAX;
        checksum_store_word(
            &file->namespaces[id].flush_at,
            when == 0 ? 0 : checksum_word(file_seed(file, CHECKSUM_FLUSH_AT, id), bounded));
    }
}

void file_namespace_remove(struct file *file, uint32_t id)
{
    if (file != NULL) {
        checksum_store_word(&file->namespaces[id].generation, 0);
    }
}

enum file_namespace_state file_namespace_open(const struct file *file, uint32_t id,
                                              struct file_namespace_fields *fields)
{
    const struct namespace_entry *entry = &file->namespaces[id];
    uint64_t generation = __atomic_load_n(&entry->generation, __ATOMIC_ACQUIRE);
    uint64_t flush_at = __atomic_load_n(&entry->flush_at, __ATOMIC_ACQUIRE);
    *fields = (struct file_namespace_fields){.name = {entry->name, entry->name_length},
                                             .creator = entry->creator};
    if (generation == 0) {
        return FILE_NAMESPACE_IS_FREE;
    }
    if (flush_at != 0 &&
        !checksum_open(file_seed(file, CHECKSUM_FLUSH_AT, id), flush_at, &fields->flush_at)) {
        fields->flush_at = 1;
    }
    bool whole =
        checksum_open(file_seed(file, CHECKSUM_GENERATION, id), generation, &fields->generation) &&
        entry->name_length <= sizeof entry->name && entry->check == check_of(file, id, entry);
    return whole ? FILE_NAMESPACE_IS_VALID : FILE_NAMESPACE_IS_DAMAGED;
}
