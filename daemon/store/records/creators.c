/*
 * creators.c - see creators.h.
 */
#include "daemon/store/records/creators.h"

#include <stddef.h>
#include <stdlib.h>

/* The link to it, or the one at the end of the list where it would be. */
static struct maker **find(struct maker **link, uint64_t tag)
{
    while (*link != NULL && (*link)->tag != tag) {
        link = &(*link)->next;
    }
    return link;
}

uint32_t makers_namespaces(const struct makers *makers, uint64_t tag)
{
    const struct maker *maker = makers->heads[tag % MAKERS_HEADS];
    while (maker != NULL && maker->tag != tag) {
        maker = maker->next;
    }
    return maker != NULL ? maker->namespaces : 0;
}

struct maker *makers_take(struct makers *makers, uint64_t tag)
{
    if (tag == 0) {
        return NULL;
    }
    struct maker **link = find(&makers->heads[tag % MAKERS_HEADS], tag);
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

void makers_give(struct makers *makers, struct maker **owned)
{
    struct maker *maker = *owned;
    *owned = NULL;
    if (maker != NULL && --maker->namespaces == 0) {
        *find(&makers->heads[maker->tag % MAKERS_HEADS], maker->tag) = maker->next;
        free(maker);
    }
}
