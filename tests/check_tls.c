/*
 * check_tls.c - the transport that encrypts, over a socket pair: what is read and written,
 * what it waits for, who greets and who is refused.
 */
#include "daemon/tls.h"

#include <check.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/transport.h"
#include "tests/certificates.h"
#include "tests/scratch.h"
#include "tests/tls_client.h"

enum { MEBIBYTE = 1 << 20, CASE_TIMEOUT = 120, ROUNDS_MAX = 100000 };

static struct conf_listen conf;
static struct tls *tls;
static struct transport server;
static struct tls_client client;
static int far = -1; /* the client's end */
static struct transport_greeting greeting;
static char error[TLS_ERROR_MAX];
static unsigned char sent[MEBIBYTE], got[MEBIBYTE];
static uint64_t state = 88172645463325252;

/* Xorshift (Marsaglia 2003). */
static size_t below(size_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

static void load(void)
{
    ck_assert_msg(tls_load(tls, error), "%s", error);
    tls_adopt(tls);
}

static void set_up(void)
{
    scratch_make();
    certificate_make_plain("server", NULL);
    conf = (struct conf_listen){.tls_certificate = strdup(certificate_path("server")),
                                .tls_key = strdup(certificate_key_path("server"))};
    tls = tls_create(&conf);
    ck_assert_ptr_nonnull(tls);
    load();
    for (size_t i = 0; i < sizeof sent; i++) {
        sent[i] = (unsigned char)below(256);
    }
}

static void hang_up(void)
{
    if (server.ops != NULL && server.fd >= 0) {
        server.ops->close(&server);
    }
    if (far >= 0) {
        tls_client_close(&client);
        close(far);
        far = -1;
    }
}

static void tear_down(void)
{
    hang_up();
    tls_destroy(&tls);
    free(conf.tls_certificate);
    free(conf.tls_key);
    free(conf.tls_client_ca);
    scratch_remove();
}

static void connect_with(const struct tls_client_options *options)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    far = ends[0];
    transport_plain(&server, ends[1]);
    ck_assert(transport_tls(&server, tls));
    tls_client_open(&client, far, options);
    greeting = (struct transport_greeting){.failure = NULL};
}

/* Both sides make what steps they can until the server knows; `piece` bytes go at a time. */
static enum transport_status shake_in_pieces(size_t piece)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        SSL_connect(client.ssl);
        tls_client_send(&client, piece);
        enum transport_status status = server.ops->greet(&server, &greeting);
        tls_client_take(&client);
        if (status != TRANSPORT_AGAIN) {
            SSL_connect(client.ssl);
            return status;
        }
    }
    ck_abort_msg("no end of shaking hands");
    return TRANSPORT_FAILED;
}

static enum transport_status shake(void)
{
    return shake_in_pieces(SIZE_MAX);
}

static void connect_well(const struct tls_client_options *options)
{
    connect_with(options);
    enum transport_status status = shake();
    ck_assert_msg(status == TRANSPORT_OK, "%s", greeting.failure);
}

static const struct tls_client_options any = {.version = 0};

static void client_writes(const void *bytes, size_t length)
{
    size_t written;
    ck_assert_int_eq(SSL_write_ex(client.ssl, bytes, length, &written), 1);
    ck_assert_uint_eq(written, length);
}

static enum transport_status server_reads(void *to, size_t size, size_t *moved)
{
    *moved = 0;
    return server.ops->read(&server, to, size, moved);
}

static enum transport_status server_writes(const void *from, size_t size, size_t *moved)
{
    struct iovec piece = {(void *)(uintptr_t)from, size};
    *moved = 0;
    return server.ops->writev(&server, &piece, 1, moved);
}

static bool is_readable(void)
{
    struct pollfd at = {.fd = server.fd, .events = POLLIN};
    return poll(&at, 1, 0) == 1;
}

/* What the client finds at the end: an error of SSL_get_error's. */
static int client_reads_end(void)
{
    char byte;
    size_t part;
    while (tls_client_take(&client) > 0) {
    }
    int result = SSL_read_ex(client.ssl, &byte, 1, &part);
    return SSL_get_error(client.ssl, result);
}

/* --- greetings -------------------------------------------------------------- */

