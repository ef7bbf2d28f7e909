/*
 * client.c - one connection to a server, by libkvcached.
 */
#include "scripts/cli/client.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "scripts/cli/interrupt.h"

void client_init(struct client *client, int timeout)
{
    *client = (struct client){.timeout = timeout};
}

void client_close(struct client *client)
{
    if (client->kvc != NULL) {
        kvc_disconnect(client->kvc);
    }
    client->out.length = 0;
}

void client_deinit(struct client *client)
{
    kvc_destroy(client->kvc);
    if (client->out.at != NULL) {
        explicit_bzero(client->out.at, client->out.room); /* a secret was there */
    }
    bytes_deinit(&client->out);
    client->kvc = NULL;
}

bool client_is_connected(const struct client *client)
{
    return client->kvc != NULL && kvc_is_connected(client->kvc);
}

bool client_is_good(struct client *client)
{
    return client->kvc != NULL && kvc_is_good(client->kvc);
}

/* --- results ---------------------------------------------------------------------- */

static enum client_result result_of(struct client *client, enum kvc_result result)
{
    if (result == KVC_OK) {
        return CLIENT_DONE;
    }
    if (result == KVC_ERROR_STOPPED) {
        return CLIENT_INTERRUPTED;
    }
    snprintf(client->error, sizeof client->error, "%s", kvc_last_error(client->kvc)->text);
    switch (result) {
    case KVC_ERROR_DENIED:
        return CLIENT_DENIED;
    case KVC_ERROR_UNREACHABLE:
        return CLIENT_UNREACHABLE;
    default:
        client_close(client);
        return CLIENT_LOST;
    }
}

enum client_result client_flush(struct client *client)
{
    struct slice out = bytes_slice(&client->out);
    if (client->kvc == NULL) {
        return CLIENT_LOST;
    }
    kvc_set_timeout(client->kvc, client->timeout);
    enum kvc_result result = kvc_send(client->kvc, (struct kvc_bytes){out.bytes, out.length});
    client->out.length = 0;
    if (result == KVC_OK) {
        result = kvc_flush(client->kvc);
    }
    return result_of(client, result);
}

enum client_result client_read(struct client *client, enum reply_values values, struct reply *reply)
{
    struct kvc_reply read;
    if (client->kvc == NULL) {
        return CLIENT_LOST;
    }
    kvc_set_timeout(client->kvc, client->timeout);
    enum kvc_result result = kvc_read(client->kvc, (enum kvc_values)values, &read);
    if (result == KVC_OK) {
        *reply = reply_of(&read);
    }
    return result_of(client, result);
}

/* --- connecting ------------------------------------------------------------------- */

/* A certificate that the configuration names may be one that only the daemon can read. */
static bool can_read_pinned(struct client *client, const struct endpoint *endpoint,
                            const char *name)
{
    bool can = !endpoint->tls || endpoint->pinned == NULL || access(endpoint->pinned, R_OK) == 0;
    if (!can) {
        snprintf(client->error, sizeof client->error,
                 "cannot connect to %s: %s: %s; name its authority with --ca", name,
                 endpoint->pinned, strerror(errno));
    }
    return can;
}

static struct kvc *make(struct client *client, const struct endpoint *endpoint, const char *name,
                        const struct credentials *credentials)
{
    struct kvc_error error;
    const struct kvc_options options = {
        .size = sizeof options,
        .address = name,
        .connect_timeout = CLIENT_CONNECT_TIMEOUT,
        .timeout = client->timeout,
        .user = credentials->user,
        .secret = {credentials->secret.bytes, credentials->secret.length},
        .tls = endpoint->tls,
        .ca = endpoint->ca,
        .pinned = endpoint->pinned,
        .cert = endpoint->cert,
        .key = endpoint->key,
        .poll = interrupt_wait,
    };
    struct kvc *kvc = kvc_create(&options, &error);
    if (kvc == NULL) {
        snprintf(client->error, sizeof client->error, "cannot connect to %s: %s", name, error.text);
    }
    return kvc;
}

enum client_result client_connect(struct client *client, const struct endpoint *endpoint,
                                  const struct credentials *credentials)
{
    char name[ENDPOINT_NAME_MAX];
    kvc_destroy(client->kvc);
    client->kvc = NULL;
    client->out.length = 0;
    endpoint_name(endpoint, name);
    if (!can_read_pinned(client, endpoint, name)) {
        return CLIENT_UNREACHABLE;
    }
    client->kvc = make(client, endpoint, name, credentials);
    return client->kvc != NULL ? result_of(client, kvc_connect(client->kvc)) : CLIENT_UNREACHABLE;
}
