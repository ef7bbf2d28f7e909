/*
 * foreign.h - other protocols that clients may speak to a listener by mistake, or that a web page
 * makes a browser speak: how their bytes begin, and how they are answered before the connection is
 * closed.
 */
#ifndef KVCACHED_PROTOCOL_FOREIGN_H
#define KVCACHED_PROTOCOL_FOREIGN_H

#include "protocol/slice.h"

enum foreign {
    FOREIGN_NONE,
    FOREIGN_HTTP,
    FOREIGN_TLS,   /* a handshake, where the listener has no TLS */
    FOREIGN_REDIS, /* RESP */
};

/* What input is whose first line may be incomplete: an HTTP POST, a Host header and a TLS handshake
 * are recognised by their first 5 bytes. */
enum foreign foreign_start(struct slice start);

/* What a complete line is that begins with no verb of the protocol: HTTP, TLS or none. */
enum foreign foreign_line(struct slice line);

/* The same for a line with a verb that HTTP has too: whether the word after it begins with a slash,
 * and the line ends like one of HTTP. */
bool foreign_has_http_path(struct slice line);

/* Whether a complete line begins a request in Redis's protocol: the number of its words, or of a
 * word's bytes. */
bool foreign_is_redis(struct slice line);

enum { FOREIGN_ANSWER_MAX = 320 }; /* bytes */

/* Writes what the peer is answered, in its own protocol; `speaks` names the listener's, in 32 bytes
 * at most. Returns how many bytes that is; 0: nothing. */
size_t foreign_answer(enum foreign foreign, const char *speaks, char to[FOREIGN_ANSWER_MAX]);

#endif
