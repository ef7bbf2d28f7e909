/*
 * client.h - one connection to a server, by libkvcached: requests are sent, replies are read.
 *
 * Requests may be sent ahead of their replies: client_send only collects them, and client_flush
 * takes in replies while it writes, so neither side waits for the other. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLI_CLIENT_H
#define KVCACHED_SCRIPTS_CLI_CLIENT_H

#include "scripts/cli/bytes.h"
#include "scripts/cli/credentials.h"
#include "scripts/cli/endpoint.h"
#include "scripts/cli/reply.h"

enum { CLIENT_TIMEOUT = 30000, CLIENT_CONNECT_TIMEOUT = 5000 }; /* milliseconds */
enum { CLIENT_ERROR_MAX = KVC_TEXT_MAX + ENDPOINT_NAME_MAX + 64 };

enum client_result {
    CLIENT_DONE,
    CLIENT_LOST,        /* not connected any more, see error */
    CLIENT_INTERRUPTED, /* by Ctrl-C; the connection stays */
    CLIENT_DENIED,      /* connected, but not as the user; see error */
    CLIENT_UNREACHABLE, /* no connection was made, see error */
};

struct client {
    struct kvc *kvc;  /* NULL: there was no connection yet */
    struct bytes out; /* to be sent */
    int timeout;      /* milliseconds without a byte after which a connection counts as lost; -1:
                         never */
    char error[CLIENT_ERROR_MAX];
};

void client_init(struct client *client, int timeout);
/* Closes the connection. */
void client_deinit(struct client *client);

/* Connects, in place of an earlier connection, and authenticates. CLIENT_DENIED leaves it closed.
 */
enum client_result client_connect(struct client *client, const struct endpoint *endpoint,
                                  const struct credentials *credentials);
void client_close(struct client *client);
bool client_is_connected(const struct client *client);
/* Whether the connection seems to be good for another request: no replies are awaited, and nothing
 * has come that was not asked for. When it is not, it is closed. */
bool client_is_good(struct client *client);

/* What is to be appended to, for client_flush. */
static inline struct bytes *client_out(struct client *client)
{
    return &client->out;
}
enum client_result client_flush(struct client *client);

/* Reads the next line of a reply, and its value. *reply is good until the next call. */
enum client_result client_read(struct client *client, enum reply_values values,
                               struct reply *reply);
#endif
