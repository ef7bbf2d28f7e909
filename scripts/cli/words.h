/*
 * words.h - a line that was typed, cut into words.
 *
 * Blanks separate words. Within double quotes a word has blanks, and \n \t \r \" \\ and \xNN stand
 * for a byte each; within single quotes every byte stands for itself. Outside of quotes a backslash
 * is an ordinary byte, as in keys and patterns. So nothing of a line is ever anything but a word of
 * it: a value does not run on into the next line.
 */
#ifndef KVCACHED_SCRIPTS_CLI_WORDS_H
#define KVCACHED_SCRIPTS_CLI_WORDS_H

#include "scripts/cli/bytes.h"

struct word {
    struct slice bytes;
    bool quoted; /* so that its bytes are meant as they are */
};

struct words {
    struct word *of;
    size_t count;
    struct bytes store; /* the bytes of all words, a NUL behind each */
};

enum words_error {
    WORDS_GOOD,
    WORDS_OPEN_QUOTE, /* a quotation mark is missing at the end */
    WORDS_BAD_ESCAPE, /* a backslash within double quotes before something else */
    WORDS_JOINED,     /* something other than a blank follows a closing quotation mark */
};

/* The words are the caller's, to be freed with words_deinit, also after an error; then they are
 * those before it, and the one that it is in. */
enum words_error words_split(struct slice line, struct words *words);
/* What is wrong, for a message. */
const char *words_error_text(enum words_error error);

/* Words that are given one by one, as a program's arguments are. Not quoted. */
void words_from(struct words *words, int count, char **arguments);
void words_deinit(struct words *words);

#endif
