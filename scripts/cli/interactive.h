/*
 * interactive.h - lines that are typed on a terminal.
 */
#ifndef KVCACHED_SCRIPTS_CLI_INTERACTIVE_H
#define KVCACHED_SCRIPTS_CLI_INTERACTIVE_H

#include "scripts/cli/session.h"

/* Reads and executes lines until the end of input or QUIT. With libedit's editing, completion and
 * history; on a terminal that can do nothing, without. */
enum status interactive_run(struct session *session, bool history);

#endif
