/*
 * native_fixture.h - what the tests of the native protocol share: the texts of its errors, and the
 * comparison of a transcript with what is to be understood.
 */
#ifndef KVCACHED_TESTS_PROTOCOL_NATIVE_FIXTURE_H
#define KVCACHED_TESTS_PROTOCOL_NATIVE_FIXTURE_H

#include "tests/protocol/transcript.h"

enum { MAX_VALUE = 64, WINDOW = REQUEST_LINE_MAX + MAX_VALUE + 2 };

#define USAGE_PUT    "PUT <ns> <key> [<ttl> [<bytes> [<flags>]]]"
#define RIGHT_FLAGS  "write a decimal from 0 to 4294967295"
#define RIGHT_SECRET "write 1 to 256 bytes without white space and control characters"
#define RIGHT_NS     "write 1 to 64 of A-Z a-z 0-9 _ . -"
#define RIGHT_KEY    "write 1 to 1024 bytes, white space and control characters as \\xNN"
#define RIGHT_TTL                                                                                  \
    "write 90 or 1.5 (seconds), 500ms, 30m, 7d (ms s m h d w), 0 or never, - for the default"
#define RIGHT_SPACES  "write single spaces between words, and none at the end"
#define RIGHT_NUMBER  "write a decimal from 0 to 18446744073709551615"
#define RIGHT_BYTES   "write a decimal number, and that many bytes behind the line"
#define RIGHT_PATTERN "write * ? [a-z] [^a-z], and \\ before what is to be taken as it is"
#define MEMCACHED     "this listener speaks kvcached's own protocol"
#define THEN_LINE     "; the next line counts as the value and is dropped"
#define THEN_BYTES(n) "; the value, " n " bytes, is dropped"
#define UNFRAMED      "; where the value ends is unknown: the connection is closed"
#define NEXT_LINE     "; a value goes onto the next line"
#define NO_LINE_END   "no line end behind the value: <bytes> must count it exactly"

extern const struct feed native_at_once;

/* The bytes, fed like this, are understood like this. */
void native_expect_bytes(struct slice wire, const struct feed *feed, const char *understood);
void native_expect(const char *wire, const struct feed *feed, const char *understood);

#endif
