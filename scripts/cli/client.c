/*
 * client.c - one connection to a server.
 */
#include "scripts/cli/client.h"

#include <poll.h>
#include <stdio.h>

#include "scripts/cli/clock.h"

enum { PIECE = 64 * 1024 };

void client_init(struct client *client, int timeout)
{
    *client = (struct client){.link = {.fd = -1}, .timeout = timeout};
}

void client_close(struct client *client)
{
    stream_close(&client->link);
    client->in.length = client->in_taken = client->out.length = 0;
}

void client_deinit(struct client *client)
{
    client_close(client);
    bytes_deinit(&client->in);
    if (client->out.at != NULL) {
        explicit_bzero(client->out.at, client->out.room); /* a secret was there */
    }
    bytes_deinit(&client->out);
}

bool client_is_connected(const struct client *client)
{
    return client->link.fd >= 0;
}

/* What has come already can still be read. */
static enum client_result lose(struct client *client, const char *why)
{
    snprintf(client->error, sizeof client->error, "%s", why);
    stream_close(&client->link);
    client->out.length = 0;
    return CLIENT_LOST;
}

/* --- waiting ---------------------------------------------------------------------- */

static enum client_result wait_for(struct client *client, short events)
{
    switch (link_wait(&client->link, events, client->timeout)) {
    case LINK_READY:
        return CLIENT_DONE;
    case LINK_INTERRUPTED:
        return CLIENT_INTERRUPTED;
    case LINK_TIMED_OUT:
        break;
    }
    return lose(client, "no reply in time");
}

/* Takes in what has come, without waiting. CLIENT_LOST with the error. */
static enum client_result take_in(struct client *client, enum link_result *state)
{
    size_t count = 0;
    char *to = bytes_reserve(&client->in, PIECE);
    *state = stream_read(&client->link, to, client->in.room - client->in.length, &count);
    switch (*state) {
    case LINK_DONE:
        client->in.length += count;
        return CLIENT_DONE;
    case LINK_LATER:
        return CLIENT_DONE;
    case LINK_CLOSED:
        return lose(client, "the server closed the connection");
    case LINK_BROKEN:
        break;
    }
    return lose(client, client->link.error);
}

/* --- sending ---------------------------------------------------------------------- */

/* Nothing more can be written now: waits until it can, or until replies came. */
static enum client_result wait_to_write(struct client *client)
{
    enum link_result state;
    enum client_result result = wait_for(client, (short)(client->link.events | POLLIN));
    return result == CLIENT_DONE ? take_in(client, &state) : result;
}

/* A server that has refused what came before closes without reading the rest; its reply may be
 * there to be read. */
static enum client_result write_failed(struct client *client, enum link_result state)
{
    if (state == LINK_CLOSED) {
        client->out.length = 0;
        return CLIENT_DONE;
    }
    return lose(client, client->link.error);
}

static bool has_bytes(const struct client *client)
{
    return client->in.length > client->in_taken;
}

enum client_result client_flush(struct client *client)
{
    size_t sent = 0;
    enum client_result result = CLIENT_DONE;
    while (result == CLIENT_DONE && sent < client->out.length) {
        size_t count = 0;
        struct slice left = {client->out.at + sent, client->out.length - sent};
        enum link_result state = stream_write(&client->link, left, &count);
        if (state == LINK_DONE) {
            sent += count;
        } else if (state == LINK_LATER) {
            result = wait_to_write(client);
        } else {
            return write_failed(client, state);
        }
    }
    if (result != CLIENT_LOST) {
        bytes_drop(&client->out, sent);
    }
    return result == CLIENT_LOST && has_bytes(client) ? CLIENT_DONE : result;
}

/* --- replies ---------------------------------------------------------------------- */

static struct slice not_taken(const struct client *client)
{
    return bytes_rest(&client->in, client->in_taken);
}

bool client_has_reply(const struct client *client, enum reply_values values)
{
    struct reply reply;
    size_t taken, wanted;
    return reply_cut(not_taken(client), values, &reply, &taken, &wanted) != REPLY_PARTIAL;
}

/* Bytes that were returned are dropped once they are most of the buffer. */
static void make_room(struct client *client, size_t wanted)
{
    if (client->in_taken > client->in.length / 2) {
        bytes_drop(&client->in, client->in_taken);
        client->in_taken = 0;
    }
    size_t there = client->in.length - client->in_taken;
    if (wanted > there) {
        bytes_reserve(&client->in, wanted - there);
    }
}

/* Takes in bytes until there are that many that were not taken. */
static enum client_result await(struct client *client, size_t wanted)
{
    enum client_result result = CLIENT_DONE;
    make_room(client, wanted);
    while (result == CLIENT_DONE && client->in.length - client->in_taken < wanted) {
        enum link_result state;
        result = take_in(client, &state);
        if (result == CLIENT_DONE && state == LINK_LATER) {
            result = wait_for(client, client->link.events);
        }
    }
    return result;
}

enum client_result client_read(struct client *client, enum reply_values values, struct reply *reply)
{
    for (;;) {
        size_t taken = 0, wanted = 0;
        switch (reply_cut(not_taken(client), values, reply, &taken, &wanted)) {
        case REPLY_WHOLE:
            client->in_taken += taken;
            return CLIENT_DONE;
        case REPLY_BAD:
            return lose(client, "the server does not speak kvcached's own protocol here");
        case REPLY_PARTIAL:
            break;
        }
        if (!client_is_connected(client)) {
            return CLIENT_LOST;
        }
        enum client_result result = await(client, wanted);
        if (result != CLIENT_DONE) {
            return result;
        }
    }
}

bool client_is_good(struct client *client)
{
    enum link_result state = LINK_LATER;
    if (!client_is_connected(client)) {
        return false;
    }
    if (client->in_taken == client->in.length && take_in(client, &state) == CLIENT_DONE &&
        state == LINK_LATER) {
        return true;
    }
    client_close(client);
    return false;
}

/* --- connecting ------------------------------------------------------------------- */

static enum client_result authenticate(struct client *client, const struct credentials *credentials)
{
    struct reply reply;
    bytes_print(&client->out, "AUTH %s ", credentials->user);
    bytes_append(&client->out,
                 (struct slice){credentials->secret.bytes, credentials->secret.length});
    bytes_append_text(&client->out, "\r\n");
    enum client_result result = client_flush(client);
    if (result == CLIENT_DONE) {
        result = client_read(client, REPLY_VALUES, &reply);
    }
    if (result == CLIENT_DONE && !reply_is(&reply, "OK")) {
        snprintf(client->error, sizeof client->error, "the server refuses user %s: %.*s",
                 credentials->user, (int)reply.line.length, reply.line.bytes);
        client_close(client);
        return CLIENT_DENIED;
    }
    return result;
}

enum client_result client_connect(struct client *client, const struct endpoint *endpoint,
                                  const struct credentials *credentials)
{
    char name[ENDPOINT_NAME_MAX];
    client_close(client);
    if (!stream_open(&client->link, endpoint, CLIENT_CONNECT_TIMEOUT)) {
        endpoint_name(endpoint, name);
        snprintf(client->error, sizeof client->error, "cannot connect to %s: %s", name,
                 client->link.error);
        return CLIENT_UNREACHABLE;
    }
    return credentials->user != NULL ? authenticate(client, credentials) : CLIENT_DONE;
}
