/*
 * hint.c - how the verb that is being typed is used.
 */
#include "scripts/cli/hint.h"

#include <stdio.h>
#include <strings.h>

#include "scripts/cli/command_texts.h"
#include "scripts/cli/verbs.h"

/* What was found of a word so far. */
struct search {
    struct slice word;
    size_t count; /* that begin with it */
    bool exact;
    char *hint;
};

static void try(struct search *search, const char *name, const char *arguments)
{
    if (search->exact || strncasecmp(name, search->word.bytes, search->word.length) != 0) {
        return;
    }
    search->exact = strlen(name) == search->word.length;
    search->count++;
    snprintf(search->hint, HINT_MAX, "%s%s", name, arguments);
}

static struct slice first_word(struct slice line)
{
    while (line.length > 0 && *line.bytes == ' ') {
        line.bytes++;
        line.length--;
    }
    return reply_nth(line, 0);
}

void hint_find(struct slice line, char hint[HINT_MAX])
{
    struct search search = {.word = first_word(line), .hint = hint};
    hint[0] = '\0';
    if (search.word.length == 0) {
        return;
    }
    for (size_t i = 0; i < command_count; i++) {
        try(&search, command_texts[i].name, command_texts[i].arguments);
    }
    for (size_t i = 0; i < verb_count(); i++) {
        struct typed_verb verb = verb_at(i);
        if (command_find(verb.word) == NULL) {
            try(&search, verb.word, verb.arguments);
        }
    }
    if (search.count != 1 && !search.exact) {
        hint[0] = '\0';
    }
}
