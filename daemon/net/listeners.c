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
static struct door door_like(const struct doors *doors, const struct conf *conf,
                             const struct protocol *protocol)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        struct door door = listener_door(&conf->listen[i]);
        if (door.protocol == protocol) {
            door.tls = doors->tls[i];
            return door;
        }
    }
    return (struct door){.protocol = protocol};
}

static int take(struct doors *doors, const struct conf *conf, const struct notify_socket *sockets,
                size_t count)
{
    char error[LISTENER_ERROR_MAX];
    int status = EX_OK;

    for (size_t i = 0; i < count; i++) {
        const struct protocol *named = protocol_find(slice_of(sockets[i].name));
        const struct protocol *protocol = named == NULL ? &protocol_native : named;
        struct door door = door_like(doors, conf, protocol);
        if (listener_take(&doors->listeners[doors->count], sockets[i].fd, &door, error)) {
            doors->count++;
        } else {
            log_error("%s", error);
            status = EX_UNAVAILABLE;
        }
    }
    return status;
}

static int open_configured(struct doors *doors, const struct conf *conf,
                           const struct privilege_user *user)
{
    char error[LISTENER_ERROR_MAX];

    for (size_t i = 0; i < conf->listen_count; i++) {
        if (!listener_open(&doors->listeners[i], &conf->listen[i], user, error)) {
            int status = errno == EACCES || errno == EPERM ? EX_NOPERM : EX_UNAVAILABLE;
            log_error("%s", error);
            return status;
        }
        doors->listeners[i].door.tls = doors->tls[i];
        doors->count++;
    }
    return EX_OK;
}

static bool make_room(struct doors *doors, const struct conf *conf, size_t wanted)
{
    *doors = (struct doors){.listeners = calloc(wanted, sizeof *doors->listeners),
                            .tls = calloc(conf->listen_count + 1, sizeof *doors->tls)};
    bool done = doors->listeners != NULL && doors->tls != NULL;
    doors->tls_count = done ? conf->listen_count : 0;
    for (size_t i = 0; done && i < conf->listen_count; i++) {
        if (conf->listen[i].tls_certificate != NULL) {
            doors->tls[i] = tls_create(&conf->listen[i]);
            done = doors->tls[i] != NULL;
        }
    }
    return done;
}

int doors_open(struct doors *doors, const struct conf *conf, const struct privilege_user *user)
{
    struct notify_socket *sockets;
    size_t taken = notify_sockets(&sockets);
    size_t wanted = taken > 0 ? taken : conf->listen_count;
    int status;

    if (!make_room(doors, conf, wanted)) {
        log_error("listen: %s", strerror(errno));
        status = EX_OSERR;
    } else if (taken > 0) {
        status = take(doors, conf, sockets, taken);
    } else {
        status = open_configured(doors, conf, user);
    }
    for (size_t i = 0; i < taken; i++) {
        free(sockets[i].name);
    }
    free(sockets);
    return status;
}

/* --- TLS ------------------------------------------------------------------- */

bool doors_load_tls(struct doors *doors)
{
    char error[TLS_ERROR_MAX];
    bool done = true;

    for (size_t i = 0; i < doors->tls_count; i++) {
        if (doors->tls[i] != NULL && !tls_load(doors->tls[i], error)) {
            log_error("%s", error);
            done = false;
        }
    }
    if (!done) {
        doors_abandon_tls(doors);
    }
    return done;
}

void doors_adopt_tls(struct doors *doors)
{
    for (size_t i = 0; i < doors->tls_count; i++) {
        if (doors->tls[i] != NULL) {
            tls_adopt(doors->tls[i]);
        }
    }
}

void doors_abandon_tls(struct doors *doors)
{
    for (size_t i = 0; i < doors->tls_count; i++) {
        if (doors->tls[i] != NULL) {
            tls_abandon(doors->tls[i]);
        }
    }
}

/* --- who can reach them ------------------------------------------------------ */

const char *doors_exposed(const struct doors *doors, const struct conf *conf)
{
    for (size_t i = 0; i < doors->count && !conf->insecure; i++) {
        const struct listener *listener = &doors->listeners[i];
        bool guarded = conf->user_count > 0 && listener->door.tls != NULL;
        if (listener->taken && listener->reached && !guarded) {
            return listener->door.name;
        }
    }
    return NULL;
}

/* --- the end --------------------------------------------------------------- */

void doors_close(struct doors *doors)
{
    for (size_t i = 0; i < doors->count; i++) {
        listener_close(&doors->listeners[i]);
    }
}

void doors_deinit(struct doors *doors)
{
    doors_close(doors);
    for (size_t i = 0; i < doors->tls_count; i++) {
        tls_destroy(&doors->tls[i]);
    }
    free(doors->tls);
    free(doors->listeners);
    *doors = (struct doors){.listeners = NULL};
}
