/*
 * transport_tls.c - the transport that encrypts.
 *
 * OpenSSL reaches the socket through a BIO of our own: its own one would raise SIGPIPE, and
 * would ask the kernel again after it has given all it had. A read takes records until the
 * space is full or the socket is empty. A write makes records of 16 KiB, out of the pieces
 * as they lie where those are large, out of copies where they are small.
 *
 * A record that the socket did not take must be offered again as it was: `owed` says how
 * long it is. The bytes are the same, as whoever writes offers first what is still unsent;
 * they need not be in the same place.
 *
 * Not all that comes is bytes for the reader: a peer may renew its keys as often as it likes,
 * which costs it next to nothing and the server a derivation of keys, and OpenSSL goes on
 * with that as long as something comes. So a read asks the socket only as often as its space
 * is worth, and whoever sends more of that than goes with his bytes is hung up on.
 */
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/net/tls_context.h"
#include "daemon/net/transport.h"

enum {
    RECORD = SSL3_RT_MAX_PLAIN_LENGTH, /* bytes */
    RECORDS_MAX = 16,                  /* of one write, however fast the peer takes them */
    ASIDES_FREE = 32,                  /* see takes_too_many */
};

struct stream {
    SSL *ssl;
    struct tls *tls;
    unsigned trust; /* of `tls`, when the peer's certificate was found good */
    int fd;
    size_t owed;          /* bytes of a record under way; 0: none */
    size_t reads;         /* how often the socket may still be asked, in this call */
    uint64_t asides;      /* records of a handshake that came behind it */
    uint64_t heard_bytes; /* that were the reader's */
    bool drained;         /* the socket had no more, in this call */
    bool ended;           /* the peer's half of the socket is closed */
    bool heard;           /* something has come */
    bool spoke_text;      /* and it was no TLS */
    bool broken;          /* there is nothing more to be said */
    bool shook_hands;
};

/* --- the socket ------------------------------------------------------------- */

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS;
}

/* TLS begins with 22. */
static bool is_text(unsigned char byte)
{
    return (byte >= ' ' && byte <= '~') || byte == '\r' || byte == '\n' || byte == '\t';
}

static void note_first(struct stream *stream, const char *bytes)
{
    if (!stream->heard) {
        stream->heard = true;
        stream->spoke_text = is_text((unsigned char)bytes[0]);
    }
}

/* recv and send themselves: see transport.c. */
static int socket_read(BIO *bio, char *to, int size)
{
    struct stream *stream = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (stream->drained || stream->reads == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    stream->reads--;
    ssize_t got = syscall(SYS_recvfrom, stream->fd, to, (size_t)size, 0, NULL, NULL);
    if (got > 0) {
        note_first(stream, to);
        stream->drained = got < size;
    } else if (got == 0) {
        stream->ended = true;
    } else if (is_passing(errno)) {
        stream->drained = true;
        BIO_set_retry_read(bio);
    }
    return (int)got;
}

static int socket_write(BIO *bio, const char *from, int size)
{
    struct stream *stream = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t sent =
        syscall(SYS_sendto, stream->fd, from, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
    if (sent < 0 && is_passing(errno)) {
        BIO_set_retry_write(bio);
    }
    return (int)sent;
}

static long socket_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* the rest is for BIOs of other kinds */
}

static BIO_METHOD *socket_method; /* for as long as the process lives */

static void make_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "kvcached");
    if (method != NULL && BIO_meth_set_read(method, socket_read) == 1 &&
        BIO_meth_set_write(method, socket_write) == 1 &&
        BIO_meth_set_ctrl(method, socket_control) == 1) {
        socket_method = method;
    } else {
        BIO_meth_free(method);
    }
}

/* --- verdicts --------------------------------------------------------------- */

/* Of a call that has so much space. What it leaves in the socket keeps that readable. */
static void begin(struct transport *transport, unsigned clear, size_t space)
{
    struct stream *stream = transport->own;
    transport->wants = (unsigned char)(transport->wants & ~clear);
    stream->drained = false;
    stream->reads = 1 + space / RECORD;
    ERR_clear_error();
}

