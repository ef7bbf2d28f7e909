/*
 * finder.c - finds the server of this machine in its configuration.
 */
#include "scripts/cli/finder.h"

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"

static bool is_possible(const struct conf_listen *listen)
{
    return strcmp(listen->protocol, "native") == 0 && (listen->path != NULL || listen->port != 0);
}

/* NULL: there is none. */
static const struct conf_listen *first_listener(const struct conf *conf)
{
    const struct conf_listen *first = NULL;
    for (size_t i = 0; i < conf->listen_count; i++) {
        const struct conf_listen *listen = &conf->listen[i];
        if (is_possible(listen) &&
            (first == NULL || (first->path == NULL && listen->path != NULL))) {
            first = listen;
        }
    }
    return first;
}

/* An address that stands for all of the machine's is reached at the loopback's. */
static const char *reachable(const struct conf_listen *listen)
{
    if (strcmp(listen->address, "0.0.0.0") == 0) {
        return "127.0.0.1";
    }
    if (strcmp(listen->address, "::") == 0) {
        return listen->dual_stack ? "127.0.0.1" : "::1";
    }
    return listen->address;
}

static void use_default(struct endpoint *endpoint)
{
    endpoint_set(&endpoint->host, "127.0.0.1");
    endpoint->port = ENDPOINT_PORT;
}

static void use_listener(struct endpoint *endpoint, const struct conf_listen *listen)
{
    if (listen->path != NULL) {
        endpoint_set(&endpoint->path, listen->path);
    } else {
        endpoint_set(&endpoint->host, reachable(listen));
        endpoint->port = listen->port;
    }
    endpoint->tls = listen->tls_certificate != NULL;
    endpoint_set(&endpoint->pinned, listen->tls_certificate);
}

static bool load(const char *file, struct endpoint *endpoint)
{
    struct conf *conf = NULL;
    struct conf_errors errors = {.text = NULL};
    const struct conf_source source = {.file = file};
    bool loaded = conf_load(&source, &conf, &errors);
    if (loaded) {
        const struct conf_listen *listen = first_listener(conf);
        if (listen != NULL) {
            use_listener(endpoint, listen);
        } else {
            use_default(endpoint);
        }
        conf_destroy(&conf);
    } else {
        fputs(errors.text != NULL ? errors.text : "", stderr);
        warnx("%s does not say where the server is; name it with -H or -s", file);
    }
    conf_errors_deinit(&errors);
    return loaded;
}

bool finder_find(const char *file, bool named, struct endpoint *endpoint)
{
    if (access(file, R_OK) == 0) {
        return load(file, endpoint);
    }
    if (named) {
        warn("%s is not read, 127.0.0.1:%d is used", file, ENDPOINT_PORT);
    }
    use_default(endpoint);
    return true;
}
