/*
 * columns.h - the columns of `top`: what each shows of a namespace, and numbers for people.
 */
#ifndef KVCACHED_SCRIPTS_CLI_COLUMNS_H
#define KVCACHED_SCRIPTS_CLI_COLUMNS_H

#include "scripts/cli/sample.h"

enum { CELL_MAX = 80 };

/* What a column shows of a namespace: numbers that can be compared. */
struct figures {
    const struct sample_row *row;
    double reads, hits, writes, expired, evicted; /* hits: a share of the reads, or -1 */
};

struct column {
    const char *name;
    char key;
    bool rate; /* per second */
    int width;
    void (*show)(const struct figures *of, char *to);
    double (*weight)(const struct figures *of); /* NULL: sorted by name */
};

/* In the order of their weight: the last ones are left out first. The first is the name. */
extern const struct column columns[];
extern const size_t column_count;

/* The number of the column that has this key; false: none has. */
bool column_find(int key, size_t *column);

/* Each writes at most CELL_MAX bytes. */
void show_count(char *to, double count);
void show_bytes(char *to, uint64_t bytes);
void show_share(char *to, double share); /* below 0: there is none */
void show_time(char *to, uint64_t seconds);

#endif