/* Of a call of OpenSSL's that did not go through. */
static enum transport_status verdict(struct transport *transport, int result,
                                     enum transport_wants crossed, int crossing)
{
    struct stream *stream = transport->own;
    int error = SSL_get_error(stream->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        if (error == crossing) {
            transport->wants = (unsigned char)(transport->wants | crossed);
        }
        return TRANSPORT_AGAIN;
    }
    if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && stream->ended)) {
        return TRANSPORT_EOF;
    }
    stream->broken = true;
    return TRANSPORT_FAILED;
}

/* --- greeting --------------------------------------------------------------- */

static const char *failure(const struct stream *stream)
{
    if (stream->spoke_text) {
        return "it spoke plain text, and this listener wants TLS";
    }
    unsigned long error = ERR_peek_error();
    if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
        ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return X509_verify_cert_error_string(SSL_get_verify_result(stream->ssl));
    }
    const char *text = ERR_reason_error_string(error);
    return text == NULL ? "the connection broke" : text;
}

static enum transport_status tls_greet(struct transport *transport,
                                       struct transport_greeting *greeting)
{
    struct stream *stream = transport->own;
    begin(transport, TRANSPORT_READ_WRITES, 0);
    int result = SSL_accept(stream->ssl);
    if (result == 1) {
        stream->shook_hands = true;
        greeting->version = SSL_get_version(stream->ssl);
        greeting->cipher = SSL_get_cipher_name(stream->ssl);
        greeting->resumed = SSL_session_reused(stream->ssl) == 1;
        if (SSL_has_pending(stream->ssl) == 1) {
            transport->wants |= TRANSPORT_PENDING;
        }
        return TRANSPORT_OK;
    }
    enum transport_status status =
        verdict(transport, result, TRANSPORT_READ_WRITES, SSL_ERROR_WANT_WRITE);
    /* Text that is too short to be found out by OpenSSL. */
    if (status == TRANSPORT_AGAIN && stream->spoke_text) {
        stream->broken = true;
        status = TRANSPORT_FAILED;
    }
    if (status == TRANSPORT_EOF && stream->heard) {
        greeting->failure = "the peer went away";
        return TRANSPORT_FAILED;
    }
    if (status == TRANSPORT_FAILED) {
        greeting->failure = failure(stream);
    }
    return status;
}

/* --- moving bytes ------------------------------------------------------------ */

/* A callback of OpenSSL's, for each record: of what kind it is stands in the open up to 1.2,
 * and from 1.3 on inside. */
static void note_record(int write, int version, int what, const void *bytes, size_t length,
                        SSL *ssl, void *context)
{
    struct stream *stream = context;
    (void)version;
    (void)ssl;
    if (write == 0 && stream->shook_hands && length > 0 &&
        (what == SSL3_RT_HEADER || what == SSL3_RT_INNER_CONTENT_TYPE) &&
        *(const unsigned char *)bytes == SSL3_RT_HANDSHAKE) {
        stream->asides++;
    }
}

/* Keys are good for gigabytes. */
static bool takes_too_many(const struct stream *stream)
{
    return stream->asides > ASIDES_FREE + stream->heard_bytes / RECORD;
}

static enum transport_status tls_read(struct transport *transport, void *to, size_t size,
                                      size_t *moved)
{
    struct stream *stream = transport->own;
    char *at = to;
    size_t total = 0;
    begin(transport, TRANSPORT_PENDING | TRANSPORT_READ_WRITES, size);
    while (total < size) {
        size_t part = 0;
        int result = SSL_read_ex(stream->ssl, at + total, size - total, &part);
        if (result == 1) {
            total += part;
            stream->heard_bytes += part;
            continue;
        }
        stream->broken |= takes_too_many(stream);
        enum transport_status status =
            stream->broken
                ? TRANSPORT_FAILED
                : verdict(transport, result, TRANSPORT_READ_WRITES, SSL_ERROR_WANT_WRITE);
        if (total == 0) {
            return status;
        }
        if (status != TRANSPORT_AGAIN) {
            transport->wants |= TRANSPORT_PENDING; /* the end, or the failure */
        }
        *moved = total;
        return TRANSPORT_OK;
    }
    if (SSL_has_pending(stream->ssl) == 1) {
        transport->wants |= TRANSPORT_PENDING;
    }
    *moved = total;
    return TRANSPORT_OK;
}

