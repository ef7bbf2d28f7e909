/*
 * conf_text.h - the one text that libconfig is given, and which line of it came
 * from where.
 *
 * Inside conf/ only. conf_scan writes it, out of the file and what it includes.
 */
#ifndef KVCACHED_CONF_CONF_TEXT_H
#define KVCACHED_CONF_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Where a line came from. */
struct conf_place {
    size_t file;   /* its number in `files` */
    unsigned line; /* 0: the file as a whole */
};

struct conf_text {
    char *bytes; /* terminated; `length` does not count that */
    size_t length;
    size_t room;
    struct conf_place *places; /* of line 1, 2, ... at 0, 1, ... */
    unsigned lines;
    size_t places_room;
    char **files; /* the first is the configuration file itself */
    size_t file_count;
    bool no_memory; /* memory ran out: the text is not whole */
    bool truncated; /* nor is it here: something was reported for which the rest is not read */
};

void conf_text_deinit(struct conf_text *text);

/* The number of a file whose lines are to come; its name is copied. */
size_t conf_text_add_file(struct conf_text *text, const char *name);

/* Begins a line that came from `place`. The line before it must have ended. */
void conf_text_line(struct conf_text *text, struct conf_place place);

/* Appends bytes within a line, its end included. */
void conf_text_append(struct conf_text *text, const char *bytes, size_t length);

/* The place of a line; of line 0, and of one past the end, the first file. */
struct conf_place conf_text_place(const struct conf_text *text, unsigned line);

#endif
