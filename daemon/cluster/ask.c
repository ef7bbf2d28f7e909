/*
 * ask.c - sends a question to the node that has its slot, and follows what that says.
 *
 *                 .--------- MOVED, ASK, NOSCRIPT ----------.
 *                 v                                         |
 *     ask ----> route ----> a link has it ----> a reply ----+----> answered ----> told
 *                 ^  \                              |                   ^
 *                 |   '--> parked <-- TRYAGAIN, ----'                   |
 *                 '-----------'       CLUSTERDOWN ..                    |
 *                             '--------- patience is over --------------'
 *
 * What is parked waits for a node, or for some milliseconds, in the order in which it came. The
 * caller is told when all replies of one read have been looked at, so that one round of its event
 * loop has them all.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "daemon/base/metrics.h"
#include "daemon/base/thread.h"
#include "daemon/cluster/question.h"
#include "daemon/cluster/reply.h"
#include "daemon/cluster/topology.h"
#include "daemon/cluster/topology_refresh.h"

enum {
    TICK = 10,            /* ms between two looks at what is parked; see TRYAGAIN */
    LATER = 20,           /* ms until a node that could not answer is asked again */
    GONE_PATIENCE = 20,   /* ms, where the node has been gone for longer than the patience */
    REDIRECTIONS_MAX = 4, /* in a row; then TICK passes before each */
    LOSSES_MAX = 3,       /* a question with which so many links broke is not asked again */
};

TAILQ_HEAD(questions, question);

struct cluster {
    struct links links;
    struct topology topology;
    struct metrics *metrics;
    uint64_t patience;
    struct questions parked, answered;
    struct event tick, tell;
    bool telling;
    /* Copies for cluster_read_state. */
    _Atomic unsigned masters, masters_ready, replicas, slots, under_way;
};

static void count(struct cluster *cluster, enum metric metric)
{
    metrics_add(cluster->metrics, metric, 1);
}

/* --- telling the caller ------------------------------------------------------- */

static void set_under_way(struct cluster *cluster, int more)
{
    unsigned now = atomic_load_explicit(&cluster->under_way, memory_order_relaxed);
    atomic_store_explicit(&cluster->under_way, now + (unsigned)more, memory_order_relaxed);
}

static void settle(struct question *question, enum cluster_outcome outcome)
{
    struct cluster *cluster = question->cluster;
    question->is.outcome = outcome;
    question->place = QUESTION_ANSWERED;
    if (TAILQ_EMPTY(&cluster->answered)) {
        event_active(&cluster->tell, EV_TIMEOUT, 0);
    }
    TAILQ_INSERT_TAIL(&cluster->answered, question, next);
    if (outcome == CLUSTER_NOT_DONE) {
        count(cluster, METRIC_CLUSTER_NOT_DONE);
    } else if (outcome == CLUSTER_UNKNOWN) {
        count(cluster, METRIC_CLUSTER_UNKNOWN);
    } else if (question->is.from_replica) {
        count(cluster, METRIC_CLUSTER_REPLICA_READS);
    }
}

/* A callback may free other answered questions, and may cause further ones to be answered. */
static void tell(struct cluster *cluster)
{
    struct question *question;
    if (cluster->telling) {
        return;
    }
    cluster->telling = true;
    while ((question = TAILQ_FIRST(&cluster->answered)) != NULL) {
        TAILQ_REMOVE(&cluster->answered, question, next);
        question->place = QUESTION_TOLD;
        set_under_way(cluster, -1);
        question->is.answered(&question->is, question->is.context);
    }
    cluster->telling = false;
}

static void on_tell(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    tell(context);
}

/* --- routing ---------------------------------------------------------------- */

static bool is_ready(const struct node *node, uint64_t now)
{
    return node != NULL && node->doubt == NODE_TRUSTED && node->link != NULL &&
           link_is_ready(node->link, now);
}

/* Forgets a redirection. What is about the other side of a slot that moves goes there. */
static void aim(struct question *question)
{
    question->target =
        question->importing
            ? (uint16_t)topology_importer(&question->cluster->topology, question->slot)
            : TOPOLOGY_NO_NODE;
    question->asks = question->target != TOPOLOGY_NO_NODE;
}

