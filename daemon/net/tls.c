/*
 * tls.c - makes OpenSSL's contexts from files, and replaces them.
 *
 * Only tls_load can fail, and it does not touch the context in force. OpenSSL reports errors in a
 * queue of the calling thread; the first one in it is the cause.
 */
#include "daemon/net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/conf.h"
#include "daemon/base/log.h"
#include "daemon/net/tls_context.h"

enum {
    TICKET_KEYS_MAX = 256,
    SESSIONS_MAX = 1024, /* kept for clients of TLS 1.2 that do not support tickets */
};

/* A digest of the authorities, and of whether a certificate must be shown. */
struct fingerprint {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length;
};

struct tls {
    const struct conf_listen *conf; /* NULL: for clients */
    pthread_mutex_t lock;
    SSL_CTX *now;              /* in force; written by the main thread under the lock */
    atomic_uint trust_version; /* likewise */
    SSL_CTX *next;             /* loaded; this and the members below are the main thread's */
    struct fingerprint now_trusts, next_trusts;
};

/* --- errors --------------------------------------------------------------- */

/* OpenSSL opens a directory, reads nothing from it and reports a wrong format. */
static bool is_directory(const char *file)
{
    struct stat about;
    return stat(file, &about) == 0 && S_ISDIR(about.st_mode);
}

/* `what` is what the file should contain. */
static bool failed(char *error, const char *option, const char *file, const char *what)
{
    unsigned long code = ERR_peek_error();
    const char *text = ERR_reason_error_string(code);
    if (is_directory(file)) {
        snprintf(error, TLS_ERROR_MAX, "%s: %s: %s", option, file, strerror(EISDIR));
    } else if (ERR_GET_LIB(code) == ERR_LIB_SYS) {
        snprintf(error, TLS_ERROR_MAX, "%s: %s: %s", option, file, strerror(ERR_GET_REASON(code)));
    } else {
        snprintf(error, TLS_ERROR_MAX, "%s: %s: no %s in PEM could be read from it (%s)", option,
                 file, what, text == NULL ? "no reason given" : text);
    }
    return false;
}

/* For errors that no file has caused. */
static bool cannot(char *error)
{
    const char *text = ERR_reason_error_string(ERR_peek_error());
    snprintf(error, TLS_ERROR_MAX, "TLS cannot be set up by OpenSSL: %s",
             text == NULL ? "no reason given" : text);
    return false;
}

/* --- certificate and key ---------------------------------------------------- */

static void warn_of_time(const SSL_CTX *context, const char *file)
{
    const X509 *certificate = SSL_CTX_get0_certificate(context);
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        log_warning(
            "tls_certificate: %s: it has expired, clients will refuse it: renew it, then reload",
            file);
    } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
        log_warning(
            "tls_certificate: %s: it is not valid yet, clients will refuse it: check the clock "
            "of this machine",
            file);
    }
}

static bool is_mismatch(void)
{
    unsigned long error = ERR_peek_error();
    return ERR_GET_LIB(error) == ERR_LIB_X509 &&
           (ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH ||
            ERR_GET_REASON(error) == X509_R_KEY_TYPE_MISMATCH);
}

/* A daemon has no terminal to ask at. */
static int no_password(char *to, int size, int writing, void *asked)
{
    (void)to;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static bool use_key(SSL_CTX *context, const char *key, const char *certificate, char *error)
{
    bool asked = false;
    SSL_CTX_set_default_passwd_cb(context, no_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, &asked);
    bool read = SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1;
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    if (asked) {
        snprintf(error, TLS_ERROR_MAX,
                 "tls_key: %s: it is encrypted, and there is no terminal to ask for its password: "
                 "remove "
                 "the password (openssl pkey)",
                 key);
        return false;
    }
    if (!read && !is_mismatch()) {
        return failed(error, "tls_key", key, "key");
    }
    if (!read || SSL_CTX_check_private_key(context) != 1) {
        snprintf(error, TLS_ERROR_MAX, "tls_key: %s: it is not the key of %s", key, certificate);
        return false;
    }
    return true;
}

static bool use_certificate(SSL_CTX *context, const char *certificate, const char *key, char *error)
{
    if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1) {
        return failed(error, "tls_certificate", certificate, "certificate");
    }
    if (!use_key(context, key, certificate, error)) {
        return false;
    }
    warn_of_time(context, certificate);
    return true;
}

/* --- clients' certificates ------------------------------------------------- */

static bool digest_authorities(SSL_CTX *context, EVP_MD_CTX *digest)
{
    const STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    for (int i = 0; i < sk_X509_OBJECT_num(trusted); i++) {
        X509 *authority = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));
        unsigned char print[EVP_MAX_MD_SIZE];
        unsigned length = sizeof print;
        if (authority == NULL) {
            continue;
        }
        /* OpenSSL parses an authority's extensions when they are first asked for: done here, before
         * several workers ask at once. */
        X509_check_purpose(authority, -1, 0);
        if (X509_digest(authority, EVP_sha256(), print, &length) != 1 ||
            EVP_DigestUpdate(digest, print, length) != 1) {
            return false;
        }
    }
    return true;
}

/* A session can be resumed only in a context with the same fingerprint: the same authorities, and
 * the same rule whether a certificate must be shown. */
