/*
 * tls.h - what a listener needs to speak TLS: certificate, key, and whose clients it trusts.
 *
 * One struct tls belongs to one listener of the configuration, for the life of the daemon.
 * What is in its files is read at the start and at each reload, in two steps, so that either
 * all listeners go on with what their files hold now or all stay as they are: tls_load reads,
 * tls_adopt puts in force. A connection keeps what was in force when it was made; but who its
 * peer is, by a certificate, is asked anew of the authorities that are trusted now.
 *
 * TLS 1.2 and 1.3, without renegotiation and compression. Who was here before is let in by a
 * session ticket; the tickets' keys are random, live as long as the daemon, and are kept
 * across reloads. A session in which a client has shown a certificate is taken up again only
 * while the same authorities are trusted and are asked for in the same way.
 *
 * Threads: all calls here are the main thread's. Workers call transport_tls, which takes a
 * reference to what is in force under a lock that is held for no more than that; so what is
 * replaced goes when its last connection does, on whichever thread.
 */
#ifndef KVCACHED_DAEMON_NET_TLS_H
#define KVCACHED_DAEMON_NET_TLS_H

#include <stdbool.h>

#include "conf/conf.h"

enum { TLS_ERROR_MAX = 512 /* bytes of a message, its NUL included */ };

struct tls;

/* Whether this kvcached was built with TLS. */
bool tls_is_built(void);

/* With nothing in force yet. `conf` names the files and must outlive it. NULL: no memory. */
struct tls *tls_create(const struct conf_listen *conf);

/* Its connections must be gone. Sets *tls to NULL; good for NULL. */
void tls_destroy(struct tls **tls);

/* Reads the files. False: `error` says which is wrong, and why. A certificate whose time is
 * over, or has not come, is no error: the log warns of it. */
bool tls_load(struct tls *tls, char error[TLS_ERROR_MAX]);

/* What was loaded last is in force from now on. Nothing where nothing was. */
void tls_adopt(struct tls *tls);

/* What was loaded last is dropped. */
void tls_abandon(struct tls *tls);

#endif
