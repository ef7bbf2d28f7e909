/*
 * verbs.c - the verbs that a person types.
 *
 * protocol/verbs.def says which there are. What is typed differs from what is sent where there is
 * a value: it stands at the end of the line, and its length is counted.
 */
#include "scripts/cli/verbs.h"

#include <strings.h>

/* The list, in its order; shapes are looked up by word, since some verbs are younger than others.
 */
static const struct verb_text {
    const char *word;
    const char *arguments;
    const char *help;
} texts[] = {
#define VERB(id, word, arguments, help, ...) {word, arguments, help},
#include "protocol/verbs.def"
#undef VERB
};

static const struct verb_shape_of {
    const char *word;
    enum verb_shape shape;
    enum reply_values values;
} shapes[] = {
    {"GET", VERB_KEYS, REPLY_VALUES},        {"DEL", VERB_KEYS, REPLY_VALUES},
    {"LIST", VERB_LISTING, REPLY_VALUES},    {"ALL", VERB_LISTING, REPLY_VALUES},
    {"STATS", VERB_LISTING, REPLY_VALUES},   {"NAMESPACES", VERB_LISTING, REPLY_VALUES},
    {"HELP", VERB_LISTING, REPLY_NONE},      {"DUMP", VERB_LISTING, REPLY_DUMP},
    {"SURVEY", VERB_LISTING, REPLY_NONE},    {"SLOW", VERB_LISTING, REPLY_NONE},
    {"CLIENTS", VERB_LISTING, REPLY_NONE},   {"SETTINGS", VERB_LISTING, REPLY_NONE},
    {"RELOAD", VERB_MISTAKES, REPLY_VALUES}, {"WATCH", VERB_ENDLESS, REPLY_NONE},
    {"QUIT", VERB_SILENT, REPLY_NONE},
};

static const char value_arguments[] = " <ns> <key> [<ttl>] <value>";

size_t verb_count(void)
{
    return sizeof texts / sizeof *texts;
}

struct typed_verb verb_at(size_t number)
{
    struct typed_verb verb = {.word = texts[number].word,
                              .arguments = texts[number].arguments,
                              .help = texts[number].help,
                              .shape = VERB_ONE,
                              .values = REPLY_VALUES};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (strcmp(shapes[i].word, verb.word) == 0) {
            verb.shape = shapes[i].shape;
            verb.values = shapes[i].values;
        }
    }
    if (strcmp(verb.word, "PUT") == 0 || strcmp(verb.word, "ADD") == 0) {
        verb.arguments = value_arguments;
        verb.takes_value = true;
    }
    return verb;
}

bool verb_find(struct slice word, struct typed_verb *verb)
{
    for (size_t i = 0; i < verb_count(); i++) {
        if (strlen(texts[i].word) == word.length &&
            strncasecmp(texts[i].word, word.bytes, word.length) == 0) {
            *verb = verb_at(i);
            return true;
        }
    }
    return false;
}

static bool is_name(char byte)
{
    return byte != ' ' && byte != '[' && byte != ']' && byte != '<' && byte != '>';
}

/* The next word of the arguments without its brackets; empty at the end. */
static struct slice next_name(const char **at)
{
    while (**at != '\0' && !is_name(**at)) {
        (*at)++;
    }
    const char *from = *at;
    while (**at != '\0' && is_name(**at)) {
        (*at)++;
    }
    return (struct slice){from, (size_t)(*at - from)};
}

struct slice verb_argument(const struct typed_verb *verb, size_t number)
{
    const char *at = verb->arguments;
    struct slice name = next_name(&at), before = {at, 0};
    while (name.length > 0 && !slice_equal(name, slice_of("...")) && number > 0) {
        before = name;
        name = next_name(&at);
        number--;
    }
    return slice_equal(name, slice_of("...")) ? before : name;
}
