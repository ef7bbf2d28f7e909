/*
 * tls_none.c - for a build without OpenSSL: a configuration that asks for TLS fails at the start.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "daemon/net/tls.h"
#include "daemon/net/transport.h"

struct tls {
    const struct conf_listen *conf;
};

bool tls_is_built(void)
{
    return false;
}

struct tls *tls_create(const struct conf_listen *conf)
{
    struct tls *tls = malloc(sizeof *tls);
    if (tls != NULL) {
        tls->conf = conf;
    }
    return tls;
}

struct tls *tls_create_client(const struct tls_client_files *files, char error[TLS_ERROR_MAX])
{
    snprintf(error, TLS_ERROR_MAX,
             "tls_ca: %s: this kvcached was built without TLS: remove the option, or install a "
             "kvcached with TLS",
             files->ca);
    return NULL;
}

void tls_destroy(struct tls **tls)
{
    free(*tls);
    *tls = NULL;
}

bool tls_load(struct tls *tls, char error[TLS_ERROR_MAX])
{
    snprintf(error, TLS_ERROR_MAX,
             "tls_certificate: %s: this kvcached was built without TLS: remove the option, or "
             "install a kvcached with TLS",
             tls->conf->tls_certificate);
    return false;
}

void tls_adopt(struct tls *tls)
{
    (void)tls;
}

void tls_abandon(struct tls *tls)
{
    (void)tls;
}

bool transport_tls(struct transport *transport, struct tls *tls)
{
    (void)transport;
    (void)tls;
    return false;
}

bool transport_tls_client(struct transport *transport, struct tls *tls, const char *host)
{
    (void)transport;
    (void)tls;
    (void)host;
    return false;
}
