/*
 * interactive.c - lines that are typed on a terminal.
 */
#include "scripts/cli/interactive.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "scripts/cli/editor.h"
#include "scripts/cli/interrupt.h"
#include "scripts/cli/line.h"

/* False: QUIT. */
static bool execute(struct session *session, const char *line)
{
    bool ended;
    interrupt_forget();
    line_execute(session, slice_of(line), &ended);
    interrupt_forget();
    return !ended;
}

static void run_editor(struct session *session, const char *prompt, bool history)
{
    struct editor *editor = editor_create(session, prompt, history);
    const char *line;
    if (editor == NULL) {
        return;
    }
    do {
        line = editor_read(editor);
    } while (line != NULL && execute(session, line));
    if (line == NULL) {
        fputs("\n", stdout);
    }
    editor_destroy(editor);
}

/* Without editing; the prompt goes to standard error, where standard output may be a file. A
 * terminal gives a line at a time, so none is left behind in stdin's buffer. */
static void run_plain(struct session *session, const char *prompt)
{
    char *line = NULL;
    size_t room = 0;
    bool open = true;
    while (open) {
        fflush(stdout);
        fputs(prompt, stderr);
        clearerr(stdin);
        if (interrupt_poll(STDIN_FILENO, POLLIN, -1) > 0 && getline(&line, &room, stdin) >= 0) {
            open = execute(session, line);
        } else if (interrupt_noted()) {
            interrupt_forget();
            fputs("\n", stderr);
        } else {
            open = false;
        }
    }
    free(line);
}

enum status interactive_run(struct session *session, bool history)
{
    char name[ENDPOINT_NAME_MAX], prompt[ENDPOINT_NAME_MAX + 2];
    enum status status = session_ready(session);
    if (status != STATUS_DONE) {
        return status;
    }
    endpoint_name(session->endpoint, name);
    snprintf(prompt, sizeof prompt, "%s> ", name);
    interrupt_catch(false);
    if (editor_is_possible()) {
        run_editor(session, prompt, history);
    } else {
        run_plain(session, prompt);
    }
    return STATUS_DONE;
}
