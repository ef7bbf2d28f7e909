/*
 * hint.h - how the verb that is being typed is used.
 */
#ifndef KVCACHED_SCRIPTS_CLI_HINT_H
#define KVCACHED_SCRIPTS_CLI_HINT_H

#include "protocol/slice.h"

enum { HINT_MAX = 128 };

/* The usage of the line's first word: a verb or a command, or what only one of them begins with.
 * Empty where there is none. */
void hint_find(struct slice line, char hint[HINT_MAX]);

#endif
