/*
 * file_namespace.c - see file_namespace.h.
 *
 * An entry has one check over what never changes while it stands, and two sealed words
 * that do.
 */
#include "daemon/store/arena/file_namespace.h"

#include <string.h>

#include "daemon/store/arena/checksum.h"

_Static_assert(sizeof(((struct name_entry *)NULL)->name) == STORE_NAMESPACE_MAX &&
                   (unsigned)LAYOUT_NAMES > (unsigned)STORE_NAMESPACES_MAX,
               "every name has its place");

static uint32_t check_of(const struct file *file, uint32_t id, const struct name_entry *entry)
{
    const size_t from = offsetof(struct name_entry, name_length);
    return checksum_bytes(file_seed(file, SEAL_NAME, id), (const char *)entry + from,
                          offsetof(struct name_entry, creator) - from);
}

static void set_word(uint64_t *field, uint64_t word)
{
    __atomic_store_n(field, word, __ATOMIC_RELEASE);
}

bool file_namespace_enter(struct file *file, uint32_t id, const struct file_namespace_facts *facts)
{
    if (file == NULL) {
        return true;
    }
    if (!file_back_name(file, id)) {
        return false;
    }
    struct name_entry *entry = &file->names[id];
    entry->flush_at = 0;
    entry->name_length = (uint8_t)facts->name.length;
    memset(entry->spare, 0, sizeof entry->spare);
    memset(entry->name, 0, sizeof entry->name);
    memcpy(entry->name, facts->name.bytes, facts->name.length);
    entry->check = check_of(file, id, entry);
    entry->creator = facts->creator;
    file_namespace_generation(file, id, facts->generation);
    return true;
}

void file_namespace_generation(struct file *file, uint32_t id, uint64_t generation)
{
    if (file != NULL) {
        set_word(&file->names[id].generation,
                 checksum_word(file_seed(file, SEAL_GENERATION, id), generation));
    }
}

void file_namespace_flush_at(struct file *file, uint32_t id, uint64_t when)
{
    if (file != NULL) {
        uint64_t bounded = when < SEAL_MAX ? when : SEAL_MAX;
        set_word(&file->names[id].flush_at,
                 when == 0 ? 0 : checksum_word(file_seed(file, SEAL_FLUSH_AT, id), bounded));
    }
}

void file_namespace_leave(struct file *file, uint32_t id)
{
    if (file != NULL) {
        set_word(&file->names[id].generation, 0);
    }
}

enum file_namespace_state file_namespace_open(const struct file *file, uint32_t id,
                                              struct file_namespace_facts *facts)
{
    const struct name_entry *entry = &file->names[id];
    uint64_t generation = __atomic_load_n(&entry->generation, __ATOMIC_ACQUIRE);
    uint64_t flush_at = __atomic_load_n(&entry->flush_at, __ATOMIC_ACQUIRE);
    *facts = (struct file_namespace_facts){.name = {entry->name, entry->name_length},
                                           .creator = entry->creator};
    if (generation == 0) {
        return FILE_NAMESPACE_IS_FREE;
    }
    if (flush_at != 0 &&
        !checksum_open(file_seed(file, SEAL_FLUSH_AT, id), flush_at, &facts->flush_at)) {
        facts->flush_at = 1;
    }
    bool whole =
        checksum_open(file_seed(file, SEAL_GENERATION, id), generation, &facts->generation) &&
        entry->name_length <= sizeof entry->name && entry->check == check_of(file, id, entry);
    return whole ? FILE_NAMESPACE_IS_VALID : FILE_NAMESPACE_IS_DAMAGED;
}