START_TEST(both_versions_and_no_older_one)
{
    connect_well(&(struct tls_client_options){.version = TLS1_2_VERSION});
    ck_assert_str_eq(greeting.version, "TLSv1.2");
    ck_assert(!greeting.resumed);
    hang_up();
    connect_well(&(struct tls_client_options){.version = TLS1_3_VERSION});
    ck_assert_str_eq(greeting.version, "TLSv1.3");
    ck_assert_str_eq(greeting.cipher, SSL_get_cipher_name(client.ssl));
    hang_up();
    connect_with(&(struct tls_client_options){.version = TLS1_1_VERSION});
    ck_assert_int_eq(shake(), TRANSPORT_FAILED);
    ck_assert_ptr_nonnull(greeting.failure);
}
END_TEST

START_TEST(a_handshake_in_pieces)
{
    for (size_t piece = 1; piece < 200; piece += 7) {
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            connect_with(&(struct tls_client_options){.version = version});
            ck_assert_int_eq(shake_in_pieces(piece), TRANSPORT_OK);
            hang_up();
        }
    }
}
END_TEST

/* The server's part does not fit the socket: it goes on when there is room. */
START_TEST(a_handshake_that_waits_for_room)
{
    size_t filled = 0;
    connect_with(&any);
    for (ssize_t part; (part = send(server.fd, sent, 4096, MSG_DONTWAIT)) > 0;) {
        filled += (size_t)part;
    }
    SSL_connect(client.ssl);
    tls_client_send(&client, SIZE_MAX);
    ck_assert_int_eq(server.ops->greet(&server, &greeting), TRANSPORT_AGAIN);
    ck_assert_int_eq(server.wants, TRANSPORT_READ_WRITES);
    while (filled > 0) {
        ssize_t part = recv(far, got, filled < sizeof got ? filled : sizeof got, 0);
        ck_assert_int_gt(part, 0);
        filled -= (size_t)part;
    }
    ck_assert_int_eq(shake(), TRANSPORT_OK);
    ck_assert_int_eq(server.wants & TRANSPORT_READ_WRITES, 0);
}
END_TEST

/* What came with the last of the handshake is there, and no socket will say so. */
START_TEST(bytes_behind_the_handshake)
{
    size_t moved;
    connect_with(&(struct tls_client_options){.version = TLS1_3_VERSION});
    SSL_connect(client.ssl);
    tls_client_send(&client, SIZE_MAX);
    ck_assert_int_eq(server.ops->greet(&server, &greeting), TRANSPORT_AGAIN);
    tls_client_take(&client);
    ck_assert_int_eq(SSL_connect(client.ssl), 1);
    client_writes("PING\r\n", 6);
    tls_client_send(&client, SIZE_MAX);
    ck_assert_int_eq(server.ops->greet(&server, &greeting), TRANSPORT_OK);
    ck_assert_int_eq(server.wants, TRANSPORT_PENDING);
    ck_assert(!is_readable());
    ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_OK);
    ck_assert_uint_eq(moved, 6);
    ck_assert_int_eq(server.wants, 0);
}
END_TEST

