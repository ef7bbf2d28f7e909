/*
 * tls.h - what a listener needs to speak TLS: certificate, key, and the authorities it trusts; and
 * what a client needs.
 *
 * One struct tls belongs to one listener of the configuration, for as long as the daemon runs. Its
 * files are read at the start and at each reload, in two steps, so that either all listeners go
 * on with what their files hold now or all stay as they are: tls_load reads, tls_adopt puts in
 * force. A connection keeps the context of its handshake. Its peer's certificate is an exception:
 * it is checked again against the authorities that are trusted now.
 *
 * TLS 1.2 and 1.3, without renegotiation and compression. Sessions are resumed by tickets; the
 * tickets' keys are random, live as long as the daemon, and are kept across reloads. A session in
 * which a client has shown a certificate is resumed only while the same authorities are trusted
 * and are asked for in the same way.
 *
 * Threads: all calls here are the main thread's. Workers call transport_tls, which takes a
 * reference to the context in force under a lock that is held for no more than that. So a context
 * that was replaced is freed with its last connection, on the thread of that connection.
 */
#ifndef KVCACHED_DAEMON_NET_TLS_H
#define KVCACHED_DAEMON_NET_TLS_H

#include <stdbool.h>

enum { TLS_ERROR_MAX = 512 /* bytes of a message, its NUL included */ };

struct conf_listen;
struct tls;

/* Whether this kvcached was built with TLS. */
bool tls_is_built(void);

/* Without a context in force. `conf` names the files and must outlive it. NULL: no memory. */
struct tls *tls_create(const struct conf_listen *conf);

/* What a client of other servers needs. */
struct tls_client_files {
    const char *ca;          /* in PEM, the authorities that sign the servers' certificates */
    const char *certificate; /* a chain in PEM to show to servers, or NULL */
    const char *key;         /* its key in PEM; with a certificate */
};

/* For transport_tls_client, with a context in force that stays what it is: tls_load and its like
 * are not for it. The certificate of a server must be valid, for servers, and signed by the
 * authorities. NULL: `error` says which file is wrong and why. */
struct tls *tls_create_client(const struct tls_client_files *files, char error[TLS_ERROR_MAX]);

/* Frees it; its connections must be closed. Sets *tls to NULL; NULL is legal. */
void tls_destroy(struct tls **tls);

/* Reads the files into a new context. False: `error` says which file is wrong and why. A
 * certificate that has expired or is not valid yet is no error: the log warns of it. */
bool tls_load(struct tls *tls, char error[TLS_ERROR_MAX]);

/* Puts the loaded context in force, for handshakes from now on. Does nothing if none is loaded. */
void tls_adopt(struct tls *tls);

/* Drops the loaded context, if there is one. */
void tls_abandon(struct tls *tls);

#endif
