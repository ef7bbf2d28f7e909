/*
 * handle.h - what a handle has: its options, a connection, and what goes and comes.
 *
 * connection.c makes the connection, transfer.c moves bytes, append.c makes requests and expect.c
 * knows what they may be answered with. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_HANDLE_H
#define KVCACHED_SCRIPTS_CLIENTS_C_HANDLE_H

#include "scripts/clients/c/buffer.h"
#include "scripts/clients/c/expect.h"
#include "scripts/clients/c/link.h"

struct kvc {
    struct settings settings;
    struct link link;
    struct buffer in;  /* received */
    size_t in_taken;   /* of those, how many were returned in replies */
    struct buffer out; /* to be sent; kept until all of it was sent */
    size_t out_sent;   /* of those, how many were */
    struct buffer key; /* of the last row, decoded */
    struct expect_queue awaited;
    int timeout;   /* milliseconds; below 0: none */
    int64_t until; /* when the call that runs has to be done; 0: each wait has the timeout */
    struct kvc_error error;
};

/* Notes an error; returns its code. */
enum kvc_result handle_fail(struct kvc *kvc, enum kvc_result code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Forgets what was received, what is to be sent and what is awaited. */
void handle_clear(struct kvc *kvc);

/* Notes the error, and closes the connection. What has come can still be read. */
enum kvc_result handle_lose(struct kvc *kvc, enum kvc_result code, const char *why);

#endif
