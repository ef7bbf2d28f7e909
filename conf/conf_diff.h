/*
 * conf_diff.h - whether an option has the same value in two configurations.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_DIFF_H
#define KVCACHED_CONF_CONF_DIFF_H

#include <stdbool.h>

struct conf_option;

/* `a` and `b` are structs of the option's scope. Of a list or a group: whether all of it is the
 * same, in the same order. */
bool conf_diff_same(const struct conf_option *option, const void *a, const void *b);

#endif
