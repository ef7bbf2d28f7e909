/*
 * secret_prompt.h - asks for a secret without echo; `--hash-secret`, which prints the hash of one
 * for kvcached.conf.
 *
 * Errors are printed on standard error. A signal that ends or stops the process while the terminal
 * is silent finds the terminal as it was. For a process of one thread.
 */
#ifndef KVCACHED_DAEMON_SECRET_SECRET_PROMPT_H
#define KVCACHED_DAEMON_SECRET_SECRET_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/secret/secret.h"

/* One line, without its end. There is room for one byte more than a secret may have, so that a
 * longer one is noticed. The caller wipes it. */
struct secret_entry {
    char bytes[SECRET_MAX + 1];
    size_t length;
};

/* Prints the question on standard error and reads a secret from `input`, a terminal. False: there
 * is none, and the reason was printed. */
bool secret_ask(int input, const char *question, struct secret_entry *entry);

/*
 * Asks for a secret twice, without showing it, where standard input is a terminal; else reads one
 * line, and leaves what follows. Prints the secret's hash on standard output. False: there is none,
 * and the reason was printed.
 */
bool secret_prompt(void);

#endif
