/*
 * remote_key.c - see remote_key.h.
 */
#include "daemon/request/remote_key.h"

#include <string.h>

static char *add_escaped(char *to, char byte)
{
    memcpy(to, byte == '}' ? "%7D" : "%25", 3);
    return to + 3;
}

void remote_key_bucket(struct remote_key *to, struct slice ns, unsigned bucket)
{
    static const char digits[] = "0123456789abcdef";
    char *at = to->bytes;
    *at++ = '{';
    for (size_t i = 0; i < ns.length; i++) {
        char byte = ns.bytes[i];
        if (byte == '}' || byte == '%') {
            at = add_escaped(at, byte);
        } else {
            *at++ = byte;
        }
    }
    *at++ = '.';
    *at++ = digits[bucket >> 4];
    *at++ = digits[bucket & 15];
    struct slice tag = {to->bytes + 1, (size_t)(at - to->bytes) - 1};
    to->slot = cluster_crc16(0, tag) % CLUSTER_SLOTS;
    *at++ = '}';
    to->length = to->prefix = (size_t)(at - to->bytes);
}

void remote_key_make(struct remote_key *to, struct slice ns, struct slice key)
{
    remote_key_bucket(to, ns, cluster_crc16(0, key) % REMOTE_BUCKETS);
    memcpy(to->bytes + to->prefix, key.bytes, key.length);
    to->length += key.length;
}
