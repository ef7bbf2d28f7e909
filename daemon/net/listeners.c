/*
 * listeners.c - listeners from the service manager, or else from the configuration.
 *
 * Never both: whoever starts the daemon with a socket unit says with it where
 * the daemon listens. What such a socket is called says what is spoken there.
 */
#include "daemon/net/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/base/log.h"
#include "daemon/net/tls.h"
#include "daemon/os/service_manager.h"

/* Where keys live behind a socket of that protocol, and whether TLS is spoken: as behind the first
 * listener that the configuration has for it. */
static struct endpoint endpoint_like(const struct listeners *listeners, const struct conf *conf,
                                     const struct protocol *protocol, bool is_http)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        struct endpoint endpoint = listener_endpoint(&conf->listen[i]);
        if (endpoint.protocol == protocol && endpoint.is_http == is_http) {
            endpoint.tls = listeners->tls[i];
            return endpoint;
        }
    }
    return (struct endpoint){.protocol = protocol, .is_http = is_http};
}

static int take(struct listeners *listeners, const struct conf *conf,
                const struct notify_socket *sockets, size_t count)
{
    char error[LISTENER_ERROR_MAX];
    int status = EX_OK;

    for (size_t i = 0; i < count; i++) {
        const struct protocol *named = protocol_find(slice_of(sockets[i].name));
        bool is_http = strcmp(sockets[i].name, "http") == 0;
        const struct protocol *protocol = named == NULL && !is_http ? &protocol_native : named;
        struct endpoint endpoint = endpoint_like(listeners, conf, protocol, is_http);
        if (listener_take(&listeners->all[listeners->count], sockets[i].fd, &endpoint, error)) {
            listeners->count++;
        } else {
            log_error("%s", error);
            status = EX_UNAVAILABLE;
        }
    }
    return status;
}

static int open_configured(struct listeners *listeners, const struct conf *conf,
                           const struct privilege_user *user)
{
    char error[LISTENER_ERROR_MAX];

    for (size_t i = 0; i < conf->listen_count; i++) {
        if (!listener_open(&listeners->all[i], &conf->listen[i], user, error)) {
            int status = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
            log_error("%s", error);
            return status;
        }
        listeners->all[i].endpoint.tls = listeners->tls[i];
        listeners->count++;
    }
    return EX_OK;
}

static bool make_room(struct listeners *listeners, const struct conf *conf, size_t wanted)
{
    *listeners = (struct listeners){.all = calloc(wanted, sizeof *listeners->all),
                                    .tls = calloc(conf->listen_count + 1, sizeof *listeners->tls)};
    bool done = listeners->all != NULL && listeners->tls != NULL;
    listeners->tls_count = done ? conf->listen_count : 0;
    for (size_t i = 0; done && i < conf->listen_count; i++) {
        if (conf->listen[i].tls_certificate != NULL) {
            listeners->tls[i] = tls_create(&conf->listen[i]);
            done = listeners->tls[i] != NULL;
        }
    }
    return done;
}

int listeners_open(struct listeners *listeners, const struct conf *conf,
                   const struct privilege_user *user)
{
    struct notify_socket *sockets;
    size_t taken = notify_sockets(&sockets);
    size_t wanted = taken > 0 ? taken : conf->listen_count;
    int status;

    if (!make_room(listeners, conf, wanted)) {
        log_error("listen: %s", strerror(errno));
        status = EX_OSERR;
    } else if (taken > 0) {
        status = take(listeners, conf, sockets, taken);
    } else {
        status = open_configured(listeners, conf, user);
    }
    for (size_t i = 0; i < taken; i++) {
        free(sockets[i].name);
    }
    free(sockets);
    return status;
}

/* --- TLS ------------------------------------------------------------------- */

bool listeners_load_tls(struct listeners *listeners)
{
    char error[TLS_ERROR_MAX];
    bool done = true;

    for (size_t i = 0; i < listeners->tls_count; i++) {
        if (listeners->tls[i] != NULL && !tls_load(listeners->tls[i], error)) {
            log_error("%s", error);
            done = false;
        }
    }
    if (!done) {
        listeners_abandon_tls(listeners);
    }
    return done;
}

void listeners_adopt_tls(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->tls_count; i++) {
        if (listeners->tls[i] != NULL) {
            tls_adopt(listeners->tls[i]);
        }
    }
}

void listeners_abandon_tls(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->tls_count; i++) {
        if (listeners->tls[i] != NULL) {
            tls_abandon(listeners->tls[i]);
        }
    }
}

/* --- who can reach them ------------------------------------------------------ */

const char *listeners_exposed(const struct listeners *listeners, const struct conf *conf)
{
    for (size_t i = 0; i < listeners->count && !conf->insecure; i++) {
        const struct listener *listener = &listeners->all[i];
        bool guarded = conf->user_count > 0 && listener->endpoint.tls != NULL;
        if (listener->taken && listener->reached && !guarded) {
            return listener->endpoint.name;
        }
    }
    return NULL;
}

bool listeners_have_http(const struct listeners *listeners)
{
    bool found = false;

    for (size_t i = 0; i < listeners->count; i++) {
        found |= listeners->all[i].endpoint.is_http;
    }
    return found;
}

/* --- the end --------------------------------------------------------------- */

void listeners_close(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        if (!listeners->all[i].endpoint.is_http) {
            listener_close(&listeners->all[i]);
        }
    }
}

void listeners_deinit(struct listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        listener_close(&listeners->all[i]);
    }
    for (size_t i = 0; i < listeners->tls_count; i++) {
        tls_destroy(&listeners->tls[i]);
    }
    free(listeners->tls);
    free(listeners->all);
    *listeners = (struct listeners){.all = NULL};
}
