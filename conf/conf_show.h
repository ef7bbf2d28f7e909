/*
 * conf_show.h - all options in force, as SETTINGS and --show-config show them.
 *
 * A walk gives one option after the other, so that 60,000 namespaces can be shown in parts. Secrets
 * are never shown. Any thread, as long as the configurations stay.
 */
#ifndef KVCACHED_CONF_CONF_SHOW_H
#define KVCACHED_CONF_CONF_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "conf/conf.h"

/* What a daemon runs with. */
struct conf_in_force {
    const struct conf *first; /* of the start: options that need a restart are still as it says */
    const struct conf *now;   /* loaded last; may be `first` */
    uint64_t memory;          /* bytes that the store has; 0: what `now` says */
};

/* A place in the walk. All zero: the beginning. */
struct conf_walk {
    size_t option; /* at the top */
    size_t group;  /* in its list: the next one's number + 1; 0: the option itself is next */
    size_t member; /* of the group */
};

/*
 * Writes the next option and moves on; nothing where that one does not apply. False at the end.
 * Its line has no line end, and no control characters:
 *
 *     SETTING NAME VALUE default
 *     SETTING NAME VALUE FILE:LINE default VALUE
 *     SETTING NAME VALUE FILE:LINE default VALUE waits for a restart: VALUE
 *
 * A list has its number of groups for value, and the options of its groups follow it, as
 * listen.1.port, namespaces.NAME.ttl and users.NAME.read.
 */
bool conf_show_next(struct conf_walk *walk, const struct conf_in_force *in_force, FILE *out);

/* Writes a file from which conf_load would make the same configuration, but for the secrets. */
void conf_show_file(const struct conf *conf, FILE *out);

#endif
