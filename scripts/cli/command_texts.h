/*
 * command_texts.h - the commands that are no verbs, as help, hints and completion show them.
 */
#ifndef KVCACHED_SCRIPTS_CLI_COMMAND_TEXTS_H
#define KVCACHED_SCRIPTS_CLI_COMMAND_TEXTS_H

#include <stddef.h>

struct command_text {
    const char *name;
    const char *arguments; /* empty, or with a blank in front */
    const char *help;
};

/* In the order of command_list.def. */
extern const struct command_text command_texts[];
extern const size_t command_count;

/* The command of that name, in small letters or capitals; NULL: there is none. */
const struct command_text *command_find(const char *name);

#endif
