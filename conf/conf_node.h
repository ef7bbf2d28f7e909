/*
 * conf_node.h - nodes of a cluster, as "host:port".
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_NODE_H
#define KVCACHED_CONF_CONF_NODE_H

#include <libconfig.h>
#include <stdbool.h>

struct conf_option;
struct conf_patterns;
struct conf_report;

/* Fills empty *nodes from a string, or from a list or an array of strings, as conf_pattern_read
 * does. */
bool conf_node_read(const struct conf_option *option, config_setting_t *setting,
                    struct conf_patterns *nodes, struct conf_report *report);

#endif
