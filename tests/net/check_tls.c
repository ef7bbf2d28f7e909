/*
 * check_tls.c - handshakes that succeed and fail, sessions, reloads, wrong files.
 */
#include "daemon/net/tls.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/net/certificates.h"
#include "tests/net/tls_pair.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { CASE_TIMEOUT = 120 };

static char error[TLS_ERROR_MAX];

/* --- handshakes -------------------------------------------------------------- */

START_TEST(both_versions_and_no_older_one)
{
    pair_connect_well(&(struct tls_client_options){.version = TLS1_2_VERSION});
    ck_assert_str_eq(pair.handshake.version, "TLSv1.2");
    ck_assert(!pair.handshake.resumed);
    pair_hang_up();
    pair_connect_well(&(struct tls_client_options){.version = TLS1_3_VERSION});
    ck_assert_str_eq(pair.handshake.version, "TLSv1.3");
    ck_assert_str_eq(pair.handshake.cipher, SSL_get_cipher_name(pair.client.ssl));
    pair_hang_up();
    pair_connect(&(struct tls_client_options){.version = TLS1_1_VERSION});
    ck_assert_int_eq(pair_shake(), TRANSPORT_FAILED);
    ck_assert_ptr_nonnull(pair.handshake.failure);
}
END_TEST

START_TEST(a_handshake_in_pieces)
{
    for (size_t piece = 1; piece < 200; piece += 7) {
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            pair_connect(&(struct tls_client_options){.version = version});
            ck_assert_int_eq(pair_shake_in_pieces(piece), TRANSPORT_OK);
            pair_hang_up();
        }
    }
}
END_TEST

/* The server's part does not fit the socket: it goes on when there is room. */
START_TEST(a_handshake_that_waits_for_room)
{
    size_t filled = 0;
    pair_connect(&pair_any);
    for (ssize_t part; (part = send(pair.server.fd, pair.sent, 4096, MSG_DONTWAIT)) > 0;) {
        filled += (size_t)part;
    }
    SSL_connect(pair.client.ssl);
    tls_client_send(&pair.client, SIZE_MAX);
    ck_assert_int_eq(pair.server.ops->handshake(&pair.server, &pair.handshake), TRANSPORT_AGAIN);
    ck_assert_int_eq(pair.server.wants, TRANSPORT_READ_WRITES);
    while (filled > 0) {
        ssize_t part =
            recv(pair.far, pair.got, filled < sizeof pair.got ? filled : sizeof pair.got, 0);
        ck_assert_int_gt(part, 0);
        filled -= (size_t)part;
    }
    ck_assert_int_eq(pair_shake(), TRANSPORT_OK);
    ck_assert_int_eq(pair.server.wants & TRANSPORT_READ_WRITES, 0);
}
END_TEST

/* What came with the last of the handshake is there, and no socket will say so. */
START_TEST(bytes_behind_the_handshake)
{
    size_t moved;
    pair_connect(&(struct tls_client_options){.version = TLS1_3_VERSION});
    SSL_connect(pair.client.ssl);
    tls_client_send(&pair.client, SIZE_MAX);
    ck_assert_int_eq(pair.server.ops->handshake(&pair.server, &pair.handshake), TRANSPORT_AGAIN);
    tls_client_take(&pair.client);
    ck_assert_int_eq(SSL_connect(pair.client.ssl), 1);
    pair_client_writes("PING\r\n", 6);
    tls_client_send(&pair.client, SIZE_MAX);
    ck_assert_int_eq(pair.server.ops->handshake(&pair.server, &pair.handshake), TRANSPORT_OK);
    ck_assert_int_eq(pair.server.wants, TRANSPORT_PENDING);
    ck_assert(!pair_is_readable());
    ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_OK);
    ck_assert_uint_eq(moved, 6);
    ck_assert_int_eq(pair.server.wants, 0);
}
END_TEST

