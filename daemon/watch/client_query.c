/*
 * client_query.c - see client_query.h.
 */
#include "daemon/watch/client_query.h"

#include <stdlib.h>

struct client_query *client_query_create(enum client_query_kind kind)
{
    struct client_query *query = calloc(1, sizeof *query);
    if (query != NULL) {
        query->kind = kind;
    }
    return query;
}

void client_query_clear(struct client_query *query)
{
    free(query->clients);
    query->clients = NULL;
    query->count = 0;
    query->found = false;
    query->done = false;
}

void client_query_destroy(struct client_query **place)
{
    struct client_query *query = *place;
    *place = NULL;
    if (query != NULL) {
        free(query->clients);
        free(query);
    }
}
