/*
 * check_transport_tls.c - what the transport that encrypts reads and writes, what it waits
 * for, and how it ends.
 */
#include "daemon/net/transport.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/tls_pair.h"
#include "tests/support/suite.h"

enum { CASE_TIMEOUT = 120 };

/* What the client finds at the end: an error of SSL_get_error's. */
static int client_reads_end(void)
{
    char byte;
    size_t part;
    while (tls_client_take(&pair.client) > 0) {
    }
    int result = SSL_read_ex(pair.client.ssl, &byte, 1, &part);
    return SSL_get_error(pair.client.ssl, result);
}

/* --- moving bytes ------------------------------------------------------------ */

/* Records of any size, cut at any place, read to spaces of any size. */
START_TEST(every_cut)
{
    enum { LENGTH = 200000 };
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        pair_connect_well(&(struct tls_client_options){.version = version});
        size_t written = 0, read = 0;
        while (read < LENGTH) {
            if (written < LENGTH && tls_client_owes(&pair.client) < 50000) {
                size_t part = 1 + pair_below(pair_below(4) == 0 ? 20000 : 100);
                part = part < LENGTH - written ? part : LENGTH - written;
                pair_client_writes(pair.sent + written, part);
                written += part;
            }
            tls_client_send(&pair.client, 1 + pair_below(3000));
            size_t moved, space = 1 + pair_below(pair_below(4) == 0 ? 20000 : 100);
            space = space < LENGTH - read ? space : LENGTH - read;
            enum transport_status status = pair_server_reads(pair.got + read, space, &moved);
            ck_assert(status == TRANSPORT_OK || status == TRANSPORT_AGAIN);
            ck_assert(status == TRANSPORT_AGAIN ? moved == 0 : moved > 0);
            read += moved;
        }
        ck_assert_mem_eq(pair.got, pair.sent, LENGTH);
        pair_hang_up();
    }
}
END_TEST

START_TEST(what_is_left_inside_is_said)
{
    size_t moved;
    pair_connect_well(&pair_any);
    for (int i = 0; i < 3; i++) {
        pair_client_writes(pair.sent + i * 100, 100);
    }
    tls_client_send(&pair.client, SIZE_MAX);
    for (size_t read = 0; read < 300; read += moved) {
        ck_assert_int_eq(pair_server_reads(pair.got + read, 60, &moved), TRANSPORT_OK);
        ck_assert_uint_eq(moved, 60); /* across records */
        ck_assert(!pair_is_readable());
        ck_assert_int_eq(pair.server.wants, read + moved < 300 ? TRANSPORT_PENDING : 0);
    }
    ck_assert_mem_eq(pair.got, pair.sent, 300);
    ck_assert_int_eq(pair_server_reads(pair.got, 60, &moved), TRANSPORT_AGAIN);
    ck_assert_int_eq(pair.server.wants, 0);
}
END_TEST

START_TEST(a_mebibyte_in)
{
    pair_connect_well(&pair_any);
    pair_client_writes(pair.sent, sizeof pair.sent);
    size_t moved;
    for (size_t read = 0; read < sizeof pair.got; read += moved) {
        tls_client_send(&pair.client, SIZE_MAX);
        enum transport_status status =
            pair_server_reads(pair.got + read, sizeof pair.got - read, &moved);
        ck_assert(status == TRANSPORT_OK || status == TRANSPORT_AGAIN);
    }
    ck_assert_mem_eq(pair.got, pair.sent, sizeof pair.got);
}
END_TEST

/* What is unsent is offered again, but cut in another way and at another place. */
static enum transport_status offer_rest(size_t from, size_t *moved)
{
    enum { PIECES = 64 };
    struct iovec pieces[PIECES];
    char *moved_away = malloc(sizeof pair.sent - from);
    ck_assert_ptr_nonnull(moved_away);
    memcpy(moved_away, pair.sent + from, sizeof pair.sent - from);
    size_t at = 0, count = 0;
    while (count < PIECES && at < sizeof pair.sent - from) {
        size_t part = pair_below(pair_below(8) == 0 ? 100000 : 2000);
        part = count + 1 == PIECES || part > sizeof pair.sent - from - at
                   ? sizeof pair.sent - from - at
                   : part;
        pieces[count++] = (struct iovec){moved_away + at, part};
        at += part;
    }
    *moved = 0;
    enum transport_status status = pair.server.ops->writev(&pair.server, pieces, count, moved);
    free(moved_away);
    return status;
}

