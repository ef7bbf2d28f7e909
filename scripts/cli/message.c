/*
 * message.c - words that were typed, as a request of the native protocol.
 */
#include "scripts/cli/message.h"

#include <stdio.h>

#include "protocol/token.h"

enum { LEAST_WITH_VALUE = 2, MOST_WITH_VALUE = 3 }; /* words between the verb and the value */

static bool fail(char error[MESSAGE_ERROR_MAX], const char *what, const struct typed_verb *verb)
{
    snprintf(error, MESSAGE_ERROR_MAX, "%s: write %s%s", what, verb->word, verb->arguments);
    return false;
}

/* The bytes that no word has, as escapes. */
static void add_light(struct bytes *wire, struct slice word)
{
    for (size_t i = 0; i < word.length; i++) {
        unsigned char byte = (unsigned char)word.bytes[i];
        if ((token_classes[byte] & TOKEN_KEY) != 0) {
            bytes_append_byte(wire, word.bytes[i]);
        } else {
            bytes_print(wire, "\\x%02x", byte);
        }
    }
}

void message_add_word(struct bytes *wire, struct slice word, bool exact)
{
    if (!exact) {
        add_light(wire, word);
        return;
    }
    size_t most = word.length * TOKEN_ESCAPE;
    char *to = bytes_reserve(wire, most);
    wire->length += (size_t)(token_escape(to, most, word) - to);
}

static void add_argument(struct message *message, const struct word *word, size_t number)
{
    struct slice name = verb_argument(&message->verb, number);
    bool is_key = slice_equal(name, slice_of("key"));
    bytes_append_byte(&message->wire, ' ');
    size_t from = message->wire.length;
    message_add_word(&message->wire, word->bytes, is_key && word->quoted);
    if (is_key && message->verb.shape == VERB_KEYS) {
        struct slice sent = {message->wire.at + from, message->wire.length - from};
        bytes_append_byte(&message->names, ' ');
        bytes_append(&message->names, sent);
        message->replies++;
    }
}

/* The arguments from `first` up to `end`. */
static bool add_arguments(struct message *message, const struct words *words, size_t end,
                          char error[MESSAGE_ERROR_MAX])
{
    for (size_t i = 1; i < end; i++) {
        if (words->of[i].bytes.length == 0) {
            return fail(error, "a word is empty", &message->verb);
        }
        add_argument(message, &words->of[i], i - 1);
    }
    return true;
}

/* Of three words after the verb the last is the value, unless it looks like a ttl: then the value
 * was forgotten, or is thought to come on the next line. */
static bool misses_value(const struct words *words)
{
    uint64_t unused;
    const struct word *last = &words->of[words->count - 1];
    return words->count < 2 + LEAST_WITH_VALUE ||
           (words->count == 2 + LEAST_WITH_VALUE && !last->quoted &&
            token_time(last->bytes, &unused) != TOKEN_NO_TIME);
}

static bool add_value(struct message *message, const struct words *words, const struct slice *value,
                      char error[MESSAGE_ERROR_MAX])
{
    size_t end = words->count - (value == NULL);
    if (value == NULL && misses_value(words)) {
        return fail(error, "the value is missing", &message->verb);
    }
    if (words->count < 1 + LEAST_WITH_VALUE) {
        return fail(error, "words are missing", &message->verb);
    }
    if (end > 1 + MOST_WITH_VALUE) {
        return fail(error, "too many words, quote a value with blanks", &message->verb);
    }
    struct slice bytes = value != NULL ? *value : words->of[end].bytes;
    if (!add_arguments(message, words, end, error)) {
        return false;
    }
    bytes_append_text(&message->wire, end == 1 + LEAST_WITH_VALUE ? " -" : "");
    bytes_print(&message->wire, " %zu\r\n", bytes.length);
    bytes_append(&message->wire, bytes);
    return true;
}

bool message_make(const struct words *words, const struct slice *value, struct message *message,
                  char error[MESSAGE_ERROR_MAX])
{
    *message = (struct message){.replies = 0};
    if (words->count == 0 || !verb_find(words->of[0].bytes, &message->verb)) {
        char quoted[TOKEN_QUOTE_MAX];
        token_quote(words->count > 0 ? words->of[0].bytes : slice_of(""), quoted);
        snprintf(error, MESSAGE_ERROR_MAX, "unknown verb %s, try help", quoted);
        return false;
    }
    bytes_append_text(&message->wire, message->verb.word);
    if (!message->verb.takes_value && value != NULL) {
        return fail(error, "only PUT and ADD take a value", &message->verb);
    }
    bool made = message->verb.takes_value ? add_value(message, words, value, error)
                                          : add_arguments(message, words, words->count, error);
    bytes_append_text(&message->wire, "\r\n");
    if (made && message->verb.shape == VERB_KEYS && message->replies == 0) {
        return fail(error, "words are missing", &message->verb);
    }
    return made;
}

void message_deinit(struct message *message)
{
    if (message->wire.at != NULL) {
        explicit_bzero(message->wire.at, message->wire.room); /* a secret may be among them */
    }
    bytes_deinit(&message->wire);
    bytes_deinit(&message->names);
}
