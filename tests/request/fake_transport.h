/*
 * fake_transport.h - a transport without a socket, for tests: it hands out bytes that are
 * already there, in pieces of any size, and keeps what is written to it, taking
 * as much at a time as the test allows.
 */
#ifndef KVCACHED_TESTS_REQUEST_FAKE_TRANSPORT_H
#define KVCACHED_TESTS_REQUEST_FAKE_TRANSPORT_H

#include "daemon/net/transport.h"
#include "protocol/slice.h"

struct wire {
    struct transport transport; /* must come first */
    struct slice in;            /* what is still to be read; then comes the end */
    size_t read_step;           /* bytes of a read; 0: as many as are asked for */
    size_t write_step;          /* bytes of a write; 0: all */
    bool full;                  /* nothing can be written now */
    char *out;                  /* what was written */
    size_t out_length, out_capacity;
};

void wire_init(struct wire *wire, struct slice in);
void wire_deinit(struct wire *wire);

#endif