START_TEST(a_mebibyte_out_through_a_small_socket)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        pair_connect_well(&(struct tls_client_options){.version = version});
        const int small = 1;
        setsockopt(pair.server.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        size_t written = 0, read = 0, waited = 0;
        while (read < sizeof pair.got) {
            size_t moved = 0, part;
            if (written < sizeof pair.sent) {
                enum transport_status status = offer_rest(written, &moved);
                ck_assert(status == TRANSPORT_OK || status == TRANSPORT_AGAIN);
                ck_assert_int_eq(pair.server.wants, 0); /* it waits for room, as is usual */
                waited += status == TRANSPORT_AGAIN;
                written += moved;
            }
            if (pair_below(2) == 0) {
                tls_client_take(&pair.client);
            }
            while (SSL_read_ex(pair.client.ssl, pair.got + read, sizeof pair.got - read, &part) ==
                   1) {
                read += part;
            }
        }
        ck_assert_mem_eq(pair.got, pair.sent, sizeof pair.got);
        ck_assert_uint_gt(waited, 0);
        pair_hang_up();
    }
}
END_TEST

/* Keys are renewed at the client's wish; the server may owe the answer for a while. */
START_TEST(new_keys)
{
    size_t moved, part;
    pair_connect_well(&(struct tls_client_options){.version = TLS1_3_VERSION});
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        pair_client_writes("abc", 3);
        tls_client_send(&pair.client, SIZE_MAX);
        ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_OK);
        ck_assert_uint_eq(moved, 3);
        ck_assert_int_eq(pair_server_writes("defg", 4, &moved), TRANSPORT_OK);
        tls_client_take(&pair.client);
        ck_assert_int_eq(SSL_read_ex(pair.client.ssl, pair.got, 100, &part), 1);
        ck_assert_uint_eq(part, 4);
    }
}
END_TEST

/* The client sends new keys, of which the server is to hear no end. */
static void pour_keys(int version, size_t bytes)
{
    while (tls_client_owes(&pair.client) < bytes) {
        if (version == TLS1_3_VERSION) {
            ck_assert_int_eq(SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
            ck_assert_int_eq(SSL_do_handshake(pair.client.ssl), 1);
        } else {
            pair_client_writes("x", 1);
        }
    }
}

/* Whatever comes, one read takes no more than about what it has space for. */
START_TEST(a_read_has_an_end)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        size_t moved;
        pair_connect_well(&(struct tls_client_options){.version = version});
        pour_keys(version, 200000);
        ck_assert_uint_gt(tls_client_send(&pair.client, SIZE_MAX), 60000);
        pair_server_reads(pair.got, 100, &moved);
        ck_assert_uint_eq(moved, version == TLS1_3_VERSION ? 0 : 100);
        ck_assert(pair_is_readable());
        pair_hang_up();
    }
}
END_TEST

/* New keys cost far more to take than to send. */
START_TEST(keys_without_an_end)
{
    size_t moved;
    pair_connect_well(&(struct tls_client_options){.version = TLS1_3_VERSION});
    enum transport_status status = TRANSPORT_AGAIN;
    for (int i = 0; i < 10000 && status == TRANSPORT_AGAIN; i++) {
        pour_keys(TLS1_3_VERSION, 1);
        tls_client_send(&pair.client, SIZE_MAX);
        status = pair_server_reads(pair.got, 100, &moved);
    }
    ck_assert_int_eq(status, TRANSPORT_FAILED);
    pair_hang_up();

    pair_connect_well(&(struct tls_client_options){.version = TLS1_3_VERSION});
    for (size_t at = 0; at + 16384 <= sizeof pair.sent; at += 16384) {
        pair_client_writes(pair.sent + at, 16384); /* a client that sends much may have many */
        pour_keys(TLS1_3_VERSION, tls_client_owes(&pair.client) + 1);
        for (size_t read = 0; read < 16384; read += moved) {
            tls_client_send(&pair.client, SIZE_MAX);
            status = pair_server_reads(pair.got, sizeof pair.got, &moved);
            ck_assert(status == TRANSPORT_OK || status == TRANSPORT_AGAIN);
        }
    }
}
END_TEST

