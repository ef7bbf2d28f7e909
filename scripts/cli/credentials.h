/*
 * credentials.h - as whom a client authenticates.
 *
 * A secret comes from a file, from the environment's KVCACHED_SECRET_FILE, or from the terminal;
 * never from an argument, which other users of the machine can see.
 */
#ifndef KVCACHED_SCRIPTS_CLI_CREDENTIALS_H
#define KVCACHED_SCRIPTS_CLI_CREDENTIALS_H

#include "daemon/secret/secret_prompt.h"

struct credentials {
    const char *user; /* NULL: the client does not authenticate */
    struct secret_entry secret;
};

/* Sets the secret of credentials->user from the first line of `file`, or of the environment's file
 * where that is NULL, or else asks for it. False: there is none, and the reason was printed. */
bool credentials_get(struct credentials *credentials, const char *file);

/* Asks for the secret of a user on the terminal of the process. False as before. */
bool credentials_ask(const char *user, struct secret_entry *secret);

/* Wipes the secret. */
void credentials_deinit(struct credentials *credentials);

#endif
