/*
 * listeners.h - all listeners of the daemon, and their TLS. The main thread's.
 */
#ifndef KVCACHED_DAEMON_NET_LISTENERS_H
#define KVCACHED_DAEMON_NET_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/net/listener.h"

struct conf;
struct privilege_user;

enum { LISTENERS_NAMES_MAX = 4 * ENDPOINT_NAME_MAX }; /* bytes */

struct listeners {
    struct listener *all;
    size_t count;
    struct tls **tls; /* for each listener of the configuration; NULL where it has none */
    size_t tls_count;
};

/*
 * Takes over the sockets of the service manager; if there are none, opens those of the
 * configuration, which must outlive the listeners. `user`: see listener_open. Returns EX_OK, or the
 * exit status for an error that was logged. listeners_deinit must follow in both cases.
 */
int listeners_open(struct listeners *listeners, const struct conf *conf,
                   const struct privilege_user *user);

/*
 * Reads the certificates and keys of all listeners; the names of the files are those of the
 * configuration given to listeners_open. False: the errors were logged, and nothing has changed.
 * After true, listeners_adopt_tls puts all in force for handshakes from now on, and
 * listeners_abandon_tls drops all.
 */
bool listeners_load_tls(struct listeners *listeners);
void listeners_adopt_tls(struct listeners *listeners);
void listeners_abandon_tls(struct listeners *listeners);

/*
 * The name of an inherited socket at which, with that configuration, other machines could do
 * everything: they can reach it, and there are no users, or it has no TLS. NULL: there is none.
 * For configured listeners the configuration is checked when it is loaded.
 */
const char *listeners_exposed(const struct listeners *listeners, const struct conf *conf);

/* Writes the names of the listeners of that protocol, with ", " between two: as many as there is
 * room for. */
void listeners_names(const struct listeners *listeners, const struct protocol *protocol,
                     char to[LISTENERS_NAMES_MAX]);

/* Closes the sockets whose connections workers serve, so that no further one is accepted. Listeners
 * with HTTP stay open. The endpoints stay readable. */
void listeners_close(struct listeners *listeners);

/* Whether one of them speaks HTTP. */
bool listeners_have_http(const struct listeners *listeners);

/* Closes and frees all. Connections must be closed; a zeroed struct is legal. */
void listeners_deinit(struct listeners *listeners);

#endif
