/*
 * clients.c - see clients.h.
 *
 * The list of all connections is walked for each part of an answer, which takes some tens of
 * nanoseconds a connection; those of the part are described, which takes a microsecond each.
 */
#include "daemon/conn/clients.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/conn/conn.h"
#include "daemon/conn/conn_io.h"
#include "daemon/conn/conn_state.h"
#include "daemon/net/peer.h"
#include "daemon/request/inspection.h"

/* --- describing one ------------------------------------------------------------------- */

static uint64_t owed_by(const struct conn *conn)
{
    if (conn->lingers || conn->pipeline == NULL) {
        return 0;
    }
    uint64_t backlog = conn->pipeline->replies.backlog;
    return backlog == 0 ? 0 : backlog + transport_queued(conn->transport.fd);
}

static enum client_state state_of(const struct conn *conn)
{
    if (conn->lingers) {
        return CLIENT_LINGERING;
    }
    enum client_state state =
        conn->pipeline == NULL ? CLIENT_IDLE : pipeline_doing(conn->pipeline, conn->has_backlog);
    return state == CLIENT_IDLE && inspection_watches(&conn->identity) ? CLIENT_WATCHING : state;
}

/* "TLSv1.3" becomes "1.3". */
static void describe_tls(const struct conn *conn, struct client *client)
{
    static const char prefix[] = "TLSv";
    const struct transport_ops *ops = conn->transport.ops;
    const char *version = ops->version == NULL ? "" : ops->version(&conn->transport);
    bool usual = strncmp(version, prefix, sizeof prefix - 1) == 0;
    snprintf(client->tls, sizeof client->tls, "%s", version + (usual ? sizeof prefix - 1 : 0));
}

static void describe(const struct conn *conn, struct client *client)
{
    const struct loop *loop = conn->loop;
    const struct identity *identity = &conn->identity;
    uint64_t opened = loop->instance->started + (uint64_t)identity->opened * 100;
    *client = (struct client){.id = identity->id,
                              .listener = conn->endpoint->name,
                              .protocol = endpoint_protocol(conn->endpoint),
                              .state = state_of(conn),
                              .last = (enum verb)identity->last_verb,
                              .fd = conn->transport.fd,
                              .age = loop->now > opened ? loop->now - opened : 0,
                              .idle = loop->now - conn->last_active,
                              .in = conn->received,
                              .out = conn->sent,
                              .owes = owed_by(conn)};
    peer_name(conn->transport.fd, client->peer, sizeof client->peer);
    describe_tls(conn, client);
    if (!conn->lingers && identity->state == IDENTITY_AUTHENTICATED) { /* else they may be gone */
        struct slice name = user_name(identity->user);
        memcpy(client->user, name.bytes, name.length);
    }
}

/* --- a part of them --------------------------------------------------------------------- */

static uint64_t count(const struct loop *loop)
{
    const struct conn *conn;
    uint64_t conns = 0;
    TAILQ_FOREACH(conn, &loop->active, link)
    {
        conns++;
    }
    return conns + atomic_load_explicit(&loop->lingering_count, memory_order_relaxed);
}

/* Adds it, if it belongs to the part. False: no memory. */
static bool add(struct client_query *query, const struct conn *conn, size_t *room)
{
    if (conn->identity.id % query->parts != query->part) {
        return true;
    }
    if (query->count == *room) {
        size_t more = *room + CLIENT_QUERY_PART;
        struct client *clients = realloc(query->clients, more * sizeof *clients);
        if (clients == NULL) {
            return false;
        }
        query->clients = clients;
        *room = more;
    }
    describe(conn, &query->clients[query->count++]);
    return true;
}

static void list(const struct loop *loop, struct client_query *query)
{
    const struct loop_list *const lists[] = {&loop->active, &loop->lingering};
    const struct conn *conn;
    size_t room = 0;
    if (query->parts == 0) {
        query->part = 0;
        query->parts = 1 + count(loop) / CLIENT_QUERY_PART;
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        TAILQ_FOREACH(conn, lists[i], link)
        {
            if (!add(query, conn, &room)) {
                return;
            }
        }
    }
}

/* --- the end of one --------------------------------------------------------------------- */

static struct conn *find(const struct loop_list *conns, uint64_t id)
{
    struct conn *conn;
    TAILQ_FOREACH(conn, conns, link)
    {
        if (conn->identity.id == id) {
            break;
        }
    }
    return conn;
}

/* One that lingers was closed for another reason before. */
static bool kill_conn(struct loop *loop, uint64_t id)
{
    struct conn *active = find(&loop->active, id);
    struct conn *lingering = active != NULL ? NULL : find(&loop->lingering, id);
    if (active != NULL) {
        conn_close(active, CONN_CLOSE_KILLED);
    } else if (lingering != NULL) {
        conn_destroy(lingering);
    }
    return active != NULL || lingering != NULL;
}

void clients_answer(struct loop *loop, struct client_query *query)
{
    conn_io_end_round(loop); /* the connection to be closed may have begun its pass */
    loop->now = clock_now();
    if (query->kind == CLIENT_QUERY_KILL) {
        query->found = kill_conn(loop, query->id);
    } else {
        list(loop, query);
    }
}
