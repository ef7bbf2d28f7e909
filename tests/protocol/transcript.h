/*
 * transcript.h - feeds bytes to a protocol as a connection would, and writes
 * down what was understood.
 *
 * A transcript must not depend on how the bytes were split, on whether values were buffered or
 * streamed, or on what is in memory after the buffer. So tests and fuzzers compare transcripts.
 * Every call of the parser gets a copy of its bytes in a block of exactly their length, so that a
 * sanitizer detects an overrun. Each call's contract is checked: a violation aborts.
 */
#ifndef KVCACHED_TESTS_PROTOCOL_TRANSCRIPT_H
#define KVCACHED_TESTS_PROTOCOL_TRANSCRIPT_H

#include "protocol/protocol.h"

struct feed {
    uint64_t max_value;
    size_t window;
    size_t first;       /* bytes of the first piece; 0: like the others */
    size_t step;        /* bytes of the other pieces; 0: all that is left */
    uint64_t seed;      /* not 0: pieces of 1 to `step` bytes, by chance */
    bool patient;       /* waits for `wanted` bytes before it calls again */
    bool refuse_bodies; /* streamed values are refused after half of them */
    bool login;         /* the client has to authenticate */
};

/*
 * One line for each request or refusal, in words of our own; what is not
 * printable is written \xNN:
 *
 *   GET ns=a keys=k1 k2
 *   PUT ns=a keys=k ttl=1500 value=5:hello
 *   GET in pieces ns=a ttl=default key=k1 key=k2     keys of a line that came in pieces
 *   CLIENT_ERROR ...
 *   silent CLIENT_ERROR ...       the client expects no reply
 *   FATAL CLIENT_ERROR ...        and nothing comes after it
 *   HANGUP                        and nothing comes after it
 *
 * To be freed by the caller.
 */
char *transcript(const struct protocol *protocol, struct slice bytes, const struct feed *feed);

#endif
