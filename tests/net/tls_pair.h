/*
 * tls_pair.h - a transport that encrypts, and its client, at the two ends of a socket pair.
 *
 * Each test has an own one of everything here; certificates are made for it.
 */
#ifndef KVCACHED_TESTS_NET_TLS_PAIR_H
#define KVCACHED_TESTS_NET_TLS_PAIR_H

#include "conf/conf.h"
#include "daemon/net/tls.h"
#include "daemon/net/transport.h"
#include "tests/net/tls_client.h"

enum { PAIR_BYTES = 1 << 20 };

struct pair {
    struct conf_listen conf; /* its strings are to be freed */
    struct tls *tls;
    struct transport server;
    struct tls_client client;
    int far; /* the client's end, or -1 */
    struct transport_handshake handshake;
    unsigned char sent[PAIR_BYTES], got[PAIR_BYTES]; /* random, and room */
};

extern struct pair pair;
extern const struct tls_client_options pair_any;

/* For tcase_add_checked_fixture. */
void pair_set_up(void);
void pair_tear_down(void);

/* Reads the files and puts them in force. */
void pair_load(void);

size_t pair_below(size_t bound); /* at random */

void pair_connect(const struct tls_client_options *options);
void pair_hang_up(void);

/* Both sides make what steps they can until the server knows; `piece` bytes go at a time. */
enum transport_status pair_shake_in_pieces(size_t piece);
enum transport_status pair_shake(void);

/* Connects and shakes hands, which must go well. */
void pair_connect_well(const struct tls_client_options *options);

void pair_client_writes(const void *bytes, size_t length);
enum transport_status pair_server_reads(void *to, size_t size, size_t *moved);
enum transport_status pair_server_writes(const void *from, size_t size, size_t *moved);

/* Whether the server's socket has anything. */
bool pair_is_readable(void);

#endif
