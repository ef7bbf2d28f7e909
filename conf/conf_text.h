/*
 * conf_text.h - the text that libconfig parses, and the file and line of each of its lines.
 *
 * Inside conf/ only. conf_scan.h makes it of a file and the files that it includes.
 */
#ifndef KVCACHED_CONF_CONF_TEXT_H
#define KVCACHED_CONF_CONF_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Where a line was read. */
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
    unsigned overrides; /* settings of the command line, which are the first ones */
    bool no_memory;     /* memory ran out: the text is incomplete */
    bool truncated;     /* a reported mistake ended the scan: the text is incomplete */
};

void conf_text_deinit(struct conf_text *text);

/* Adds a file and returns its number, for the places of its lines. Copies the name. */
size_t conf_text_add_file(struct conf_text *text, const char *name);

/* Begins a line that was read at `place`. The line before it must have ended. */
void conf_text_line(struct conf_text *text, struct conf_place place);

/* Appends bytes of the current line; only the last may be a line feed. */
void conf_text_append(struct conf_text *text, const char *bytes, size_t length);

/* The place of a line; the first file as a whole for line 0 and for a line past the end. */
struct conf_place conf_text_place(const struct conf_text *text, unsigned line);

#endif