/* NULL: none is ready. */
static struct node *find_node(struct question *question, uint64_t now)
{
    struct topology *topology = &question->cluster->topology;
    question->is.from_replica = false;
    if (question->target != TOPOLOGY_NO_NODE) {
        struct node *target = topology_node(topology, question->target);
        return is_ready(target, now) ? target : NULL;
    }
    struct node *owner = topology_owner(topology, question->slot);
    bool ready = is_ready(owner, now);
    if (owner == NULL || question->writes || (ready && !question->spares)) {
        return ready ? owner : NULL;
    }
    struct node *replica = topology_replica(topology, owner, now);
    question->is.from_replica = replica != NULL;
    return replica != NULL ? replica : ready ? owner : NULL;
}

static void park(struct question *question, uint64_t retry)
{
    struct cluster *cluster = question->cluster;
    if (TAILQ_EMPTY(&cluster->parked)) {
        struct timeval in = thread_timeval(TICK);
        event_add(&cluster->tick, &in);
    }
    question->place = QUESTION_PARKED;
    question->retry = retry;
    TAILQ_INSERT_TAIL(&cluster->parked, question, next);
}

static void route(struct question *question, uint64_t now)
{
    if (now >= question->expires) {
        settle(question, CLUSTER_NOT_DONE);
        return;
    }
    struct node *node = find_node(question, now);
    if (node == NULL) {
        park(question, 0);
        return;
    }
    question->place = QUESTION_LINKED;
    question->link = node->link;
    question_compose(question);
    link_send(node->link, &question->request);
}

/* Takes all out first: what cannot be sent yet is parked again, in the same order. */
static void route_parked(struct cluster *cluster)
{
    struct questions parked = TAILQ_HEAD_INITIALIZER(parked);
    struct question *question;
    uint64_t now = clock_now();
    TAILQ_CONCAT(&parked, &cluster->parked, next);
    while ((question = TAILQ_FIRST(&parked)) != NULL) {
        TAILQ_REMOVE(&parked, question, next);
        if (question->retry > now && now < question->expires) {
            park(question, question->retry);
        } else {
            route(question, now);
        }
    }
}

static void on_tick(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    route_parked(context);
}

/* --- replies ---------------------------------------------------------------- */

static void route_again(struct question *question)
{
    uint64_t now = clock_now();
    if (question->redirections < REDIRECTIONS_MAX) {
        question->redirections++;
        route(question, now);
    } else {
        park(question, now + TICK);
    }
}

static void wait_and_retry(struct question *question, uint64_t ms)
{
    count(question->cluster, METRIC_CLUSTER_RETRIED);
    aim(question);
    park(question, clock_now() + ms);
}

/* The number of the node that a redirection names, or TOPOLOGY_NO_NODE. */
static unsigned named(struct question *question, const struct redirection *to)
{
    return topology_find(&question->cluster->topology, to->host, to->port, question->link);
}

static void follow_moved(struct question *question, const struct redirection *to)
{
    struct cluster *cluster = question->cluster;
    unsigned number = named(question, to);
    count(cluster, METRIC_CLUSTER_MOVED);
    question->importing = false;
    if (number == TOPOLOGY_NO_NODE) {
        wait_and_retry(question, LATER);
        return;
    }
    topology_moved(&cluster->topology, to->slot, number);
    topology_refresh(&cluster->topology);
    question->slot = (uint16_t)to->slot;
    question->spares = false;
    aim(question);
    route_again(question);
}

static void follow_ask(struct question *question, const struct redirection *to)
{
    unsigned number = named(question, to);
    count(question->cluster, METRIC_CLUSTER_ASKED);
    if (number == TOPOLOGY_NO_NODE) {
        wait_and_retry(question, LATER);
        return;
    }
    topology_moves(&question->cluster->topology, to->slot, number);
    question->target = (uint16_t)number;
    question->asks = true;
    route_again(question);
}

static void give(struct question *question, struct cluster_reply **reply)
{
    question->is.reply = *reply;
    *reply = NULL;
    settle(question, CLUSTER_ANSWERED);
}

