/*
 * endpoint.h - where a server is, and how its connections are protected.
 *
 * An endpoint owns its strings.
 */
#ifndef KVCACHED_SCRIPTS_CLI_ENDPOINT_H
#define KVCACHED_SCRIPTS_CLI_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/slice.h"
#include "scripts/clients/c/kvcached.h"

enum { ENDPOINT_PORT = KVC_PORT, ENDPOINT_NAME_MAX = KVC_NAME_MAX };

struct endpoint {
    char *host; /* a name or an address; NULL with path */
    uint16_t port;
    char *path; /* of a Unix socket, or NULL */
    bool tls;
    char *ca;     /* authorities of the server's certificate, in PEM; NULL: the system's */
    char *pinned; /* the server's own certificate, in PEM: no other is taken, whatever its names
                     are; or NULL */
    char *cert;   /* the client's certificate and key, in PEM; or NULL */
    char *key;
};

void endpoint_deinit(struct endpoint *endpoint);
void endpoint_set(char **field, const char *value);

/* Sets host and port, or the path, from `HOST:PORT`, `HOST`, `[ADDRESS]:PORT` or `/PATH`. False:
 * it is none of these. */
bool endpoint_parse(struct endpoint *endpoint, struct slice text);

/* A port from 1 to 65535; false: it is none. */
bool endpoint_port(struct slice text, uint16_t *port);

/* `HOST:PORT` or the path, for messages, the prompt and libkvcached. */
void endpoint_name(const struct endpoint *endpoint, char name[ENDPOINT_NAME_MAX]);

#endif
