/*
 * text.c - bytes that tests put together.
 */
#include "tests/clients/c/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_deinit(struct text *text)
{
    free(text->at);
    *text = (struct text){.at = NULL};
}

void text_add(struct text *text, struct kvc_bytes bytes)
{
    text->at = realloc(text->at, text->length + bytes.length + 1);
    if (text->at == NULL) {
        abort();
    }
    if (bytes.length > 0) {
        memcpy(text->at + text->length, bytes.bytes, bytes.length);
    }
    text->length += bytes.length;
    text->at[text->length] = '\0';
}

void text_print(struct text *text, const char *format, ...)
{
    va_list values;
    char *made = NULL;
    va_start(values, format);
    int length = vasprintf(&made, format, values);
    va_end(values);
    if (length < 0) {
        abort();
    }
    text_add(text, (struct kvc_bytes){made, (size_t)length});
    free(made);
}

static const char letters[] = "rnt\"\\", meanings[] = "\r\n\t\"\\";

void text_add_quoted(struct text *text, struct kvc_bytes bytes)
{
    text_print(text, "\"");
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char byte = (unsigned char)bytes.bytes[i];
        const char *at = byte != '\0' ? strchr(meanings, byte) : NULL;
        if (at != NULL) {
            text_print(text, "\\%c", letters[at - meanings]);
        } else if (byte < 0x20 || byte > 0x7e) {
            text_print(text, "\\x%02x", byte);
        } else {
            text_print(text, "%c", byte);
        }
    }
    text_print(text, "\"");
}

/* The byte of an escape, behind its backslash; -1: it is none. */
static int read_escape(const char **at)
{
    const char *letter = **at != '\0' ? strchr(letters, **at) : NULL;
    if (letter != NULL) {
        (*at)++;
        return meanings[letter - letters];
    }
    unsigned number;
    if (sscanf(*at, "x%2x", &number) != 1) {
        return -1;
    }
    *at += 3;
    return (int)number;
}

bool text_read_quoted(const char **at, struct text *text)
{
    text_add(text, (struct kvc_bytes){"", 0});
    if (**at != '"') {
        return false;
    }
    for ((*at)++; **at != '"';) {
        char byte = *(*at)++;
        if (byte == '\\') {
            int escaped = read_escape(at);
            if (escaped < 0) {
                return false;
            }
            byte = (char)escaped;
        }
        if (byte == '\0' && (*at)[-1] == '\0') {
            return false;
        }
        text_add(text, (struct kvc_bytes){&byte, 1});
    }
    (*at)++;
    return true;
}
