/*
 * check_file.h - whether the labels, guards and names in the file are those of the store.
 *
 * For store_check, with no other thread inside. Each call returns NULL, or what is wrong: a
 * constant. Without a file it is always NULL.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_CHECK_FILE_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_CHECK_FILE_H

#include "daemon/store/records/state.h"

/* A linked segment: its label and its pieces', the guards of its records, its sums. */
const char *check_labels(const struct store *store, const struct segment *segment);

/* The entry of that number, whether there is such a namespace or not. */
const char *check_name(const struct store *store, uint32_t id);

/* Numbers that are free, and versions. */
const char *check_free_labels(struct store *store);

#endif
