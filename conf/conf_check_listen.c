/*
 * conf_check_listen.c - what the options of listeners mean together, and whether
 * a listener may be reached from elsewhere.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_check.h"
#include "conf/conf_group.h"
#include "conf/conf_value.h"

/* --- a group for itself ------------------------------------------------------- */

static void check_socket(const config_setting_t *group, struct conf_report *report)
{
    static const char *const of_tcp[] = {"address", "port"};
    static const char *const of_unix[] = {"owner", "mode"};
    const char *path = NULL;
    bool is_unix = config_setting_lookup_string(group, "path", &path) && *path != '\0';

    if (conf_value_refused(group, "path"))
        return;
    for (size_t i = 0; i < 2; i++) {
        if (is_unix && config_setting_get_member(group, of_tcp[i]) != NULL)
            CONF_COMPLAIN(report, group, SCOPE_LISTEN, of_tcp[i],
                          "a Unix socket has none, write either path or address and port");
        if (!is_unix && config_setting_get_member(group, of_unix[i]) != NULL)
            CONF_COMPLAIN(report, group, SCOPE_LISTEN, of_unix[i],
                          "only a Unix socket has one, write it beside path or leave it out");
    }
}

/* What only memcached's clients need, who name no namespace. */
static void check_memcache(const config_setting_t *group, struct conf_report *report)
{
    static const char *const options[] = {"namespace", "prefix"};
    const char *protocol = "";

    config_setting_lookup_string(group, "protocol", &protocol);
    if (strcmp(protocol, "memcache") == 0 || conf_value_refused(group, "protocol"))
        return;
    for (size_t i = 0; i < 2; i++)
        if (config_setting_get_member(group, options[i]) != NULL)
            CONF_COMPLAIN(
                report, group, SCOPE_LISTEN, options[i],
                "it needs protocol = \"memcache\" beside it; clients of the native protocol "
                "name their namespaces");
}

static void check_http(const config_setting_t *group, struct conf_report *report)
{
    const char *protocol = "";

    config_setting_lookup_string(group, "protocol", &protocol);
    if (strcmp(protocol, "http") != 0 && !conf_value_refused(group, "protocol") &&
        config_setting_get_member(group, "open") != NULL)
        CONF_COMPLAIN(report, group, SCOPE_LISTEN, "open",
                      "it needs protocol = \"http\" beside it, write that too or leave this out");
}

/* A string of which "" means none. */
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

    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
        const char *name = needs[i][0], *needed = needs[i][1];
        if (has_text(group, name) && conf_value_given(group, name) && !has_text(group, needed) &&
            !conf_value_refused(group, needed))
            CONF_COMPLAIN(report, group, SCOPE_LISTEN, name,
                          "it needs %s beside it, write that too or leave this out", needed);
    }
}

/* --- who can reach it ----------------------------------------------------------- */

/* Whether connections to that address come from this machine only. */
static bool is_loopback(const char *address)
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, address, &four) == 1)
        return ntohl(four.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton(AF_INET6, address, &six) != 1)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&six) ||
           (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == IN_LOOPBACKNET);
}

static bool is_reached(const struct conf_listen *listen)
{
    return listen->address != NULL && !is_loopback(listen->address);
}

const struct conf_listen *conf_exposed(const struct conf *listening, const struct conf *next)
{
    for (size_t i = 0; i < listening->listen_count && !next->insecure; i++) {
        const struct conf_listen *listen = &listening->listen[i];
        if (is_reached(listen) && (next->user_count == 0 || listen->tls_certificate == NULL))
            return listen;
    }
    return NULL;
}

/* An address for others than this machine must have users and TLS behind it. What
 * was refused is taken to have been right. */
static void check_reach(const config_setting_t *root, const config_setting_t *group,
                        const struct conf *conf, const struct conf_listen *listen,
                        struct conf_report *report)
{
    bool users = conf->user_count > 0 || conf_value_refused(root, "users");
    bool tls = has_text(group, "tls_certificate") || conf_value_refused(group, "tls_certificate");
    const char *written = listen->address;
    const char *missing = users ? "it has no TLS, write tls_certificate and tls_key beside it"
                          : tls ? "there are no users, write users at the top level"
                                : "there are no users and it has no TLS, write users at the top "
                                  "level, and tls_certificate and tls_key beside it";

    if ((users && tls) || conf->insecure || conf_value_refused(root, "insecure") ||
        !is_reached(listen))
        return;
    config_setting_lookup_string(group, "address", &written);
    CONF_COMPLAIN(report, group, SCOPE_LISTEN, "address",
                  "others than this machine can reach \"%s\", but %s; or write insecure = true at "
                  "the top level, if everybody there may read and change everything",
                  written, missing);
}

/* --- all of them ------------------------------------------------------------------ */

/* Or one of them is all addresses of its family: the kernel lets them listen beside each other
 * no more. */
static bool same_address(const char *a, const char *b)
{
    static const struct in6_addr all = {0};
    struct in6_addr one = {0}, other = {0};
    int family = strchr(a, ':') != NULL ? AF_INET6 : AF_INET;

    return inet_pton(family, a, &one) == 1 && inet_pton(family, b, &other) == 1 &&
           (memcmp(&one, &other, sizeof(one)) == 0 || memcmp(&one, &all, sizeof(one)) == 0 ||
            memcmp(&other, &all, sizeof(other)) == 0);
}

static bool same_listener(const struct conf_listen *a, const struct conf_listen *b)
{
    if (a->path != NULL || b->path != NULL)
        return a->path != NULL && b->path != NULL && strcmp(a->path, b->path) == 0;
    return a->port == b->port && a->port != 0 && a->address != NULL && b->address != NULL &&
           same_address(a->address, b->address);
}

static bool is_ipv6(const struct conf_listen *listen)
{
    return listen->address != NULL && strchr(listen->address, ':') != NULL;
}

static bool takes_both(const struct conf *conf, const struct conf_listen *listen)
{
    struct in6_addr address;

    if (!is_ipv6(listen) || inet_pton(AF_INET6, listen->address, &address) != 1 ||
        !IN6_IS_ADDR_UNSPECIFIED(&address))
        return false;
    for (size_t i = 0; i < conf->listen_count && listen->port != 0; i++) {
        const struct conf_listen *other = &conf->listen[i];
        if (other->address != NULL && !is_ipv6(other) && other->port == listen->port)
            return false;
    }
    return true;
}

void conf_settle_listeners(struct conf *conf)
{
    for (size_t i = 0; i < conf->listen_count; i++)
        conf->listen[i].both = takes_both(conf, &conf->listen[i]);
}

static bool is_sound(const config_setting_t *group)
{
    return group != NULL && !conf_value_refused(group, "path") &&
           !conf_value_refused(group, "address") && !conf_value_refused(group, "port");
}

/* Against those before it. */
static void check_place(const config_setting_t *list, const struct conf *conf, size_t i,
                        struct conf_report *report)
{
    const config_setting_t *group = conf_group_at(list, i);
    const struct conf_listen *listen = &conf->listen[i];
    const char *name = listen->path != NULL ? "path" : "port";

    for (size_t j = 0; j < i; j++) {
        const config_setting_t *other = conf_group_at(list, j);
        if (!is_sound(other) || !same_listener(listen, &conf->listen[j]))
            continue;
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
        if (group == NULL)
            continue;
        check_socket(group, report);
        check_memcache(group, report);
        check_http(group, report);
        check_tls(group, report);
        if (!is_sound(group))
            continue;
        check_reach(root, group, conf, &conf->listen[i], report);
        check_place(list, conf, i, report);
    }
}
