/*
 * reload_request.c - see reload_request.h.
 */
#include "daemon/request/reload_request.h"

#include <stdlib.h>
#include <string.h>

static void destroy(struct reload_request *request)
{
    free(request->text);
    free(request);
}

/* False: the daemon stops. */
static bool submit(struct reload_queue *queue, struct reload_request *request)
{
    if (queue == NULL) {
        return false;
    }
    wakeup_lock(&queue->wakeup);
    if (queue->closed) {
        wakeup_unlock(&queue->wakeup);
        return false;
    }
    STAILQ_INSERT_TAIL(&queue->all, request, next);
    wakeup_send(&queue->wakeup);
    return true;
}

struct reload_request *reload_request_submit(const struct reload_asker *asker,
                                             struct identity *identity, bool *stopping)
{
    struct reload_request *request = calloc(1, sizeof *request);
    *stopping = false;
    if (request == NULL) {
        return NULL;
    }
    request->asker = asker;
    request->identity = identity;
    *stopping = !submit(asker->queue, request);
    if (*stopping) {
        free(request);
        return NULL;
    }
    return request;
}

void reload_request_abandon(struct reload_request **request)
{
    if ((*request)->answered) {
        destroy(*request);
    } else {
        (*request)->identity = NULL;
    }
    *request = NULL;
}

struct identity *reload_request_returned(struct reload_request *request)
{
    struct identity *identity = request->identity;
    request->answered = true;
    if (identity == NULL) {
        destroy(request);
    }
    return identity;
}

/* --- the main thread --------------------------------------------------------------- */

bool reload_queue_init(struct reload_queue *queue, struct event_base *base, event_callback_fn woken,
                       void *context)
{
    STAILQ_INIT(&queue->all);
    return wakeup_init(&queue->wakeup, base, woken, context);
}

void reload_queue_deinit(struct reload_queue *queue)
{
    wakeup_deinit(&queue->wakeup);
}

void reload_queue_take(struct reload_queue *queue, struct reload_requests *to)
{
    wakeup_receive(&queue->wakeup);
    STAILQ_CONCAT(to, &queue->all);
    wakeup_unlock(&queue->wakeup);
}

void reload_queue_close(struct reload_queue *queue, struct reload_requests *to)
{
    wakeup_lock(&queue->wakeup);
    queue->closed = true;
    STAILQ_CONCAT(to, &queue->all);
    wakeup_unlock(&queue->wakeup);
}

void reload_requests_answer(struct reload_requests *requests, int result, const char *text)
{
    struct reload_request *request;
    while ((request = STAILQ_FIRST(requests)) != NULL) {
        STAILQ_REMOVE_HEAD(requests, next);
        request->result = result;
        request->text = text != NULL ? strdup(text) : NULL;
        request->asker->answered(request);
    }
}
