/*
 * file_namespace.h - what an arena file says of namespaces: name, generation, a flush to come,
 * maker.
 *
 * By the namespace's number (id). With a NULL file, all but roll_open do nothing.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_FILE_NAMESPACE_H
#define KVCACHED_DAEMON_STORE_ARENA_FILE_NAMESPACE_H

#include "daemon/store/arena/file.h"
#include "protocol/slice.h"

struct roll_facts {
    struct slice name; /* read: in the file */
    uint64_t generation;
    uint64_t flush_at; /* 0: not. A damaged one: 1, which is due */
    uint64_t maker;    /* 0: unknown. Is not checked */
};

/* The namespace exists from here on, with no flush to come. False: no space for it. Under
 * namespaces.lock. */
bool roll_enter(struct file *file, uint32_t id, const struct roll_facts *facts);
/* What it held is flushed from here on. Under the namespace's lock. */
void roll_generation(struct file *file, uint32_t id, uint64_t generation);
/* 0: no more. */
void roll_flush_at(struct file *file, uint32_t id, uint64_t when);
/* It is gone; before its number can be another's. */
void roll_leave(struct file *file, uint32_t id);

enum roll_state { ROLL_IS_FREE, ROLL_IS_VALID, ROLL_IS_DAMAGED };

enum roll_state roll_open(const struct file *file, uint32_t id, struct roll_facts *facts);

#endif
