/*
 * reply.h - replies of the native protocol, which libkvcached cuts from the bytes that came.
 */
#ifndef KVCACHED_SCRIPTS_CLI_REPLY_H
#define KVCACHED_SCRIPTS_CLI_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/slice.h"
#include "scripts/clients/c/kvcached.h"

/* Which lines are followed by a value, and where its length is. */
enum reply_values {
    REPLY_VALUES = KVC_VALUES,    /* VALUE and RECORD: the last word */
    REPLY_DUMP = KVC_VALUES_DUMP, /* PUT and RECORD as well: the fifth word of a PUT */
    REPLY_NONE = KVC_VALUES_NONE, /* none: lines for people */
};

/* One line of a reply, and the value behind it. Points into the bytes that it was cut from. */
struct reply {
    struct slice line; /* without its end */
    struct slice word; /* its first word */
    struct slice rest; /* what follows that, without the blank */
    struct slice value;
    bool has_value;
};

enum reply_result {
    REPLY_WHOLE = KVC_CUT_WHOLE,
    REPLY_PARTIAL = KVC_CUT_PARTIAL, /* more bytes have to come */
    REPLY_BAD = KVC_CUT_BAD,         /* this is no reply of the native protocol */
};

/* Cuts a reply from the front of the bytes; *taken: how many it has. When it is partial, *wanted
 * is how many bytes there have to be at least, as far as is known. */
enum reply_result reply_cut(struct slice bytes, enum reply_values values, struct reply *reply,
                            size_t *taken, size_t *wanted);

/* The same reply as libkvcached has it. */
struct reply reply_of(const struct kvc_reply *from);

/* Whether the first word is this. */
bool reply_is(const struct reply *reply, const char *word);
/* ERROR, CLIENT_ERROR or SERVER_ERROR: the last reply to its request. */
bool reply_is_error(const struct reply *reply);

/* CLIENT_ERROR with a mistake of a configuration, after which more replies come: its text begins
 * with the file's name, and so with a slash. */
bool reply_is_mistake(const struct reply *reply);

/* The number-th word of a text whose words are separated by single blanks, from 0; empty where
 * there are fewer. */
struct slice reply_nth(struct slice text, size_t number);

#endif
