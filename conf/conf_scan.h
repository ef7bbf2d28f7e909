/*
 * conf_scan.h - makes the text that libconfig parses.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_SCAN_H
#define KVCACHED_CONF_CONF_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct conf_report;
struct conf_source;
struct conf_text;

/*
 * A name that its group has already is replaced by: this prefix, the line of the first one, an
 * asterisk, a unique number, an asterisk and the name. libconfig takes such a name, and no option
 * has it.
 */
#define CONF_SCAN_DUPLICATE "*again*"

/* The same for a name that the command line has as well: its setting has no effect. */
#define CONF_SCAN_OVERRIDDEN "*overridden*"

/* Fill an empty text from a source, or from bytes as if they were the contents of `file`. Mistakes
 * go to the report. conf_scan returns false where the file cannot be read, which is reported. */
bool conf_scan(struct conf_text *text, const struct conf_source *source,
               struct conf_report *report);
void conf_scan_bytes(struct conf_text *text, const char *file, const char *bytes, size_t length,
                     struct conf_report *report);

#endif
