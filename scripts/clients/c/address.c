/*
 * address.c - where a daemon is, as text.
 */
#include <stdio.h>

#include "protocol/token.h"
#include "scripts/clients/c/kvcached.h"

static int read_port(struct slice text, uint16_t *port)
{
    uint64_t number;
    if (!token_number(text, &number) || number < 1 || number > UINT16_MAX) {
        return 0;
    }
    *port = (uint16_t)number;
    return 1;
}

/* The colon before the port; NULL: there is none. An IPv6 address without brackets has several. */
static const char *port_colon(struct kvc_bytes text)
{
    const char *end = text.bytes + text.length;
    const char *from = text.bytes[0] == '[' ? memchr(text.bytes, ']', text.length) : text.bytes;
    const char *colon = from != NULL ? memchr(from, ':', (size_t)(end - from)) : NULL;
    if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL) {
        return NULL;
    }
    return colon;
}

/* Takes the brackets of an address away. False: there is no host, or half of them. */
static int read_host(struct kvc_bytes *host)
{
    const char *bytes = host->bytes;
    if (host->length > 2 && bytes[0] == '[' && bytes[host->length - 1] == ']') {
        *host = (struct kvc_bytes){bytes + 1, host->length - 2};
        return 1;
    }
    return host->length > 0 && memchr(bytes, '[', host->length) == NULL;
}

/* A path begins with a slash, or with one or two dots and a slash, as no host does. */
static bool is_path(struct kvc_bytes text)
{
    size_t dots = 0;
    while (dots < 2 && dots < text.length && text.bytes[dots] == '.') {
        dots++;
    }
    return dots < text.length && text.bytes[dots] == '/';
}

int kvc_address_parse(struct kvc_bytes text, uint16_t port, struct kvc_address *address)
{
    *address = (struct kvc_address){.port = port};
    if (text.length == 0) {
        return 0;
    }
    if (is_path(text)) {
        address->path = text;
        return 1;
    }
    const char *colon = port_colon(text);
    address->host = text;
    if (colon != NULL) {
        const char *end = text.bytes + text.length;
        struct slice digits = {colon + 1, (size_t)(end - colon - 1)};
        address->host.length = (size_t)(colon - text.bytes);
        if (!read_port(digits, &address->port)) {
            return 0;
        }
    }
    return read_host(&address->host);
}

void kvc_address_name(const struct kvc_address *address, char name[KVC_NAME_MAX])
{
    struct kvc_bytes host = address->host;
    if (address->path.bytes != NULL) {
        snprintf(name, KVC_NAME_MAX, "%s%.*s", is_path(address->path) ? "" : "./",
                 (int)address->path.length, address->path.bytes);
        return;
    }
    bool bracketed =
        host.length > 0 && (memchr(host.bytes, ':', host.length) != NULL || host.bytes[0] == '/');
    snprintf(name, KVC_NAME_MAX, bracketed ? "[%.*s]:%u" : "%.*s:%u", (int)host.length, host.bytes,
             address->port);
}