static void offer(const void *bytes, size_t length)
{
    connect_with(&any);
    ck_assert_int_eq(send(far, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

START_TEST(plain_text)
{
    static const char *const texts[] = {"P", "PING\r\n", "get key\r\n", "\n",
                                        "GET / HTTP/1.1\r\nHost: a\r\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        offer(texts[i], strlen(texts[i]));
        ck_assert_int_eq(server.ops->greet(&server, &greeting), TRANSPORT_FAILED);
        ck_assert_ptr_nonnull(strstr(greeting.failure, "plain text"));
        hang_up();
    }
}
END_TEST

/* Bytes of no meaning, and a hello that is damaged somewhere. */
START_TEST(garbage)
{
    for (int i = 0; i < 2000; i++) {
        connect_with(&any);
        SSL_connect(client.ssl);
        char *hello;
        size_t length = (size_t)BIO_get_mem_data(client.out, &hello);
        if (i % 2 == 0) {
            hello[below(length)] ^= (char)(1 + below(255));
        } else {
            length = 1 + below(600);
            hello = (char *)sent + below(sizeof sent - length);
        }
        ck_assert_int_eq(send(far, hello, length, MSG_NOSIGNAL), (ssize_t)length);
        enum transport_status status = server.ops->greet(&server, &greeting);
        ck_assert(status == TRANSPORT_AGAIN || status == TRANSPORT_FAILED);
        ck_assert(status == TRANSPORT_AGAIN || greeting.failure != NULL);
        hang_up();
    }
}
END_TEST

START_TEST(peers_that_go_away)
{
    connect_with(&any);
    ck_assert_int_eq(server.ops->greet(&server, &greeting), TRANSPORT_AGAIN);
    shutdown(far, SHUT_WR);
    ck_assert_int_eq(server.ops->greet(&server, &greeting), TRANSPORT_EOF);
    hang_up();

    connect_with(&any);
    SSL_connect(client.ssl);
    tls_client_send(&client, 50);
    ck_assert_int_eq(server.ops->greet(&server, &greeting), TRANSPORT_AGAIN);
    ck_assert_int_eq(server.wants, 0);
    shutdown(far, SHUT_WR);
    ck_assert_int_eq(server.ops->greet(&server, &greeting), TRANSPORT_FAILED);
    ck_assert_str_eq(greeting.failure, "the peer went away");
}
END_TEST

/* --- moving bytes ------------------------------------------------------------ */

/* Records of any size, cut at any place, read to spaces of any size. */
START_TEST(every_cut)
{
    enum { LENGTH = 200000 };
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        connect_well(&(struct tls_client_options){.version = version});
        size_t written = 0, read = 0;
        while (read < LENGTH) {
            if (written < LENGTH && tls_client_owes(&client) < 50000) {
                size_t part = 1 + below(below(4) == 0 ? 20000 : 100);
                part = part < LENGTH - written ? part : LENGTH - written;
                client_writes(sent + written, part);
                written += part;
            }
            tls_client_send(&client, 1 + below(3000));
            size_t moved, space = 1 + below(below(4) == 0 ? 20000 : 100);
            space = space < LENGTH - read ? space : LENGTH - read;
            enum transport_status status = server_reads(got + read, space, &moved);
            ck_assert(status == TRANSPORT_OK || status == TRANSPORT_AGAIN);
            ck_assert(status == TRANSPORT_AGAIN ? moved == 0 : moved > 0);
            read += moved;
        }
        ck_assert_mem_eq(got, sent, LENGTH);
        hang_up();
    }
}
END_TEST

START_TEST(what_is_left_inside_is_said)
{
    size_t moved;
    connect_well(&any);
    for (int i = 0; i < 3; i++) {
        client_writes(sent + i * 100, 100);
    }
    tls_client_send(&client, SIZE_MAX);
    for (size_t read = 0; read < 300; read += moved) {
        ck_assert_int_eq(server_reads(got + read, 60, &moved), TRANSPORT_OK);
        ck_assert_uint_eq(moved, 60); /* across records */
        ck_assert(!is_readable());
        ck_assert_int_eq(server.wants, read + moved < 300 ? TRANSPORT_PENDING : 0);
    }
    ck_assert_mem_eq(got, sent, 300);
    ck_assert_int_eq(server_reads(got, 60, &moved), TRANSPORT_AGAIN);
    ck_assert_int_eq(server.wants, 0);
}
END_TEST

START_TEST(a_mebibyte_in)
{
    connect_well(&any);
    client_writes(sent, sizeof sent);
    size_t moved;
    for (size_t read = 0; read < sizeof got; read += moved) {
        tls_client_send(&client, SIZE_MAX);
        enum transport_status status = server_reads(got + read, sizeof got - read, &moved);
        ck_assert(status == TRANSPORT_OK || status == TRANSPORT_AGAIN);
    }
    ck_assert_mem_eq(got, sent, sizeof got);
}
END_TEST

/* What is unsent is offered again, but cut in another way and at another place. */
static enum transport_status offer_rest(size_t from, size_t *moved)
{
    enum { PIECES = 64 };
    struct iovec pieces[PIECES];
    char *moved_away = malloc(sizeof sent - from);
    ck_assert_ptr_nonnull(moved_away);
    memcpy(moved_away, sent + from, sizeof sent - from);
    size_t at = 0, count = 0;
    while (count < PIECES && at < sizeof sent - from) {
        size_t part = below(below(8) == 0 ? 100000 : 2000);
        part =
            count + 1 == PIECES || part > sizeof sent - from - at ? sizeof sent - from - at : part;
        pieces[count++] = (struct iovec){moved_away + at, part};
        at += part;
    }
    *moved = 0;
    enum transport_status status = server.ops->writev(&server, pieces, count, moved);
    free(moved_away);
    return status;
}

START_TEST(a_mebibyte_out_through_a_small_socket)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        connect_well(&(struct tls_client_options){.version = version});
        const int small = 1;
        setsockopt(server.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        size_t written = 0, read = 0, waited = 0;
        while (read < sizeof got) {
            size_t moved = 0, part;
            if (written < sizeof sent) {
                enum transport_status status = offer_rest(written, &moved);
                ck_assert(status == TRANSPORT_OK || status == TRANSPORT_AGAIN);
                ck_assert_int_eq(server.wants, 0); /* it waits for room, as is usual */
                waited += status == TRANSPORT_AGAIN;
                written += moved;
            }
            if (below(2) == 0) {
                tls_client_take(&client);
            }
            while (SSL_read_ex(client.ssl, got + read, sizeof got - read, &part) == 1) {
                read += part;
            }
        }
        ck_assert_mem_eq(got, sent, sizeof got);
        ck_assert_uint_gt(waited, 0);
        hang_up();
    }
}
END_TEST

/* Keys are renewed at the client's wish, whose answer the server may owe for a while. */
START_TEST(new_keys)
{
    size_t moved, part;
    connect_well(&(struct tls_client_options){.version = TLS1_3_VERSION});
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(SSL_key_update(client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        client_writes("abc", 3);
        tls_client_send(&client, SIZE_MAX);
        ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_OK);
        ck_assert_uint_eq(moved, 3);
        ck_assert_int_eq(server_writes("defg", 4, &moved), TRANSPORT_OK);
        tls_client_take(&client);
        ck_assert_int_eq(SSL_read_ex(client.ssl, got, 100, &part), 1);
        ck_assert_uint_eq(part, 4);
    }
}
END_TEST

START_TEST(damage_on_the_way)
{
    size_t moved;
    connect_well(&any);
    client_writes("abc", 3);
    char *record;
    long length = BIO_get_mem_data(client.out, &record);
    record[length - 1] ^= 1;
    tls_client_send(&client, SIZE_MAX);
    ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_FAILED);
    ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_FAILED);
    ck_assert_int_eq(server_writes("abc", 3, &moved), TRANSPORT_FAILED);
}
END_TEST

