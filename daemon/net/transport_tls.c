/*
 * transport_tls.c - the transport that encrypts, with OpenSSL.
 *
 * OpenSSL reaches the socket through a BIO of our own: the BIO for sockets that comes with it
 * raises SIGPIPE, and reads the socket again after that was emptied. A read takes records until
 * the caller's space is full or the socket is empty. A write makes records of 16 KiB, directly
 * from the caller's pieces where those are large, from a copy where they are small.
 *
 * A record that the socket did not take must be offered again with the same bytes, though not at
 * the same address: `unsent_record` is its length. The bytes are the same, since a caller offers
 * first what is still unsent.
 *
 * Not every record carries data: a peer may renew its keys as often as it likes, which costs the
 * peer next to nothing and the server a derivation of keys, and OpenSSL goes on with that as long
 * as records come. So a read asks the socket only as often as its space needs, and a peer that
 * sends more handshake records than its data justifies is disconnected.
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
    HANDSHAKE_RECORDS_FREE = 32,       /* see sends_too_many */
};

struct stream {
    SSL *ssl;
    struct tls *tls;
    unsigned trust_version; /* of `tls`, when the peer's certificate was last found good */
    int fd;
    size_t unsent_record;       /* bytes of a record that the socket did not take; 0: none */
    size_t reads_left;          /* how often the socket may still be read, in this call */
    uint64_t handshake_records; /* received after the handshake was done */
    uint64_t data_bytes;        /* received and given to the caller */
    bool drained;               /* the socket had no more, in this call */
    bool ended;                 /* the peer's half of the socket is closed */
    bool received;              /* at least one byte has come */
    bool is_text;               /* the first byte was that of a text, not of TLS */
    bool broken;                /* no record can be sent any more */
    bool established;           /* the handshake is done */
    bool connects;              /* the client's side */
};

/* --- the socket ------------------------------------------------------------- */

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS;
}

/* TLS begins with a byte of 22. */
static bool begins_text(unsigned char byte)
{
    return (byte >= ' ' && byte <= '~') || byte == '\r' || byte == '\n' || byte == '\t';
}

static void note_first(struct stream *stream, const char *bytes)
{
    if (!stream->received) {
        stream->received = true;
        stream->is_text = begins_text((unsigned char)bytes[0]);
    }
}

