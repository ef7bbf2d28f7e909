/*
 * http_host.c - see http_host.h.
 */
#include "daemon/http/http_host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits <= 5 && text[digits] == '\0';
}

bool http_host_name(const char *host, char name[HTTP_HOST_MAX])
{
    bool bracketed = host[0] == '[';
    const char *from = host + bracketed;
    size_t length = strcspn(from, bracketed ? "]" : ":");
    const char *rest = from + length;
    if (bracketed) {
        if (*rest != ']') {
            return false;
        }
        rest++;
    }
    if (length == 0 || length >= HTTP_HOST_MAX ||
        (*rest != '\0' && (*rest != ':' || !is_port(rest + 1)))) {
        return false;
    }
    memcpy(name, from, length);
    name[length] = '\0';
    return true;
}

bool http_host_is_local(const char *name)
{
    static const char below[] = ".localhost";
    struct in6_addr address;
    size_t length = strlen(name);
    if (inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1) {
        return true;
    }
    return strcasecmp(name, "localhost") == 0 ||
           (length >= sizeof below && strcasecmp(name + length - (sizeof below - 1), below) == 0);
}