/* Takes the reply where it is the caller's. */
static void conclude(struct question *question, enum verdict verdict, const struct redirection *to,
                     struct cluster_reply **reply)
{
    switch (verdict) {
    case VERDICT_REPLY:
        give(question, reply);
        break;
    case VERDICT_MOVED:
        follow_moved(question, to);
        break;
    case VERDICT_ASK:
        follow_ask(question, to);
        break;
    case VERDICT_AGAIN:
        wait_and_retry(question, TICK);
        break;
    case VERDICT_LATER:
        topology_refresh(&question->cluster->topology);
        question->spares = !question->writes;
        wait_and_retry(question, LATER);
        break;
    case VERDICT_NO_SCRIPT:
        if (question->script == NULL || question->with_text) {
            give(question, reply);
            break;
        }
        count(question->cluster, METRIC_CLUSTER_RETRIED);
        question->with_text = true;
        route_again(question);
        break;
    }
}

static void take_guard(struct question *question, struct cluster_reply *reply)
{
    question->guard_reply = reply;
    question->guard_said = verdict_of(reply, &question->guard_to);
}

static bool is_of_guard(const struct question *question)
{
    return question->guard_said != VERDICT_REPLY && question->guard_said != VERDICT_ASK;
}

/* The reply to the command itself, after that to its guard. */
static void take_reply(struct question *question, struct cluster_reply **reply)
{
    struct redirection to;
    struct cluster_reply *guard = question->guard_reply;
    question->is.moves = question->guard_said == VERDICT_ASK;
    if (question->is.moves) {
        unsigned number = named(question, &question->guard_to);
        if (number != TOPOLOGY_NO_NODE) {
            topology_moves(&question->cluster->topology, question->slot, number);
        }
    } else if (guard != NULL && is_of_guard(question)) {
        struct redirection guard_to = question->guard_to;
        conclude(question, question->guard_said, &guard_to, &question->guard_reply);
        return;
    } else if (guard != NULL && guard->type == CLUSTER_ERROR) {
        give(question, &question->guard_reply);
        return;
    }
    enum verdict verdict = verdict_of(*reply, &to);
    conclude(question, verdict, &to, reply);
}

static struct question *of_request(struct link_request *request)
{
    return (struct question *)((char *)request - offsetof(struct question, request));
}

static bool on_replied(struct link *link, struct link_request *request, struct cluster_reply *reply)
{
    struct question *question = of_request(request);
    bool last = request->replies == 0;
    unsigned number = question->came++;
    (void)link;
    if (question->forgotten) {
        if (last) {
            question_destroy(&question);
        }
    } else if (question_is_guard(question, number)) {
        take_guard(question, reply);
        return true;
    } else if (last) {
        take_reply(question, &reply);
    }
    reply_free(&reply);
    return true;
}

static void on_lost(struct link *link, struct link_request *request, bool sent)
{
    struct question *question = of_request(request);
    (void)link;
    if (question->forgotten) {
        question_destroy(&question);
        return;
    }
    question->losses += sent;
    if (sent && question->writes) {
        settle(question, CLUSTER_UNKNOWN);
    } else if (question->losses == LOSSES_MAX) {
        settle(question, CLUSTER_NOT_DONE);
    } else {
        count(question->cluster, METRIC_CLUSTER_RETRIED);
        aim(question);
        route(question, clock_now());
    }
}

static const struct link_request_ops ops = {.replied = on_replied, .lost = on_lost};

/* --- asking ----------------------------------------------------------------- */

/* Where a node has been gone for long, questions do not queue up for it. */
static uint64_t patience_for(const struct cluster *cluster, unsigned slot, uint64_t now)
{
    const struct node *owner = topology_owner(&cluster->topology, slot);
    uint64_t since = owner != NULL ? owner->gone_since : cluster->topology.uncovered_since;
    return since != 0 && now - since > cluster->patience && GONE_PATIENCE < cluster->patience
               ? GONE_PATIENCE
               : cluster->patience;
}

struct cluster_question *cluster_ask(struct cluster *cluster, const struct cluster_command *command,
                                     cluster_answered *answered, void *context)
{
    struct question *question = question_create(command);
    if (question == NULL) {
        return NULL;
    }
    uint64_t now = clock_now();
    question->is.answered = answered;
    question->is.context = context;
    question->cluster = cluster;
    question->request.ops = &ops;
    question->expires = now + patience_for(cluster, question->slot, now);
    count(cluster, METRIC_CLUSTER_QUESTIONS);
    set_under_way(cluster, 1);
    aim(question);
    route(question, now);
    return &question->is;
}