static bool set_session_context(SSL_CTX *context, int mode, struct fingerprint *trusts)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool done = digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(digest, &mode, sizeof mode) == 1 &&
                digest_authorities(context, digest) &&
                EVP_DigestFinal_ex(digest, trusts->bytes, &trusts->length) == 1 &&
                SSL_CTX_set_session_id_context(context, trusts->bytes, trusts->length) == 1;
    EVP_MD_CTX_free(digest);
    return done;
}

static bool trust(SSL_CTX *context, const struct conf_listen *conf, struct fingerprint *trusts,
                  char *error)
{
    int mode = SSL_VERIFY_NONE;
    if (conf->tls_client_ca != NULL) {
        STACK_OF(X509_NAME) *names = NULL;
        if (SSL_CTX_load_verify_locations(context, conf->tls_client_ca, NULL) != 1 ||
            (names = SSL_load_client_CA_file(conf->tls_client_ca)) == NULL) {
            return failed(error, "tls_client_ca", conf->tls_client_ca, "certificate");
        }
        SSL_CTX_set_client_CA_list(context, names);
        mode = SSL_VERIFY_PEER;
        mode |= conf->tls_client == CONF_TLS_REQUIRED ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    }
    SSL_CTX_set_verify(context, mode, NULL);
    return set_session_context(context, mode, trusts) || cannot(error);
}

/* --- the context ----------------------------------------------------------- */

/* A new context begins with random keys of its own: it gets those of the one in force. */
static bool keep_ticket_keys(SSL_CTX *next, SSL_CTX *now)
{
    unsigned char keys[TICKET_KEYS_MAX];
    if (now == NULL) {
        return true;
    }
    long size = SSL_CTX_get_tlsext_ticket_keys(now, NULL, 0);
    bool done = size > 0 && size <= (long)sizeof keys &&
                SSL_CTX_get_tlsext_ticket_keys(now, keys, size) == 1 &&
                SSL_CTX_set_tlsext_ticket_keys(next, keys, size) == 1;
    OPENSSL_cleanse(keys, sizeof keys);
    return done;
}

static bool set_up(SSL_CTX *context, SSL_CTX *now)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    /* A record is read with one system call, instead of first its head of 5 bytes. */
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_sess_set_cache_size(context, SESSIONS_MAX);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           keep_ticket_keys(context, now);
}

bool tls_load(struct tls *tls, char error[TLS_ERROR_MAX])
{
    const struct conf_listen *conf = tls->conf;
    tls_abandon(tls);
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool done = context != NULL && set_up(context, tls->now)
                    ? use_certificate(context, conf->tls_certificate, conf->tls_key, error) &&
                          trust(context, conf, &tls->next_trusts, error)
                    : cannot(error);
    if (done) {
        tls->next = context;
    } else {
        SSL_CTX_free(context);
    }
    ERR_clear_error();
    return done;
}

void tls_adopt(struct tls *tls)
{
    if (tls->next == NULL) {
        return;
    }
    SSL_CTX *before = tls->now;
    bool same = tls->next_trusts.length == tls->now_trusts.length &&
                memcmp(tls->next_trusts.bytes, tls->now_trusts.bytes, tls->now_trusts.length) == 0;
    pthread_mutex_lock(&tls->lock);
    tls->now = tls->next;
    tls->trust_version += !same;
    pthread_mutex_unlock(&tls->lock);
    tls->now_trusts = tls->next_trusts;
    tls->next = NULL;
    SSL_CTX_free(before);
}

void tls_abandon(struct tls *tls)
{
    SSL_CTX_free(tls->next);
    tls->next = NULL;
}

SSL_CTX *tls_context(struct tls *tls, unsigned *trust_version)
{
    pthread_mutex_lock(&tls->lock);
    SSL_CTX *context = tls->now;
    SSL_CTX_up_ref(context);
    *trust_version = tls->trust_version;
    pthread_mutex_unlock(&tls->lock);
    return context;
}

unsigned tls_trust_version(struct tls *tls)
{
    return tls->trust_version;
}

/* --- creating and destroying ------------------------------------------------ */

bool tls_is_built(void)
{
    return true;
}

struct tls *tls_create(const struct conf_listen *conf)
{
    struct tls *tls = calloc(1, sizeof *tls);
    if (tls != NULL) {
        tls->conf = conf;
        pthread_mutex_init(&tls->lock, NULL);
    }
    return tls;
}

static SSL_CTX *client_context(const struct tls_client_files *files, char *error)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL || !set_up(context, NULL)) {
        cannot(error);
        SSL_CTX_free(context);
        return NULL;
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    bool done = SSL_CTX_load_verify_locations(context, files->ca, NULL) == 1 ||
                failed(error, "tls_ca", files->ca, "certificate");
    done = done && (files->certificate == NULL ||
                    use_certificate(context, files->certificate, files->key, error));
    if (!done) {
        SSL_CTX_free(context);
        context = NULL;
    }
    return context;
}

struct tls *tls_create_client(const struct tls_client_files *files, char error[TLS_ERROR_MAX])
{
    struct tls *tls = tls_create(NULL);
    ERR_clear_error();
    if (tls == NULL) {
        snprintf(error, TLS_ERROR_MAX, "there is no memory for TLS");
        return NULL;
    }
    tls->now = client_context(files, error);
    ERR_clear_error();
    if (tls->now == NULL) {
        tls_destroy(&tls);
    }
    return tls;
}

void tls_destroy(struct tls **place)
{
    struct tls *tls = *place;
    *place = NULL;
    if (tls == NULL) {
        return;
    }
    tls_abandon(tls);
    SSL_CTX_free(tls->now);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}