static void offer(const void *bytes, size_t length)
{
    pair_connect(&pair_any);
    ck_assert_int_eq(send(pair.far, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

START_TEST(plain_text)
{
    static const char *const texts[] = {"P", "PING\r\n", "get key\r\n", "\n",
                                        "GET / HTTP/1.1\r\nHost: a\r\n\r\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        offer(texts[i], strlen(texts[i]));
        ck_assert_int_eq(pair.server.ops->handshake(&pair.server, &pair.handshake),
                         TRANSPORT_FAILED);
        ck_assert_ptr_nonnull(strstr(pair.handshake.failure, "plain text"));
        pair_hang_up();
    }
}
END_TEST

/* Bytes of no meaning, and a hello that is damaged somewhere. */
START_TEST(garbage)
{
    for (int i = 0; i < 2000; i++) {
        pair_connect(&pair_any);
        SSL_connect(pair.client.ssl);
        char *hello;
        size_t length = (size_t)BIO_get_mem_data(pair.client.out, &hello);
        if (i % 2 == 0) {
            hello[pair_below(length)] ^= (char)(1 + pair_below(255));
        } else {
            length = 1 + pair_below(600);
            hello = (char *)pair.sent + pair_below(sizeof pair.sent - length);
        }
        ck_assert_int_eq(send(pair.far, hello, length, MSG_NOSIGNAL), (ssize_t)length);
        enum transport_status status = pair.server.ops->handshake(&pair.server, &pair.handshake);
        ck_assert(status == TRANSPORT_AGAIN || status == TRANSPORT_FAILED);
        ck_assert(status == TRANSPORT_AGAIN || pair.handshake.failure != NULL);
        pair_hang_up();
    }
}
END_TEST

START_TEST(peers_that_go_away)
{
    pair_connect(&pair_any);
    ck_assert_int_eq(pair.server.ops->handshake(&pair.server, &pair.handshake), TRANSPORT_AGAIN);
    shutdown(pair.far, SHUT_WR);
    ck_assert_int_eq(pair.server.ops->handshake(&pair.server, &pair.handshake), TRANSPORT_EOF);
    pair_hang_up();

    pair_connect(&pair_any);
    SSL_connect(pair.client.ssl);
    tls_client_send(&pair.client, 50);
    ck_assert_int_eq(pair.server.ops->handshake(&pair.server, &pair.handshake), TRANSPORT_AGAIN);
    ck_assert_int_eq(pair.server.wants, 0);
    shutdown(pair.far, SHUT_WR);
    ck_assert_int_eq(pair.server.ops->handshake(&pair.server, &pair.handshake), TRANSPORT_FAILED);
    ck_assert_str_eq(pair.handshake.failure, "the peer closed the connection");
}
END_TEST

/* --- sessions ----------------------------------------------------------------- */

/* The client's session, for a later connection; the caller frees it. Those of 1.3 are good
 * for one, so that each connection brings the next. */
static void take_session(SSL_SESSION **session)
{
    char byte;
    size_t part;
    tls_client_take(&pair.client);
    SSL_read_ex(pair.client.ssl, &byte, 1, &part); /* tickets of 1.3 come behind the handshake */
    if (pair.client.session != NULL) {
        SSL_SESSION_free(*session);
        *session = pair.client.session;
        pair.client.session = NULL;
    }
    ck_assert_ptr_nonnull(*session);
}

static SSL_SESSION *make_session(const struct tls_client_options *options)
{
    SSL_SESSION *session = NULL;
    pair_connect_well(options);
    take_session(&session);
    pair_hang_up();
    return session;
}

static bool resumes(struct tls_client_options options, SSL_SESSION **session)
{
    options.resume = *session;
    pair_connect_well(&options);
    take_session(session);
    bool resumed = pair.handshake.resumed;
    pair_hang_up();
    return resumed;
}

START_TEST(sessions_are_resumed_also_after_a_reload)
{
    static const struct tls_client_options kinds[] = {{.version = TLS1_2_VERSION},
                                                      {.version = TLS1_3_VERSION}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        SSL_SESSION *session = make_session(&kinds[i]);
        ck_assert(resumes(kinds[i], &session));
        pair_load();
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
    pair_connect_well(&pair_any);
    X509 *before = SSL_get_peer_certificate(pair.client.ssl);
    certificate_make_plain("server", NULL);
    pair_load();
    ck_assert_int_eq(pair_server_writes("abc", 3, &moved), TRANSPORT_OK);
    tls_client_take(&pair.client);
    ck_assert_int_eq(SSL_read_ex(pair.client.ssl, pair.got, 100, &part), 1);
    pair_hang_up();
    pair_connect_well(&pair_any);
    X509 *after = SSL_get_peer_certificate(pair.client.ssl);
    ck_assert_int_ne(X509_cmp(before, after), 0);
    pair_hang_up();
    scratch_write("server.pem", "nothing\n");
    ck_assert(!tls_load(pair.tls, error));
    tls_adopt(pair.tls); /* there is nothing to be adopted */
    pair_connect_well(&pair_any);
    X509 *still = SSL_get_peer_certificate(pair.client.ssl);
    ck_assert_int_eq(X509_cmp(after, still), 0);
    X509_free(before);
    X509_free(after);
    X509_free(still);
}
END_TEST

/* --- files that are wrong ------------------------------------------------------- */

static void expect_error(const char *words)
{
    ck_assert(!tls_load(pair.tls, error));
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
    change(&pair.conf.tls_key, certificate_key_path("other"));
    expect_error("other.key: it is not the key of ");
    change(&pair.conf.tls_key, scratch_path("nowhere"));
    expect_error("nowhere: No such file");
    change(&pair.conf.tls_key, certificate_path("server"));
    expect_error("no key in PEM could be read from it");
    change(&pair.conf.tls_key, scratch_path("."));
    expect_error("Is a directory");
    change(&pair.conf.tls_certificate, certificate_path("secret"));
    change(&pair.conf.tls_key, certificate_key_path("secret"));
    expect_error("it is encrypted");
    change(&pair.conf.tls_certificate, scratch_path("nowhere"));
    expect_error("tls_certificate: ");
    change(&pair.conf.tls_certificate, scratch_path("."));
    expect_error("Is a directory");
    scratch_write("empty", "");
    change(&pair.conf.tls_certificate, scratch_path("empty"));
    expect_error("no certificate in PEM");
    change(&pair.conf.tls_certificate, certificate_path("other"));
    change(&pair.conf.tls_key, certificate_key_path("other"));
    pair_load();
    change(&pair.conf.tls_client_ca, scratch_path("nowhere"));
    expect_error("tls_client_ca: ");
    change(&pair.conf.tls_client_ca, scratch_path("."));
    expect_error("Is a directory");
    change(&pair.conf.tls_client_ca, certificate_key_path("other"));
    expect_error("tls_client_ca: ");
}
END_TEST

START_TEST(an_expired_certificate_still_serves)
{
    certificate_make(&(struct certificate){.name = "server", .from = -7200, .until = -3600});
    pair_load();
    pair_connect_well(&pair_any);
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
    change(&pair.conf.tls_client_ca, certificate_path("ours"));
    pair.conf.tls_client = wanted;
    pair_load();
}

/* The user of a client with that certificate; empty for none, NULL where it is refused. */
static const char *who(const struct tls_client_options *options, size_t size)
{
    static char name[100];
    pair_connect(options);
    if (pair_shake() != TRANSPORT_OK) {
        pair_hang_up();
        return NULL;
    }
    size_t length = transport_user(&pair.server, name, size);
    name[length] = '\0';
    pair_hang_up();
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
        ck_assert_str_eq(pair.handshake.failure, "certificate has expired");
        make_clients(CONF_TLS_REQUIRED);
        ck_assert_str_eq(holder("alice", version), "alice");
        ck_assert_ptr_null(holder(NULL, version));
        ck_assert_ptr_null(holder("stranger", version));
    }
    ck_assert_str_eq(who(&(struct tls_client_options){.certificate = "alice"}, 5), "alice");
    ck_assert_str_eq(who(&(struct tls_client_options){.certificate = "alice"}, 4), "");
}
END_TEST

/* A name is all of its bytes, and what is too long is no name. */
START_TEST(names_of_any_bytes)
{
    static const struct {
        const char *bytes;
        int length;
        size_t known;
    } names[] = {{"alice\0evil", 10, 10}, {"-", 1, 1},  {" alice", 6, 6},
                 {"alice\r\nx", 8, 8},    {"\0", 1, 1}, {"0123456789abcdefX", 17, 0}};
    char name[16];
    make_clients(CONF_TLS_OPTIONAL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        certificate_make(&(struct certificate){.name = "odd",
                                               .issuer = "ours",
                                               .common = names[i].bytes,
                                               .common_length = names[i].length});
        pair_connect_well(&(struct tls_client_options){.certificate = "odd"});
        ck_assert_uint_eq(transport_user(&pair.server, name, sizeof name), names[i].known);
        ck_assert_mem_eq(name, names[i].bytes, names[i].known);
        pair_hang_up();
    }
}
END_TEST

/* There is no name without an authority that signs it, nor on a plain transport. */
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
        pair_load();
        options.resume = session;
        ck_assert_str_eq(who(&options, 50), "alice");
        ck_assert(pair.handshake.resumed);
        SSL_SESSION_free(session);

        options.resume = NULL;
        options.resume = session = make_session(&options);
        change(&pair.conf.tls_client_ca, certificate_path("theirs"));
        pair_load();
        ck_assert_ptr_null(who(&options, 50));
        SSL_SESSION_free(session);
    }
}
END_TEST

/* The name that is behind the handshake now; empty: none. */
static const char *name_now(void)
{
    static char name[51];
    name[transport_user(&pair.server, name, 50)] = '\0';
    return name;
}

static void trust_now(const char *authority)
{
    change(&pair.conf.tls_client_ca, authority);
    pair_load();
}

/* With one authority, with the other, and with both: also where a session was taken up, of which
 * there is no chain. */
START_TEST(an_authority_that_is_replaced_takes_names_away)
{
    char *both = NULL;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        for (int resumed = 0; resumed < 2; resumed++) {
            make_clients(CONF_TLS_OPTIONAL);
            char *ours = strdup(scratch_read("ours.pem")),
                 *theirs = strdup(scratch_read("theirs.pem"));
            ck_assert_int_gt(asprintf(&both, "%s%s", theirs, ours), 0);
            scratch_write("both.pem", both);
            struct tls_client_options options = {.version = version, .certificate = "alice"};
            SSL_SESSION *session = make_session(&options);
            options.resume = resumed ? session : NULL;
            pair_connect_well(&options);
            ck_assert_int_eq(pair.handshake.resumed, resumed);
            ck_assert_str_eq(name_now(), "alice");
            trust_now(certificate_path("both"));
            ck_assert_str_eq(name_now(), "alice");
            trust_now(certificate_path("theirs"));
            ck_assert_str_eq(name_now(), "");
            trust_now(certificate_path("ours"));
            ck_assert_str_eq(name_now(), "alice");
            certificate_make_plain("ours", NULL); /* of the same name, with another key */
            pair_load();
            ck_assert_str_eq(name_now(), "");
            pair_hang_up();
            SSL_SESSION_free(session);
            free(both);
            free(ours);
            free(theirs);
        }
    }
}
END_TEST

