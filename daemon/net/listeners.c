/*
 * listeners.c - listeners from the service manager, or else from the configuration.
 *
 * Never both: a socket unit replaces the addresses of the configuration. The name of an inherited
 * socket (FileDescriptorName=) is the name of its protocol; any other name means the native one.
 */
#include "daemon/net/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "conf/conf.h"
#include "daemon/base/log.h"
#include "daemon/net/tls.h"
#include "daemon/os/service_manager.h"

/* The endpoint of an inherited socket: that of the first configured listener with its protocol. */
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

static int inherit(struct listeners *listeners, const struct conf *conf,
                   const struct service_manager_socket *sockets, size_t count)
{
    char error[LISTENER_ERROR_MAX];
    int status = EX_OK;
    for (size_t i = 0; i < count; i++) {
        const struct protocol *named = protocol_find(slice_of(sockets[i].name));
        bool is_http = strcmp(sockets[i].name, "http") == 0;
        const struct protocol *protocol = named == NULL && !is_http ? &protocol_native : named;
        struct endpoint endpoint = endpoint_like(listeners, conf, protocol, is_http);
        if (listener_inherit(&listeners->all[listeners->count], sockets[i].fd, &endpoint, error)) {
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

static bool allocate(struct listeners *listeners, const struct conf *conf, size_t wanted)
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
    struct service_manager_socket *sockets;
    size_t inherited = service_manager_sockets(&sockets);
    size_t wanted = inherited > 0 ? inherited : conf->listen_count;
    int status;
    if (!allocate(listeners, conf, wanted)) {
        log_error("listen: cannot prepare the listeners: %s", strerror(errno));
        status = EX_OSERR;
    } else if (inherited > 0) {
        status = inherit(listeners, conf, sockets, inherited);
    } else {
        status = open_configured(listeners, conf, user);
    }
    for (size_t i = 0; i < inherited; i++) {
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

/* --- exposure ---------------------------------------------------------------- */

const char *listeners_exposed(const struct listeners *listeners, const struct conf *conf)
{
    for (size_t i = 0; i < listeners->count && !conf->insecure; i++) {
        const struct listener *listener = &listeners->all[i];
        bool is_guarded = conf->user_count > 0 && listener->endpoint.tls != NULL;
        if (listener->inherited && listener->is_exposed && !is_guarded) {
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

/* --- closing --------------------------------------------------------------- */

void listeners_names(const struct listeners *listeners, const struct protocol *protocol,
                     char to[LISTENERS_NAMES_MAX])
{
    size_t length = 0;
    to[0] = '\0';
    for (size_t i = 0; i < listeners->count; i++) {
        const struct endpoint *endpoint = &listeners->all[i].endpoint;
        char name[ENDPOINT_NAME_MAX + 16];
        int size = snprintf(name, sizeof name, "%s%s%s", length > 0 ? ", " : "", endpoint->name,
                            endpoint->tls != NULL ? " (TLS)" : "");
        if (endpoint->protocol == protocol && length + (size_t)size < LISTENERS_NAMES_MAX) {
            memcpy(to + length, name, (size_t)size + 1);
            length += (size_t)size;
        }
    }
}

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
