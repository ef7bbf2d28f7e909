/*
 * command_texts.c - the commands that are no verbs, as help, hints and completion show them.
 */
#include "scripts/cli/command_texts.h"

#include <strings.h>

const struct command_text command_texts[] = {
#define COMMAND(name, arguments, function, help) {name, arguments, help},
#include "scripts/cli/command_list.def"
#undef COMMAND
};

const size_t command_count = sizeof command_texts / sizeof *command_texts;

const struct command_text *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcasecmp(command_texts[i].name, name) == 0) {
            return &command_texts[i];
        }
    }
    return NULL;
}