/* --- the end ------------------------------------------------------------------ */

/* The end that came with the last bytes is known, though the socket is silent. */
START_TEST(the_client_says_goodbye)
{
    size_t moved, part;
    connect_well(&any);
    client_writes("abc", 3);
    SSL_shutdown(client.ssl);
    tls_client_send(&client, SIZE_MAX);
    ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_OK);
    ck_assert_uint_eq(moved, 3);
    ck_assert_int_eq(server.wants, TRANSPORT_PENDING);
    ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_EOF);
    ck_assert_int_eq(server_writes("answer", 6, &moved), TRANSPORT_OK);
    tls_client_take(&client);
    ck_assert_int_eq(SSL_read_ex(client.ssl, got, 100, &part), 1);
    ck_assert_uint_eq(part, 6);
}
END_TEST

START_TEST(the_client_goes_without_goodbye)
{
    size_t moved, part;
    connect_well(&any);
    client_writes("abc", 3);
    tls_client_send(&client, SIZE_MAX);
    shutdown(far, SHUT_WR);
    ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_OK);
    ck_assert_uint_eq(moved, 3);
    ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_EOF);
    ck_assert_int_eq(server_writes("answer", 6, &moved), TRANSPORT_OK);
    tls_client_take(&client);
    ck_assert_int_eq(SSL_read_ex(client.ssl, got, 100, &part), 1);
}
END_TEST

START_TEST(the_server_says_goodbye)
{
    size_t moved;
    connect_well(&any);
    server.ops->end(&server);
    ck_assert_int_eq(client_reads_end(), SSL_ERROR_ZERO_RETURN);
    client_writes("abc", 3); /* it may still be talking */
    tls_client_send(&client, SIZE_MAX);
    ck_assert_int_eq(server_reads(got, 100, &moved), TRANSPORT_OK);
    hang_up();

    connect_well(&any);
    server.ops->close(&server);
    ck_assert_int_eq(client_reads_end(), SSL_ERROR_ZERO_RETURN);
}
END_TEST

/* Were SIGPIPE raised, the test would end here. */
START_TEST(a_peer_that_is_gone)
{
    size_t moved;
    connect_well(&any);
    tls_client_close(&client);
    close(far);
    far = -1;
    ck_assert_int_eq(server_writes("abc", 3, &moved), TRANSPORT_FAILED);
    server.ops->end(&server);
}
END_TEST

/* --- sessions ----------------------------------------------------------------- */

/* The client's session, for a later connection; the caller frees it. Those of 1.3 are good
 * for one, so that each connection brings the next. */
