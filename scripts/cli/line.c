/*
 * line.c - a line that was typed or read: a request, or a command.
 */
#include "scripts/cli/line.h"

#include <strings.h>

#include "scripts/cli/commands.h"

static bool is_word(const struct words *words, const char *word)
{
    return words->count == 1 && strcasecmp(words->of[0].bytes.bytes, word) == 0;
}

enum status line_execute(struct session *session, struct slice line, bool *ended)
{
    struct words words;
    enum status status = STATUS_DONE;
    enum words_error error = words_split(line, &words);
    *ended = error == WORDS_GOOD && (is_word(&words, "QUIT") || is_word(&words, "EXIT"));
    if (error != WORDS_GOOD) {
        printer_fail(&session->printer, words_error_text(error));
        status = STATUS_REFUSED;
    } else if (words.count > 0 && words.of[0].bytes.bytes[0] != '#' && !*ended) {
        status = command_run(session, &words, NULL);
    }
    words_deinit(&words);
    return status;
}