START_TEST(damage_on_the_way)
{
    size_t moved;
    pair_connect_well(&pair_any);
    pair_client_writes("abc", 3);
    char *record;
    long length = BIO_get_mem_data(pair.client.out, &record);
    record[length - 1] ^= 1;
    tls_client_send(&pair.client, SIZE_MAX);
    ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_FAILED);
    ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_FAILED);
    ck_assert_int_eq(pair_server_writes("abc", 3, &moved), TRANSPORT_FAILED);
}
END_TEST

/* --- the end ------------------------------------------------------------------ */

/* The end that came with the last bytes is known, though the socket is silent. */
START_TEST(the_client_says_goodbye)
{
    size_t moved, part;
    pair_connect_well(&pair_any);
    pair_client_writes("abc", 3);
    SSL_shutdown(pair.client.ssl);
    tls_client_send(&pair.client, SIZE_MAX);
    ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_OK);
    ck_assert_uint_eq(moved, 3);
    ck_assert_int_eq(pair.server.wants, TRANSPORT_PENDING);
    ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_EOF);
    ck_assert_int_eq(pair_server_writes("answer", 6, &moved), TRANSPORT_OK);
    tls_client_take(&pair.client);
    ck_assert_int_eq(SSL_read_ex(pair.client.ssl, pair.got, 100, &part), 1);
    ck_assert_uint_eq(part, 6);
}
END_TEST

START_TEST(the_client_goes_without_goodbye)
{
    size_t moved, part;
    pair_connect_well(&pair_any);
    pair_client_writes("abc", 3);
    tls_client_send(&pair.client, SIZE_MAX);
    shutdown(pair.far, SHUT_WR);
    ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_OK);
    ck_assert_uint_eq(moved, 3);
    ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_EOF);
    ck_assert_int_eq(pair_server_writes("answer", 6, &moved), TRANSPORT_OK);
    tls_client_take(&pair.client);
    ck_assert_int_eq(SSL_read_ex(pair.client.ssl, pair.got, 100, &part), 1);
}
END_TEST

START_TEST(the_server_says_goodbye)
{
    size_t moved;
    pair_connect_well(&pair_any);
    pair.server.ops->end(&pair.server);
    ck_assert_int_eq(client_reads_end(), SSL_ERROR_ZERO_RETURN);
    pair_client_writes("abc", 3); /* it may still be talking */
    tls_client_send(&pair.client, SIZE_MAX);
    ck_assert_int_eq(pair_server_reads(pair.got, 100, &moved), TRANSPORT_OK);
    pair_hang_up();

    pair_connect_well(&pair_any);
    pair.server.ops->close(&pair.server);
    ck_assert_int_eq(client_reads_end(), SSL_ERROR_ZERO_RETURN);
}
END_TEST

/* Were SIGPIPE raised, the test would end here. */
START_TEST(a_peer_that_is_gone)
{
    size_t moved;
    pair_connect_well(&pair_any);
    tls_client_close(&pair.client);
    close(pair.far);
    pair.far = -1;
    ck_assert_int_eq(pair_server_writes("abc", 3, &moved), TRANSPORT_FAILED);
    pair.server.ops->end(&pair.server);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transport_tls");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, pair_set_up, pair_tear_down);
    tcase_add_test(all, every_cut);
    tcase_add_test(all, what_is_left_inside_is_said);
    tcase_add_test(all, a_mebibyte_in);
    tcase_add_test(all, a_mebibyte_out_through_a_small_socket);
    tcase_add_test(all, new_keys);
    tcase_add_test(all, a_read_has_an_end);
    tcase_add_test(all, keys_without_an_end);
    tcase_add_test(all, damage_on_the_way);
    tcase_add_test(all, the_client_says_goodbye);
    tcase_add_test(all, the_client_goes_without_goodbye);
    tcase_add_test(all, the_server_says_goodbye);
    tcase_add_test(all, a_peer_that_is_gone);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}
