/*
 * inspection.c - makes and frees it; see inspection.h.
 */
#include "daemon/request/inspection.h"

#include <stdlib.h>

struct inspection *inspection_of(struct identity *identity)
{
    if (identity->inspection == NULL) {
        identity->inspection = calloc(1, sizeof *identity->inspection);
    }
    return identity->inspection;
}

void inspection_end_query(struct inspection *inspection)
{
    if (inspection->query != NULL && !inspection->query->done) {
        inspection->query->asker = NULL; /* when it comes back it is freed */
        inspection->query = NULL;
    }
    client_query_destroy(&inspection->query);
}

void inspection_end(struct identity *identity)
{
    struct inspection *inspection = identity->inspection;
    if (inspection != NULL) {
        identity->inspection = NULL;
        inspection_end_query(inspection);
        watch_leave(&inspection->watcher);
        free(inspection);
    }
}
