/*
 * http_conns.c - see http_conns.h.
 */
#include "daemon/http/http_conns.h"

#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/base/clock.h"

uint64_t http_conns_now(void)
{
    return clock_precise() / 1000000;
}

/* What evhttp has freed has no callbacks any more. */
static bool is_freed(struct bufferevent *bufferevent)
{
    bufferevent_data_cb read, write;
    bufferevent_event_cb event;
    void *context;
    bufferevent_getcb(bufferevent, &read, &write, &event, &context);
    return event == NULL;
}

static void end(struct http_conn *conn)
{
    if (!conn->ending) {
        conn->ending = true;
        shutdown(bufferevent_getfd(conn->bufferevent), SHUT_RDWR);
    }
}

static void release(struct http_conns *conns, struct http_conn *conn)
{
    bufferevent_decref(conn->bufferevent);
    *conn = (struct http_conn){.bufferevent = NULL};
    conns->count--;
}

static bool is_over(const struct http_conn *conn, uint64_t now)
{
    return now - conn->since >= (conn->answering == NULL ? HTTP_IDLE_MS : HTTP_ANSWER_MS);
}

/* The oldest without a request under way. NULL: there is none, or one is being closed already. */
static struct http_conn *find_idle(struct http_conns *conns)
{
    struct http_conn *oldest = NULL;
    for (size_t i = 0; i < HTTP_CONNS_MAX; i++) {
        struct http_conn *conn = &conns->all[i];
        if (conn->bufferevent != NULL && conn->ending) {
            return NULL;
        }
        if (conn->bufferevent != NULL && conn->answering == NULL &&
            (oldest == NULL || conn->since < oldest->since)) {
            oldest = conn;
        }
    }
    return oldest;
}

static void suspend_accepting(struct http_conns *conns)
{
    struct http_conn *idle = find_idle(conns);
    conns->full = true;
    evconnlistener_disable(conns->listener);
    if (idle != NULL) {
        end(idle);
    }
}

struct http_conn *http_conns_add(struct http_conns *conns, struct bufferevent *bufferevent)
{
    struct http_conn *conn = http_conns_find(conns, NULL);
    if (conn == NULL) {
        return NULL;
    }
    bufferevent_incref(bufferevent);
    bufferevent_setwatermark(bufferevent, EV_READ, 0, HTTP_INPUT_MAX);
    *conn = (struct http_conn){.bufferevent = bufferevent, .since = http_conns_now()};
    conns->count++;
    if (conns->count == HTTP_CONNS_MAX) {
        suspend_accepting(conns);
    }
    return conn;
}

struct http_conn *http_conns_find(struct http_conns *conns, struct bufferevent *bufferevent)
{
    for (size_t i = 0; i < HTTP_CONNS_MAX; i++) {
        if (conns->all[i].bufferevent == bufferevent) {
            return &conns->all[i];
        }
    }
    return NULL;
}

void http_conns_sweep(struct http_conns *conns)
{
    uint64_t now = http_conns_now();
    for (size_t i = 0; i < HTTP_CONNS_MAX; i++) {
        struct http_conn *conn = &conns->all[i];
        if (conn->bufferevent == NULL) {
            continue;
        }
        if (is_freed(conn->bufferevent)) {
            release(conns, conn);
        } else if (is_over(conn, now)) {
            end(conn);
        }
    }
    if (conns->full && conns->count < HTTP_CONNS_MAX) {
        conns->full = false;
        evconnlistener_enable(conns->listener);
    }
}

unsigned http_conns_due(const struct http_conns *conns)
{
    bool ending = false;
    for (size_t i = 0; i < HTTP_CONNS_MAX; i++) {
        ending |= conns->all[i].bufferevent != NULL && conns->all[i].ending;
    }
    if (!conns->full) {
        return HTTP_SWEEP_MS;
    }
    return ending ? HTTP_SWEEP_ENDING_MS : HTTP_SWEEP_FULL_MS;
}

void http_conns_pause(struct http_conns *conns)
{
    conns->full = true;
    evconnlistener_disable(conns->listener);
}

void http_conns_deinit(struct http_conns *conns)
{
    for (size_t i = 0; i < HTTP_CONNS_MAX; i++) {
        if (conns->all[i].bufferevent != NULL) {
            release(conns, &conns->all[i]);
        }
    }
}
