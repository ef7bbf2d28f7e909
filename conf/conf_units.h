/*
 * conf_units.h - times and sizes as a file has them, to numbers and back.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_UNITS_H
#define KVCACHED_CONF_CONF_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* `30m`, `500ms`, `1.5h` or a plain number of seconds to milliseconds; a fraction of one counts
 * as a whole. `never` is CONF_NEVER. False when it is none of these or does not fit. */
bool conf_units_parse_duration(const char *text, uint64_t *milliseconds);

/* `64M` or a plain number of bytes. False when it is neither, does not fit or is no whole number
 * of bytes. */
bool conf_units_parse_size(const char *text, uint64_t *bytes);

struct conf_units_text {
    char bytes[32];
};

/* The shortest exact way to write it: "90s", "30m", "64M", "never" for CONF_NEVER. What is
 * written can be parsed again. */
struct conf_units_text conf_units_duration(uint64_t milliseconds);
struct conf_units_text conf_units_size(uint64_t bytes);

#endif
