/*
 * tls_client.c - see tls_client.h.
 */
#include "tests/net/tls_client.h"

#include <check.h>
#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "tests/net/certificates.h"

enum { PIECE = 65536 };

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_client *client = SSL_get_app_data(ssl);
    SSL_SESSION_free(client->session);
    client->session = session;
    return 1; /* the reference is ours */
}

static void set_up(SSL_CTX *context, const struct tls_client_options *options)
{
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    /* What is too old for the library's own taste is for the server to refuse. */
    ck_assert_int_eq(SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0"), 1);
    SSL_CTX_set_min_proto_version(context, options->version);
    SSL_CTX_set_max_proto_version(context, options->version);
    if (options->no_tickets) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    }
    if (options->certificate != NULL) {
        const char *name = options->certificate;
        ck_assert_int_eq(SSL_CTX_use_certificate_chain_file(context, certificate_path(name)), 1);
        ck_assert_int_eq(
            SSL_CTX_use_PrivateKey_file(context, certificate_key_path(name), SSL_FILETYPE_PEM), 1);
    }
}

void tls_client_open(struct tls_client *client, int fd, const struct tls_client_options *options)
{
    *client = (struct tls_client){.context = SSL_CTX_new(TLS_client_method()), .fd = fd};
    ck_assert_ptr_nonnull(client->context);
    set_up(client->context, options);
    client->ssl = SSL_new(client->context);
    ck_assert_ptr_nonnull(client->ssl);
    SSL_set_app_data(client->ssl, client);
    if (options->resume != NULL) {
        ck_assert_int_eq(SSL_set_session(client->ssl, options->resume), 1);
    }
    client->in = BIO_new(BIO_s_mem());
    client->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(client->in, -1);
    SSL_set_bio(client->ssl, client->in, client->out);
    SSL_set_connect_state(client->ssl);
}

void tls_client_close(struct tls_client *client)
{
    SSL_SESSION_free(client->session);
    /* Without that, the library would resume no session of one that ended in this way. */
    SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(client->ssl);
    SSL_CTX_free(client->context);
    *client = (struct tls_client){.fd = -1};
}

size_t tls_client_owes(const struct tls_client *client)
{
    return BIO_ctrl_pending(client->out);
}

static size_t pass(struct tls_client *client, size_t most, int flags)
{
    char *bytes;
    long length = BIO_get_mem_data(client->out, &bytes);
    size_t size = (size_t)length < most ? (size_t)length : most;
    if (size == 0) {
        return 0;
    }
    ssize_t sent = send(client->fd, bytes, size, MSG_NOSIGNAL | flags);
    char gone[PIECE];
    for (ssize_t left = sent; left > 0;) {
        int part = BIO_read(client->out, gone, left < PIECE ? (int)left : PIECE);
        ck_assert_int_gt(part, 0);
        left -= part;
    }
    return sent < 0 ? 0 : (size_t)sent;
}

size_t tls_client_send(struct tls_client *client, size_t most)
{
    return pass(client, most, MSG_DONTWAIT);
}

static int take(struct tls_client *client, int flags)
{
    char bytes[PIECE];
    ssize_t got = recv(client->fd, bytes, sizeof bytes, flags);
    if (got > 0) {
        ck_assert_int_eq(BIO_write(client->in, bytes, (int)got), (int)got);
        return (int)got;
    }
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
}

int tls_client_take(struct tls_client *client)
{
    return take(client, MSG_DONTWAIT);
}

/* --- waiting ------------------------------------------------------------------ */

static void send_all(struct tls_client *client)
{
    while (tls_client_owes(client) > 0) {
        ck_assert_uint_gt(pass(client, PIECE, 0), 0);
    }
}

/* After a call that did not go through: sends and waits, so that it can be tried again. */
static void go_on(struct tls_client *client, int result)
{
    int error = SSL_get_error(client->ssl, result);
    ck_assert_msg(error == SSL_ERROR_WANT_READ, "%d %s", error,
                  ERR_reason_error_string(ERR_peek_error()));
    send_all(client);
    ck_assert_int_gt(take(client, 0), 0);
}

void tls_client_shake(struct tls_client *client)
{
    for (int result; (result = SSL_connect(client->ssl)) != 1;) {
        go_on(client, result);
    }
    send_all(client);
}

void tls_client_say(struct tls_client *client, const void *bytes, size_t length)
{
    size_t written;
    for (int result; (result = SSL_write_ex(client->ssl, bytes, length, &written)) != 1;) {
        go_on(client, result);
    }
    send_all(client);
}

void tls_client_hear(struct tls_client *client, void *bytes, size_t length)
{
    size_t part;
    for (size_t got = 0; got < length; got += part) {
        int result;
        while ((result = SSL_read_ex(client->ssl, (char *)bytes + got, length - got, &part)) != 1) {
            go_on(client, result);
        }
    }
}
