/*
 * editor.c - a line that is edited on a terminal, by libedit.
 *
 * libedit redraws the right prompt only when it redraws the line, and it inserts most keys without
 * that. So keys are read here: when the hint has changed, a key of our own comes before the next
 * one, and all that it does is to have the line drawn again. Ctrl-C is a signal, which becomes a
 * key, too.
 */
#include "scripts/cli/editor.h"

#include <errno.h>
#include <histedit.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <wchar.h>

#include "scripts/cli/candidates.h"
#include "scripts/cli/hint.h"
#include "scripts/cli/history.h"
#include "scripts/cli/interrupt.h"

enum { KEY_CANCEL = 0x03, KEY_HINT = 0x1f }; /* ^C and ^_ */

struct editor {
    EditLine *line;
    struct history past;
    struct session *session;
    const char *prompt;
    char hint[HINT_MAX];
    bool cancelled;   /* by ^C */
    sigset_t signals; /* that are blocked while a key is awaited; otherwise those of the terminal
                         are, too, so that none comes between the last look and the wait */
};

static struct editor *editor_of(EditLine *line)
{
    struct editor *editor = NULL;
    el_get(line, EL_CLIENTDATA, &editor);
    return editor;
}

static char *show_prompt(EditLine *line)
{
    return (char *)editor_of(line)->prompt;
}

static char *show_hint(EditLine *line)
{
    return editor_of(line)->hint;
}

/* --- keys ------------------------------------------------------------------------- */

/* True when it has changed. A line that is searched in the history has several lines. */
static bool update_hint(struct editor *editor)
{
    const LineInfo *info = el_line(editor->line);
    struct slice typed = {info->buffer, (size_t)(info->lastchar - info->buffer)};
    char hint[HINT_MAX];
    if (memchr(typed.bytes, '\n', typed.length) != NULL) {
        return false;
    }
    hint_find(typed, hint);
    if (strcmp(hint, editor->hint) == 0) {
        return false;
    }
    memcpy(editor->hint, hint, sizeof hint);
    return true;
}

/* A signal came while a key was awaited: Ctrl-C is one, and so is another size of the terminal.
 * True with the key that it means. libedit has taken the signal and sent it once more. */
static bool take_signal(EditLine *line, wchar_t *key)
{
    sigset_t pending;
    sigpending(&pending);
    if (interrupt_noted() || sigismember(&pending, SIGINT) == 1) {
        interrupt_forget();
        *key = KEY_CANCEL;
        return true;
    }
    fputs("\r\033[J", stdout);
    el_set(line, EL_REFRESH);
    return false;
}

/* Adds a byte to the character that is being read. Whether it is complete. */
static bool add_byte(char byte, mbstate_t *state, wchar_t *key)
{
    size_t result = mbrtowc(key, &byte, 1, state);
    if (result == (size_t)-1) {
        *key = (unsigned char)byte; /* no character of this locale */
    }
    return result != (size_t)-2;
}

/* A character of the terminal; 0 at the end of input, -1 with errno. */
static int read_key(EditLine *line, wchar_t *key)
{
    struct editor *editor = editor_of(line);
    struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
    mbstate_t state = {0};
    if (update_hint(editor)) {
        *key = KEY_HINT;
        return 1;
    }
    for (;;) {
        char byte;
        ssize_t got = ppoll(&ready, 1, NULL, &editor->signals);
        if (got >= 0) {
            got = read(STDIN_FILENO, &byte, 1);
        }
        if (got < 0 && errno == EINTR) {
            if (take_signal(line, key)) {
                return 1;
            }
        } else if (got <= 0) {
            return (int)got;
        } else if (add_byte(byte, &state, key)) {
            return 1;
        }
    }
}

static unsigned char draw_hint(EditLine *line, wint_t key)
{
    (void)line;
    (void)key;
    return CC_REFRESH;
}

static unsigned char cancel(EditLine *line, wint_t key)
{
    (void)key;
    editor_of(line)->cancelled = true;
    el_insertstr(line, "\n"); /* an empty line would be the end of input */
    fputs("^C", stdout);
    return CC_NEWLINE;
}

/* --- completion ------------------------------------------------------------------- */

/* Below the line, in columns. */
static void list(const struct candidates *candidates)
{
    enum { COLUMN = 20, LINE = 80 };
    size_t at = 0;
    fputs("\n", stdout);
    for (size_t i = 0; i < candidates->count; i++) {
        size_t length = strlen(candidates->of[i]);
        size_t width = (length / COLUMN + 1) * COLUMN;
        if (at > 0 && at + width > LINE) {
            fputs("\n", stdout);
            at = 0;
        }
        printf("%s%*s", candidates->of[i], (int)(width - length), "");
        at += width;
    }
    printf("%s\n", candidates->count == CANDIDATES_MAX ? "..." : "");
}

