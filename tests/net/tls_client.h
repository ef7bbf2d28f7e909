/*
 * tls_client.h - a client's side of TLS; every byte of it passes through the test's hands.
 *
 * OpenSSL speaks to memory here; what it has to say is sent to a socket as and when the test
 * wants, in pieces of any size, together or not at all.
 */
#ifndef KVCACHED_TESTS_NET_TLS_CLIENT_H
#define KVCACHED_TESTS_NET_TLS_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct tls_client {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;        /* the session's; what has come, and what is to be sent */
    int fd;               /* the caller's */
    SSL_SESSION *session; /* the last one that could be resumed, or NULL */
};

struct tls_client_options {
    int version;             /* TLS1_2_VERSION and so on; 0: any */
    const char *certificate; /* name of its files, or NULL: none */
    SSL_SESSION *resume;     /* or NULL */
    bool no_tickets;
};

void tls_client_open(struct tls_client *client, int fd, const struct tls_client_options *options);
void tls_client_close(struct tls_client *client);

/* Bytes that are to be sent. */
size_t tls_client_owes(const struct tls_client *client);
/* Sends at most so many of them; as many as go without waiting. */
size_t tls_client_send(struct tls_client *client, size_t most);
/* Takes what has come, without waiting: bytes, 0 for none, -1 for the end. */
int tls_client_take(struct tls_client *client);

/* The following wait for the socket, where that is a blocking one, and fail the test where
 * the peer says no. */
void tls_client_shake(struct tls_client *client);
void tls_client_say(struct tls_client *client, const void *bytes, size_t length);
void tls_client_hear(struct tls_client *client, void *bytes, size_t length);

#endif
