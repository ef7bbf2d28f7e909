/*
 * protocol_find.c - the protocols by their names in the configuration.
 */
#include "protocol/protocol.h"

static const struct protocol *const protocols[] = {
    &protocol_native,
    &protocol_memcache,
};

const struct protocol *protocol_find(struct slice name)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        if (slice_equal(name, slice_of(protocols[i]->name))) {
            return protocols[i];
        }
    }
    return NULL;
}
