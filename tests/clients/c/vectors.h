/*
 * vectors.h - scripts/clients/vectors.txt, read.
 */
#ifndef KVCACHED_TESTS_CLIENTS_C_VECTORS_H
#define KVCACHED_TESTS_CLIENTS_C_VECTORS_H

#include "tests/clients/c/text.h"

enum { VECTOR_CALLS_MAX = 16 };

struct vector {
    char *name;
    struct text given;
    char *calls[VECTOR_CALLS_MAX];
    size_t call_count;
    struct text send, reply;
    bool closed;  /* the server closes behind the reply */
    char *daemon; /* NULL: a daemon answers like that */
    char *results[VECTOR_CALLS_MAX];
    size_t result_count;
};

/* Those of the file that KVCACHED_VECTORS names, or of the source. They are never freed. */
extern struct vector *vectors;
extern size_t vector_count;

/* Ends the process with a message where the file is not as it should be. */
void vectors_read(void);

#endif
