/*
 * options.h - the command line of kvcached-cli.
 */
#ifndef KVCACHED_SCRIPTS_CLI_OPTIONS_H
#define KVCACHED_SCRIPTS_CLI_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "scripts/cli/endpoint.h"

enum options_task { OPTIONS_WORK, OPTIONS_HELP, OPTIONS_VERSION, OPTIONS_WRONG };

/* Points into the arguments. */
struct options {
    enum options_task task;
    const char *conf; /* the configuration that tells where the server is */
    bool conf_named;
    const char *host, *port, *path;
    const char *user, *secret_file;
    bool tls;
    const char *ca, *cert, *key;
    int timeout; /* milliseconds; -1: none */
    bool json;
    bool value_from_input; /* -x */
    bool no_history;
    char **words; /* what follows the options */
    int count;
};

/* Mistakes are printed; then the task is OPTIONS_WRONG. */
void options_read(struct options *options, int count, char **arguments);

/* Sets *endpoint, which is empty, from the options or from the configuration. False: there was a
 * mistake, which was printed. */
bool options_endpoint(const struct options *options, struct endpoint *endpoint);

/* One line for each option, for --help and the completion of shells. */
struct option_text {
    char letter;          /* 0: none */
    const char *name;     /* or NULL */
    const char *argument; /* what it is called; NULL: there is none. "FILE": a file */
    const char *help;
};
extern const struct option_text option_texts[];
extern const size_t option_count;

#endif
