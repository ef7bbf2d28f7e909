/*
 * tls_pair.c - see tls_pair.h.
 */
#include "tests/net/tls_pair.h"

#include <check.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/net/certificates.h"
#include "tests/support/scratch.h"

enum { ROUNDS_MAX = 100000 };

struct pair pair = {.far = -1};
const struct tls_client_options pair_any = {.version = 0};

static uint64_t state = 88172645463325252;

/* Xorshift (Marsaglia 2003). */
size_t pair_below(size_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state % bound);
}

void pair_load(void)
{
    char error[TLS_ERROR_MAX];
    ck_assert_msg(tls_load(pair.tls, error), "%s", error);
    tls_adopt(pair.tls);
}

void pair_set_up(void)
{
    scratch_make();
    certificate_make_plain("server", NULL);
    pair.conf = (struct conf_listen){.tls_certificate = strdup(certificate_path("server")),
                                     .tls_key = strdup(certificate_key_path("server"))};
    pair.tls = tls_create(&pair.conf);
    ck_assert_ptr_nonnull(pair.tls);
    pair_load();
    for (size_t i = 0; i < sizeof pair.sent; i++) {
        pair.sent[i] = (unsigned char)pair_below(256);
    }
}

void pair_hang_up(void)
{
    if (pair.server.ops != NULL && pair.server.fd >= 0) {
        pair.server.ops->close(&pair.server);
    }
    if (pair.far >= 0) {
        tls_client_close(&pair.client);
        close(pair.far);
        pair.far = -1;
    }
}

void pair_tear_down(void)
{
    pair_hang_up();
    tls_destroy(&pair.tls);
    free(pair.conf.tls_certificate);
    free(pair.conf.tls_key);
    free(pair.conf.tls_client_ca);
    scratch_remove();
}

void pair_connect(const struct tls_client_options *options)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pair.far = ends[0];
    transport_plain(&pair.server, ends[1]);
    ck_assert(transport_tls(&pair.server, pair.tls));
    tls_client_open(&pair.client, pair.far, options);
    pair.handshake = (struct transport_handshake){.failure = NULL};
}

/* Both sides make what steps they can until the server knows; `piece` bytes go at a time. */
enum transport_status pair_shake_in_pieces(size_t piece)
{
    for (int i = 0; i < ROUNDS_MAX; i++) {
        SSL_connect(pair.client.ssl);
        tls_client_send(&pair.client, piece);
        enum transport_status status = pair.server.ops->handshake(&pair.server, &pair.handshake);
        tls_client_take(&pair.client);
        if (status != TRANSPORT_AGAIN) {
            SSL_connect(pair.client.ssl);
            return status;
        }
    }
    ck_abort_msg("no end of shaking hands");
    return TRANSPORT_FAILED;
}

enum transport_status pair_shake(void)
{
    return pair_shake_in_pieces(SIZE_MAX);
}

void pair_connect_well(const struct tls_client_options *options)
{
    pair_connect(options);
    enum transport_status status = pair_shake();
    ck_assert_msg(status == TRANSPORT_OK, "%s", pair.handshake.failure);
}

void pair_client_writes(const void *bytes, size_t length)
{
    size_t written;
    ck_assert_int_eq(SSL_write_ex(pair.client.ssl, bytes, length, &written), 1);
    ck_assert_uint_eq(written, length);
}

enum transport_status pair_server_reads(void *to, size_t size, size_t *moved)
{
    *moved = 0;
    return pair.server.ops->read(&pair.server, to, size, moved);
}

enum transport_status pair_server_writes(const void *from, size_t size, size_t *moved)
{
    struct iovec piece = {(void *)(uintptr_t)from, size};
    *moved = 0;
    return pair.server.ops->writev(&pair.server, &piece, 1, moved);
}

bool pair_is_readable(void)
{
    struct pollfd at = {.fd = pair.server.fd, .events = POLLIN};
    return poll(&at, 1, 0) == 1;
}
