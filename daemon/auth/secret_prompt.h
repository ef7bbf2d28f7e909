/*
 * secret_prompt.h - `kvcached --hash-secret`: reads a secret and prints its hash for kvcached.conf.
 */
#ifndef KVCACHED_DAEMON_AUTH_SECRET_PROMPT_H
#define KVCACHED_DAEMON_AUTH_SECRET_PROMPT_H

#include <stdbool.h>

/*
 * Asks for a secret twice, without showing it, where standard input is a terminal; else reads one
 * line, and leaves what follows. Prints the secret's hash on standard output. False: there is none,
 * and the reason was printed on standard error.
 *
 * A signal that ends or stops the process meanwhile finds the terminal as it was. For a process of
 * one thread.
 */
bool secret_prompt(void);

#endif
