/*
 * conf_scan.h - makes the text that libconfig is given.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_SCAN_H
#define KVCACHED_CONF_CONF_SCAN_H

#include <stddef.h>

struct conf_report;
struct conf_text;

/*
 * What a name that its group has already is changed to: this, the line of the
 * first one, an asterisk, a number that keeps a third one apart, an asterisk and
 * the name. libconfig takes such a name, and no option is called so.
 */
#define CONF_SCAN_DUPLICATE "*again*"

/* Fills an empty text from a file, or from bytes that are taken for that
 * file's. What is wrong goes to the report. */
void conf_scan_file(struct conf_text *text, const char *file, struct conf_report *report);
void conf_scan_bytes(struct conf_text *text, const char *file, const char *bytes, size_t length,
                     struct conf_report *report);

#endif