/* Where a write has got to in its pieces. */
struct place {
    const struct iovec *piece;
    size_t left; /* pieces, this one included */
    size_t at;   /* bytes of this piece */
};

static void advance(struct place *place, size_t size)
{
    place->at += size;
    while (place->left > 0 && place->at >= place->piece->iov_len) {
        place->at -= place->piece->iov_len;
        place->piece++;
        place->left--;
    }
}

/* The bytes of the next record, where they lie or else copied to `copy`. At most `most`. */
static struct iovec next_record(struct place place, size_t most, char copy[RECORD])
{
    char *from = (char *)place.piece->iov_base + place.at;
    size_t here = place.piece->iov_len - place.at;
    if (here >= most || place.left == 1) {
        return (struct iovec){from, here < most ? here : most};
    }
    size_t size = 0;
    while (place.left > 0 && size < most) {
        from = (char *)place.piece->iov_base + place.at;
        here = place.piece->iov_len - place.at;
        size_t part = here < most - size ? here : most - size;
        memcpy(copy + size, from, part);
        size += part;
        advance(&place, part);
    }
    return (struct iovec){copy, size};
}

static enum transport_status tls_writev(struct transport *transport, struct iovec *pieces,
                                        size_t count, size_t *moved)
{
    struct stream *stream = transport->own;
    char copy[RECORD];
    struct place place = {.piece = pieces, .left = count};
    size_t total = 0;
    enum transport_status status = TRANSPORT_OK;
    begin(transport, TRANSPORT_WRITE_READS, 0);
    if (stream->broken) {
        return TRANSPORT_FAILED;
    }
    advance(&place, 0);
    for (int records = 0; records < RECORDS_MAX && place.left > 0; records++) {
        struct iovec record = next_record(place, stream->owed > 0 ? stream->owed : RECORD, copy);
        size_t part = 0;
        int result = SSL_write_ex(stream->ssl, record.iov_base, record.iov_len, &part);
        if (result != 1) {
            stream->owed = record.iov_len;
            status = verdict(transport, result, TRANSPORT_WRITE_READS, SSL_ERROR_WANT_READ);
            break;
        }
        stream->owed = 0;
        total += part;
        advance(&place, part);
    }
    *moved = total;
    return total > 0 && status == TRANSPORT_AGAIN ? TRANSPORT_OK : status;
}

/* --- the end ---------------------------------------------------------------- */

/* As far as there is room for it now; nobody waits for the answer. */
static void say_goodbye(struct stream *stream)
{
    if (stream->shook_hands && !stream->broken && stream->owed == 0) {
        ERR_clear_error();
        SSL_shutdown(stream->ssl);
    }
}

static void tls_end(struct transport *transport)
{
    say_goodbye(transport->own);
    shutdown(transport->fd, SHUT_WR);
}

static void tls_close(struct transport *transport)
{
    struct stream *stream = transport->own;
    say_goodbye(stream);
    SSL_free(stream->ssl);
    free(stream);
    ERR_clear_error();
    close(transport->fd);
    transport->own = NULL;
    transport->fd = -1;
}

/* --- who it is -------------------------------------------------------------- */

static size_t common_name(X509_NAME *subject, char *name, size_t size)
{
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return 0; /* none, or more than one: whose would it be? */
    }
    unsigned char *text;
    int length =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length < 0) {
        return 0;
    }
    size_t bytes = (size_t)length <= size ? (size_t)length : 0;
    memcpy(name, text, bytes);
    OPENSSL_free(text);
    return bytes;
}

/* It was good when it was shown, but that may have been long ago, or in an earlier session, and
 * a session can be taken up again and again. */
static bool is_over(const X509 *certificate)
{
    return X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0;
}

/* The certificate, or one of those that vouched for it when it was shown. */
static bool is_chain_over(const struct stream *stream, const X509 *certificate)
{
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(stream->ssl);
    bool over = is_over(certificate);
    for (int i = 0; chain != NULL && i < sk_X509_num(chain); i++) {
        over |= is_over(sk_X509_value(chain, i));
    }
    return over;
}

