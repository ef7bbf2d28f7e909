/*
 * session.c - a server, the connection to it, and what is printed.
 *
 * A connection that the server has closed while nothing was asked is made anew, and that is said.
 * A request is never sent twice: when its connection is lost, it is unknown whether it was
 * executed.
 */
#include "scripts/cli/session.h"

#include <err.h>
#include <stdlib.h>

#include "scripts/cli/exchange.h"

void session_init(struct session *session, const struct endpoint *endpoint,
                  const struct credentials *credentials, bool json, int timeout)
{
    *session = (struct session){.endpoint = endpoint, .credentials = *credentials};
    client_init(&session->client, timeout);
    printer_init(&session->printer, json);
}

void session_deinit(struct session *session)
{
    credentials_deinit(&session->credentials);
    client_deinit(&session->client);
    free(session->user);
}

enum status session_result(struct session *session, enum client_result result)
{
    switch (result) {
    case CLIENT_DONE:
        return STATUS_DONE;
    case CLIENT_INTERRUPTED:
        printer_fail(&session->printer, "interrupted");
        return STATUS_REFUSED;
    case CLIENT_DENIED:
        printer_fail(&session->printer, session->client.error);
        return STATUS_REFUSED;
    case CLIENT_LOST:
    case CLIENT_UNREACHABLE:
        break;
    }
    printer_fail(&session->printer, session->client.error);
    return STATUS_NO_CONNECTION;
}

enum status session_ready(struct session *session)
{
    char name[ENDPOINT_NAME_MAX];
    if (client_is_good(&session->client)) {
        return STATUS_DONE;
    }
    enum client_result result =
        client_connect(&session->client, session->endpoint, &session->credentials);
    if (result == CLIENT_DONE && session->was_connected && session->lasting) {
        endpoint_name(session->endpoint, name);
        fflush(session->printer.out);
        warnx("connected again to %s", name);
    }
    session->was_connected |= result == CLIENT_DONE;
    return session_result(session, result);
}

/* --- AUTH ------------------------------------------------------------------------- */

static bool is_auth(const struct words *words)
{
    struct typed_verb verb;
    return words->count > 0 && verb_find(words->of[0].bytes, &verb) &&
           strcmp(verb.word, "AUTH") == 0;
}

/* So that a later connection authenticates as this one. */
static void remember_user(struct session *session, const struct words *words)
{
    struct slice secret = words->of[2].bytes;
    free(session->user);
    session->user = memory_copy(words->of[1].bytes);
    session->credentials.user = session->user;
    session->credentials.secret.length = secret.length;
    memcpy(session->credentials.secret.bytes, secret.bytes, secret.length);
}

/* The words of `AUTH <user>` with the secret, which is asked for. */
static bool ask_secret(const struct words *words, struct words *complete)
{
    struct secret_entry secret;
    char *user = (char *)words->of[1].bytes.bytes;
    bool taken = credentials_ask(user, &secret);
    if (taken) {
        char verb[] = "AUTH", text[sizeof secret.bytes + 1];
        char *list[] = {verb, user, text};
        memcpy(text, secret.bytes, secret.length);
        text[secret.length] = '\0';
        words_from(complete, 3, list);
        explicit_bzero(text, sizeof text);
    }
    explicit_bzero(&secret, sizeof secret);
    return taken;
}

/* --- requests --------------------------------------------------------------------- */

static enum status send_words(struct session *session, const struct words *words,
                              const struct slice *value)
{
    char error[MESSAGE_ERROR_MAX];
    struct message message;
    enum status status = STATUS_REFUSED;
    if (!message_make(words, value, &message, error)) {
        printer_fail(&session->printer, error);
    } else {
        status = session_ready(session);
    }
    if (message.wire.length > 0 && status == STATUS_DONE) {
        enum client_result result;
        status = exchange(&session->client, &message, &session->printer, &result);
        if (result != CLIENT_DONE) {
            status = session_result(session, result);
        }
    }
    message_deinit(&message);
    return status;
}

enum status session_ask(struct session *session, const struct words *words,
                        const struct slice *value)
{
    struct words complete;
    if (is_auth(words) && words->count == 2) {
        if (!ask_secret(words, &complete)) {
            return STATUS_REFUSED;
        }
        enum status status = session_ask(session, &complete, NULL);
        words_deinit(&complete);
        return status;
    }
    enum status status = send_words(session, words, value);
    if (status == STATUS_DONE && is_auth(words) && words->count == 3 &&
        words->of[2].bytes.length <= SECRET_MAX) {
        remember_user(session, words);
    }
    return status;
}
