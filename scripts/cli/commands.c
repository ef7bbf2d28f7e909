/*
 * commands.c - the commands that are kvcached-cli's own, beside the verbs of the protocol.
 */
#include "scripts/cli/commands.h"

#include <stdlib.h>

#include "scripts/cli/command.h"
#include "scripts/cli/command_texts.h"

/* Beside command_texts. */
static command_function *const functions[] = {
#define COMMAND(name, arguments, function, help) function,
#include "scripts/cli/command_list.def"
#undef COMMAND
};

enum status command_run(struct session *session, const struct words *words,
                        const struct slice *value)
{
    const struct command_text *command =
        words->count > 0 && !words->of[0].quoted ? command_find(words->of[0].bytes.bytes) : NULL;
    if (command == NULL) {
        return session_ask(session, words, value);
    }
    char **list = memory_new(words->count + 1, sizeof *list);
    for (size_t i = 0; i < words->count; i++) {
        list[i] = memory_copy(words->of[i].bytes);
    }
    enum status status = functions[command - command_texts](session, (int)words->count, list);
    for (size_t i = 0; i < words->count; i++) {
        free(list[i]);
    }
    free(list);
    return status;
}
