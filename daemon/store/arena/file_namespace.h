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

struct file_namespace_facts {
    struct slice name; /* read: in the file */
    uint64_t generation;
    uint64_t flush_at; /* 0: not. A damaged one: 1, which is due */
    uint64_t creator;  /* 0: unknown. Is not checked */
};

/* The namespace exists from here on, with no flush to come. False: no space for it. Under
 * namespaces.lock. */
bool file_namespace_enter(struct file *file, uint32_t id, const struct file_namespace_facts *facts);
/* What it held is flushed from here on. Under the namespace's lock. */
void file_namespace_generation(struct file *file, uint32_t id, uint64_t generation);
/* 0: no more. */
void file_namespace_flush_at(struct file *file, uint32_t id, uint64_t when);
/* It is gone; before its number can be another's. */
void file_namespace_leave(struct file *file, uint32_t id);

enum file_namespace_state {
    FILE_NAMESPACE_IS_FREE,
    FILE_NAMESPACE_IS_VALID,
    FILE_NAMESPACE_IS_DAMAGED
};

enum file_namespace_state file_namespace_open(const struct file *file, uint32_t id,
                                              struct file_namespace_facts *facts);

#endif
