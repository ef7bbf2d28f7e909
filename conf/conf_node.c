/*
 * conf_node.c - see conf_node.h.
 */
#include "conf/conf_node.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_option.h"
#include "conf/conf_setting.h"
#include "conf/conf_strings.h"

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

/* A conf_strings_check. */
static bool check(const struct conf_option *option, config_setting_t *setting, const char *text,
                  size_t before, struct conf_report *report)
{
    const char *wrong = text != NULL ? find_mistake(text) : no_node;
    if (wrong == NULL && before >= conf_option_bounds(option).most) {
        wrong = "one too many";
    }
    if (wrong != NULL) {
        conf_setting_refuse(option, setting, report, wrong);
    }
    return wrong == NULL;
}

bool conf_node_read(const struct conf_option *option, config_setting_t *setting,
                    struct conf_patterns *nodes, struct conf_report *report)
{
    return conf_strings_read(option, setting, nodes, check, report);
}
