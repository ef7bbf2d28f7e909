/*
 * command.c - what commands share.
 */
#include "scripts/cli/command.h"

#include "scripts/cli/command_texts.h"

enum status command_misused(struct session *session, const char *name)
{
    char usage[MESSAGE_ERROR_MAX];
    const struct command_text *command = command_find(name);
    snprintf(usage, sizeof usage, "write %s%s", command->name, command->arguments);
    printer_fail(&session->printer, usage);
    return STATUS_REFUSED;
}
