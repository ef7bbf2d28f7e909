/*
 * survey.h - SURVEY: how large the values of a namespace are, and how long they live.
 *
 * Owns the counts of one survey, and copies of the keys of its largest values: its memory does not
 * depend on how many records there are. For the thread of the connection.
 */
#ifndef KVCACHED_DAEMON_REQUEST_SURVEY_H
#define KVCACHED_DAEMON_REQUEST_SURVEY_H

#include "daemon/request/reply_queue.h"
#include "daemon/store/store.h"

struct survey;

/* NULL when out of memory. The caller destroys it. */
struct survey *survey_create(void);
void survey_destroy(struct survey **survey);

/* Counts a record. `now` as in store.h. */
void survey_count(struct survey *survey, const struct store_entry *entry, uint64_t now);

/* Adds the reply's lines, some 10 KiB at most, without its END. */
void survey_tell(const struct survey *survey, struct reply_queue *replies,
                 const struct request *request);

#endif
