/*
 * conf_report.c - collects all mistakes of a file.
 *
 * An administrator needs all mistakes at once, sorted by line, each in a form that an editor can
 * jump to. So nothing is printed while the file is read: mistakes are kept, sorted at the end and
 * returned as whole lines. When memory runs out, the report still says that the file was refused.
 */
#include "conf/conf_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_option.h"
#include "conf/conf_text.h"

static bool make_room(struct conf_report *report)
{
    if (report->count < report->room) {
        return true;
    }
    size_t room = report->room == 0 ? 16 : report->room * 2;
    struct conf_mistake *mistakes = reallocarray(report->mistakes, room, sizeof *mistakes);
    if (mistakes == NULL) {
        return false;
    }
    report->mistakes = mistakes;
    report->room = room;
    return true;
}

/* Takes ownership of the message; NULL: out of memory. */
static void append(struct conf_report *report, unsigned line, char *message)
{
    if (message == NULL || !make_room(report)) {
        report->no_memory = true;
        free(message);
        return;
    }
    report->mistakes[report->count] =
        (struct conf_mistake){.line = line, .number = report->count, .message = message};
    report->count++;
}

/* To be freed; NULL when out of memory. */
static char *format_message(const char *format, va_list arguments)
{
    char *message = NULL;
    return vasprintf(&message, format, arguments) < 0 ? NULL : message;
}

void conf_report_add(struct conf_report *report, unsigned line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    append(report, line, format_message(format, arguments));
    va_end(arguments);
}

void conf_report_option(struct conf_report *report, unsigned line, const struct conf_option *option,
                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *what = format_message(format, arguments);
    va_end(arguments);
    if (what == NULL) {
        report->no_memory = true;
    } else {
        conf_report_add(report, line, "%s%s: %s", conf_option_prefix(option->scope), option->name,
                        what);
    }
    free(what);
}

bool conf_report_clean(const struct conf_report *report)
{
    return report->count == 0 && !report->no_memory;
}

static int by_line(const void *a, const void *b)
{
    const struct conf_mistake *one = a, *other = b;
    if (one->line != other->line) {
        return one->line < other->line ? -1 : 1;
    }
    return one->number < other->number ? -1 : 1;
}

static void print(FILE *out, const struct conf_text *text, const struct conf_mistake *mistake)
{
    struct conf_place place = conf_text_place(text, mistake->line);
    const char *file = place.file < text->file_count ? text->files[place.file] : "kvcached.conf";
    if (place.line == 0) {
        fprintf(out, "%s: %s\n", file, mistake->message);
    } else {
        fprintf(out, "%s:%u: %s\n", file, place.line, mistake->message);
    }
}

void conf_report_finish(struct conf_report *report, struct conf_errors *errors)
{
    size_t size = 0;
    FILE *out = NULL;
    *errors = (struct conf_errors){.count = report->count + report->no_memory};
    if (errors->count > 0) {
        out = open_memstream(&errors->text, &size);
    }
    if (report->count > 0) {
        qsort(report->mistakes, report->count, sizeof report->mistakes[0], by_line);
    }
    for (size_t i = 0; i < report->count; i++) {
        if (out != NULL) {
            print(out, report->text, &report->mistakes[i]);
        }
        free(report->mistakes[i].message);
    }
    if (out != NULL && report->no_memory) {
        fputs("out of memory while the configuration was read\n", out);
    }
    if (out != NULL && fclose(out) != 0) {
        free(errors->text);
        errors->text = NULL;
    }
    free(report->mistakes);
    *report = (struct conf_report){.text = report->text};
}

struct conf_shown conf_report_shown(const char *text)
{
    struct conf_shown shown;
    size_t length = 0;
    for (; text[length] != '\0' && length < sizeof shown.bytes - 4; length++) {
        unsigned char c = (unsigned char)text[length];
        shown.bytes[length] = (char)(c < ' ' || c == 0x7f ? '?' : c);
    }
    strcpy(shown.bytes + length, text[length] == '\0' ? "" : "...");
    return shown;
}

struct conf_shown conf_report_line(const struct conf_report *report, unsigned here, unsigned there)
{
    struct conf_place mine = conf_text_place(report->text, here);
    struct conf_place other = conf_text_place(report->text, there);
    struct conf_shown shown;
    if (other.line == 0 && other.file < report->text->file_count) {
        snprintf(shown.bytes, sizeof shown.bytes, "%.48s", report->text->files[other.file]);
    } else if (mine.file == other.file || other.file >= report->text->file_count) {
        snprintf(shown.bytes, sizeof shown.bytes, "line %u", other.line);
    } else {
        snprintf(shown.bytes, sizeof shown.bytes, "%.48s:%u", report->text->files[other.file],
                 other.line);
    }
    return shown;
}
