/*
 * conf_report.h - collects all mistakes of a file.
 *
 * Inside conf/ only. Mistakes are added in any order and come out sorted by line.
 */
#ifndef KVCACHED_CONF_CONF_REPORT_H
#define KVCACHED_CONF_CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct conf_errors;
struct conf_option;
struct conf_text;

struct conf_mistake {
    unsigned line; /* of the text; 0: the file as a whole */
    size_t number; /* in the order of adding: sorts mistakes of one line */
    char *message;
};

struct conf_report {
    const struct conf_text *text; /* where lines come from */
    struct conf_mistake *mistakes;
    size_t count;
    size_t room;
    bool no_memory; /* memory ran out: mistakes are missing */
};

/* Adds the message "what is wrong, what would be right". */
void conf_report_add(struct conf_report *report, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same about an option: "name: what is wrong, what would be right". */
void conf_report_option(struct conf_report *report, unsigned line, const struct conf_option *option,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

/* True when nothing was added. */
bool conf_report_clean(const struct conf_report *report);

/* Moves all mistakes into *errors, sorted, one a line, and empties the report. */
void conf_report_finish(struct conf_report *report, struct conf_errors *errors);

/* Text of a file in a form that messages may repeat: short and printable. */
struct conf_shown {
    char bytes[64];
};
struct conf_shown conf_report_shown(const char *text);

/* The name of line `there` in a message about line `here`: "line 3", or "other.conf:3" where
 * that is another file. */
struct conf_shown conf_report_line(const struct conf_report *report, unsigned here, unsigned there);

#endif
