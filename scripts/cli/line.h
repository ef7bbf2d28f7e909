/*
 * line.h - a line that was typed or read: a request, or a command.
 */
#ifndef KVCACHED_SCRIPTS_CLI_LINE_H
#define KVCACHED_SCRIPTS_CLI_LINE_H

#include "scripts/cli/session.h"

/* Executes a line: a request, a command, or nothing, if it is empty or begins with #. *ended: it
 * was QUIT. */
enum status line_execute(struct session *session, struct slice line, bool *ended);

#endif
