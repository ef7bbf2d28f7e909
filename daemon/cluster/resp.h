/*
 * resp.h - RESP2, the protocol of the nodes: bytes to replies, and commands to bytes.
 *
 * Replies are read by hiredis's reader with functions that make struct cluster_reply, so that
 * nothing is converted afterwards. What a node may send is bounded: the bytes and the elements of
 * a reply, its nesting, and the length of a line.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_RESP_H
#define KVCACHED_DAEMON_CLUSTER_RESP_H

#include "daemon/cluster/cluster.h"

/* --- reading ---------------------------------------------------------------- */

struct resp_reader;

enum resp_status {
    RESP_REPLY,
    RESP_MORE,   /* more bytes are needed */
    RESP_BROKEN, /* what came is no RESP, or too much, or there is no memory; see resp_failure */
};

/* `reply_max`: bytes that a reply may have, with what its nodes take. NULL: no memory. */
struct resp_reader *resp_reader_create(uint64_t reply_max);
/* Sets *reader to NULL; NULL is legal. */
void resp_reader_destroy(struct resp_reader **reader);

/* Takes a copy of bytes that came. False: as RESP_BROKEN. */
bool resp_reader_feed(struct resp_reader *reader, struct slice bytes);
/* The next reply, which is the caller's. After RESP_BROKEN nothing more comes. */
enum resp_status resp_reader_next(struct resp_reader *reader, struct cluster_reply **reply);
/* Why it is broken, for the log; good until the reader is destroyed. */
const char *resp_failure(const struct resp_reader *reader);

/* --- writing ---------------------------------------------------------------- */

/* Bytes that an argument of that length takes, all but its own. */
size_t resp_frame_size(size_t length);

/* Each returns the end of what it wrote. A command is its count of arguments, and then each
 * argument: its length, its bytes, and a line end. */
char *resp_put_count(char *to, size_t count);
char *resp_put_length(char *to, size_t length);
char *resp_put_end(char *to);
char *resp_put_argument(char *to, struct slice argument);

enum { RESP_COUNT_MAX = 24 /* bytes that resp_put_count writes at most */ };

#endif
