/*
 * link_tls.c - TLS on a connected socket, by OpenSSL.
 *
 * The server is checked always: its certificate is signed by an authority of `ca` or of the system
 * and has the name or address that was connected to; or it is the certificate that `pinned` names,
 * or signed by that, and its names are not compared.
 *
 * OpenSSL's own sockets write without MSG_NOSIGNAL, and a library must not ignore SIGPIPE for its
 * process, so the bytes go through a BIO of two functions.
 */
#include "scripts/clients/c/link_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "scripts/clients/c/clock.h"

struct link_tls {
    BIO_METHOD *method;
    SSL_CTX *context;
    SSL *ssl;
};

/* --- errors ----------------------------------------------------------------------- */

enum { REASON_MAX = 128 };

/* The first reason that OpenSSL has noted, perhaps in `room`; forgets them all. */
static const char *reason(char room[REASON_MAX])
{
    unsigned long code = ERR_get_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (text == NULL && code != 0 && ERR_SYSTEM_ERROR(code)) {
        text = strerror_r(ERR_GET_REASON(code), room, REASON_MAX);
    }
    ERR_clear_error();
    return text != NULL ? text : "TLS failed";
}

static bool fail_file(struct link *link, const char *file)
{
    char room[REASON_MAX];
    link_fail(link, "%s: %s", file, reason(room));
    return false;
}

/* --- what is trusted, and what is shown ------------------------------------------- */

/* The first certificate of the file is the only one that is trusted. */
static bool pin(struct link *link, SSL_CTX *context, const char *file)
{
    FILE *stream = fopen(file, "re");
    if (stream == NULL) {
        char room[REASON_MAX];
        link_fail(link, "%s: %s", file, strerror_r(errno, room, sizeof room));
        return false;
    }
    X509 *certificate = PEM_read_X509(stream, NULL, NULL, NULL);
    fclose(stream);
    bool pinned = certificate != NULL &&
                  X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate) == 1;
    X509_free(certificate);
    if (!pinned) {
        return fail_file(link, file);
    }
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
    return true;
}

static bool trust(struct link *link, SSL_CTX *context)
{
    if (link->settings->pinned != NULL) {
        return pin(link, context, link->settings->pinned);
    }
    if (link->settings->ca != NULL) {
        return SSL_CTX_load_verify_locations(context, link->settings->ca, NULL) == 1 ||
               fail_file(link, link->settings->ca);
    }
    return SSL_CTX_set_default_verify_paths(context) == 1 || fail_file(link, "authorities");
}

static bool show(struct link *link, SSL_CTX *context)
{
    const char *key = link->settings->key;
    if (link->settings->cert == NULL) {
        return true;
    }
    if (SSL_CTX_use_certificate_chain_file(context, link->settings->cert) != 1) {
        return fail_file(link, link->settings->cert);
    }
    return (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_check_private_key(context) == 1) ||
           fail_file(link, key);
}

/* The name that the certificate must have, if names count. */
static bool expect_name(struct link *link)
{
    unsigned char address[sizeof(struct in6_addr)];
    const char *host = link->settings->host != NULL ? link->settings->host : "localhost";
    SSL *ssl = link->tls->ssl;
    X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
        return link->settings->pinned != NULL || X509_VERIFY_PARAM_set1_ip_asc(rules, host) == 1;
    }
    return SSL_set_tlsext_host_name(ssl, host) == 1 &&
           (link->settings->pinned != NULL || X509_VERIFY_PARAM_set1_host(rules, host, 0) == 1);
}

/* --- the socket ------------------------------------------------------------------- */

static int finish(BIO *bio, ssize_t count, int again)
{
    BIO_clear_retry_flags(bio);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        BIO_set_flags(bio, again | BIO_FLAGS_SHOULD_RETRY);
    }
    return (int)count;
}

static int write_socket(BIO *bio, const char *bytes, int length)
{
    const struct link *link = BIO_get_data(bio);
    ssize_t count = send(link->fd, bytes, (size_t)length, MSG_NOSIGNAL);
    return finish(bio, count, BIO_FLAGS_WRITE);
}

