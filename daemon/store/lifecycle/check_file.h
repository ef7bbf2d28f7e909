/*
 * check.h - what check_file.c knows and check.c asks: whether the marks in the file are
 * those of the store. NULL, or what is wrong; always NULL without a file.
 */
#ifndef KVCACHED_DAEMON_STORE_LIFECYCLE_CHECK_H
#define KVCACHED_DAEMON_STORE_LIFECYCLE_CHECK_H

#include "daemon/store/records/lookup.h"

/* A linked segment: its label and its pieces', the guards of its records, its sums. */
const char *check_marks(const struct store *store, const struct segment *segment);

/* The entry of that number, whether there is such a namespace or not. */
const char *check_name(const struct store *store, uint32_t id);

/* Numbers that are free, and versions. */
const char *check_free_labels(struct store *store);

/* What is counted of pinned memory and of writes that are not committed. */
const char *check_shares(const struct store *store);

#endif
