/*
 * remote.c - a worker's way to the cluster, and work that waits for it.
 */
#include "daemon/request/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* --- of a worker ------------------------------------------------------------------ */

static bool make_scripts(struct remote *remote)
{
    for (int i = 0; i < REMOTE_SCRIPTS; i++) {
        remote->scripts[i] = cluster_script_create(remote_script_text((enum remote_script)i));
        if (remote->scripts[i] == NULL) {
            errno = ENOMEM;
            return false;
        }
    }
    return true;
}

struct remote *remote_create(const struct cluster_options *options,
                             const struct remote_hooks *hooks)
{
    struct remote *remote = calloc(1, sizeof *remote);
    if (remote == NULL) {
        return NULL;
    }
    remote->hooks = *hooks;
    remote->ahead = REMOTE_AHEAD;
    if (make_scripts(remote)) {
        remote->cluster = cluster_create(options);
    }
    if (remote->cluster == NULL) {
        int error = errno;
        remote_destroy(&remote);
        errno = error;
    }
    return remote;
}

void remote_destroy(struct remote **place)
{
    struct remote *remote = *place;
    *place = NULL;
    if (remote == NULL) {
        return;
    }
    if (remote->cluster != NULL) {
        cluster_destroy(&remote->cluster);
    }
    for (int i = 0; i < REMOTE_SCRIPTS; i++) {
        if (remote->scripts[i] != NULL) {
            cluster_script_destroy(&remote->scripts[i]);
        }
    }
    free(remote);
}

/* --- work ------------------------------------------------------------------------- */

void remote_wake(struct remote_work *work)
{
    if (work->waits) {
        work->waits = false;
        work->remote->hooks.resume(work->identity);
    }
}

/* --- what the other files share ------------------------------------------------------- */

/* Of an array that of its elements, too; they have none in what nodes answer to us. */
static size_t memory_of(const struct cluster_reply *reply)
{
    size_t bytes = sizeof *reply + reply->text.length;
    for (size_t i = 0; i < reply->count; i++) {
        bytes += sizeof reply + sizeof *reply + reply->elements[i]->text.length;
    }
    return bytes;
}

size_t remote_hold(struct remote_work *work, const struct cluster_question *question)
{
    enum { MUCH = 4 << 10 };
    size_t bytes = question->outcome == CLUSTER_ANSWERED ? memory_of(question->reply) : 0;
    work->held += bytes;
    if (bytes >= MUCH) {
        work->remote->hooks.grew(work->identity);
    }
    return bytes;
}

void remote_refuse_verb(struct command_context *ctx, const struct request *request,
                        struct slice name)
{
    char text[REQUEST_NAMESPACE_MAX + 64];
    int length = snprintf(text, sizeof text,
                          "not in namespace \"%.*s\": its records are in the "
                          "cluster",
                          (int)name.length, name.bytes);
    command_refuse_text(ctx, request, REASON_OTHER, (struct slice){text, (size_t)length});
}

void remote_tell_value(struct command_context *ctx, const struct request *request,
                       const struct reply *reply, struct slice value, struct cluster_reply *stored)
{
    if (value.length <= STORE_COPY_MAX) {
        reply_queue_value_copy(ctx->replies, request, reply, value);
    } else {
        reply_queue_value_own(ctx->replies, request, reply, value, cluster_reply_take_text(stored));
    }
}

void remote_adapt_ahead(struct remote *remote, size_t bytes)
{
    enum { LARGE = 16 << 10, TOGETHER = 1 << 20 };
    if (bytes > LARGE) {
        size_t ahead = TOGETHER / bytes;
        remote->ahead = ahead < 1 ? 1 : ahead < remote->ahead ? (unsigned)ahead : remote->ahead;
    } else if (remote->ahead < REMOTE_AHEAD) {
        remote->ahead++;
    }
}
