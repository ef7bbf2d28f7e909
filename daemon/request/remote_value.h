/*
 * remote_value.h - how the value of a record in a cluster is stored.
 *
 * A value is stored as it is, so that other clients of the cluster can read it, and a number is
 * one for them too. Client flags other than 0 stand before it, in a head: 0xF8, 0x01, and four
 * bytes, the highest first. A value that begins with 0xF8 itself always has a head.
 *
 * The version of a record is made from what is stored: the first eight bytes of its SHA-1. So the
 * same value under the same flags has the same version.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_VALUE_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_VALUE_H

#include <stdint.h>

#include "protocol/slice.h"

enum {
    REMOTE_HEAD = 6,            /* bytes of a head */
    REMOTE_HEAD_FIRST = 0xF8,   /* its first byte */
    REMOTE_HEAD_SECOND = 0x01,  /* its second byte */
    REMOTE_VERSION_DIGITS = 16, /* hexadecimal ones, as scripts have them */
};

/* Writes the head that the value needs, and returns how many bytes: REMOTE_HEAD or 0. */
size_t remote_value_head(uint32_t client_flags, struct slice value, char head[REMOTE_HEAD]);

/* Splits what is stored. */
struct slice remote_value_split(struct slice stored, uint32_t *client_flags);

/* The version of what is stored as head and value; never 0. */
uint64_t remote_value_version(struct slice head, struct slice value);

/* The digits of a version, not terminated. */
void remote_value_digits(uint64_t version, char digits[REMOTE_VERSION_DIGITS]);

/* A version from its digits; 0: these are none. */
uint64_t remote_value_parse_version(struct slice digits);

#endif
