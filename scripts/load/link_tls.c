/*
 * link_tls.c - see link_tls.h.
 */
#include "scripts/load/link_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

/* One context serves all links of a process, as long as that lives. */
static SSL_CTX *context(void)
{
    static SSL_CTX *made;
    if (!made) {
        made = SSL_CTX_new(TLS_client_method());
        if (made) {
            SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                       SSL_MODE_RELEASE_BUFFERS);
        }
    }
    return made;
}

struct link_tls *link_tls_open(int fd)
{
    SSL *ssl = context() ? SSL_new(context()) : NULL;
    if (ssl && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1) {
        return (struct link_tls *)ssl;
    }
    const char *why = ERR_reason_error_string(ERR_peek_error());
    fprintf(stderr, "no TLS handshake: %s\n", why ? why : "the server went away");
    SSL_free(ssl);
    return NULL;
}

void link_tls_close(struct link_tls *tls)
{
    SSL_free((SSL *)tls);
}

static ssize_t failed(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);
    if (error == SSL_ERROR_ZERO_RETURN) {
        return 0;
    }
    errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
    return -1;
}

ssize_t link_tls_send(struct link_tls *tls, const char *bytes, size_t length)
{
    SSL *ssl = (SSL *)tls;
    size_t total = 0, part;
    while (total < length) {
        ERR_clear_error();
        int result = SSL_write_ex(ssl, bytes + total, length - total, &part);
        if (result != 1) {
            return total ? (ssize_t)total : failed(ssl, result);
        }
        total += part;
    }
    return (ssize_t)total;
}

ssize_t link_tls_recv(struct link_tls *tls, char *to, size_t size)
{
    SSL *ssl = (SSL *)tls;
    size_t total = 0, part;
    while (total < size) {
        ERR_clear_error();
        int result = SSL_read_ex(ssl, to + total, size - total, &part);
        if (result != 1) {
            return total ? (ssize_t)total : failed(ssl, result);
        }
        total += part;
    }
    return (ssize_t)total;
}

bool link_tls_pending(const struct link_tls *tls)
{
    return SSL_pending((const SSL *)tls) > 0;
}
