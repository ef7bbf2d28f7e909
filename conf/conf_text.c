/*
 * conf_text.c - the text that libconfig parses, and the file and line of each of its lines.
 *
 * It only grows. When memory runs out it sets no_memory and takes nothing more, so that callers
 * check once, at the end.
 */
#include "conf/conf_text.h"

#include <stdlib.h>
#include <string.h>

void conf_text_deinit(struct conf_text *text)
{
    for (size_t i = 0; i < text->file_count; i++) {
        free(text->files[i]);
    }
    free(text->files);
    free(text->places);
    free(text->bytes);
    *text = (struct conf_text){0};
}

size_t conf_text_add_file(struct conf_text *text, const char *name)
{
    char *copy = strdup(name);
    char **files = reallocarray(text->files, text->file_count + 1, sizeof *files);
    if (files != NULL) {
        text->files = files;
    }
    if (copy == NULL || files == NULL) {
        free(copy);
        text->no_memory = true;
        return 0;
    }
    files[text->file_count] = copy;
    return text->file_count++;
}

void conf_text_line(struct conf_text *text, struct conf_place place)
{
    if (text->lines == text->places_room) {
        size_t room = text->places_room * 2 + 64;
        struct conf_place *places = reallocarray(text->places, room, sizeof *places);
        if (places == NULL) {
            text->no_memory = true;
            return;
        }
        text->places = places;
        text->places_room = room;
    }
    text->places[text->lines++] = place;
}

void conf_text_append(struct conf_text *text, const char *bytes, size_t length)
{
    if (text->no_memory) {
        return;
    }
    if (text->room - text->length <= length) {
        size_t room = text->room * 2 + length + 256;
        char *grown = realloc(text->bytes, room);
        if (grown == NULL) {
            text->no_memory = true;
            return;
        }
        text->bytes = grown;
        text->room = room;
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

struct conf_place conf_text_place(const struct conf_text *text, unsigned line)
{
    if (line == 0 || line > text->lines) {
        return (struct conf_place){0};
    }
    return text->places[line - 1];
}