static unsigned char insert(EditLine *line, const struct candidates *candidates)
{
    size_t common = candidates_common(candidates);
    char *text = memory_copy((struct slice){candidates->of[0], common});
    const char *rest = text + candidates->typed;
    if (candidates->replace && candidates->typed > 0) {
        el_deletestr(line, (int)candidates->typed);
        rest = text;
    }
    bool good = *rest == '\0' || el_insertstr(line, rest) == 0;
    if (good && candidates->count == 1) {
        good = el_insertstr(line, " ") == 0;
    }
    free(text);
    return good ? CC_REFRESH : CC_ERROR;
}

static unsigned char complete(EditLine *line, wint_t key)
{
    const LineInfo *info = el_line(line);
    struct candidates candidates;
    unsigned char result = CC_ERROR;
    (void)key;
    candidates_find(editor_of(line)->session,
                    (struct slice){info->buffer, (size_t)(info->cursor - info->buffer)},
                    &candidates);
    if (candidates.count == 1 || candidates_common(&candidates) > candidates.typed) {
        result = insert(line, &candidates);
    } else if (candidates.count > 1) {
        list(&candidates);
        result = CC_REDISPLAY;
    }
    candidates_deinit(&candidates);
    return result;
}

/* --- a line ----------------------------------------------------------------------- */

bool editor_is_possible(void)
{
    const char *kind = getenv("TERM");
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && kind != NULL &&
           *kind != '\0' && strcmp(kind, "dumb") != 0 && strcmp(kind, "unknown") != 0;
}

static void set_up(struct editor *editor)
{
    EditLine *line = editor->line;
    el_set(line, EL_CLIENTDATA, editor);
    el_set(line, EL_PROMPT, show_prompt);
    el_set(line, EL_RPROMPT, show_hint);
    el_set(line, EL_HIST, history, editor->past.lines);
    el_set(line, EL_EDITOR, "emacs");
    el_set(line, EL_SIGNAL, 1);
    el_set(line, EL_GETCFN, read_key);
    /* libedit would copy narrow strings, and never free them. */
    el_wset(line, EL_ADDFN, L"kvcached-cancel", L"Begin the line anew", cancel);
    el_wset(line, EL_ADDFN, L"kvcached-complete", L"Complete a word", complete);
    el_wset(line, EL_ADDFN, L"kvcached-hint", L"Show how the verb is used", draw_hint);
    el_set(line, EL_BIND, "^_", "kvcached-hint", NULL);
    el_set(line, EL_BIND, "^C", "kvcached-cancel", NULL);
    el_set(line, EL_BIND, "^I", "kvcached-complete", NULL);
    el_set(line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(line, NULL); /* the user's ~/.editrc */
}

struct editor *editor_create(struct session *session, const char *prompt, bool keep)
{
    struct editor *editor = memory_new(1, sizeof *editor);
    editor->session = session;
    editor->prompt = prompt;
    if (!history_open(&editor->past, keep)) {
        free(editor);
        return NULL;
    }
    editor->line = el_init("kvcached-cli", stdin, stdout, stderr);
    if (editor->line == NULL) {
        history_close(&editor->past);
        free(editor);
        return NULL;
    }
    set_up(editor);
    return editor;
}

void editor_destroy(struct editor *editor)
{
    el_end(editor->line);
    history_close(&editor->past);
    free(editor);
}

const char *editor_read(struct editor *editor)
{
    int length;
    sigset_t of_terminal;
    sigemptyset(&of_terminal);
    sigaddset(&of_terminal, SIGINT);
    sigaddset(&of_terminal, SIGWINCH);
    sigprocmask(SIG_BLOCK, &of_terminal, &editor->signals);
    editor->cancelled = false;
    editor->hint[0] = '\0';
    el_set(editor->line, EL_PREP_TERM,
           1); /* before the prompt, so that no key is echoed behind it */
    const char *line = el_gets(editor->line, &length);
    sigprocmask(SIG_SETMASK, &editor->signals, NULL);
    if (line == NULL || length <= 0) {
        return NULL;
    }
    if (editor->cancelled) {
        fputs("\n", stdout);
        return "";
    }
    history_add(&editor->past, line);
    return line;
}
