/*
 * conf_check_listen.c - what the options of listeners mean together, and whether a listener that
 * other machines can reach is protected.
 */
#include "conf/conf_check_listen.h"

#include <stdbool.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_group.h"
#include "conf/conf_listen.h"
#include "conf/conf_setting.h"

/* --- a single group ----------------------------------------------------------- */

static void check_socket(const config_setting_t *group, struct conf_report *report)
{
    static const char *const of_tcp[] = {"address", "port"};
    static const char *const of_unix[] = {"owner", "mode"};
    const char *path = NULL;
    bool is_unix = config_setting_lookup_string(group, "path", &path) && *path != '\0';
    if (conf_setting_refused(group, "path")) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (is_unix && config_setting_get_member(group, of_tcp[i]) != NULL) {
            CONF_COMPLAIN(report, group, SCOPE_LISTEN, of_tcp[i],
                          "a Unix socket has none, write either path or address and port");
        }
        if (!is_unix && config_setting_get_member(group, of_unix[i]) != NULL) {
            CONF_COMPLAIN(report, group, SCOPE_LISTEN, of_unix[i],
                          "only a Unix socket has one, write it beside path or leave it out");
        }
    }
}

/* Options for clients of memcached's protocol only, which has no namespaces. */
static void check_memcache(const config_setting_t *group, struct conf_report *report)
{
    static const char *const options[] = {"namespace", "prefix"};
    const char *protocol = "";
    config_setting_lookup_string(group, "protocol", &protocol);
    if (strcmp(protocol, "memcache") == 0 || conf_setting_refused(group, "protocol")) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (config_setting_get_member(group, options[i]) != NULL) {
            CONF_COMPLAIN(
                report, group, SCOPE_LISTEN, options[i],
                "it needs protocol = \"memcache\" beside it; clients of the native protocol "
                "name their namespaces");
        }
    }
}

/* The option for listeners with HTTP only, which have no records. */
static void check_http(const config_setting_t *group, struct conf_report *report)
{
    const char *protocol = "";
    config_setting_lookup_string(group, "protocol", &protocol);
    if (strcmp(protocol, "http") != 0 && !conf_setting_refused(group, "protocol") &&
        config_setting_get_member(group, "open") != NULL) {
        CONF_COMPLAIN(report, group, SCOPE_LISTEN, "open",
                      "it needs protocol = \"http\" beside it, write that too or leave this out");
    }
}

/* Whether the group has that string and it is not empty. */
static bool has_text(const config_setting_t *group, const char *name)
{
    const char *text = "";
    return config_setting_lookup_string(group, name, &text) && *text != '\0';
}

static void check_tls(const config_setting_t *group, struct conf_report *report)
{
    static const char *const needs[][2] = {
        {"tls_certificate", "tls_key"},       {"tls_key", "tls_certificate"},
        {"tls_client_ca", "tls_certificate"}, {"tls_client", "tls_certificate"},
        {"tls_client", "tls_client_ca"},
    };
    for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
        const char *name = needs[i][0], *needed = needs[i][1];
        if (has_text(group, name) && conf_setting_given(group, name) && !has_text(group, needed) &&
            !conf_setting_refused(group, needed)) {
            CONF_COMPLAIN(report, group, SCOPE_LISTEN, name,
                          "it needs %s beside it, write that too or leave this out", needed);
        }
    }
}

/* An address that other machines can reach needs users and TLS: one line says what is missing, and
 * one what to write. A setting that was refused counts as given. */
static void check_reach(const config_setting_t *root, const config_setting_t *group,
                        const struct conf *conf, const struct conf_listen *listen,
                        struct conf_report *report)
{
    bool users = conf->user_count > 0 || conf_setting_refused(root, "users");
    bool tls = has_text(group, "tls_certificate") || conf_setting_refused(group, "tls_certificate");
    const char *written = listen->address;
    if ((users && tls) || conf->insecure || conf_setting_refused(root, "insecure") ||
        !conf_listen_is_remote(listen)) {
        return;
    }
    config_setting_lookup_string(group, "address", &written);
    CONF_COMPLAIN(report, group, SCOPE_LISTEN, "address",
                  "other machines can reach \"%s\", and there %s", written,
                  users ? "is no TLS"
                  : tls ? "are no users"
                        : "are neither users nor TLS");
    CONF_COMPLAIN(report, group, SCOPE_LISTEN, "address",
                  "write %s, or insecure = true: see \"Users and rights\" in kvcached(8)",
                  users ? "tls_certificate and tls_key here"
                  : tls ? "users at the top level"
                        : "users, tls_certificate and tls_key");
}

static bool is_sound(const config_setting_t *group)
{
    return group != NULL && !conf_setting_refused(group, "path") &&
           !conf_setting_refused(group, "address") && !conf_setting_refused(group, "port");
}

/* Compares group i with the groups before it. */
static void check_place(const config_setting_t *list, const struct conf *conf, size_t i,
                        struct conf_report *report)
{
    const config_setting_t *group = conf_group_at(list, i);
    const struct conf_listen *listen = &conf->listen[i];
    const char *name = listen->path != NULL ? "path" : "port";
    for (size_t j = 0; j < i; j++) {
        const config_setting_t *other = conf_group_at(list, j);
        if (!is_sound(other) || !conf_listen_same(listen, &conf->listen[j])) {
            continue;
        }
        unsigned line = conf_group_line(group, name);
        CONF_COMPLAIN(report, group, SCOPE_LISTEN, name,
                      "the group in %s listens there already, write another or leave this one out",
                      conf_report_line(report, line, other->line).bytes);
        return;
    }
}

void conf_check_listeners(const config_setting_t *root, const config_setting_t *list,
                          const struct conf *conf, struct conf_report *report)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        const config_setting_t *group = conf_group_at(list, i);
        if (group == NULL) {
            continue;
        }
        check_socket(group, report);
        check_memcache(group, report);
        check_http(group, report);
        check_tls(group, report);
        if (!is_sound(group)) {
            continue;
        }
        check_reach(root, group, conf, &conf->listen[i], report);
        check_place(list, conf, i, report);
    }
}
