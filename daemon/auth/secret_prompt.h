/*
 * secret_prompt.h - `kvcached --hash-secret`: from a secret to what kvcached.conf has of it.
 */
#ifndef KVCACHED_DAEMON_AUTH_SECRET_PROMPT_H
#define KVCACHED_DAEMON_AUTH_SECRET_PROMPT_H

#include <stdbool.h>

/*
 * Asks for a secret twice, without showing it, where standard input is a terminal; else
 * takes one line of it, and leaves what follows. Prints its hash on standard output. False
 * when there is none: why has been said on standard error.
 *
 * A signal that ends or stops the process meanwhile finds the terminal as it was. For a
 * process of one thread.
 */
bool hash_secret(void);

#endif
