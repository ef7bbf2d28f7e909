/*
 * listeners.h - all the listeners of the daemon together.
 */
#ifndef KVCACHED_DAEMON_NET_LISTENERS_H
#define KVCACHED_DAEMON_NET_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"
#include "daemon/net/listener.h"

struct privilege_user;

struct listeners {
    struct listener *all;
    size_t count;
    struct tls **tls; /* for each listener of the configuration; NULL where it has none */
    size_t tls_count;
};

/*
 * Takes the sockets that the service manager hands over; without any, opens
 * those of the configuration, which must outlive them. `user`: see listener_open. EX_OK, or what to
 * exit with: then the log has said why. What is open is to be closed in either case.
 */
int listeners_open(struct listeners *listeners, const struct conf *conf,
                   const struct privilege_user *user);

/*
 * Reads the certificates and keys of all listeners, as listeners_open found their names in the
 * configuration. False: the log has said which could not be had, and no endpoint has changed.
 * Then listeners_adopt_tls puts them all in force, for connections that are made from now on;
 * listeners_abandon_tls drops them.
 */
bool listeners_load_tls(struct listeners *listeners);
void listeners_adopt_tls(struct listeners *listeners);
void listeners_abandon_tls(struct listeners *listeners);

/*
 * A socket that was handed over, where others than this machine could do everything with
 * that configuration: they can reach it, and it has no users, or no TLS. Its name, or NULL:
 * there is none. Of listeners of the configuration, that was seen when it was loaded.
 */
const char *listeners_exposed(const struct listeners *listeners, const struct conf *conf);

/* No client of a worker comes in any more; HTTP goes on, and says that the daemon stops. The
 * listeners' names stay readable. */
void listeners_close(struct listeners *listeners);

/* Whether one of them speaks HTTP. */
bool listeners_have_http(const struct listeners *listeners);

/* Closes and frees; connections must be gone. Good for a zeroed one. */
void listeners_deinit(struct listeners *listeners);

#endif
