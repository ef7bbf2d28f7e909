/*
 * exchange.h - one request, and all replies to it.
 */
#ifndef KVCACHED_SCRIPTS_CLI_EXCHANGE_H
#define KVCACHED_SCRIPTS_CLI_EXCHANGE_H

#include "scripts/cli/client.h"
#include "scripts/cli/printer.h"

/* Sends the message and prints its replies. When *result is not CLIENT_DONE, the connection is
 * closed: it was lost, see client->error, or the replies were interrupted. */
enum status exchange(struct client *client, const struct message *message, struct printer *printer,
                     enum client_result *result);

/* Whether this is the last reply to a request that is answered by a listing. */
bool exchange_ends(const struct reply *reply);

#endif
