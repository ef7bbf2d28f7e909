/*
 * creators.c - see creators.h.
 */
#include "daemon/store/records/creators.h"

#include <stddef.h>
#include <stdlib.h>

/* The link to it, or the one at the end of the list where it would be. */
static struct creator **find(struct creator **link, uint64_t tag)
{
    while (*link != NULL && (*link)->tag != tag) {
        link = &(*link)->next;
    }
    return link;
}

uint32_t creators_namespaces(const struct creators *creators, uint64_t tag)
{
    const struct creator *creator = creators->heads[tag % CREATORS_HEADS];
    while (creator != NULL && creator->tag != tag) {
        creator = creator->next;
    }
    return creator != NULL ? creator->namespaces : 0;
}

struct creator *creators_take(struct creators *creators, uint64_t tag)
{
    if (tag == 0) {
        return NULL;
    }
    struct creator **link = find(&creators->heads[tag % CREATORS_HEADS], tag);
    if (*link == NULL) {
        *link = calloc(1, sizeof **link);
        if (*link == NULL) {
            return NULL;
        }
        (*link)->tag = tag;
    }
    (*link)->namespaces++;
    return *link;
}

void creators_give(struct creators *creators, struct creator **owned)
{
    struct creator *creator = *owned;
    *owned = NULL;
    if (creator != NULL && --creator->namespaces == 0) {
        *find(&creators->heads[creator->tag % CREATORS_HEADS], creator->tag) = creator->next;
        free(creator);
    }
}
