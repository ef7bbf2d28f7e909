/*
 * endpoint.c - where a server is.
 */
#include "scripts/cli/endpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/token.h"
#include "scripts/cli/bytes.h"

void endpoint_deinit(struct endpoint *endpoint)
{
    free(endpoint->host);
    free(endpoint->path);
    free(endpoint->ca);
    free(endpoint->pinned);
    free(endpoint->cert);
    free(endpoint->key);
    *endpoint = (struct endpoint){.host = NULL};
}

void endpoint_set(char **field, const char *value)
{
    char *copy = value != NULL ? memory_copy(slice_of(value)) : NULL;
    free(*field);
    *field = copy;
}

bool endpoint_port(struct slice text, uint16_t *port)
{
    uint64_t number;
    if (!token_number(text, &number) || number < 1 || number > UINT16_MAX) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

static void set_host(struct endpoint *endpoint, struct slice host, uint16_t port)
{
    free(endpoint->host);
    endpoint->host = memory_copy(host);
    endpoint->port = port;
    endpoint_set(&endpoint->path, NULL);
}

/* The colon before the port; NULL: there is none. An IPv6 address without brackets has several. */
static const char *port_colon(struct slice text)
{
    const char *end = text.bytes + text.length;
    const char *from = text.bytes[0] == '[' ? memchr(text.bytes, ']', text.length) : text.bytes;
    const char *colon = from != NULL ? memchr(from, ':', (size_t)(end - from)) : NULL;
    if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL) {
        return NULL;
    }
    return colon;
}

bool endpoint_parse(struct endpoint *endpoint, struct slice text)
{
    uint16_t port = ENDPOINT_PORT;
    struct slice host = text;
    if (text.length == 0) {
        return false;
    }
    if (text.bytes[0] == '/') {
        free(endpoint->path);
        endpoint->path = memory_copy(text);
        endpoint_set(&endpoint->host, NULL);
        return true;
    }
    const char *colon = port_colon(text);
    if (colon != NULL) {
        const char *end = text.bytes + text.length;
        host.length = (size_t)(colon - text.bytes);
        if (!endpoint_port((struct slice){colon + 1, (size_t)(end - colon - 1)}, &port)) {
            return false;
        }
    }
    if (host.length > 2 && host.bytes[0] == '[' && host.bytes[host.length - 1] == ']') {
        host = (struct slice){host.bytes + 1, host.length - 2};
    }
    if (host.length == 0 || memchr(host.bytes, '[', host.length) != NULL) {
        return false;
    }
    set_host(endpoint, host, port);
    return true;
}

void endpoint_name(const struct endpoint *endpoint, char name[ENDPOINT_NAME_MAX])
{
    if (endpoint->path != NULL) {
        snprintf(name, ENDPOINT_NAME_MAX, "%s", endpoint->path);
    } else if (strchr(endpoint->host, ':') != NULL) {
        snprintf(name, ENDPOINT_NAME_MAX, "[%s]:%u", endpoint->host, endpoint->port);
    } else {
        snprintf(name, ENDPOINT_NAME_MAX, "%s:%u", endpoint->host, endpoint->port);
    }
}