static void take_session(SSL_SESSION **session)
{
    char byte;
    size_t part;
    tls_client_take(&client);
    SSL_read_ex(client.ssl, &byte, 1, &part); /* tickets of 1.3 come behind the handshake */
    if (client.session != NULL) {
        SSL_SESSION_free(*session);
        *session = client.session;
        client.session = NULL;
    }
    ck_assert_ptr_nonnull(*session);
}

static SSL_SESSION *make_session(const struct tls_client_options *options)
{
    SSL_SESSION *session = NULL;
    connect_well(options);
    take_session(&session);
    hang_up();
    return session;
}

static bool resumes(struct tls_client_options options, SSL_SESSION **session)
{
    options.resume = *session;
    connect_well(&options);
    take_session(session);
    bool resumed = greeting.resumed;
    hang_up();
    return resumed;
}

START_TEST(sessions_are_resumed_also_after_a_reload)
{
    static const struct tls_client_options kinds[] = {{.version = TLS1_2_VERSION},
                                                      {.version = TLS1_3_VERSION}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        SSL_SESSION *session = make_session(&kinds[i]);
        ck_assert(resumes(kinds[i], &session));
        load();
        ck_assert(resumes(kinds[i], &session));
        SSL_SESSION_free(session);
    }
}
END_TEST

START_TEST(sessions_without_tickets)
{
    const struct tls_client_options options = {.version = TLS1_2_VERSION, .no_tickets = true};
    SSL_SESSION *session = make_session(&options);
    ck_assert(resumes(options, &session));
    SSL_SESSION_free(session);
}
END_TEST

START_TEST(a_reload)
{
    size_t moved, part;
    connect_well(&any);
    X509 *before = SSL_get_peer_certificate(client.ssl);
    certificate_make_plain("server", NULL);
    load();
    ck_assert_int_eq(server_writes("abc", 3, &moved), TRANSPORT_OK);
    tls_client_take(&client);
    ck_assert_int_eq(SSL_read_ex(client.ssl, got, 100, &part), 1);
    hang_up();
    connect_well(&any);
    X509 *after = SSL_get_peer_certificate(client.ssl);
    ck_assert_int_ne(X509_cmp(before, after), 0);
    hang_up();
    scratch_write("server.pem", "nothing\n");
    ck_assert(!tls_load(tls, error));
    tls_adopt(tls); /* there is nothing to be adopted */
    connect_well(&any);
    X509 *still = SSL_get_peer_certificate(client.ssl);
    ck_assert_int_eq(X509_cmp(after, still), 0);
    X509_free(before);
    X509_free(after);
    X509_free(still);
}
END_TEST

/* --- files that are wrong ------------------------------------------------------- */

static void expect_error(const char *words)
{
    ck_assert(!tls_load(tls, error));
    ck_assert_msg(strstr(error, words) != NULL, "%s", error);
}

static void change(char **file, const char *path)
{
    free(*file);
    *file = strdup(path);
}

START_TEST(files_that_are_wrong)
{
    certificate_make_plain("other", NULL);
    certificate_make(&(struct certificate){.name = "secret", .password = "xyzzy"});
    change(&conf.tls_key, certificate_key_path("other"));
    expect_error("other.key: it is not the key of ");
    change(&conf.tls_key, scratch_path("nowhere"));
    expect_error("nowhere: No such file");
    change(&conf.tls_key, certificate_path("server"));
    expect_error("no key in PEM could be read from it");
    change(&conf.tls_certificate, certificate_path("secret"));
    change(&conf.tls_key, certificate_key_path("secret"));
    expect_error("it is encrypted");
    change(&conf.tls_certificate, scratch_path("nowhere"));
    expect_error("tls_certificate: ");
    scratch_write("empty", "");
    change(&conf.tls_certificate, scratch_path("empty"));
    expect_error("no certificate in PEM");
    change(&conf.tls_certificate, certificate_path("other"));
    change(&conf.tls_key, certificate_key_path("other"));
    load();
    change(&conf.tls_client_ca, scratch_path("nowhere"));
    expect_error("tls_client_ca: ");
    change(&conf.tls_client_ca, certificate_key_path("other"));
    expect_error("tls_client_ca: ");
}
END_TEST

START_TEST(an_expired_certificate_still_serves)
{
    certificate_make(&(struct certificate){.name = "server", .from = -7200, .until = -3600});
    load();
    connect_well(&any);
}
END_TEST

/* --- clients' certificates --------------------------------------------------------- */

