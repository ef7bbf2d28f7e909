/*
 * script.h - lines of a file, one request or command each.
 */
#ifndef KVCACHED_SCRIPTS_CLI_SCRIPT_H
#define KVCACHED_SCRIPTS_CLI_SCRIPT_H

#include <stdio.h>

#include "scripts/cli/session.h"

/* Executes the lines in turn. Messages have the line's number in front. Returns the first status
 * that is not STATUS_DONE; without a connection, and after QUIT, it ends. */
enum status script_run(struct session *session, FILE *in);

#endif
