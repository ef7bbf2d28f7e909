/*
 * table.h - the figures of a server as lines of text, for `top`.
 */
#ifndef KVCACHED_SCRIPTS_CLI_TABLE_H
#define KVCACHED_SCRIPTS_CLI_TABLE_H

#include "scripts/cli/sample.h"

/* How the table looks. */
struct table {
    size_t width; /* columns of the terminal: what does not fit is left out */
    size_t rows;  /* of namespaces at most */
    size_t sort;  /* which column, from 0 */
    const char *server;
};

/* Appends lines. `before` is an earlier sample, from which rates per second are made; NULL:
 * counters are shown since the start. */
void table_print(const struct table *table, const struct sample *now, const struct sample *before,
                 struct bytes *text);

/* One line: which keys there are. */
void table_print_keys(const struct table *table, struct bytes *text);

#endif
