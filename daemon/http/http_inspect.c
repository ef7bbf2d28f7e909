/*
 * http_inspect.c - see http_inspect.h.
 *
 * A worker's answer is waited for, but not without end: a query that comes back too late is freed
 * by the worker that answers it.
 */
#include "daemon/http/http_inspect.h"

#include <event2/buffer.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/base/instance.h"
#include "daemon/base/thread.h"
#include "daemon/watch/client_query.h"
#include "daemon/watch/slow_log.h"

/* --- /slow ----------------------------------------------------------------------------- */

static void add_line(struct evbuffer *body, char *line, size_t length)
{
    line[length] = '\n';
    evbuffer_add(body, line, length + 1);
}

void http_inspect_slow(const struct instance *instance, struct evbuffer *body)
{
    enum { AT_ONCE = 16 };
    struct slow_request slow[AT_ONCE];
    char line[SLOW_LINE_MAX + 1];
    size_t count;
    uint64_t after = slow_log_before(instance->slow_log, 0);
    while ((count = slow_log_read(instance->slow_log, after, slow, AT_ONCE)) > 0) {
        for (size_t i = 0; i < count; i++) {
            add_line(body, line, inspect_slow(&slow[i], line));
        }
        after = slow[count - 1].id;
    }
}

/* --- asking a worker --------------------------------------------------------------------- */

/* A query that is waited for. It frees itself where the wait has ended before the answer came. */
struct wait {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool answered, abandoned; /* under the lock */
    struct client_query *query;
};

static void destroy_wait(struct wait *wait)
{
    client_query_destroy(&wait->query);
    pthread_cond_destroy(&wait->changed);
    pthread_mutex_destroy(&wait->lock);
    free(wait);
}

/* On the thread of the worker. */
static void on_answered(struct client_query *query)
{
    struct wait *wait = query->context;
    pthread_mutex_lock(&wait->lock);
    bool abandoned = wait->abandoned;
    wait->answered = true;
    pthread_cond_signal(&wait->changed);
    pthread_mutex_unlock(&wait->lock);
    if (abandoned) {
        destroy_wait(wait);
    }
}

static struct wait *make_wait(void)
{
    struct wait *wait = calloc(1, sizeof *wait);
    struct client_query *query = client_query_create(CLIENT_QUERY_LIST);
    if (wait == NULL || query == NULL) {
        free(wait);
        client_query_destroy(&query);
        return NULL;
    }
    pthread_mutex_init(&wait->lock, NULL);
    thread_cond_init(&wait->changed);
    wait->query = query;
    query->answered = on_answered;
    query->context = wait;
    return wait;
}

/* False: there was no answer in time; *wait is not the caller's any more. */
static bool ask(const struct client_desk *desk, unsigned worker, struct wait *wait)
{
    struct timespec until;
    int error = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += HTTP_INSPECT_PATIENCE_MS / 1000;
    wait->answered = false;
    desk->ask(desk->context, worker, wait->query);
    pthread_mutex_lock(&wait->lock);
    while (!wait->answered && error == 0) {
        error = pthread_cond_timedwait(&wait->changed, &wait->lock, &until);
    }
    bool answered = wait->answered;
    wait->abandoned = !answered;
    pthread_mutex_unlock(&wait->lock);
    return answered;
}

/* --- /clients ------------------------------------------------------------------------------ */

static void add_clients(const struct client_query *query, struct evbuffer *body)
{
    char line[CLIENT_LINE_MAX + 1];
    for (size_t i = 0; i < query->count; i++) {
        add_line(body, line, inspect_client(&query->clients[i], line));
    }
}

/* All parts of a worker's connections. */
static bool list_worker(const struct client_desk *desk, unsigned worker, struct evbuffer *body)
{
    struct wait *wait = make_wait();
    if (wait == NULL) {
        return false;
    }
    struct client_query *query = wait->query;
    do {
        client_query_clear(query);
        if (!ask(desk, worker, wait)) {
            return false;
        }
        add_clients(query, body);
    } while (++query->part < query->parts);
    destroy_wait(wait);
    return true;
}

bool http_inspect_clients(const struct instance *instance, struct evbuffer *body)
{
    const struct client_desk *desk = instance->clients;
    for (unsigned worker = 0; worker < desk->workers; worker++) {
        if (!list_worker(desk, worker, body)) {
            return false;
        }
    }
    return true;
}
