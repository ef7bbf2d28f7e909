/*
 * connections.c - opens, reconfigures, drains and closes the connections of a loop, and has the
 * callbacks of its events.
 */
#include "daemon/conn/connections.h"

#include "daemon/base/clock.h"
#include "daemon/conn/conn.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_memory.h"
#include "daemon/conn/conn_state.h"
#include "daemon/conn/pressure.h"
#include "daemon/conn/run_queue.h"
#include "daemon/conn/scheduler.h"
#include "daemon/conn/timeouts.h"
#include "daemon/request/reload_request.h"

enum { KEEP_CONNS = 256 }; /* free blocks */

/* Authenticates the connection by its certificate, if it has one that names a user. Again after a
 * reload, since the user may be gone. */
static void authenticate_by_certificate(struct conn *conn)
{
    char name[REQUEST_NAMESPACE_MAX];
    size_t length = conn->identity.state == IDENTITY_UNAUTHENTICATED
                        ? transport_user(&conn->transport, name, sizeof name)
                        : 0;
    if (length > 0) {
        identity_by_certificate(&conn->identity, &conn->loop->auth, (struct slice){name, length});
    }
}

/* Enters it into the lists of the loop, and waits for the first bytes. False: it is closed. */
static bool activate(struct conn *conn)
{
    struct loop *loop = conn->loop;
    struct instance *instance = loop->instance;
    identity_init(&conn->identity, &loop->auth, conn->transport.fd, loop->now);
    conn->identity.id =
        1 + atomic_fetch_add_explicit(&instance->last_connection, 1, memory_order_relaxed);
    conn->identity.opened = (uint32_t)((loop->now - instance->started) / 100);
    authenticate_by_certificate(conn);
    conn_notice(conn, EVENT_OPENED, "");
    TAILQ_INSERT_TAIL(&loop->active, conn, link);
    conn_follow_identity(conn);
    loop_arm_sweep(loop);
    if (!conn_watch(conn, EV_READ)) {
        conn_close(conn, CONN_CLOSE_NO_MEMORY);
        return false;
    }
    if (loop->draining || conn->transport.wants != 0) {
        run_queue_add(conn);
    }
    return true;
}

bool connections_open(struct loop *loop, struct transport *transport,
                      const struct endpoint *endpoint)
{
    struct conn *conn = pool_get(&loop->conns);
    if (conn == NULL) {
        transport->ops->close(transport);
        instance_connection_closed(loop->instance);
        metrics_add(loop->metrics, METRIC_CLOSE_NO_MEMORY, 1);
        return false;
    }
    loop->now = clock_now();
    *conn = (struct conn){
        .loop = loop,
        .endpoint = endpoint,
        .transport = *transport,
        .state = PIPELINE_NEEDS_INPUT,
        .last_active = loop->now,
        .listed_at = loop->now,
    };
    return activate(conn);
}

static void on_ready(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    scheduler_ready(context, what);
}

static void on_slice(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    scheduler_run(context);
}

static void on_round(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    conn_io_end_round(context);
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    timeouts_sweep(context);
}

void connections_serve(struct loop *loop)
{
    pool_init(&loop->conns, sizeof(struct conn), KEEP_CONNS);
    loop->on_ready = on_ready;
    evtimer_assign(&loop->slice, loop->base, on_slice, loop);
    evtimer_assign(&loop->round.ends, loop->base, on_round, loop);
    evtimer_assign(&loop->sweep, loop->base, on_sweep, loop);
    pressure_serve(loop);
}

/* Authenticates each connection anew. The old users are freed with their last reference. */
static void change_users(struct loop *loop, struct users *users)
{
    struct users *before = loop->auth.users;
    struct conn *conn;
    loop->auth.users = users_get(users);
    TAILQ_FOREACH(conn, &loop->active, link)
    {
        identity_follow(&conn->identity, &loop->auth, loop->now);
        authenticate_by_certificate(conn);
        conn_follow_identity(conn);
    }
    users_put(&before);
}

void connections_reconfigure(struct loop *loop, const struct conn_settings *settings,
                             struct users *users)
{
    conn_io_end_round(loop);
    loop->now = clock_now();
    loop_configure(loop, settings);
    change_users(loop, users);
    event_del(&loop->sweep);
    loop_arm_sweep(loop);
}

static struct conn *conn_of(void *identity)
{
    return (struct conn *)((char *)identity - offsetof(struct conn, identity));
}

/* The identity of a connection that waited for something; NULL: it is gone. */
static void go_on(void *identity)
{
    if (identity != NULL) {
        run_queue_add(conn_of(identity));
    }
}

void connections_resume(struct identity *identity)
{
    struct conn *conn = conn_of(identity);
    if (conn->is_queued) {
        return;
    }
    if (conn->watched == CONN_WATCH_PEER) {
        conn_watch(conn, 0); /* that would close it in the middle of the round */
    }
    conn->interactive = false; /* until this pass is short and finishes */
    conn_io_begin(conn, false, false);
}

void connections_grew(struct identity *identity)
{
    conn_memory_update(conn_of(identity));
}

void connections_return_query(struct client_query *query)
{
    if (query->asker == NULL) {
        client_query_destroy(&query);
    } else {
        query->done = true;
        go_on(query->asker);
    }
}

void connections_wake_watchers(struct loop *loop)
{
    if (loop->watch != NULL) {
        watch_woken(loop->watch, go_on);
    }
}

void connections_answered(struct login_request *login)
{
    go_on(identity_answered(login));
}

void connections_reloaded(struct reload_request *request)
{
    go_on(reload_request_returned(request));
}

void connections_drain(struct loop *loop)
{
    struct conn *conn;
    conn_io_end_round(loop);
    loop->draining = true;
    while ((conn = TAILQ_FIRST(&loop->lingering)) != NULL) {
        conn_destroy(conn);
    }
    TAILQ_FOREACH(conn, &loop->active, link)
    {
        if (conn->state == PIPELINE_NEEDS_INPUT && !conn->ended) {
            run_queue_add(conn);
        }
    }
    loop_end_if_drained(loop);
}

void connections_close_all(struct loop *loop)
{
    struct conn *conn;
    conn_io_end_round(loop);
    while ((conn = TAILQ_FIRST(&loop->lingering)) != NULL) {
        conn_destroy(conn);
    }
    while ((conn = TAILQ_FIRST(&loop->active)) != NULL) {
        conn_close(conn, CONN_CLOSE_STOPPING);
    }
}