static int read_socket(BIO *bio, char *to, int room)
{
    const struct link *link = BIO_get_data(bio);
    return finish(bio, recv(link->fd, to, (size_t)room, 0), BIO_FLAGS_READ);
}

static long control_socket(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static bool attach(struct link *link)
{
    struct link_tls *tls = link->tls;
    tls->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "kvcached");
    if (tls->method == NULL) {
        return false;
    }
    BIO_meth_set_write(tls->method, write_socket);
    BIO_meth_set_read(tls->method, read_socket);
    BIO_meth_set_ctrl(tls->method, control_socket);
    BIO *bio = BIO_new(tls->method);
    if (bio == NULL) {
        return false;
    }
    BIO_set_data(bio, link);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    return true;
}

/* --- before the handshake --------------------------------------------------------- */

static bool fail_openssl(struct link *link)
{
    char room[REASON_MAX];
    link_fail(link, "%s", reason(room));
    return false;
}

static bool prepare(struct link *link)
{
    struct link_tls *tls = link->tls;
    tls->context = SSL_CTX_new(TLS_client_method());
    if (tls->context == NULL || !trust(link, tls->context) || !show(link, tls->context)) {
        return false;
    }
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    tls->ssl = SSL_new(tls->context);
    if (tls->ssl == NULL || !expect_name(link) || !attach(link)) {
        return fail_openssl(link);
    }
    return true;
}

/* --- bytes ------------------------------------------------------------------------ */

static enum link_result failed(struct link *link, int result)
{
    switch (SSL_get_error(link->tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        link->events = POLLIN;
        return LINK_LATER;
    case SSL_ERROR_WANT_WRITE:
        link->events = POLLOUT;
        return LINK_LATER;
    case SSL_ERROR_ZERO_RETURN:
        return LINK_CLOSED;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return LINK_CLOSED;
    default:
        fail_openssl(link);
        return LINK_BROKEN;
    }
}

enum link_result link_tls_read(struct link *link, char *to, size_t room, size_t *count)
{
    ERR_clear_error();
    int result = SSL_read_ex(link->tls->ssl, to, room, count);
    return result == 1 ? LINK_DONE : failed(link, result);
}

enum link_result link_tls_write(struct link *link, struct slice bytes, size_t *count)
{
    ERR_clear_error();
    int result = SSL_write_ex(link->tls->ssl, bytes.bytes, bytes.length, count);
    return result == 1 ? LINK_DONE : failed(link, result);
}

/* --- the handshake ---------------------------------------------------------------- */

static void say_why(struct link *link, enum link_result result)
{
    long verdict = SSL_get_verify_result(link->tls->ssl);
    if (verdict != X509_V_OK) {
        link_fail(link, "the server's certificate is not trusted: %s",
                  X509_verify_cert_error_string(verdict));
    } else if (result == LINK_CLOSED) {
        link_fail(link, "closed during the TLS handshake");
    }
}

static bool shake_hands(struct link *link, int timeout)
{
    int64_t until = clock_now() + timeout;
    for (;;) {
        ERR_clear_error();
        int result = SSL_connect(link->tls->ssl);
        if (result == 1) {
            return true;
        }
        enum link_result state = failed(link, result);
        if (state != LINK_LATER) {
            say_why(link, state);
            return false;
        }
        switch (link_wait(link, link->events, clock_left(until))) {
        case LINK_READY:
            break;
        case LINK_TIMED_OUT:
            link_fail(link, "the TLS handshake was not finished in time");
            return false;
        case LINK_INTERRUPTED:
            link_fail(link, "interrupted");
            return false;
        }
    }
}

static void discard(struct link *link)
{
    SSL_free(link->tls->ssl);
    SSL_CTX_free(link->tls->context);
    BIO_meth_free(link->tls->method);
    free(link->tls);
    link->tls = NULL;
}

bool link_tls_start(struct link *link, int timeout)
{
    link->tls = calloc(1, sizeof *link->tls);
    if (link->tls == NULL) {
        link_fail(link, "no memory");
        return false;
    }
    if (prepare(link) && shake_hands(link, timeout)) {
        return true;
    }
    discard(link);
    return false;
}

void link_tls_end(struct link *link)
{
    ERR_clear_error();
    SSL_shutdown(link->tls->ssl);
    discard(link);
}
