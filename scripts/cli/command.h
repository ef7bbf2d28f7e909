/*
 * command.h - the functions of the commands that are kvcached-cli's own: see command_list.def.
 *
 * `words` are count words, from the command's name on, and NULL behind them.
 */
#ifndef KVCACHED_SCRIPTS_CLI_COMMAND_H
#define KVCACHED_SCRIPTS_CLI_COMMAND_H

#include "scripts/cli/session.h"

typedef enum status command_function(struct session *session, int count, char **words);

command_function help_run;
command_function hash_secret_run;
command_function import_run;
command_function top_run;
command_function hot_run;
command_function dump_run;
command_function restore_run;
command_function copy_run;

/* Tells that a command was used wrongly, with its usage. */
enum status command_misused(struct session *session, const char *name);

#endif
