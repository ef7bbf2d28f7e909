/*
 * script.c - lines of a file, one request or command each.
 */
#include "scripts/cli/script.h"

#include <stdio.h>
#include <stdlib.h>

#include "scripts/cli/line.h"

enum { PREFIX_MAX = 32 };

enum status script_run(struct session *session, FILE *in)
{
    char *line = NULL, prefix[PREFIX_MAX];
    size_t room = 0, number = 0;
    enum status first = STATUS_DONE;
    bool ended = false;
    ssize_t length;
    session->printer.prefix = prefix;
    while (!ended && (length = getline(&line, &room, in)) >= 0) {
        snprintf(prefix, sizeof prefix, "line %zu: ", ++number);
        enum status status = line_execute(session, (struct slice){line, (size_t)length}, &ended);
        first = first == STATUS_DONE ? status : first;
        ended |= status == STATUS_NO_CONNECTION || printer_is_broken(&session->printer);
    }
    if (line != NULL) {
        explicit_bzero(line, room); /* it may have been an AUTH */
    }
    free(line);
    session->printer.prefix = "";
    return first;
}
