/*
 * store_status.h - what calls of the store return, and the limits of names, keys and values.
 * store.h includes it.
 */
#ifndef KVCACHED_DAEMON_STORE_STORE_STATUS_H
#define KVCACHED_DAEMON_STORE_STORE_STATUS_H

#define STORE_NEVER 0 /* a ttl or an expiry that does not come */

enum {
    STORE_NAMESPACE_MAX = 64,     /* bytes of a name */
    STORE_KEY_MAX = 1024,         /* bytes */
    STORE_COPY_MAX = 16384,       /* no larger value is read under a lock: it is pinned
                                     where it lies; so are some smaller ones */
    STORE_PIECES_MAX = 4096,      /* the most pieces one value can lie in */
    STORE_NAMESPACES_MAX = 65535, /* namespaces at once */
    STORE_NAMESPACE_COST = 640,   /* bytes that one takes before anything is in it, at most */
};

enum store_status {
    STORE_OK,
    STORE_NOT_FOUND,
    STORE_EXISTS,
    STORE_CHANGED,             /* the record has another version than was expected */
    STORE_NOT_A_NUMBER,        /* the value is not an unsigned 64-bit decimal */
    STORE_OVERFLOW,            /* the sum would not fit 64 bits */
    STORE_TTL_REQUIRED,        /* the namespace wants a ttl with every write */
    STORE_UNDECLARED,          /* policy: only declared namespaces */
    STORE_TOO_MANY_NAMESPACES, /* undeclared ones; or there are no numbers left */
    STORE_TOO_MANY_OWN,        /* half of the undeclared ones are this creator's */
    STORE_TOO_LARGE,           /* larger than max_value, or than the namespace's
                                  quota or the memory could ever hold */
    STORE_NO_MEMORY,           /* and nothing may be evicted at the moment */
    STORE_FELL_BEHIND,         /* a listing that was stepped too slowly while memory was short */
    STORE_CROWDED,             /* too much is pinned, or being uploaded: try again in a few
                                  milliseconds */
    STORE_UNFINISHED,          /* of APPEND and PREPEND: go on with store_append_step */
    STORE_TOO_SLOW,            /* of an upload that was ended under pressure, by its caller */
};

#endif
