/*
 * acl.h - what patterns of namespaces' names allow.
 *
 * Asked before every request, so the patterns are sorted by shape once: a namespace's name
 * is searched for among the plain names, compared with each prefix (`web-*`), and only what
 * is left over is matched as a glob, which was compiled beforehand.
 */
#ifndef KVCACHED_DAEMON_AUTH_ACL_H
#define KVCACHED_DAEMON_AUTH_ACL_H

#include <stddef.h>

#include "protocol/glob.h"
#include "protocol/slice.h"

/* In the order in which they lie. */
enum grant_shape { GRANT_NAME, GRANT_PREFIX, GRANT_GLOB };

/* One pattern, and the bits that it gives. */
struct grant {
    struct slice text;       /* of a prefix without its star */
    const struct glob *glob; /* GRANT_GLOB */
    enum grant_shape shape;
    unsigned bits;
};

struct grants {
    unsigned everywhere;                                /* what `*` gives */
    const struct grant *names, *prefixes, *globs, *end; /* each up to the next */
};

/* Bytes of memory that a pattern takes beside its own; a multiple of 8. */
size_t grant_size(struct slice pattern);
/* Keeps the pattern's bytes, GLOB_MAX at most, and uses grant_size(pattern) bytes of memory,
 * aligned as malloc does: both are the caller's. */
struct grant grant_of(struct slice pattern, unsigned bits, void *memory);

/* The array is the caller's, to be left alone as long as the grants are asked: it is put in
 * order, and those that differ in bits only become one. */
void grants_init(struct grants *grants, struct grant *array, size_t count);

/* The bits in a namespace. */
unsigned grants_in(const struct grants *grants, struct slice ns);

#endif
