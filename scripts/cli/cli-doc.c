/*
 * cli-doc.c - writes the completion of shells from the lists of options, commands and verbs.
 *
 * usage: cli-doc bash|zsh|names
 *
 * `names` are all of them, one a line: a test looks for each in the manual page.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "scripts/cli/command_texts.h"
#include "scripts/cli/options.h"
#include "scripts/cli/verbs.h"

/* --- lists ------------------------------------------------------------------------ */

static void print_lower(const char *word)
{
    for (; *word != '\0'; word++) {
        putchar(tolower((unsigned char)*word));
    }
}

static bool takes_namespace(const char *arguments)
{
    const struct typed_verb verb = {.arguments = arguments};
    return slice_equal(verb_argument(&verb, 0), slice_of("ns")) ||
           slice_equal(verb_argument(&verb, 0), slice_of("NS"));
}

/* All that may be the first word, in small letters, each behind `between`; only those that name a
 * namespace next, if that is asked. */
static void print_words(const char *between, bool namespaces)
{
    const char *before = "";
    for (size_t i = 0; i < command_count; i++) {
        if (!namespaces || takes_namespace(command_texts[i].arguments)) {
            printf("%s%s", before, command_texts[i].name);
            before = between;
        }
    }
    for (size_t i = 0; i < verb_count(); i++) {
        struct typed_verb verb = verb_at(i);
        if (command_find(verb.word) == NULL && strcmp(verb.word, "AUTH") != 0 &&
            (!namespaces || takes_namespace(verb.arguments))) {
            fputs(before, stdout);
            print_lower(verb.word);
            before = between;
        }
    }
}

/* --- bash ------------------------------------------------------------------------- */

static bool is_file(const struct option_text *text)
{
    return text->argument != NULL &&
           (strcmp(text->argument, "FILE") == 0 || strcmp(text->argument, "PATH") == 0);
}

static void print_options(const char *between, bool with_argument, bool files)
{
    const char *before = "";
    for (size_t i = 0; i < option_count; i++) {
        const struct option_text *text = &option_texts[i];
        if ((with_argument && text->argument == NULL) || (files && !is_file(text))) {
            continue;
        }
        if (text->letter != '\0') {
            printf("%s-%c", before, text->letter);
            before = between;
        }
        if (text->name != NULL) {
            printf("%s--%s", before, text->name);
            before = between;
        }
    }
}

static void print_bash(void)
{
    fputs(
        "# kvcached-cli in bash: options, requests, and the namespaces of the server that the\n"
        "# options name. Made by scripts/cli/cli-doc.\n"
        "\n"
        "_kvcached_cli_namespaces() {\n"
        "    local word\n"
        "    for word in \"$@\"; do\n"
        "        # A secret would be asked for.\n"
        "        case $word in -u | --user) [ -n \"${KVCACHED_SECRET_FILE-}\" ] || return ;; esac\n"
        "    done\n"
        "    kvcached-cli \"$@\" --timeout 1s namespaces 2>/dev/null </dev/null | cut -d ' ' -f 1\n"
        "}\n"
        "\n"
        "_kvcached_cli() {\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} options=() word= at words\n"
        "    COMPREPLY=()\n"
        "    case ${COMP_WORDS[COMP_CWORD - 1]} in\n"
        "    ",
        stdout);
    print_options(" | ", true, true);
    fputs(")\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
          "        return\n"
          "        ;;\n"
          "    esac\n"
          "    for ((at = 1; at < COMP_CWORD; at++)); do\n"
          "        case ${COMP_WORDS[at]} in\n"
          "        ",
          stdout);
    print_options(" | ", true, false);
    fputs(")\n"
          "            options+=(\"${COMP_WORDS[at]}\" \"${COMP_WORDS[at + 1]-}\")\n"
          "            ((at++))\n"
          "            ;;\n"
          "        -*) options+=(\"${COMP_WORDS[at]}\") ;;\n"
          "        *)\n"
          "            word=${COMP_WORDS[at],,}\n"
          "            break\n"
          "            ;;\n"
          "        esac\n"
          "    done\n"
          "    words=\n"
          "    if [ -z \"$word\" ] && [[ $current == -* ]]; then\n"
          "        words='",
          stdout);
    print_options(" ", false, false);
    fputs("'\n"
          "    elif [ -z \"$word\" ]; then\n"
          "        words='",
          stdout);
    print_words(" ", false);
    fputs("'\n"
          "        [[ $current != [A-Z]* ]] || words=${words^^}\n"
          "    elif ((COMP_CWORD == at + 1)); then\n"
          "        case $word in\n"
          "        ",
          stdout);
    print_words(" | ", true);
    fputs(")\n"
          "            words=$(_kvcached_cli_namespaces \"${options[@]}\")\n"
          "            ;;\n"
          "        esac\n"
          "    fi\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "}\n"
          "\n"
          "complete -F _kvcached_cli kvcached-cli\n",
          stdout);
}

