/*
 * settings.c - the options of a handle.
 */
#include "scripts/clients/c/settings.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/token.h"
#include "scripts/clients/c/clock.h"

enum { TIMEOUT = 30000, CONNECT_TIMEOUT = 5000 };

static const char default_address[] = "127.0.0.1";

/* A signal does not end the wait. */
static int wait_for(void *context, int fd, short events, int timeout)
{
    (void)context;
    int64_t until = clock_now() + timeout;
    struct pollfd ready = {.fd = fd, .events = events};
    for (;;) {
        int count = poll(&ready, 1, timeout < 0 ? -1 : clock_left(until));
        if (count >= 0 || errno != EINTR) {
            return count;
        }
    }
}

/* With a NUL behind it; NULL of NULL. *failed: there is no memory. */
static char *copy(struct kvc_bytes bytes, bool *failed)
{
    char *made = bytes.bytes != NULL ? malloc(bytes.length + 1) : NULL;
    if (made != NULL) {
        memcpy(made, bytes.bytes, bytes.length);
        made[bytes.length] = '\0';
    }
    *failed |= bytes.bytes != NULL && made == NULL;
    return made;
}

static char *copy_text(const char *text, bool *failed)
{
    return text != NULL ? copy(kvc_text(text), failed) : NULL;
}

bool settings_is_word(struct kvc_bytes word)
{
    if (word.length == 0) {
        return false;
    }
    const char *end = word.bytes + word.length;
    return token_span(word.bytes, end, TOKEN_KEY) == end;
}

/* NULL: nothing is wrong. */
static const char *mistake_of(const struct kvc_options *options, struct kvc_address *address)
{
    const char *text = options->address != NULL ? options->address : default_address;
    if (options->size != sizeof *options) {
        return "options.size is not that of struct kvc_options";
    }
    if (!kvc_address_parse(kvc_text(text), KVC_PORT, address)) {
        return "the address is not HOST:PORT, HOST, [ADDRESS]:PORT or /PATH";
    }
    if (options->user != NULL && !settings_is_word(kvc_text(options->user))) {
        return "a user is empty, or has a blank or a control character";
    }
    if (options->user != NULL && !settings_is_word(options->secret)) {
        return "a secret is empty, or has a blank or a control character";
    }
    return options->key != NULL && options->cert == NULL ? "a key goes with a cert" : NULL;
}

static bool copy_texts(struct settings *settings, const struct kvc_options *options,
                       const struct kvc_address *address)
{
    bool failed = false;
    settings->host = copy(address->host, &failed);
    settings->path = copy(address->path, &failed);
    settings->user = copy_text(options->user, &failed);
    if (options->user != NULL) {
        settings->secret = copy(options->secret, &failed);
        settings->secret_length = options->secret.length;
    }
    settings->ca = copy_text(options->ca, &failed);
    settings->pinned = copy_text(options->pinned, &failed);
    settings->cert = copy_text(options->cert, &failed);
    settings->key = copy_text(options->key != NULL ? options->key : options->cert, &failed);
    return !failed;
}

static void fail(struct kvc_error *error, enum kvc_result code, const char *text)
{
    *error = (struct kvc_error){.code = code};
    snprintf(error->text, sizeof error->text, "%s", text);
}

bool settings_init(struct settings *settings, const struct kvc_options *options,
                   struct kvc_error *error)
{
    struct kvc_address address;
    const char *mistake = mistake_of(options, &address);
    if (mistake != NULL) {
        fail(error, KVC_ERROR_ARGUMENT, mistake);
        return false;
    }
    *settings = (struct settings){
        .port = address.port,
        .connect_timeout =
            options->connect_timeout > 0 ? options->connect_timeout : CONNECT_TIMEOUT,
        .timeout = options->timeout != 0 ? options->timeout : TIMEOUT,
        .retry = options->no_retry == 0,
        .tls = options->tls != 0,
        .poll = options->poll != NULL ? options->poll : wait_for,
        .poll_context = options->poll_context,
    };
    if (!copy_texts(settings, options, &address)) {
        settings_deinit(settings);
        fail(error, KVC_ERROR_MEMORY, "no memory");
        return false;
    }
    return true;
}

void settings_deinit(struct settings *settings)
{
    if (settings->secret != NULL) {
        explicit_bzero(settings->secret, settings->secret_length);
    }
    free(settings->host);
    free(settings->path);
    free(settings->user);
    free(settings->secret);
    free(settings->ca);
    free(settings->pinned);
    free(settings->cert);
    free(settings->key);
}

void settings_name(const struct settings *settings, char name[KVC_NAME_MAX])
{
    struct kvc_address address = {.port = settings->port};
    if (settings->path != NULL) {
        address.path = kvc_text(settings->path);
    } else {
        address.host = kvc_text(settings->host);
    }
    kvc_address_name(&address, name);
}