/* The system calls themselves: see transport.c. */
static int socket_read(BIO *bio, char *to, int size)
{
    struct stream *stream = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (stream->drained || stream->reads_left == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    stream->reads_left--;
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

/* --- results of OpenSSL ----------------------------------------------------- */

/* At the start of each call, with the space that it has to fill. Bytes that it leaves in the socket
 * keep the descriptor readable. */
static void begin_call(struct transport *transport, unsigned clear, size_t space)
{
    struct stream *stream = transport->own;
    transport->wants = (unsigned char)(transport->wants & ~clear);
    stream->drained = false;
    stream->reads_left = 1 + space / RECORD;
    ERR_clear_error();
}

/* What a call of OpenSSL that did not succeed means. */
static enum transport_status status_of(struct transport *transport, int result,
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

/* --- handshake -------------------------------------------------------------- */

static const char *failure(const struct stream *stream)
{
    if (stream->is_text) {
        return stream->connects ? "the server speaks plain text, and not TLS"
                                : "the client spoke plain text, and this listener wants TLS";
    }
    unsigned long error = ERR_peek_error();
    if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
        ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        return X509_verify_cert_error_string(SSL_get_verify_result(stream->ssl));
    }
    const char *text = ERR_reason_error_string(error);
    return text == NULL ? "the connection broke" : text;
}

static enum transport_status tls_handshake(struct transport *transport,
                                           struct transport_handshake *handshake)
{
    struct stream *stream = transport->own;
    begin_call(transport, TRANSPORT_READ_WRITES, 0);
    int result = SSL_do_handshake(stream->ssl);
    if (result == 1) {
        stream->established = true;
        handshake->version = SSL_get_version(stream->ssl);
        handshake->cipher = SSL_get_cipher_name(stream->ssl);
        handshake->resumed = SSL_session_reused(stream->ssl) == 1;
        if (SSL_has_pending(stream->ssl) == 1) {
            transport->wants |= TRANSPORT_PENDING;
        }
        return TRANSPORT_OK;
    }
    enum transport_status status =
        status_of(transport, result, TRANSPORT_READ_WRITES, SSL_ERROR_WANT_WRITE);
    /* OpenSSL does not recognize a text that is shorter than the head of a record. */
    if (status == TRANSPORT_AGAIN && stream->is_text) {
        stream->broken = true;
        status = TRANSPORT_FAILED;
    }
    if (status == TRANSPORT_EOF && stream->received) {
        handshake->failure = "the peer closed the connection";
        return TRANSPORT_FAILED;
    }
    if (status == TRANSPORT_FAILED) {
        handshake->failure = failure(stream);
    }
    return status;
}

/* --- moving bytes ------------------------------------------------------------ */

/* OpenSSL calls this for each record. Up to TLS 1.2 the kind of a record is in its head, from 1.3
 * on it is encrypted with the content. */
static void note_record(int write, int version, int what, const void *bytes, size_t length,
                        SSL *ssl, void *context)
{
    struct stream *stream = context;
    (void)version;
    (void)ssl;
    if (write == 0 && stream->established && length > 0 &&
        (what == SSL3_RT_HEADER || what == SSL3_RT_INNER_CONTENT_TYPE) &&
        *(const unsigned char *)bytes == SSL3_RT_HANDSHAKE) {
        stream->handshake_records++;
    }
}

/* Keys are good for gigabytes of data, so hardly any peer has a reason to renew them. */
static bool sends_too_many(const struct stream *stream)
{
    return stream->handshake_records > HANDSHAKE_RECORDS_FREE + stream->data_bytes / RECORD;
}

static enum transport_status tls_read(struct transport *transport, void *to, size_t size,
                                      size_t *moved)
{
    struct stream *stream = transport->own;
    char *at = to;
    size_t total = 0;
    begin_call(transport, TRANSPORT_PENDING | TRANSPORT_READ_WRITES, size);
    while (total < size) {
        size_t part = 0;
        int result = SSL_read_ex(stream->ssl, at + total, size - total, &part);
        if (result == 1) {
            total += part;
            stream->data_bytes += part;
            continue;
        }
        stream->broken |= sends_too_many(stream);
        enum transport_status status =
            stream->broken
                ? TRANSPORT_FAILED
                : status_of(transport, result, TRANSPORT_READ_WRITES, SSL_ERROR_WANT_WRITE);
        if (total == 0) {
            return status;
        }
        if (status != TRANSPORT_AGAIN) {
            transport->wants |= TRANSPORT_PENDING; /* so that the end or the failure is read next */
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

/* The position of a write in its pieces. */
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

/* The bytes of the next record, at most `most`: in place where one piece has them all, else copied
 * to `copy`. */
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
    begin_call(transport, TRANSPORT_WRITE_READS, 0);
    if (stream->broken) {
        return TRANSPORT_FAILED;
    }
    advance(&place, 0);
    for (int records = 0; records < RECORDS_MAX && place.left > 0; records++) {
        struct iovec record =
            next_record(place, stream->unsent_record > 0 ? stream->unsent_record : RECORD, copy);
        size_t part = 0;
        int result = SSL_write_ex(stream->ssl, record.iov_base, record.iov_len, &part);
        if (result != 1) {
            stream->unsent_record = record.iov_len;
            status = status_of(transport, result, TRANSPORT_WRITE_READS, SSL_ERROR_WANT_READ);
            break;
        }
        stream->unsent_record = 0;
        total += part;
        advance(&place, part);
    }
    *moved = total;
    return total > 0 && status == TRANSPORT_AGAIN ? TRANSPORT_OK : status;
}

/* --- the end ---------------------------------------------------------------- */

/* Sends close_notify if the socket has room for it now; the answer is not waited for. */
static void send_close_notify(struct stream *stream)
{
    if (stream->established && !stream->broken && stream->unsent_record == 0) {
        ERR_clear_error();
        SSL_shutdown(stream->ssl);
    }
}

static void tls_end(struct transport *transport)
{
    send_close_notify(transport->own);
    shutdown(transport->fd, SHUT_WR);
}

static void tls_close(struct transport *transport)
{
    struct stream *stream = transport->own;
    send_close_notify(stream);
    SSL_free(stream->ssl);
    free(stream);
    ERR_clear_error();
    close(transport->fd);
    transport->own = NULL;
    transport->fd = -1;
}

/* --- the name of the peer ---------------------------------------------------- */

static size_t common_name(X509_NAME *subject, char *name, size_t size)
{
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return 0; /* none, or more than one: no single name is proved */
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

/* A certificate was valid in the handshake, but that may have been long ago, or in an earlier
 * session, and a session can be resumed again and again. */
static bool has_expired(const X509 *certificate)
{
    return X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0;
}

/* The certificate, or one of those in the chain that it was verified with. */
static bool has_chain_expired(const struct stream *stream, const X509 *certificate)
{
    const STACK_OF(X509) *chain = SSL_get0_verified_chain(stream->ssl);
    bool expired = has_expired(certificate);
    for (int i = 0; chain != NULL && i < sk_X509_num(chain); i++) {
        expired |= has_expired(sk_X509_value(chain, i));
    }
    return expired;
}

/* --- authorities ------------------------------------------------------------- */

/* Whether the authority at the end of the verified chain is still trusted: then the rest of the
 * chain was verified in the handshake. A resumed session has no such chain. */
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

/* Whether the authorities of now vouch for the certificate: a reload may have changed them since
 * the handshake. */
static bool is_trusted(struct stream *stream, X509 *certificate)
{
    unsigned version;
    if (tls_trust_version(stream->tls) == stream->trust_version) {
        return true;
    }
    SSL_CTX *context = tls_context(stream->tls, &version);
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    bool good = has_authority(stream, store) || verify(stream, store, certificate);
    SSL_CTX_free(context);
    if (good) {
        stream->trust_version = version;
    }
    return good;
}

static size_t user_of(struct stream *stream, char *name, size_t size)
{
    X509 *certificate = SSL_get_peer_certificate(stream->ssl);
    size_t length = 0;
    if (certificate != NULL && SSL_get_verify_result(stream->ssl) == X509_V_OK &&
        !has_chain_expired(stream, certificate) && is_trusted(stream, certificate)) {
        length = common_name(X509_get_subject_name(certificate), name, size);
    }
    X509_free(certificate);
    return length;
}

static size_t tls_user(const struct transport *transport, char *name, size_t size)
{
    return user_of(transport->own, name, size);
}

size_t tls_peer_name(SSL *ssl, struct tls *tls, unsigned *trust_version, char *name, size_t size)
{
    struct stream stream = {.ssl = ssl, .tls = tls, .trust_version = *trust_version};
    size_t length = user_of(&stream, name, size);
    *trust_version = stream.trust_version;
    return length;
}

static const char *tls_version(const struct transport *transport)
{
    const struct stream *stream = transport->own;
    return SSL_get_version(stream->ssl);
}

/* --- setting up -------------------------------------------------------------- */

static const struct transport_ops encrypted = {
    .handshake = tls_handshake,
    .user = tls_user,
    .version = tls_version,
    .read = tls_read,
    .writev = tls_writev,
    .end = tls_end,
    .close = tls_close,
};

static bool attach_bio(struct stream *stream)
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

static struct stream *create(const struct transport *transport, struct tls *tls)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    SSL_CTX *context = tls_context(tls, &stream->trust_version);
    stream->ssl = SSL_new(context);
    SSL_CTX_free(context);
    stream->tls = tls;
    stream->fd = transport->fd;
    if (stream->ssl == NULL || !attach_bio(stream)) {
        SSL_free(stream->ssl);
        free(stream);
        return NULL;
    }
    return stream;
}

bool transport_tls(struct transport *transport, struct tls *tls)
{
    struct stream *stream = create(transport, tls);
    if (stream == NULL) {
        return false;
    }
    SSL_set_accept_state(stream->ssl);
    transport->ops = &encrypted;
    transport->own = stream;
    return true;
}

bool transport_tls_client(struct transport *transport, struct tls *tls, const char *host)
{
    struct stream *stream = create(transport, tls);
    if (stream == NULL) {
        return false;
    }
    SSL_set_connect_state(stream->ssl);
    stream->connects = true;
    if (host != NULL && (SSL_set_tlsext_host_name(stream->ssl, host) != 1 ||
                         SSL_set1_host(stream->ssl, host) != 1)) {
        SSL_free(stream->ssl);
        free(stream);
        return false;
    }
    transport->ops = &encrypted;
    transport->own = stream;
    return true;
}
