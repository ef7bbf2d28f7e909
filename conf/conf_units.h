/*
 * conf_units.h - times and sizes as people write them, back from numbers.
 *
 * Inside conf/ only; the way there, conf_parse_duration and conf_parse_size, is
 * in conf.h.
 */
#ifndef KVCACHED_CONF_CONF_UNITS_H
#define KVCACHED_CONF_CONF_UNITS_H

#include <stdint.h>

struct conf_units_text {
    char bytes[32];
};

/* The shortest exact way to write it: "90s", "30m", "64M", "never" for no end.
 * What is written can be read again. */
struct conf_units_text conf_units_duration(uint64_t milliseconds);
struct conf_units_text conf_units_size(uint64_t bytes);

#endif
