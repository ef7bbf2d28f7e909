/*
 * history.h - lines that were typed, and the file that keeps them.
 */
#ifndef KVCACHED_SCRIPTS_CLI_HISTORY_H
#define KVCACHED_SCRIPTS_CLI_HISTORY_H

#include <histedit.h>
#include <stdbool.h>

#include "protocol/slice.h"

struct history {
    History *lines;
    char *file; /* NULL: none is kept */
};

/* Reads ~/.kvcached_history where `keep` is set. False: there is no memory. */
bool history_open(struct history *past, bool keep);
void history_close(struct history *past);

/* Adds a line, with its end, and writes the file, which its owner alone may read. A line with a
 * secret is not added. */
void history_add(struct history *past, const char *line);

/* Whether a line is an AUTH. */
bool history_is_secret(struct slice line);

#endif