/* --- zsh -------------------------------------------------------------------------- */

/* Within single quotes; a colon separates a word from what it means. */
static void print_quoted(const char *text)
{
    for (; *text != '\0'; text++) {
        fputs(*text == '\'' ? "'\\''" : *text == ':' ? "\\:" : (char[]){*text, '\0'}, stdout);
    }
}

/* One spelling of an option. */
static void print_spelling(const char *spelling, const struct option_text *text)
{
    printf("        '%s[", spelling);
    print_quoted(text->help);
    fputs("]", stdout);
    if (text->argument != NULL) {
        fputs(":", stdout);
        print_lower(text->argument);
        fputs(is_file(text) ? ":_files" : ": ", stdout);
    }
    fputs("' \\\n", stdout);
}

static void print_zsh_option(const struct option_text *text)
{
    char spelling[32];
    if (text->letter != '\0') {
        snprintf(spelling, sizeof spelling, "-%c", text->letter);
        print_spelling(spelling, text);
    }
    if (text->name != NULL) {
        snprintf(spelling, sizeof spelling, "--%s", text->name);
        print_spelling(spelling, text);
    }
}

static void print_zsh(void)
{
    fputs(
        "#compdef kvcached-cli\n"
        "# kvcached-cli in zsh: options, requests, and the namespaces of the server that is found\n"
        "# without options. Made by scripts/cli/cli-doc.\n"
        "\n"
        "_kvcached-cli() {\n"
        "    local context state state_descr line\n"
        "    local -A opt_args\n"
        "    local -a requests namespaces\n"
        "    _arguments -S \\\n",
        stdout);
    for (size_t i = 0; i < option_count; i++) {
        print_zsh_option(&option_texts[i]);
    }
    fputs("        '1:request:->request' \\\n"
          "        '*:word:->word'\n"
          "    case $state in\n"
          "    request)\n"
          "        requests=(\n",
          stdout);
    for (size_t i = 0; i < command_count; i++) {
        printf("            '%s:", command_texts[i].name);
        print_quoted(command_texts[i].help);
        fputs("'\n", stdout);
    }
    for (size_t i = 0; i < verb_count(); i++) {
        struct typed_verb verb = verb_at(i);
        if (command_find(verb.word) == NULL && strcmp(verb.word, "AUTH") != 0) {
            fputs("            '", stdout);
            print_lower(verb.word);
            fputs(":", stdout);
            print_quoted(verb.help);
            fputs("'\n", stdout);
        }
    }
    fputs("        )\n"
          "        _describe request requests\n"
          "        ;;\n"
          "    word)\n"
          "        case ${(L)line[1]} in\n"
          "        ",
          stdout);
    print_words(" | ", true);
    fputs(")\n"
          "            namespaces=(${(f)\"$(kvcached-cli --timeout 1s namespaces 2>/dev/null "
          "</dev/null |\n"
          "                cut -d ' ' -f 1)\"})\n"
          "            ((CURRENT > 2)) || compadd -a namespaces\n"
          "            ;;\n"
          "        esac\n"
          "        ;;\n"
          "    esac\n"
          "}\n"
          "\n"
          "_kvcached-cli \"$@\"\n",
          stdout);
}

/* --- the manual page -------------------------------------------------------------- */

static void print_names(void)
{
    print_words("\n", false);
    fputs("\n", stdout);
    for (size_t i = 0; i < option_count; i++) {
        if (option_texts[i].name != NULL) {
            printf("-%s\n", option_texts[i].name);
        }
        if (option_texts[i].letter != '\0') {
            printf("%c\n", option_texts[i].letter);
        }
    }
}

int main(int count, char **words)
{
    if (count == 2 && strcmp(words[1], "bash") == 0) {
        print_bash();
    } else if (count == 2 && strcmp(words[1], "zsh") == 0) {
        print_zsh();
    } else if (count == 2 && strcmp(words[1], "names") == 0) {
        print_names();
    } else {
        fputs("usage: cli-doc bash|zsh|names\n", stderr);
        return 2;
    }
    return ferror(stdout) != 0 || fflush(stdout) != 0;
}