/* --- whom it trusts ---------------------------------------------------------- */

/* Whether the authority that it was verified by is there still: then the rest was looked at
 * already. Nothing is known of a session that was taken up. */
static bool has_authority(const struct stream *stream, X509_STORE *store)
{
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(stream->ssl);
    bool found = false;
    if (chain == NULL || sk_X509_num(chain) == 0) {
        return false;
    }
    const X509 *authority = sk_X509_value(chain, sk_X509_num(chain) - 1);
    X509_STORE_lock(store);
    const STACK_OF(X509_OBJECT) *trusted = X509_STORE_get0_objects(store);
    for (int i = 0; i < sk_X509_OBJECT_num(trusted); i++) {
        const X509 *one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(trusted, i));
        found |= one != NULL && X509_cmp(one, authority) == 0;
    }
    X509_STORE_unlock(store);
    return found;
}

static bool verify(const struct stream *stream, X509_STORE *store, X509 *certificate)
{
    X509_STORE_CTX *verification = X509_STORE_CTX_new();
    bool good = verification != NULL &&
                X509_STORE_CTX_init(verification, store, certificate,
                                    SSL_get_peer_cert_chain(stream->ssl)) == 1 &&
                X509_STORE_CTX_set_default(verification, "ssl_client") == 1 &&
                X509_verify_cert(verification) == 1;
    X509_STORE_CTX_free(verification);
    ERR_clear_error();
    return good;
}

/* By those that are trusted now: since the handshake a reload may have changed them. */
static bool is_trusted(struct stream *stream, X509 *certificate)
{
    unsigned trust;
    if (tls_trust(stream->tls) == stream->trust) {
        return true;
    }
    SSL_CTX *context = tls_context(stream->tls, &trust);
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    bool good = has_authority(stream, store) || verify(stream, store, certificate);
    SSL_CTX_free(context);
    if (good) {
        stream->trust = trust;
    }
    return good;
}

static size_t user_of(struct stream *stream, char *name, size_t size)
{
    X509 *certificate = SSL_get_peer_certificate(stream->ssl);
    size_t length = 0;
    if (certificate != NULL && SSL_get_verify_result(stream->ssl) == X509_V_OK &&
        !is_chain_over(stream, certificate) && is_trusted(stream, certificate)) {
        length = common_name(X509_get_subject_name(certificate), name, size);
    }
    X509_free(certificate);
    return length;
}

static size_t tls_user(const struct transport *transport, char *name, size_t size)
{
    return user_of(transport->own, name, size);
}

size_t tls_peer_name(SSL *ssl, struct tls *tls, unsigned *trust, char *name, size_t size)
{
    struct stream stream = {.ssl = ssl, .tls = tls, .trust = *trust};
    size_t length = user_of(&stream, name, size);
    *trust = stream.trust;
    return length;
}

/* --- beginning --------------------------------------------------------------- */

static const struct transport_ops encrypted = {
    .greet = tls_greet,
    .user = tls_user,
    .read = tls_read,
    .writev = tls_writev,
    .end = tls_end,
    .close = tls_close,
};

static bool plug_in(struct stream *stream)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_method);
    BIO *bio = socket_method == NULL ? NULL : BIO_new(socket_method);
    if (bio == NULL) {
        return false;
    }
    BIO_set_data(bio, stream);
    BIO_set_init(bio, 1);
    SSL_set_bio(stream->ssl, bio, bio);
    SSL_set_msg_callback(stream->ssl, note_record);
    SSL_set_msg_callback_arg(stream->ssl, stream);
    return true;
}

bool transport_tls(struct transport *transport, struct tls *tls)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return false;
    }
    SSL_CTX *context = tls_context(tls, &stream->trust);
    stream->ssl = SSL_new(context);
    SSL_CTX_free(context);
    stream->tls = tls;
    stream->fd = transport->fd;
    if (stream->ssl == NULL || !plug_in(stream)) {
        SSL_free(stream->ssl);
        free(stream);
        return false;
    }
    transport->ops = &encrypted;
    transport->own = stream;
    return true;
}
