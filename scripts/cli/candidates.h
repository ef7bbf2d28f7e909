/*
 * candidates.h - what a word that is being typed may become.
 */
#ifndef KVCACHED_SCRIPTS_CLI_CANDIDATES_H
#define KVCACHED_SCRIPTS_CLI_CANDIDATES_H

#include "scripts/cli/session.h"

enum { CANDIDATES_MAX = 50 };

struct candidates {
    char **of; /* sorted */
    size_t count;
    size_t typed; /* bytes in front of the cursor that a candidate takes the place of */
    bool replace; /* the typed bytes may differ in capitals */
};

/*
 * Finds the candidates for the word that ends with the line: verbs and commands, namespaces that
 * there are, keys that there are. Those of the server are read from a connection of their own, 50
 * at most and for half a second at most; errors mean that there are none. To be freed with
 * candidates_deinit.
 */
void candidates_find(struct session *session, struct slice line, struct candidates *candidates);
void candidates_deinit(struct candidates *candidates);

/* How many bytes at the front are the same in all of them. */
size_t candidates_common(const struct candidates *candidates);

/* The pattern that matches all keys that begin with these bytes, which are as they are sent. The
 * caller frees it. An escape that has only begun at the end is left out, so it may match more. */
char *candidates_pattern(struct slice typed);

#endif
