/*
 * usage.c - `kvcached-cli --help`: options from options.def, commands and verbs from their lists.
 */
#include "scripts/cli/usage.h"

#include "scripts/cli/command.h"
#include "scripts/cli/command_texts.h"
#include "scripts/cli/options.h"

static void print_option(FILE *out, const struct option_text *text)
{
    char shown[64];
    int length = snprintf(shown, sizeof shown, "%c%c%s%s%s%s%s", text->letter != 0 ? '-' : ' ',
                          text->letter != 0 ? text->letter : ' ',
                          text->name == NULL  ? ""
                          : text->letter != 0 ? ", --"
                                              : "  --",
                          text->name != NULL ? text->name : "", text->argument != NULL ? " " : "",
                          text->argument != NULL ? text->argument : "", "");
    fprintf(out, "  %s%*s%s\n", shown, length < 24 ? 24 - length : 1, "", text->help);
}

void usage_print(FILE *out)
{
    struct session session = {.printer = {.out = out}};
    fputs("usage: kvcached-cli [OPTION]... [WORD]...\n"
          "\n"
          "The words are a request or a command. Without any, lines are read and answered.\n"
          "\n",
          out);
    for (size_t i = 0; i < option_count; i++) {
        print_option(out, &option_texts[i]);
    }
    fputs("\nRequests and commands:\n\n", out);
    help_run(&session, 1, NULL);
    fputs("\nThe exit status is 0 when it is done, 1 for NOT_FOUND and EXISTS, 2 when it was\n"
          "refused, and 3 without a connection. See kvcached-cli(1).\n",
          out);
}
