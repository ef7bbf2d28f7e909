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

enum { PORT_ATTEMPTS = 16 }; /* of ports that the kernel picks for localhost */

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

/* Opens 127.0.0.1 and ::1 with the same port, and takes 127.0.0.1 alone where there is no IPv6. A
 * port that the kernel picked for 127.0.0.1 may be in use at ::1. *count is how many were opened.
 * False with errno and `error`: none is open. */
static bool open_localhost(struct listener pair[2], const struct conf_listen *conf,
                           const struct privilege_user *user, size_t *count, char *error)
{
    struct conf_listen four = *conf, six = *conf;
    four.address = (char[]){"127.0.0.1"};
    six.address = (char[]){"::1"};
    for (int attempts = conf->port == 0 ? PORT_ATTEMPTS : 1; attempts > 0; attempts--) {
        if (!listener_open(&pair[0], &four, user, error)) {
            return false;
        }
        six.port = listener_port(&pair[0]);
        *count = listener_open(&pair[1], &six, user, error) ? 2 : 1;
        if (*count == 2 || errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL) {
            return true;
        }
        int why = errno;
        listener_close(&pair[0]);
        errno = why;
        if (errno != EADDRINUSE) {
            break;
        }
    }
    return false;
}

/* Opens the sockets of one group, at most 2, and counts them in *count. */
static bool open_group(struct listener *at, const struct conf_listen *conf,
                       const struct privilege_user *user, size_t *count, char *error)
{
    *count = 1;
    return conf_is_localhost(conf) ? open_localhost(at, conf, user, count, error)
                                   : listener_open(at, conf, user, error);
}

static int open_configured(struct listeners *listeners, const struct conf *conf,
                           const struct privilege_user *user)
{
    char error[LISTENER_ERROR_MAX];
    for (size_t i = 0; i < conf->listen_count; i++) {
        struct listener *opened = &listeners->all[listeners->count];
        size_t count;
        if (!open_group(opened, &conf->listen[i], user, &count, error)) {
            int status = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
            log_error("%s", error);
            return status;
        }
        for (size_t j = 0; j < count; j++) {
            opened[j].endpoint.tls = listeners->tls[i];
        }
        listeners->count += count;
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
    size_t wanted = inherited > 0 ? inherited : conf_listen_sockets(conf);
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
