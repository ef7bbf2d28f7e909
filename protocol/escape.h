/*
 * escape.h - how lines for people show a byte that is not printable: lines of the log, and those
 * about what the daemon does (logfmt.h).
 *
 * Inline: daemon/base includes this header and links nothing of protocol/. Async-signal-safe.
 */
#ifndef KVCACHED_PROTOCOL_ESCAPE_H
#define KVCACHED_PROTOCOL_ESCAPE_H

enum { ESCAPE_MAX = 4 }; /* bytes that a byte takes at most */

/* Writes the byte as \\, \n, \r, \t or \xNN; returns where that ends. */
static inline char *escape_byte(char *to, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[] = "\\\\\nn\rr\tt";
    *to++ = '\\';
    for (const char *pair = letters; *pair != '\0'; pair += 2) {
        if ((unsigned char)pair[0] == byte) {
            *to++ = pair[1];
            return to;
        }
    }
    *to++ = 'x';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

#endif