static void make_clients(enum conf_tls_client wanted)
{
    certificate_make_plain("ours", NULL);
    certificate_make_plain("theirs", NULL);
    certificate_make_plain("alice", "ours");
    certificate_make_plain("stranger", "theirs");
    certificate_make(
        &(struct certificate){.name = "late", .issuer = "ours", .from = -7200, .until = -3600});
    certificate_make(&(struct certificate){.name = "two", .issuer = "ours", .other_name = "faces"});
    change(&conf.tls_client_ca, certificate_path("ours"));
    conf.tls_client = wanted;
    load();
}

/* Who a client with that certificate is; empty for nobody, NULL where it is refused. */
static const char *who(const struct tls_client_options *options, size_t size)
{
    static char name[100];
    connect_with(options);
    if (shake() != TRANSPORT_OK) {
        hang_up();
        return NULL;
    }
    size_t length = transport_user(&server, name, size);
    name[length] = '\0';
    hang_up();
    return name;
}

static const char *holder(const char *certificate, int version)
{
    return who(&(struct tls_client_options){.version = version, .certificate = certificate}, 50);
}

START_TEST(clients_with_certificates)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        make_clients(CONF_TLS_OPTIONAL);
        ck_assert_str_eq(holder("alice", version), "alice");
        ck_assert_str_eq(holder(NULL, version), "");
        ck_assert_str_eq(holder("two", version), "");
        ck_assert_ptr_null(holder("stranger", version));
        ck_assert_ptr_null(holder("late", version));
        ck_assert_str_eq(greeting.failure, "certificate has expired");
        make_clients(CONF_TLS_REQUIRED);
        ck_assert_str_eq(holder("alice", version), "alice");
        ck_assert_ptr_null(holder(NULL, version));
        ck_assert_ptr_null(holder("stranger", version));
    }
    ck_assert_str_eq(who(&(struct tls_client_options){.certificate = "alice"}, 5), "alice");
    ck_assert_str_eq(who(&(struct tls_client_options){.certificate = "alice"}, 4), "");
}
END_TEST

/* Nobody has a name without an authority that says so, nor on a plain transport. */
START_TEST(nobody_asked)
{
    char name[10];
    certificate_make_plain("alice", NULL);
    ck_assert_str_eq(holder("alice", 0), "");
    struct transport plain;
    transport_plain(&plain, dup(0));
    ck_assert_uint_eq(transport_user(&plain, name, sizeof name), 0);
    plain.ops->close(&plain);
}
END_TEST

START_TEST(a_resumed_session_keeps_its_name_while_the_authority_stays)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        make_clients(CONF_TLS_REQUIRED);
        struct tls_client_options options = {.version = version, .certificate = "alice"};
        SSL_SESSION *session = make_session(&options);
        ck_assert(resumes(options, &session));
        load();
        options.resume = session;
        ck_assert_str_eq(who(&options, 50), "alice");
        ck_assert(greeting.resumed);
        SSL_SESSION_free(session);

        options.resume = NULL;
        options.resume = session = make_session(&options);
        change(&conf.tls_client_ca, certificate_path("theirs"));
        load();
        ck_assert_ptr_null(who(&options, 50));
        SSL_SESSION_free(session);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, both_versions_and_no_older_one);
    tcase_add_test(all, a_handshake_in_pieces);
    tcase_add_test(all, a_handshake_that_waits_for_room);
    tcase_add_test(all, bytes_behind_the_handshake);
    tcase_add_test(all, plain_text);
    tcase_add_test(all, garbage);
    tcase_add_test(all, peers_that_go_away);
    tcase_add_test(all, every_cut);
    tcase_add_test(all, what_is_left_inside_is_said);
    tcase_add_test(all, a_mebibyte_in);
    tcase_add_test(all, a_mebibyte_out_through_a_small_socket);
    tcase_add_test(all, new_keys);
    tcase_add_test(all, damage_on_the_way);
    tcase_add_test(all, the_client_says_goodbye);
    tcase_add_test(all, the_client_goes_without_goodbye);
    tcase_add_test(all, the_server_says_goodbye);
    tcase_add_test(all, a_peer_that_is_gone);
    tcase_add_test(all, sessions_are_resumed_also_after_a_reload);
    tcase_add_test(all, sessions_without_tickets);
    tcase_add_test(all, a_reload);
    tcase_add_test(all, files_that_are_wrong);
    tcase_add_test(all, an_expired_certificate_still_serves);
    tcase_add_test(all, clients_with_certificates);
    tcase_add_test(all, nobody_asked);
    tcase_add_test(all, a_resumed_session_keeps_its_name_while_the_authority_stays);
    suite_add_tcase(suite, all);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
