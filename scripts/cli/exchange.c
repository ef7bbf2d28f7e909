/*
 * exchange.c - one request, and all replies to it.
 */
#include "scripts/cli/exchange.h"

bool exchange_ends(const struct reply *reply)
{
    static const char *const words[] = {"END",   "OK",       "NOT_FOUND", "DENIED",
                                        "RESET", "RELOADED", "KILLED"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (reply_is(reply, words[i])) {
            return true;
        }
    }
    return reply_is_error(reply);
}

/* Whether no more replies come after this one, the number-th from 1. */
static bool is_last(const struct message *message, const struct reply *reply, size_t number)
{
    switch (message->verb.shape) {
    case VERB_KEYS:
        return number == message->replies || reply_is_error(reply);
    case VERB_LISTING:
        return exchange_ends(reply);
    case VERB_MISTAKES:
        return !reply_is_mistake(reply);
    case VERB_ENDLESS:
        return reply_is_error(reply);
    case VERB_ONE:
    case VERB_SILENT:
        break;
    }
    return true;
}

static enum status read_replies(struct client *client, const struct message *message,
                                struct printer *printer, enum client_result *result)
{
    enum status status = STATUS_DONE;
    bool last = message->verb.shape == VERB_SILENT;
    struct slice names = bytes_slice(&message->names);
    for (size_t number = 1; !last; number++) {
        struct reply reply;
        *result = client_read(client, message->verb.values, &reply);
        if (*result != CLIENT_DONE || printer_is_broken(printer)) {
            break;
        }
        last = is_last(message, &reply, number);
        struct slice key = reply_nth(names, message->replies > 0 ? number : 0);
        status = status_worse(status, printer_reply(printer, &reply, key, last));
        if (message->verb.shape == VERB_ENDLESS) {
            fflush(printer->out);
        }
    }
    return status;
}

enum status exchange(struct client *client, const struct message *message, struct printer *printer,
                     enum client_result *result)
{
    enum status status = STATUS_DONE;
    int timeout = client->timeout;
    bytes_append(&client->out, bytes_slice(&message->wire));
    *result = client_flush(client);
    if (*result == CLIENT_DONE) {
        printer_begin(printer, message);
        client->timeout = message->verb.shape == VERB_ENDLESS ? -1 : timeout;
        status = read_replies(client, message, printer, result);
        client->timeout = timeout;
        printer_end(printer);
    }
    if (*result != CLIENT_DONE || printer_is_broken(printer)) {
        client_close(client);
    }
    return *result == CLIENT_LOST ? STATUS_NO_CONNECTION : status;
}
