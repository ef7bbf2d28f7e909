/*
 * remote_scripts.h - what nodes do in one step: the scripts, in Lua, that read a record and write
 * it. A node runs a script without anything else in between.
 *
 * KEYS[1] is the record's key. A time to live is an argument: milliseconds, `n` for ever, `g` gone
 * at once, `k` the one that the record has; where a record is made, `r` if the policy refuses it,
 * which is answered with -5. A version is REMOTE_VERSION_DIGITS digits; empty: any.
 *
 * A version is compared where there is a record.
 *
 *     SWAP     stored, version, ttl, `m` to make a record (or empty)
 *                                         1 written, 0 another version, -1 there is no record
 *     JOIN     value, `a` behind or `p` before, version, the most bytes of a value, ttl of a
 *              record that is made (empty: none is), its head, `v` for the version
 *                                         { status, bytes of the value, version }, -2 too large
 *     SUM      number, `i` or `d`, `w` to wrap, version, ttl, ttl of a record that is made (empty:
 *              none is), its number, `v` for the version
 *                                         { status, number, PTTL, version, `m` if it was made },
 *                                         -3 not a number, -4 beyond 64 bits
 *     DELETE   version                    as SWAP
 *     FOREVER                             1, or 0: there is no record
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_SCRIPTS_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_SCRIPTS_H

enum remote_script {
    REMOTE_SCRIPT_SWAP,    /* a write of a value where the record has the expected version */
    REMOTE_SCRIPT_JOIN,    /* APPEND, PREPEND */
    REMOTE_SCRIPT_SUM,     /* INCR, DECR */
    REMOTE_SCRIPT_DELETE,  /* where the record has the expected version */
    REMOTE_SCRIPT_FOREVER, /* TOUCH that takes the time to live away */
    REMOTE_SCRIPTS,
};

enum remote_script_status {
    REMOTE_DONE = 1,
    REMOTE_CHANGED = 0,
    REMOTE_MISSING = -1,
    REMOTE_TOO_LARGE = -2,
    REMOTE_NO_NUMBER = -3,
    REMOTE_OVERFLOW = -4,
    REMOTE_TTL_REQUIRED = -5,
};

const char *remote_script_text(enum remote_script script);

#endif
