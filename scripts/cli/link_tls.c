/*
 * link_tls.c - TLS on a connected socket, by OpenSSL.
 *
 * The server is checked always: its certificate is signed by an authority of --ca or of the system
 * and has the name or address that was connected to; or it is the very certificate that the
 * configuration of this machine names, whose names are then not looked at.
 */
#include "scripts/cli/link_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "scripts/cli/bytes.h"
#include "scripts/cli/clock.h"

struct link_tls {
    SSL_CTX *context;
    SSL *ssl;
};

/* --- errors ----------------------------------------------------------------------- */

/* The first reason that OpenSSL has noted; forgets them all. */
static const char *reason(void)
{
    unsigned long code = ERR_get_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (text == NULL && code != 0 && ERR_SYSTEM_ERROR(code)) {
        text = strerror(ERR_GET_REASON(code));
    }
    ERR_clear_error();
    return text != NULL ? text : "TLS failed";
}

static bool fail_file(struct link *link, const char *file)
{
    link_fail(link, "%s: %s", file, reason());
    return false;
}

/* --- what is trusted, and what is shown ------------------------------------------- */

/* The first certificate of the file is the only one that is trusted. */
static bool pin(struct link *link, SSL_CTX *context, const char *file)
{
    FILE *stream = fopen(file, "re");
    if (stream == NULL) {
        link_fail(link, "%s: %s; name its authority with --ca", file, strerror(errno));
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

static bool trust(struct link *link, SSL_CTX *context, const struct endpoint *endpoint)
{
    if (endpoint->pinned != NULL) {
        return pin(link, context, endpoint->pinned);
    }
    if (endpoint->ca != NULL) {
        return SSL_CTX_load_verify_locations(context, endpoint->ca, NULL) == 1 ||
               fail_file(link, endpoint->ca);
    }
    return SSL_CTX_set_default_verify_paths(context) == 1 || fail_file(link, "authorities");
}

static bool show(struct link *link, SSL_CTX *context, const struct endpoint *endpoint)
{
    const char *key = endpoint->key != NULL ? endpoint->key : endpoint->cert;
    if (endpoint->cert == NULL) {
        return true;
    }
    if (SSL_CTX_use_certificate_chain_file(context, endpoint->cert) != 1) {
        return fail_file(link, endpoint->cert);
    }
    return (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_check_private_key(context) == 1) ||
           fail_file(link, key);
}

/* The name that the certificate must have, if names count. */
static bool expect_name(SSL *ssl, const struct endpoint *endpoint)
{
    unsigned char address[sizeof(struct in6_addr)];
    const char *host = endpoint->host != NULL ? endpoint->host : "localhost";
    X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
        return endpoint->pinned != NULL || X509_VERIFY_PARAM_set1_ip_asc(rules, host) == 1;
    }
    return SSL_set_tlsext_host_name(ssl, host) == 1 &&
           (endpoint->pinned != NULL || X509_VERIFY_PARAM_set1_host(rules, host, 0) == 1);
}

static bool prepare(struct link *link, const struct endpoint *endpoint)
{
    struct link_tls *tls = link->tls;
    tls->context = SSL_CTX_new(TLS_client_method());
    if (tls->context == NULL || !trust(link, tls->context, endpoint) ||
        !show(link, tls->context, endpoint)) {
        return false;
    }
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    tls->ssl = SSL_new(tls->context);
    if (tls->ssl == NULL || !expect_name(tls->ssl, endpoint) ||
        SSL_set_fd(tls->ssl, link->fd) != 1) {
        link_fail(link, "%s", reason());
        return false;
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
        link_fail(link, "%s", reason());
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
    free(link->tls);
    link->tls = NULL;
}

bool link_tls_start(struct link *link, const struct endpoint *endpoint, int timeout)
{
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    link->tls = memory_new(1, sizeof *link->tls);
    if (prepare(link, endpoint) && shake_hands(link, timeout)) {
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
