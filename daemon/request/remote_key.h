/*
 * remote_key.h - how the key of a record in a cluster is made.
 *
 *     {sessions.5f}alice
 *
 * The hash tag in braces decides in which slot a key lies. It is the namespace and a bucket, the
 * low eight bits of the key's CRC-16. So the records of a namespace lie in REMOTE_BUCKETS known
 * slots: they are spread over all nodes, and can be listed without looking at those of others.
 * In the namespace's name `}` is written as %7D, and `%` as %25.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_KEY_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_KEY_H

#include "daemon/cluster/cluster.h"
#include "protocol/request.h"

enum {
    REMOTE_BUCKETS = 256,
    REMOTE_PREFIX_MAX = 3 * REQUEST_NAMESPACE_MAX + 5, /* bytes of {namespace.5f} */
    REMOTE_KEY_MAX = REMOTE_PREFIX_MAX + REQUEST_KEY_MAX,
};

struct remote_key {
    unsigned slot;
    size_t prefix; /* bytes before the key */
    size_t length;
    char bytes[REMOTE_KEY_MAX];
};

static inline struct slice remote_key_slice(const struct remote_key *key)
{
    return (struct slice){key->bytes, key->length};
}

void remote_key_make(struct remote_key *to, struct slice ns, struct slice key);

/* The prefix of a bucket, as a key of its own. */
void remote_key_bucket(struct remote_key *to, struct slice ns, unsigned bucket);

#endif
