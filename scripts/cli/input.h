/*
 * input.h - standard input: whole, or line by line.
 */
#ifndef KVCACHED_SCRIPTS_CLI_INPUT_H
#define KVCACHED_SCRIPTS_CLI_INPUT_H

#include <stdbool.h>

#include "scripts/cli/bytes.h"

/* Appends all that there is. False with errno. */
bool input_read_all(int fd, struct bytes *bytes);

#endif
