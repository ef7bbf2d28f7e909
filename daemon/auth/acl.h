/*
 * acl.h - what patterns of namespaces' names allow.
 *
 * Rights are asked for before every request, so the patterns are sorted by shape once: a
 * namespace's name is searched for among the plain names, compared with each prefix (`web-*`), and
 * matched only with the patterns that are left, which were compiled beforehand.
 */
#ifndef KVCACHED_DAEMON_AUTH_ACL_H
#define KVCACHED_DAEMON_AUTH_ACL_H

#include <stddef.h>

#include "protocol/slice.h"

struct glob;

/* In the order in which they lie. */
enum acl_rule_shape { ACL_NAME, ACL_PREFIX, ACL_GLOB };

/* One pattern, and the bits that it gives. */
struct acl_rule {
    struct slice text;       /* of a prefix without its star */
    const struct glob *glob; /* ACL_GLOB */
    enum acl_rule_shape shape;
    unsigned bits;
};

struct acl {
    unsigned everywhere;                                   /* the bits that `*` gives */
    const struct acl_rule *names, *prefixes, *globs, *end; /* each up to the next */
};

/* Bytes of memory that a pattern takes beside its own text; a multiple of 8. */
size_t acl_rule_size(struct slice pattern);
/* Keeps the pattern's text, GLOB_MAX bytes at most, and uses acl_rule_size(pattern) bytes of
 * memory, aligned as malloc does: the caller owns both, and must keep them. */
struct acl_rule acl_rule_of(struct slice pattern, unsigned bits, void *memory);

/* The caller owns the array of rules, and must keep it as long as the acl. It is sorted, and rules
 * that differ in bits only become one. */
void acl_init(struct acl *acl, struct acl_rule *rules, size_t count);

/* The bits in a namespace. */
unsigned acl_in(const struct acl *acl, struct slice ns);

#endif
