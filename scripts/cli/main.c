/*
 * main.c - kvcached-cli, a client for the command line.
 *
 * Owns the order of things: options, the server, the secret, then one command, or lines that are
 * typed or read.
 */
#include <err.h>
#include <locale.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "scripts/cli/commands.h"
#include "scripts/cli/input.h"
#include "scripts/cli/interactive.h"
#include "scripts/cli/options.h"
#include "scripts/cli/script.h"
#include "scripts/cli/usage.h"

/* The value of -x: all of standard input. False: it could not be read, which was reported. */
static bool read_value(struct bytes *value)
{
    if (!input_read_all(STDIN_FILENO, value)) {
        warn("standard input");
        return false;
    }
    return true;
}

/* A command line is seen by other users of the machine. */
static bool has_secret(const struct options *options)
{
    if (options->count > 2 && strcasecmp(options->words[0], "AUTH") == 0) {
        warnx("a secret must not be an argument, which other users can see; use -u, and "
              "--secret-file where it should not be asked for");
        return true;
    }
    return false;
}

static enum status run_words(struct session *session, const struct options *options)
{
    struct words words;
    struct bytes value = {.at = NULL};
    enum status status = STATUS_REFUSED;
    words_from(&words, options->count, options->words);
    if (!options->value_from_input) {
        status = command_run(session, &words, NULL);
    } else if (read_value(&value)) {
        struct slice slice = bytes_slice(&value);
        status = command_run(session, &words, &slice);
    }
    words_deinit(&words);
    bytes_deinit(&value);
    return status;
}

static enum status run(struct session *session, const struct options *options)
{
    if (options->count > 0) {
        return run_words(session, options);
    }
    session->lasting = true;
    return isatty(STDIN_FILENO) == 1 ? interactive_run(session, !options->no_history)
                                     : script_run(session, stdin);
}

static bool needs_server(const struct options *options)
{
    return options->count == 0 || (strcasecmp(options->words[0], "hash-secret") != 0 &&
                                   strcasecmp(options->words[0], "help") != 0);
}

static enum status work(const struct options *options)
{
    struct endpoint endpoint = {.host = NULL};
    struct credentials credentials = {.user = options->user};
    enum status status = STATUS_REFUSED;
    bool remote = needs_server(options);
    if (!has_secret(options) &&
        (!remote || (options_endpoint(options, &endpoint) &&
                     credentials_get(&credentials, options->secret_file)))) {
        struct session session;
        session_init(&session, &endpoint, &credentials, options->json, options->timeout);
        status = run(&session, options);
        session_deinit(&session);
    }
    credentials_deinit(&credentials);
    endpoint_deinit(&endpoint);
    return status;
}

int main(int count, char **arguments)
{
    struct options options;
    setlocale(LC_CTYPE, "");
    options_read(&options, count, arguments);
    switch (options.task) {
    case OPTIONS_HELP:
        usage_print(stdout);
        return STATUS_DONE;
    case OPTIONS_VERSION:
        puts("kvcached-cli " PACKAGE_VERSION);
        return STATUS_DONE;
    case OPTIONS_WRONG:
        return STATUS_REFUSED;
    case OPTIONS_WORK:
        break;
    }
    enum status status = work(&options);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && status == STATUS_DONE) {
        warnx("standard output cannot be written");
        status = STATUS_REFUSED;
    }
    return (int)status;
}
