/*
 * conf_scan.h - makes the text that libconfig parses.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_SCAN_H
#define KVCACHED_CONF_CONF_SCAN_H

#include <stddef.h>

struct conf_report;
struct conf_text;

/*
 * A name that its group has already is replaced by: this prefix, the line of the first one, an
 * asterisk, a unique number, an asterisk and the name. libconfig takes such a name, and no option
 * has it.
 */
#define CONF_SCAN_DUPLICATE "*again*"

/* Fill an empty text from a file, or from bytes as if they were the contents of `file`. Mistakes
 * go to the report. */
void conf_scan_file(struct conf_text *text, const char *file, struct conf_report *report);
void conf_scan_bytes(struct conf_text *text, const char *file, const char *bytes, size_t length,
                     struct conf_report *report);

#endif