void cluster_question_free(struct cluster_question **place)
{
    struct question *question = (struct question *)*place;
    *place = NULL;
    if (question == NULL) {
        return;
    }
    if (question->place != QUESTION_TOLD) {
        set_under_way(question->cluster, -1);
    }
    if (question->place == QUESTION_LINKED && !link_cancel(question->link, &question->request)) {
        question->forgotten = true;
        return;
    }
    if (question->place == QUESTION_PARKED) {
        TAILQ_REMOVE(&question->cluster->parked, question, next);
    } else if (question->place == QUESTION_ANSWERED) {
        TAILQ_REMOVE(&question->cluster->answered, question, next);
    }
    question_destroy(&question);
}

void cluster_flush(struct cluster *cluster)
{
    links_flush(&cluster->links);
}

/* --- what links and topology tell ---------------------------------------------- */

static void set(_Atomic unsigned *copy, unsigned value)
{
    atomic_store_explicit(copy, value, memory_order_relaxed);
}

static void copy_state(struct cluster *cluster)
{
    struct cluster_state state;
    topology_state(&cluster->topology, &state);
    set(&cluster->masters, state.masters);
    set(&cluster->masters_ready, state.masters_ready);
    set(&cluster->replicas, state.replicas);
    set(&cluster->slots, state.slots);
}

static void on_changed(void *context)
{
    copy_state(context);
    route_parked(context);
}

static void on_ready(void *context, struct link *link)
{
    struct cluster *cluster = context;
    topology_ready(&cluster->topology, link);
    on_changed(cluster);
}

static void on_broke(void *context, struct link *link)
{
    struct cluster *cluster = context;
    topology_broke(&cluster->topology, link);
    copy_state(cluster);
}

static void on_round(void *context)
{
    tell(context);
}

void cluster_read_state(const struct cluster *cluster, struct cluster_state *state)
{
    *state = (struct cluster_state){
        .masters = atomic_load_explicit(&cluster->masters, memory_order_relaxed),
        .masters_ready = atomic_load_explicit(&cluster->masters_ready, memory_order_relaxed),
        .replicas = atomic_load_explicit(&cluster->replicas, memory_order_relaxed),
        .slots = atomic_load_explicit(&cluster->slots, memory_order_relaxed),
        .under_way = atomic_load_explicit(&cluster->under_way, memory_order_relaxed),
    };
}

/* --- making and unmaking ----------------------------------------------------- */

static struct links_options links_options(struct cluster *cluster,
                                          const struct cluster_options *options)
{
    return (struct links_options){
        .base = options->base,
        .metrics = options->metrics,
        .tls = options->tls,
        .user = options->user,
        .secret = options->secret,
        .deadline = options->patience / 2,
        .reply_max = options->reply_max,
        .listener = {.ready = on_ready, .broke = on_broke, .round = on_round, .context = cluster},
    };
}

struct cluster *cluster_create(const struct cluster_options *options)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);
    if (cluster == NULL) {
        return NULL;
    }
    struct links_options of_links = links_options(cluster, options);
    struct topology_listener listener = {.changed = on_changed, .context = cluster};
    cluster->metrics = options->metrics;
    cluster->patience = options->patience;
    TAILQ_INIT(&cluster->parked);
    TAILQ_INIT(&cluster->answered);
    event_assign(&cluster->tick, options->base, -1, 0, on_tick, cluster);
    event_assign(&cluster->tell, options->base, -1, 0, on_tell, cluster);
    errno = ENOMEM;
    if (!links_init(&cluster->links, &of_links) ||
        !topology_init(&cluster->topology, &cluster->links, options->nodes, options->node_count,
                       &listener)) {
        int error = errno;
        cluster_destroy(&cluster);
        errno = error;
        return NULL;
    }
    topology_refresh_begin(&cluster->topology);
    return cluster;
}

void cluster_destroy(struct cluster **place)
{
    struct cluster *cluster = *place;
    *place = NULL;
    topology_deinit(&cluster->topology);
    topology_refresh_end(&cluster->topology);
    links_deinit(&cluster->links);
    event_del(&cluster->tick);
    event_del(&cluster->tell);
    free(cluster);
}
