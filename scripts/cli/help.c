/*
 * help.c - what can be typed.
 */
#include <err.h>
#include <string.h>

#include "scripts/cli/command.h"
#include "scripts/cli/command_texts.h"

enum { WIDTH = 38 };

static void print_line(FILE *out, const char *word, const char *arguments, const char *help)
{
    size_t length = strlen(word) + strlen(arguments);
    fprintf(out, "  %s%s%*s%s\n", word, arguments, length < WIDTH ? (int)(WIDTH - length) : 2, "",
            help);
}

static void print_all(FILE *out)
{
    for (size_t i = 0; i < verb_count(); i++) {
        struct typed_verb verb = verb_at(i);
        if (command_find(verb.word) == NULL) {
            print_line(out, verb.word, verb.arguments, verb.help);
        }
    }
    fputs("\n", out);
    for (size_t i = 0; i < command_count; i++) {
        const struct command_text *command = &command_texts[i];
        print_line(out, command->name, command->arguments, command->help);
    }
    fputs("\nA word with blanks is quoted: \"...\" with \\n \\t \\xNN \\\" \\\\, or '...'.\n"
          "Times: 90 or 1.5 (seconds), 500ms, 30m, 7d (ms s m h d w), never, - for the default.\n",
          out);
}

enum status help_run(struct session *session, int count, char **words)
{
    FILE *out = session->printer.out;
    struct typed_verb verb;
    if (count == 1) {
        print_all(out);
        return STATUS_DONE;
    }
    const struct command_text *command = command_find(words[1]);
    if (command != NULL) {
        print_line(out, command->name, command->arguments, command->help);
    } else if (verb_find(slice_of(words[1]), &verb)) {
        print_line(out, verb.word, verb.arguments, verb.help);
    } else {
        printer_fail(&session->printer, "there is no such verb, try help");
        return STATUS_REFUSED;
    }
    return STATUS_DONE;
}