/* The connection does not end when its certificate does. */
START_TEST(a_certificate_runs_out_behind_the_handshake)
{
    static const struct timespec moment = {.tv_nsec = 50000000};
    make_clients(CONF_TLS_OPTIONAL);
    certificate_make(
        &(struct certificate){.name = "brief", .issuer = "ours", .from = -60, .until = 2});
    pair_connect_well(&(struct tls_client_options){.certificate = "brief"});
    ck_assert_str_eq(name_now(), "brief");
    for (int times = 0; times < 400 && *name_now() != '\0'; times++) {
        nanosleep(&moment, NULL);
    }
    ck_assert_str_eq(name_now(), "");
}
END_TEST

/* Takes up the session of "brief", which becomes the next one. */
static bool is_brief(struct tls_client_options options, SSL_SESSION **session)
{
    char name[50];
    options.resume = *session;
    pair_connect_well(&options);
    ck_assert(pair.handshake.resumed);
    size_t length = transport_user(&pair.server, name, sizeof name);
    ck_assert(length == 0 || (length == 5 && memcmp(name, "brief", 5) == 0));
    take_session(session);
    pair_hang_up();
    return length > 0;
}

/* Though its session may be taken up again, and each time brings the next. */
START_TEST(a_certificate_is_over_when_its_time_is)
{
    static const struct timespec moment = {.tv_nsec = 50000000};
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        make_clients(CONF_TLS_OPTIONAL);
        certificate_make(
            &(struct certificate){.name = "brief", .issuer = "ours", .from = -60, .until = 3});
        struct tls_client_options options = {.version = version, .certificate = "brief"};
        SSL_SESSION *session = make_session(&options);
        int times = 0;
        while (times < 400 && is_brief(options, &session)) {
            nanosleep(&moment, NULL);
            times++;
        }
        ck_assert_int_gt(times, 0);
        ck_assert_int_lt(times, 400);
        SSL_SESSION_free(session);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, pair_set_up, pair_tear_down);
    tcase_add_test(all, both_versions_and_no_older_one);
    tcase_add_test(all, a_handshake_in_pieces);
    tcase_add_test(all, a_handshake_that_waits_for_room);
    tcase_add_test(all, bytes_behind_the_handshake);
    tcase_add_test(all, plain_text);
    tcase_add_test(all, garbage);
    tcase_add_test(all, peers_that_go_away);
    tcase_add_test(all, sessions_are_resumed_also_after_a_reload);
    tcase_add_test(all, sessions_without_tickets);
    tcase_add_test(all, a_reload);
    tcase_add_test(all, files_that_are_wrong);
    tcase_add_test(all, an_expired_certificate_still_serves);
    tcase_add_test(all, clients_with_certificates);
    tcase_add_test(all, names_of_any_bytes);
    tcase_add_test(all, nobody_asked);
    tcase_add_test(all, a_resumed_session_keeps_its_name_while_the_authority_stays);
    tcase_add_test(all, a_certificate_is_over_when_its_time_is);
    tcase_add_test(all, an_authority_that_is_replaced_takes_names_away);
    tcase_add_test(all, a_certificate_runs_out_behind_the_handshake);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}
