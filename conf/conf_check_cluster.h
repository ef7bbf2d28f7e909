/*
 * conf_check_cluster.h - what the options of the cluster mean together, and of the namespaces that
 * are in it.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_CHECK_CLUSTER_H
#define KVCACHED_CONF_CONF_CHECK_CLUSTER_H

#include <libconfig.h>

struct conf;
struct conf_report;

void conf_check_cluster(const config_setting_t *root, const struct conf *conf,
                        struct conf_report *report);

#endif
