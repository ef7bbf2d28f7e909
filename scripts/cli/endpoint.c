/*
 * endpoint.c - where a server is.
 */
#include "scripts/cli/endpoint.h"

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

bool endpoint_parse(struct endpoint *endpoint, struct slice text)
{
    struct kvc_address address;
    if (!kvc_address_parse((struct kvc_bytes){text.bytes, text.length}, ENDPOINT_PORT, &address)) {
        return false;
    }
    bool is_path = address.path.bytes != NULL;
    struct kvc_bytes named = is_path ? address.path : address.host;
    char *copy = memory_copy((struct slice){named.bytes, named.length});
    endpoint_set(&endpoint->host, NULL);
    endpoint_set(&endpoint->path, NULL);
    *(is_path ? &endpoint->path : &endpoint->host) = copy;
    endpoint->port = is_path ? endpoint->port : address.port;
    return true;
}

void endpoint_name(const struct endpoint *endpoint, char name[ENDPOINT_NAME_MAX])
{
    struct kvc_address address = {.port = endpoint->port};
    if (endpoint->path != NULL) {
        address.path = kvc_text(endpoint->path);
    } else {
        address.host = kvc_text(endpoint->host);
    }
    kvc_address_name(&address, name);
}
