/*
 * transcript.h - feeds bytes to a protocol as a connection would, and writes
 * down what was understood.
 *
 * What comes out must not depend on how the bytes were cut, on whether values
 * were waited for or streamed, or on what happens to lie behind the buffer. So
 * each test and fuzzer compares transcripts. Every call of the parser gets a
 * copy of its bytes that has exactly their length, so that a sanitizer sees a
 * step too far, and each call's contract is checked: a broken one aborts.
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
 *   silent CLIENT_ERROR ...       the client waits for no answer
 *   FATAL CLIENT_ERROR ...        and nothing comes after it
 *   HANGUP                        and nothing comes after it
 *
 * To be freed by the caller.
 */
char *transcript(const struct protocol *protocol, struct slice bytes, const struct feed *feed);

#endif
