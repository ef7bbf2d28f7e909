/*
 * scratch.h - a directory for one test, and what stands in it.
 */
#ifndef KVCACHED_TESTS_SUPPORT_SCRATCH_H
#define KVCACHED_TESTS_SUPPORT_SCRATCH_H

#include <stdbool.h>

/* For tcase_add_checked_fixture: each test has an empty directory of its own,
 * which goes with all files in it. */
void scratch_make(void);
/* The same where files lie in memory, if there is such a place: for thousands of them. */
void scratch_make_in_memory(void);
void scratch_remove(void);

/* The path of a name in it; good until the next eight calls. */
const char *scratch_path(const char *name);

/* What a file holds, at most 64 KiB; good until the next call. */
const char *scratch_read(const char *name);
/* How often a text is in a file. */
int scratch_count(const char *name, const char *text);
void scratch_write(const char *name, const char *text);
bool scratch_has(const char *name);

#endif
