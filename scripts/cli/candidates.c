/*
 * candidates.c - what a word that is being typed may become.
 *
 * Keys are asked for on another connection, which is closed in the middle of the listing when there
 * are enough of them: no namespace is too large for it.
 */
#include "scripts/cli/candidates.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "protocol/token.h"
#include "scripts/cli/clock.h"
#include "scripts/cli/command_texts.h"

enum { TIME_MAX = 500 }; /* milliseconds */

static void add(struct candidates *candidates, struct slice text)
{
    candidates->of = memory_resize(candidates->of, candidates->count + 1, sizeof *candidates->of);
    candidates->of[candidates->count++] = memory_copy(text);
}

void candidates_deinit(struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++) {
        free(candidates->of[i]);
    }
    free(candidates->of);
    *candidates = (struct candidates){.of = NULL};
}

size_t candidates_common(const struct candidates *candidates)
{
    size_t length = 0;
    if (candidates->count == 0) {
        return 0;
    }
    for (;; length++) {
        for (size_t i = 0; i < candidates->count; i++) {
            char byte = candidates->of[i][length];
            if (byte == '\0' || byte != candidates->of[0][length]) {
                return length;
            }
        }
    }
}

/* --- verbs ------------------------------------------------------------------------ */

static bool begins(const char *text, struct slice prefix)
{
    return strncasecmp(text, prefix.bytes, prefix.length) == 0;
}

static void find_verbs(struct slice prefix, struct candidates *candidates)
{
    candidates->replace = true;
    for (size_t i = 0; i < command_count; i++) {
        if (begins(command_texts[i].name, prefix)) {
            add(candidates, slice_of(command_texts[i].name));
        }
    }
    for (size_t i = 0; i < verb_count(); i++) {
        struct typed_verb verb = verb_at(i);
        if (begins(verb.word, prefix) && command_find(verb.word) == NULL) {
            add(candidates, slice_of(verb.word));
        }
    }
}

/* --- what the server has ---------------------------------------------------------- */

/* Without an escape that has only begun at the end: `\`, `\x` or `\xN`. */
static struct slice whole_bytes(struct slice prefix)
{
    for (size_t i = 1; i < TOKEN_ESCAPE && i <= prefix.length; i++) {
        const char *at = prefix.bytes + prefix.length - i;
        if (*at == '\\' && (i == 1 || at[1] == 'x')) {
            return (struct slice){prefix.bytes, prefix.length - i};
        }
    }
    return prefix;
}

char *candidates_pattern(struct slice typed)
{
    struct slice prefix = whole_bytes(typed);
    struct bytes pattern = {.at = NULL};
    const char *end = prefix.bytes + prefix.length;
    for (const char *at = prefix.bytes; at < end; at++) {
        unsigned char byte;
        bool escape = *at == '\\' && token_escape_at(at, end, &byte);
        if (!escape && strchr("*?[\\", *at) != NULL) {
            bytes_append_byte(&pattern, '\\');
        }
        bytes_append_byte(&pattern, *at);
    }
    bytes_append_text(&pattern, "*");
    bytes_append_byte(&pattern, '\0');
    return pattern.at;
}

/* Reads a listing whose rows begin with `row`, and takes of each the second word, if it begins with
 * the prefix. */
static void read_rows(struct client *client, const char *row, struct slice prefix,
                      struct candidates *candidates)
{
    int64_t until = clock_now() + TIME_MAX;
    struct reply reply;
    while (candidates->count < CANDIDATES_MAX && clock_now() < until &&
           client_read(client, REPLY_VALUES, &reply) == CLIENT_DONE && reply_is(&reply, row)) {
        struct slice word = reply_nth(reply.rest, 0);
        if (word.length >= prefix.length && memcmp(word.bytes, prefix.bytes, prefix.length) == 0) {
            add(candidates, word);
        }
    }
}

/* Asks with a connection of its own. */
static void ask(struct session *session, const char *request, const char *row, struct slice prefix,
                struct candidates *candidates)
{
    struct client client;
    client_init(&client, TIME_MAX);
    if (client_connect(&client, session->endpoint, &session->credentials) == CLIENT_DONE) {
        bytes_append_text(client_out(&client), request);
        if (client_flush(&client) == CLIENT_DONE) {
            read_rows(&client, row, prefix, candidates);
        }
    }
    client_deinit(&client);
}

static void find_keys(struct session *session, struct slice ns, struct slice prefix,
                      struct candidates *candidates)
{
    struct bytes request = {.at = NULL};
    char *pattern = candidates_pattern(prefix);
    bytes_append_text(&request, "LIST ");
    message_add_word(&request, ns, false);
    bytes_print(&request, " %s\r\n", pattern);
    bytes_append_byte(&request, '\0');
    ask(session, request.at, "KEY", prefix, candidates);
    free(pattern);
    bytes_deinit(&request);
}

/* --- a line ----------------------------------------------------------------------- */

/* What the number-th argument of the verb or command is called. */
static struct slice argument_name(struct slice word, size_t number)
{
    struct typed_verb verb;
    char *name = memory_copy(word);
    const struct command_text *command = command_find(name);
    free(name);
    if (command != NULL) {
        verb = (struct typed_verb){.arguments = command->arguments};
    } else if (!verb_find(word, &verb)) {
        return slice_of("");
    }
    return verb_argument(&verb, number);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `prefix` is the last word, `before` the number of words in front of it. */
static void find(struct session *session, const struct words *words, size_t before,
                 struct slice prefix, struct candidates *candidates)
{
    if (before == 0) {
        find_verbs(prefix, candidates);
        return;
    }
    struct slice name = argument_name(words->of[0].bytes, before - 1);
    if (slice_equal(name, slice_of("ns"))) {
        ask(session, "NAMESPACES\r\n", "NAMESPACE", prefix, candidates);
    } else if (slice_equal(name, slice_of("key")) && before >= 2) {
        find_keys(session, words->of[1].bytes, prefix, candidates);
    } else if (slice_equal(name, slice_of("verb"))) {
        find_verbs(prefix, candidates);
    }
}

void candidates_find(struct session *session, struct slice line, struct candidates *candidates)
{
    struct words words;
    *candidates = (struct candidates){.of = NULL};
    bool good = words_split(line, &words) == WORDS_GOOD;
    bool new_word = line.length == 0 || isspace((unsigned char)line.bytes[line.length - 1]);
    size_t before = words.count - !new_word;
    if (good && (new_word || !words.of[before].quoted)) {
        struct slice prefix = new_word ? slice_of("") : words.of[before].bytes;
        candidates->typed = prefix.length;
        find(session, &words, before, prefix, candidates);
        if (candidates->count > 0) {
            qsort(candidates->of, candidates->count, sizeof *candidates->of, compare);
        }
    }
    words_deinit(&words);
}
