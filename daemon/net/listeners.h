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

struct doors {
    struct listener *listeners;
    size_t count;
    struct tls **tls; /* for each listener of the configuration; NULL where it has none */
    size_t tls_count;
};

/*
 * Takes the sockets that the service manager hands over; without any, opens
 * those of the configuration, which must outlive them. `user`: see listener_open. EX_OK, or what to
 * exit with: then the log has said why. What is open is to be closed in either case.
 */
int doors_open(struct doors *doors, const struct conf *conf, const struct privilege_user *user);

/*
 * Reads the certificates and keys of all doors, as doors_open found their names in the
 * configuration. False: the log has said which could not be had, and no door has changed.
 * Then doors_adopt_tls puts them all in force, for connections that are made from now on;
 * doors_abandon_tls drops them.
 */
bool doors_load_tls(struct doors *doors);
void doors_adopt_tls(struct doors *doors);
void doors_abandon_tls(struct doors *doors);

/*
 * A socket that was handed over, where others than this machine could do everything with
 * that configuration: they can reach it, and it has no users, or no TLS. Its name, or NULL:
 * there is none. Of listeners of the configuration, that was seen when it was loaded.
 */
const char *doors_exposed(const struct doors *doors, const struct conf *conf);

/* Nobody comes in any more. The listeners' names stay readable. */
void doors_close(struct doors *doors);

/* Closes and frees; connections must be gone. Good for a zeroed one. */
void doors_deinit(struct doors *doors);

#endif
