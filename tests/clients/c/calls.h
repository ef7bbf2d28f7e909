/*
 * calls.h - calls of vectors.txt, made by libkvcached, and their results as that file writes them.
 */
#ifndef KVCACHED_TESTS_CLIENTS_C_CALLS_H
#define KVCACHED_TESTS_CLIENTS_C_CALLS_H

#include "tests/clients/c/text.h"

/* Makes one call, and waits for its result. A call that is not known ends the process. */
void calls_make(struct kvc *kvc, const char *call, struct text *result);

/* Makes all of them in a pipeline. False, with nothing done: one of them cannot be appended, or
 * would be none. */
bool calls_can_be_appended(const char *call);
void calls_pipeline(struct kvc *kvc, char *const *calls, size_t count, struct text *results);

/* Appends `error KIND "text"`, the text only for what the daemon has said. */
void calls_add_error(const struct kvc *kvc, enum kvc_result result, struct text *text);

#endif
