/*
 * settings.h - the options of a handle, which it owns.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_SETTINGS_H
#define KVCACHED_SCRIPTS_CLIENTS_C_SETTINGS_H

#include <stdbool.h>

#include "scripts/clients/c/kvcached.h"

struct settings {
    char *host; /* NULL with path */
    char *path; /* of a Unix socket, or NULL */
    uint16_t port;
    int connect_timeout, timeout; /* milliseconds; timeout below 0: none */
    bool retry;
    char *user; /* NULL: without AUTH */
    char *secret;
    size_t secret_length;
    bool tls;
    char *ca, *pinned, *cert, *key; /* files, or NULL */
    kvc_poll_function *poll;
    void *poll_context;
};

/* Copies the options. False with *error: one is wrong, or there is no memory; there is nothing to
 * be freed then. */
bool settings_init(struct settings *settings, const struct kvc_options *options,
                   struct kvc_error *error);
/* Wipes the secret. */
void settings_deinit(struct settings *settings);

/* The daemon's address, for messages. */
void settings_name(const struct settings *settings, char name[KVC_NAME_MAX]);

/* Whether a user or a secret can be a word of AUTH, or a pattern one of LIST. */
bool settings_is_word(struct kvc_bytes word);

#endif
