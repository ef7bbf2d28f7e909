/*
 * editor.h - a line that is edited on a terminal.
 *
 * While a line is typed, the right side of the terminal shows how its verb is used; Tab completes,
 * ^R searches in the history, ^C begins the line anew.
 */
#ifndef KVCACHED_SCRIPTS_CLI_EDITOR_H
#define KVCACHED_SCRIPTS_CLI_EDITOR_H

#include "scripts/cli/session.h"

struct editor;

/* Whether the terminal that the process has can be used: it is known, and not a dumb one. */
bool editor_is_possible(void);

/* NULL: the terminal cannot be used. `keep`: with the file of the lines of before. */
struct editor *editor_create(struct session *session, const char *prompt, bool keep);
void editor_destroy(struct editor *editor);

/* A line with its end, good until the next call; NULL: the input has ended. */
const char *editor_read(struct editor *editor);

#endif
