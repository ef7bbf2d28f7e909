/*
 * message.h - words that were typed, as a request of the native protocol.
 *
 * A word's blanks and control characters are sent as escapes; where it was in quotes, a key's
 * backslash is, too. So whatever is typed, a request is one line, and a value has its length in
 * front.
 */
#ifndef KVCACHED_SCRIPTS_CLI_MESSAGE_H
#define KVCACHED_SCRIPTS_CLI_MESSAGE_H

#include "scripts/cli/verbs.h"
#include "scripts/cli/words.h"

struct message {
    struct typed_verb verb;
    struct bytes wire;  /* what is sent, to be freed with message_deinit */
    size_t replies;     /* how many there will be, of VERB_KEYS: as many as keys */
    struct bytes names; /* of VERB_KEYS: the keys as they are sent, each behind a blank */
};

enum { MESSAGE_ERROR_MAX = 256 };

/*
 * Makes a request of the words; `value` is that of a PUT or an ADD whose last word it is not, or
 * NULL. False with what is wrong in `error`. A message is to be freed in either case.
 */
bool message_make(const struct words *words, const struct slice *value, struct message *message,
                  char error[MESSAGE_ERROR_MAX]);
void message_deinit(struct message *message);

/* Appends a word as it is sent. */
void message_add_word(struct bytes *wire, struct slice word, bool exact);

#endif
