/*
 * conf_origin.h - where each option of a configuration was set.
 *
 * Inside conf/ only. Part of struct conf: made when it is loaded, and constant after that.
 */
#ifndef KVCACHED_CONF_CONF_ORIGIN_H
#define KVCACHED_CONF_CONF_ORIGIN_H

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>

struct conf;
struct conf_option;
struct conf_text;

/* Notes all settings of the tree, whose lines are those of the text. Takes the names of its files
 * over. False: no memory. */
bool conf_origin_note(struct conf *conf, const config_setting_t *root, struct conf_text *text);
void conf_origin_forget(struct conf *conf);

/* The file, and *line of it, or 0: the file as a whole. NULL: the option was not set. `group`: the
 * number of the group in its list; 0 where there is no list. */
const char *conf_origin_of(const struct conf *conf, const struct conf_option *option, size_t group,
                           unsigned *line);

#endif
