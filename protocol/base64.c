/*
 * base64.c - keys of any bytes as the meta commands send them: RFC 4648, with padding.
 */
#include "protocol/base64.h"

static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The 6 bits that a letter stands for, or -1. */
static int bits_of(char letter)
{
    const char *at = memchr(letters, letter, sizeof letters);
    return at == NULL ? -1 : (int)(at - letters);
}

bool base64_check(struct slice text, size_t *length)
{
    size_t padding = 0;
    while (padding < 2 && padding < text.length && text.bytes[text.length - 1 - padding] == '=') {
        padding++;
    }
    if (text.length == 0 || text.length % 4 != 0) {
        return false;
    }
    for (size_t i = 0; i < text.length - padding; i++) {
        if (bits_of(text.bytes[i]) < 0) {
            return false;
        }
    }
    *length = text.length / 4 * 3 - padding;
    return true;
}

bool base64_decode(char *bytes, size_t *length)
{
    size_t decoded = 0;
    size_t done = 0;
    unsigned bits = 0;
    if (!base64_check((struct slice){bytes, *length}, &decoded)) {
        return false;
    }
    for (size_t i = 0; i < *length && done < decoded; i++) {
        bits = bits << 6 | (unsigned)bits_of(bytes[i]);
        if (i % 4 != 0) { /* 8 bits are complete */
            unsigned spare = 6 - 2 * (i % 4);
            bytes[done++] = (char)(unsigned char)(bits >> spare & 0xff);
        }
    }
    *length = decoded;
    return true;
}

char *base64_encode(char *to, struct slice bytes)
{
    for (size_t i = 0; i < bytes.length; i += 3) {
        size_t left = bytes.length - i;
        unsigned bits = 0;
        for (size_t j = 0; j < 3; j++) {
            bits = bits << 8 | (j < left ? (unsigned)(unsigned char)bytes.bytes[i + j] : 0);
        }
        to[0] = letters[bits >> 18];
        to[1] = letters[bits >> 12 & 63];
        to[2] = left > 1 ? letters[bits >> 6 & 63] : '=';
        to[3] = left > 2 ? letters[bits & 63] : '=';
        to += 4;
    }
    return to;
}
