/*
 * verbs.h - the verbs that a person types, and what their replies look like.
 *
 * Made from protocol/verbs.def, so that HELP, completion and hints know the same verbs.
 */
#ifndef KVCACHED_SCRIPTS_CLI_VERBS_H
#define KVCACHED_SCRIPTS_CLI_VERBS_H

#include <stdbool.h>

#include "protocol/slice.h"
#include "scripts/cli/reply.h"

enum verb_shape {
    VERB_ONE,      /* one reply */
    VERB_KEYS,     /* one for each key; an error is the last */
    VERB_LISTING,  /* lines up to END; or one that is another reply */
    VERB_MISTAKES, /* one reply; or mistakes of a configuration, and END */
    VERB_ENDLESS,  /* OK, and then lines until the connection is closed */
    VERB_SILENT,   /* none: the server closes the connection */
};

struct typed_verb {
    const char *word;
    const char *arguments; /* as they are typed: empty, or with a blank in front */
    const char *help;
    enum verb_shape shape;
    enum reply_values values;
    bool takes_value; /* the last word is the value */
};

size_t verb_count(void);
/* In the order of HELP, from 0. */
struct typed_verb verb_at(size_t number);

/* In capital or small letters. False: there is none. */
bool verb_find(struct slice word, struct typed_verb *verb);

/* What the number-th argument is called, from 0: "ns", "key", "ttl", "pattern"; empty where there
 * are fewer. The last name repeats when "..." follows it. */
struct slice verb_argument(const struct typed_verb *verb, size_t number);

#endif
