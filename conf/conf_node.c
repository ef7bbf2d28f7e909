/*
 * conf_node.c - see conf_node.h.
 */
#include "conf/conf_node.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/conf_option.h"
#include "conf/conf_report.h"
#include "conf/conf_setting.h"

enum { HOST_MAX = 253, PORT_MAX = 65535 };

static const char no_node[] = "not \"host:port\"";

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long port = strtoul(text, NULL, 10);
    return digits > 0 && digits <= 5 && text[digits] == '\0' && port >= 1 && port <= PORT_MAX;
}

/* An IPv6 address in brackets. */
static bool is_bracketed(const char *host, size_t length)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    if (length < 2 || length - 2 >= sizeof address || host[0] != '[' || host[length - 1] != ']') {
        return false;
    }
    memcpy(address, host + 1, length - 2);
    address[length - 2] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1;
}

/* A name, or an IPv4 address. */
static bool is_name(const char *host, size_t length)
{
    static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
    return length >= 1 && length <= HOST_MAX && strspn(host, taken) >= length;
}

/* NULL where the text is a node; else what it is instead. */
static const char *find_mistake(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return no_node;
    }
    size_t length = (size_t)(colon - text);
    if (!is_bracketed(text, length) && !is_name(text, length)) {
        return strchr(text, ':') != colon ? "an IPv6 address without brackets" : no_node;
    }
    return is_port(colon + 1) ? NULL : "without a port from 1 to 65535";
}

static bool append(struct conf_patterns *nodes, const char *text)
{
    char **more = reallocarray(nodes->of, nodes->count + 1, sizeof *more);
    char *copy = more != NULL ? strdup(text) : NULL;
    if (more != NULL) {
        nodes->of = more;
    }
    if (copy == NULL) {
        return false;
    }
    more[nodes->count++] = copy;
    return true;
}

static bool read_one(const struct conf_option *option, config_setting_t *setting,
                     struct conf_patterns *nodes, struct conf_report *report)
{
    struct conf_setting_value value;
    conf_setting_value(setting, &value);
    bool is_string = value.kind == KIND_STRING || value.kind == KIND_BARE;
    const char *wrong = is_string ? find_mistake(value.text) : no_node;
    if (wrong == NULL && nodes->count >= conf_option_bounds(option).most) {
        wrong = "one too many";
    }
    if (wrong != NULL) {
        conf_setting_refuse(option, setting, report, wrong);
        return false;
    }
    if (value.kind == KIND_BARE) {
        conf_setting_refuse_bare(option, setting, report);
        return false;
    }
    if (!append(nodes, value.text)) {
        report->no_memory = true;
    }
    return true;
}

bool conf_node_read(const struct conf_option *option, config_setting_t *setting,
                    struct conf_patterns *nodes, struct conf_report *report)
{
    bool good = true;
    if (setting == NULL) {
        return true;
    }
    if (!config_setting_is_list(setting) && !config_setting_is_array(setting)) {
        return read_one(option, setting, nodes, report);
    }
    for (unsigned i = 0; i < (unsigned)config_setting_length(setting); i++) {
        good &= read_one(option, config_setting_get_elem(setting, i), nodes, report);
    }
    return good;
}
