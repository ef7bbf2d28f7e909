/*
 * commands.h - the commands that are kvcached-cli's own, beside the verbs of the protocol.
 */
#ifndef KVCACHED_SCRIPTS_CLI_COMMANDS_H
#define KVCACHED_SCRIPTS_CLI_COMMANDS_H

#include "scripts/cli/session.h"

/* Runs the words as a command, or as a request. */
enum status command_run(struct session *session, const struct words *words,
                        const struct slice *value);

#endif
