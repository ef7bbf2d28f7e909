/*
 * conf_check_cluster.c - see conf_check_cluster.h.
 */
#include "conf/conf_check_cluster.h"

#include "conf/conf.h"
#include "conf/conf_group.h"
#include "conf/conf_option.h"
#include "conf/conf_report.h"
#include "conf/conf_setting.h"

static void check_group(const config_setting_t *group, const struct conf *conf,
                        struct conf_report *report)
{
    if (conf->cluster.nodes.count == 0 && config_setting_length(group) > 0 &&
        !conf_setting_refused(group, "nodes")) {
        conf_report_add(report, group->line,
                        "cluster: it has no nodes, write nodes = ( \"host:port\" )");
    }
    if (conf->cluster.user != NULL && conf->cluster.secret_file == NULL &&
        !conf_setting_refused(group, "secret_file")) {
        CONF_COMPLAIN(report, group, SCOPE_CLUSTER, "user",
                      "it has no secret, write a secret_file as well");
    }
    if (conf->cluster.tls_certificate != NULL && conf->cluster.tls_key == NULL) {
        CONF_COMPLAIN(report, group, SCOPE_CLUSTER, "tls_certificate",
                      "it has no key, write a tls_key as well");
    }
    if (conf->cluster.tls_key != NULL && conf->cluster.tls_certificate == NULL) {
        CONF_COMPLAIN(report, group, SCOPE_CLUSTER, "tls_key",
                      "it has no certificate, write a tls_certificate as well");
    }
    if (conf->cluster.tls_certificate != NULL && conf->cluster.tls_ca == NULL) {
        CONF_COMPLAIN(report, group, SCOPE_CLUSTER, "tls_certificate",
                      "there is no TLS to the nodes without tls_ca, write that as well");
    }
}

/* A namespace's engine and quota. `known`: nothing is wrong with the nodes themselves. */
static void check_namespace(const config_setting_t *group, const struct conf *conf,
                            const struct conf_namespace *space, bool known,
                            struct conf_report *report)
{
    if (!conf_is_remote(conf, space)) {
        return;
    }
    if (space->engine_set && known && conf->cluster.nodes.count == 0) {
        CONF_COMPLAIN(report, group, SCOPE_NAMESPACES, "engine",
                      "there is no cluster, write cluster = { nodes = ( \"host:port\" ); } at the "
                      "top level");
    }
    if (space->memory != 0) {
        CONF_COMPLAIN(report, group, SCOPE_NAMESPACES, "memory",
                      "nodes of a cluster keep no quotas, leave it out, or give the namespace a "
                      "cluster of its own and its nodes a maxmemory");
    }
}

void conf_check_cluster(const config_setting_t *root, const struct conf *conf,
                        struct conf_report *report)
{
    const config_setting_t *cluster = config_setting_get_member(root, "cluster");
    const config_setting_t *list = conf_group_list(root, "namespaces");
    bool known = !conf_setting_refused(root, "cluster");
    if (cluster != NULL && config_setting_is_group(cluster)) {
        known = known && !conf_setting_refused(cluster, "nodes");
        check_group(cluster, conf, report);
    }
    if (conf->engine == CONF_ENGINE_CLUSTER && known && conf->cluster.nodes.count == 0) {
        CONF_COMPLAIN(report, root, SCOPE_TOP, "engine",
                      "there is no cluster, write cluster = { nodes = ( \"host:port\" ); } as "
                      "well");
    }
    for (size_t i = 0; list != NULL && i < conf->namespace_count; i++) {
        const config_setting_t *group = conf_group_at(list, i);
        if (group != NULL) {
            check_namespace(group, conf, &conf->namespaces[i], known, report);
        }
    }
}
