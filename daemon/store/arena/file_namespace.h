/*
 * file_namespace.h - what an arena file says of namespaces: name, generation, a flush to come,
 * creator.
 *
 * By the namespace's number (id). With a NULL file, all but file_namespace_open do nothing.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_FILE_NAMESPACE_H
#define KVCACHED_DAEMON_STORE_ARENA_FILE_NAMESPACE_H

#include "daemon/store/arena/file.h"
#include "protocol/slice.h"

struct file_namespace_fields {
    struct slice name; /* read: in the file */
    uint64_t generation;
    uint64_t flush_at; /* 0: not. A damaged one: 1, which is due */
    uint64_t creator;  /* 0: unknown. Is not checked */
};

/* The namespace exists from here on, with no flush to come. False: no space for it. Under
 * namespaces.lock. */
bool file_namespace_add(struct file *file, uint32_t id, const struct file_namespace_fields *fields);
/* The namespace has another generation: what it held is flushed from here on. Under the namespace's
 * lock. */
void file_namespace_set_generation(struct file *file, uint32_t id, uint64_t generation);
/* Sets the time of the flush to come; 0: none. Under namespaces.lock or the namespace's. */
void file_namespace_set_flush_at(struct file *file, uint32_t id, uint64_t when);
/* It does not exist from here on. Before its number is used for another. */
void file_namespace_remove(struct file *file, uint32_t id);

enum file_namespace_state {
    FILE_NAMESPACE_IS_FREE,
    FILE_NAMESPACE_IS_VALID,
    FILE_NAMESPACE_IS_DAMAGED
};

/* Reads an entry. Valid: all checks are right, but flush_at's, see above. */
enum file_namespace_state file_namespace_open(const struct file *file, uint32_t id,
                                              struct file_namespace_fields *fields);

#endif
