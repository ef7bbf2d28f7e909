/*
 * vectors.c - scripts/clients/vectors.txt, read.
 */
#include "tests/clients/c/vectors.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct vector *vectors;
size_t vector_count;

static void append(char **list, size_t *count, const char *value)
{
    if (*count == VECTOR_CALLS_MAX) {
        errx(1, "a vector has more than %d calls", VECTOR_CALLS_MAX);
    }
    list[(*count)++] = strdup(value);
}

static bool take_field(struct vector *vector, const char *name, const char *value)
{
    if (strcmp(name, "name") == 0) {
        vector->name = strdup(value);
    } else if (strcmp(name, "given") == 0) {
        return text_read_quoted(&value, &vector->given);
    } else if (strcmp(name, "call") == 0) {
        append(vector->calls, &vector->call_count, value);
    } else if (strcmp(name, "send") == 0) {
        return text_read_quoted(&value, &vector->send);
    } else if (strcmp(name, "reply") == 0) {
        return text_read_quoted(&value, &vector->reply);
    } else if (strcmp(name, "then") == 0) {
        vector->closed = strcmp(value, "closed") == 0;
        return vector->closed;
    } else if (strcmp(name, "daemon") == 0) {
        vector->daemon = strdup(value);
    } else if (strcmp(name, "result") == 0) {
        append(vector->results, &vector->result_count, value);
    } else {
        return false;
    }
    return true;
}

static void begin_vector(void)
{
    vectors = reallocarray(vectors, vector_count + 1, sizeof *vectors);
    if (vectors == NULL) {
        abort();
    }
    vectors[vector_count++] = (struct vector){.name = NULL};
}

static void take_line(char *line, unsigned number, bool *open)
{
    line[strcspn(line, "\n")] = '\0';
    if (*line == '#' || *line == '\0') {
        *open = *open && *line == '#';
        return;
    }
    char *value = strstr(line, ": ");
    if (!*open) {
        begin_vector();
    }
    *open = true;
    if (value != NULL) {
        *value = '\0';
        value += 2;
    }
    if (value == NULL || !take_field(&vectors[vector_count - 1], line, value)) {
        errx(1, "vectors.txt, line %u: not understood", number);
    }
}

void vectors_read(void)
{
    const char *named = getenv("KVCACHED_VECTORS"), *source = getenv("srcdir");
    char path[4096];
    char *line = NULL;
    size_t room = 0;
    bool open = false;
    snprintf(path, sizeof path, "%s/scripts/clients/vectors.txt", source != NULL ? source : ".");
    FILE *file = fopen(named != NULL ? named : path, "re");
    if (file == NULL) {
        err(1, "%s", named != NULL ? named : path);
    }
    for (unsigned number = 1; getline(&line, &room, file) >= 0; number++) {
        take_line(line, number, &open);
    }
    free(line);
    fclose(file);
    for (size_t i = 0; i < vector_count; i++) {
        if (vectors[i].name == NULL || vectors[i].call_count == 0 ||
            vectors[i].call_count != vectors[i].result_count) {
            errx(1, "vectors.txt, vector %zu: not complete", i + 1);
        }
    }
    if (vector_count == 0) {
        errx(1, "vectors.txt: no vectors");
    }
}
