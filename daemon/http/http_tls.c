/*
 * http_tls.c - see http_tls.h.
 */
#include "daemon/http/http_tls.h"

#include <event2/bufferevent_ssl.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "daemon/net/tls_context.h"

struct bufferevent *http_tls_bufferevent(struct event_base *base, struct tls *tls,
                                         unsigned *trust_version)
{
    SSL_CTX *context = tls_context(tls, trust_version);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    if (ssl == NULL) {
        return NULL;
    }
    /* libevent would not notice bytes that were read ahead. */
    SSL_set_read_ahead(ssl, 0);
    struct bufferevent *made = bufferevent_openssl_socket_new(
        base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (made == NULL) {
        SSL_free(ssl);
    } else {
        bufferevent_openssl_set_allow_dirty_shutdown(made, 1);
    }
    return made;
}

bool http_tls_is(struct bufferevent *bufferevent)
{
    return bufferevent_openssl_get_ssl(bufferevent) != NULL;
}

size_t http_tls_user(struct bufferevent *bufferevent, struct tls *tls, unsigned *trust_version,
                     char *name, size_t size)
{
    return tls_peer_name(bufferevent_openssl_get_ssl(bufferevent), tls, trust_version, name, size);
}

bool http_tls_has_name(struct tls *tls, const char *name)
{
    unsigned trust_version;
    SSL_CTX *context = tls_context(tls, &trust_version);
    bool has = X509_check_host(SSL_CTX_get0_certificate(context), name, 0, 0, NULL) == 1;
    SSL_CTX_free(context);
    return has;
}

uint64_t http_tls_expiry(struct tls *tls)
{
    unsigned trust_version;
    struct tm when;
    SSL_CTX *context = tls_context(tls, &trust_version);
    int read = ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context)), &when);
    SSL_CTX_free(context);
    time_t seconds = read == 1 ? timegm(&when) : 0;
    return seconds > 0 ? (uint64_t)seconds : 0;
}
