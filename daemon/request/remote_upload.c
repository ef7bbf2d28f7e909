/*
 * remote_upload.c - see remote_upload.h.
 */
#include "daemon/request/remote_upload.h"

#include <stdlib.h>

#include "daemon/request/remote_part.h"
#include "daemon/request/remote_value.h"

enum { AT_ONCE = 1 << 20 }; /* bytes that are read with one call: no pass takes long */

struct remote_upload {
    struct remote_work work;
    struct remote_part part; /* owns the memory until it is asked */
    size_t length, filled;   /* bytes of the value */
    bool asked;
};

static void destroy(struct remote_work *work)
{
    struct remote_upload *upload = (struct remote_upload *)work;
    remote_part_end(&upload->part);
    free(upload);
}

struct remote_work *remote_upload_create(struct command_context *ctx, const struct request *request)
{
    struct remote_upload *upload = malloc(sizeof *upload);
    if (upload == NULL) {
        return NULL;
    }
    *upload = (struct remote_upload){.work = remote_begin(ctx, sizeof *upload, destroy),
                                     .length = request->value_length};
    upload->part.work = &upload->work;
    bool joins = request->verb == VERB_APPEND || request->verb == VERB_PREPEND;
    upload->part.reserved = request->client_flags != 0 && !joins ? REMOTE_HEAD : 0;
    upload->part.owned = malloc(upload->part.reserved + upload->length);
    if (upload->part.owned == NULL) {
        destroy(&upload->work);
        return NULL;
    }
    return &upload->work;
}

struct iovec remote_upload_space(struct remote_work *work)
{
    struct remote_upload *upload = (struct remote_upload *)work;
    size_t left = upload->length - upload->filled;
    return (struct iovec){upload->part.owned + upload->part.reserved + upload->filled,
                          left < AT_ONCE ? left : AT_ONCE};
}

void remote_upload_advance(struct remote_work *work, size_t size)
{
    ((struct remote_upload *)work)->filled += size;
}

size_t remote_upload_memory(const struct remote_work *work)
{
    const struct remote_upload *upload = (const struct remote_upload *)work;
    return work->held + upload->filled;
}

bool remote_upload_commit(struct command_context *ctx, struct remote_work *work,
                          struct request *request, struct store_key *at)
{
    struct remote_upload *upload = (struct remote_upload *)work;
    if (!upload->asked) {
        request->value = (struct slice){upload->part.owned + upload->part.reserved, upload->length};
        upload->asked = true;
        remote_part_ask(ctx, request, at, &upload->part);
        request->value = (struct slice){NULL, 0};
    }
    if (upload->part.pending > 0) {
        remote_wait(work, &upload->part);
        return false;
    }
    remote_part_answer(ctx, request, at, &upload->part);
    return true;
}
