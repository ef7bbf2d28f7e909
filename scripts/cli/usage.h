/*
 * usage.h - `kvcached-cli --help`.
 */
#ifndef KVCACHED_SCRIPTS_CLI_USAGE_H
#define KVCACHED_SCRIPTS_CLI_USAGE_H

#include <stdio.h>

void usage_print(FILE *out);

#endif
