/*
 * worker.c - the thread of a worker, and its mailbox.
 *
 * The worker empties its mailbox under the wakeup's lock, and handles the contents outside of it.
 */
#include "daemon/conn/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/heartbeat.h"
#include "daemon/base/log.h"
#include "daemon/base/thread.h"
#include "daemon/base/wakeup.h"
#include "daemon/conn/clients.h"
#include "daemon/conn/connections.h"
#include "daemon/conn/loop.h"
#include "daemon/conn/timeouts.h"
#include "daemon/net/handoff.h"
#include "daemon/net/handshaker.h"
#include "daemon/request/reload_request.h"
#include "daemon/request/remote.h"

TAILQ_HEAD(logins, login_request);

/* Those that other threads ask of this worker, and those of this worker that are answered. */
struct queries {
    struct client_queries asked, answered;
};

/* Messages from other threads. All of it is under the wakeup's lock. */
struct mailbox {
    struct handoffs handoffs;
    struct logins logins;           /* answered by the authenticator */
    struct reload_requests reloads; /* answered by the main thread */
    struct queries queries;
    struct conn_settings settings;
    struct users *users; /* a reference, while `reconfigure` */
    bool reconfigure;
    bool stop;
    bool busy;           /* the worker has taken settings, and is applying them */
    pthread_cond_t idle; /* neither `reconfigure` nor `busy` */
};

struct worker {
    struct loop loop; /* of the thread alone, once it runs */
    struct mailbox mailbox;
    struct wakeup wakeup;
    struct event tell;     /* watchers of events that have happened here */
    struct event deadline; /* of draining: WORKER_DRAIN_MS */
    struct heartbeat heartbeat;
    struct reload_asker reload_asker;
    pthread_t thread;
    bool runs; /* the thread was started */
    unsigned id;
};

/* --- the worker's side ---------------------------------------------------- */

static void start_draining(struct worker *worker)
{
    static const struct timeval drain = {WORKER_DRAIN_MS / 1000, WORKER_DRAIN_MS % 1000 * 1000};
    if (worker->loop.handshaker != NULL) {
        handshaker_stop(worker->loop.handshaker);
    }
    connections_drain(&worker->loop);
    if (event_add(&worker->deadline, &drain) != 0) {
        connections_close_all(&worker->loop);
    }
}

/* What the worker took out of its mailbox. */
struct mailbox_contents {
    struct handoffs handoffs;
    struct logins logins;
    struct reload_requests reloads;
    struct queries queries;
    struct conn_settings settings;
    struct users *users;
    bool reconfigure, stop;
};

static void queries_init(struct queries *queries)
{
    TAILQ_INIT(&queries->asked);
    TAILQ_INIT(&queries->answered);
}

static void empty_mailbox(struct worker *worker, struct mailbox_contents *contents)
{
    struct mailbox *mailbox = &worker->mailbox;
    STAILQ_INIT(&contents->handoffs);
    TAILQ_INIT(&contents->logins);
    STAILQ_INIT(&contents->reloads);
    queries_init(&contents->queries);
    wakeup_receive(&worker->wakeup);
    STAILQ_CONCAT(&contents->handoffs, &mailbox->handoffs);
    TAILQ_CONCAT(&contents->logins, &mailbox->logins, next);
    STAILQ_CONCAT(&contents->reloads, &mailbox->reloads);
    TAILQ_CONCAT(&contents->queries.asked, &mailbox->queries.asked, next);
    TAILQ_CONCAT(&contents->queries.answered, &mailbox->queries.answered, next);
    contents->settings = mailbox->settings;
    contents->users = mailbox->users;
    contents->reconfigure = mailbox->reconfigure;
    contents->stop = mailbox->stop;
    mailbox->users = NULL;
    mailbox->busy = mailbox->reconfigure;
    mailbox->reconfigure = false;
    wakeup_unlock(&worker->wakeup);
}

static void reconfigure(struct worker *worker, struct mailbox_contents *contents)
{
    struct mailbox *mailbox = &worker->mailbox;
    connections_reconfigure(&worker->loop, &contents->settings, contents->users);
    users_put(&contents->users);
    wakeup_lock(&worker->wakeup);
    mailbox->busy = false;
    pthread_cond_broadcast(&mailbox->idle);
    wakeup_unlock(&worker->wakeup);
}

static void return_logins(struct logins *logins)
{
    struct login_request *login;
    while ((login = TAILQ_FIRST(logins)) != NULL) {
        TAILQ_REMOVE(logins, login, next);
        connections_answered(login);
    }
}

static void return_reloads(struct reload_requests *reloads)
{
    struct reload_request *request;
    while ((request = STAILQ_FIRST(reloads)) != NULL) {
        STAILQ_REMOVE_HEAD(reloads, next);
        connections_reloaded(request);
    }
}

static void answer_queries(struct loop *loop, struct client_queries *queries)
{
    struct client_query *query;
    while ((query = TAILQ_FIRST(queries)) != NULL) {
        TAILQ_REMOVE(queries, query, next);
        clients_answer(loop, query);
        query->answered(query);
    }
}

static void return_queries(struct client_queries *queries)
{
    struct client_query *query;
    while ((query = TAILQ_FIRST(queries)) != NULL) {
        TAILQ_REMOVE(queries, query, next);
        connections_return_query(query);
    }
}

/* For a connection that was accepted above max_connections. */
static bool make_room(struct loop *loop)
{
    bool made = timeouts_make_room(loop);
    atomic_fetch_sub_explicit(&loop->replacements, 1, memory_order_relaxed);
    return made;
}

/* A connection that replaces another one arrives before its handshake, others arrive after it. */
static void accept_handoff(struct loop *loop, struct handoff *handoff)
{
    bool handshakes = handoff->replaces_unauthenticated && handoff->endpoint->tls != NULL;
    if (handoff->replaces_unauthenticated && !make_room(loop)) {
        metrics_add(loop->metrics, METRIC_REJECTED_CONNECTIONS, 1);
        handoff_reject(&handoff, loop->instance);
        return;
    }
    handoff->replaces_unauthenticated = false;
    if (handshakes) {
        handshaker_adopt(loop->handshaker, handoff);
        return;
    }
    connections_open(loop, &handoff->transport, handoff->endpoint);
    free(handoff);
}

static void on_wakeup(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct worker *worker = context;
    struct mailbox_contents contents;
    empty_mailbox(worker, &contents);
    if (contents.reconfigure) {
        reconfigure(worker, &contents);
    }
    return_logins(&contents.logins);
    return_reloads(&contents.reloads);
    answer_queries(&worker->loop, &contents.queries.asked);
    return_queries(&contents.queries.answered);
    connections_wake_watchers(&worker->loop);
    struct handoff *handoff;
    while ((handoff = STAILQ_FIRST(&contents.handoffs)) != NULL) {
        STAILQ_REMOVE_HEAD(&contents.handoffs, next);
        accept_handoff(&worker->loop, handoff);
    }
    if (contents.stop && !worker->loop.draining) {
        start_draining(worker);
    }
}

static void on_tell(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    const struct worker *worker = context;
    watch_flush(worker->loop.watch);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct worker *worker = context;
    connections_close_all(&worker->loop);
}

static void *run(void *context)
{
    struct worker *worker = context;
    char name[16];
    snprintf(name, sizeof name, "worker-%u", worker->id);
    if (!thread_set_short_slice(name)) {
        log_debug("%s keeps its slice of time: %m", name);
    }
    if (event_base_loop(worker->loop.base, EVLOOP_NO_EXIT_ON_EMPTY) < 0) {
        log_error("%s: its event loop failed: %m", name);
    }
    connections_close_all(&worker->loop);
    return NULL;
}

/* --- the side of other threads ------------------------------------------------ */

/* Any thread; the handshaker calls it for connections whose handshake is done. */
static void deliver(struct handoff *handoff, void *context)
{
    struct worker *worker = context;
    wakeup_lock(&worker->wakeup);
    STAILQ_INSERT_TAIL(&worker->mailbox.handoffs, handoff, next);
    wakeup_send(&worker->wakeup);
}

bool worker_accept(struct worker *worker, int fd, const struct endpoint *endpoint,
                   bool replaces_unauthenticated)
{
    struct handoff *handoff = handoff_create(fd, endpoint, replaces_unauthenticated);
    if (handoff == NULL) {
        return false;
    }
    if (replaces_unauthenticated) {
        atomic_fetch_add_explicit(&worker->loop.replacements, 1, memory_order_relaxed);
    }
    if (endpoint->tls != NULL && !replaces_unauthenticated) {
        handshaker_adopt(worker->loop.handshaker, handoff);
    } else {
        deliver(handoff, worker);
    }
    return true;
}

void worker_reconfigure(struct worker *worker, const struct conn_settings *settings,
                        struct users *users)
{
    wakeup_lock(&worker->wakeup);
    users_put(&worker->mailbox.users);
    worker->mailbox.users = users_get(users);
    worker->mailbox.settings = *settings;
    worker->mailbox.reconfigure = true;
    wakeup_send(&worker->wakeup);
}

void worker_read_cluster(const struct worker *worker, struct cluster_state *state)
{
    cluster_read_state(worker->loop.workspace.ctx.remote->cluster, state);
}

bool worker_await(struct worker *worker)
{
    struct mailbox *mailbox = &worker->mailbox;
    struct timespec until;
    int error = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WORKER_PATIENCE_MS / 1000;
    wakeup_lock(&worker->wakeup);
    while ((mailbox->reconfigure || mailbox->busy) && error == 0) {
        error = pthread_cond_timedwait(&mailbox->idle, &worker->wakeup.lock, &until);
    }
    bool in_force = !mailbox->reconfigure && !mailbox->busy;
    wakeup_unlock(&worker->wakeup);
    return in_force;
}

/* The authenticator calls it, on its thread. */
static void on_answered(struct login_request *login)
{
    struct worker *worker = login->context;
    wakeup_lock(&worker->wakeup);
    TAILQ_INSERT_TAIL(&worker->mailbox.logins, login, next);
    wakeup_send(&worker->wakeup);
}

/* The main thread calls it. */
static void on_reloaded(struct reload_request *request)
{
    struct worker *worker = request->asker->context;
    wakeup_lock(&worker->wakeup);
    STAILQ_INSERT_TAIL(&worker->mailbox.reloads, request, next);
    wakeup_send(&worker->wakeup);
}

void worker_ask(struct worker *worker, struct client_query *query)
{
    wakeup_lock(&worker->wakeup);
    TAILQ_INSERT_TAIL(&worker->mailbox.queries.asked, query, next);
    wakeup_send(&worker->wakeup);
}

/* Another worker calls it, on its thread, or this one itself. */
static void on_query_answered(struct client_query *query)
{
    struct worker *worker = query->context;
    wakeup_lock(&worker->wakeup);
    TAILQ_INSERT_TAIL(&worker->mailbox.queries.answered, query, next);
    wakeup_send(&worker->wakeup);
}

/* A source of events calls it, on any thread. */
static void on_events(void *own)
{
    const struct worker *worker = own;
    wakeup_signal(&worker->wakeup);
}

/* With the first event of those that are told together, on the thread of the worker. */
static void plan_telling(void *own)
{
    struct worker *worker = own;
    event_active(&worker->tell, EV_TIMEOUT, 0);
}

void worker_stop(struct worker *worker)
{
    wakeup_lock(&worker->wakeup);
    worker->mailbox.stop = true;
    wakeup_send(&worker->wakeup);
}

uint64_t worker_heartbeat(const struct worker *worker)
{
    return heartbeat_count(&worker->heartbeat);
}

uint64_t worker_handshaker_heartbeat(const struct worker *worker)
{
    return worker->loop.handshaker == NULL ? worker_heartbeat(worker)
                                           : handshaker_heartbeat(worker->loop.handshaker);
}

bool worker_can_handshake(const struct worker *worker)
{
    return worker->loop.handshaker == NULL || handshaker_has_room(worker->loop.handshaker);
}

static unsigned load(const atomic_uint *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* `count` without the connections that a connection on its way will replace. */
static unsigned not_claimed(const struct worker *worker, unsigned count)
{
    unsigned replacements = load(&worker->loop.replacements);
    return count > replacements ? count - replacements : 0;
}

unsigned worker_lingering(const struct worker *worker)
{
    return not_claimed(worker, load(&worker->loop.lingering_count));
}

unsigned worker_replaceable(const struct worker *worker)
{
    const struct loop *loop = &worker->loop;
    return not_claimed(worker, load(&loop->lingering_count) + load(&loop->unauthenticated_count));
}

/* --- beginning and end ---------------------------------------------------- */

static void mailbox_init(struct mailbox *mailbox)
{
    thread_cond_init(&mailbox->idle);
    STAILQ_INIT(&mailbox->handoffs);
    TAILQ_INIT(&mailbox->logins);
    STAILQ_INIT(&mailbox->reloads);
    queries_init(&mailbox->queries);
}

/* Their connections are closed. */
static void drop_queries(struct client_queries *queries)
{
    struct client_query *query;
    while ((query = TAILQ_FIRST(queries)) != NULL) {
        TAILQ_REMOVE(queries, query, next);
        client_query_destroy(&query);
    }
}

static void mailbox_deinit(struct mailbox *mailbox)
{
    drop_queries(&mailbox->queries.asked);
    drop_queries(&mailbox->queries.answered);
    users_put(&mailbox->users);
    pthread_cond_destroy(&mailbox->idle);
}

/* False with errno. */
static bool open_cluster(struct worker *worker, const struct cluster_options *wanted)
{
    struct loop *loop = &worker->loop;
    struct cluster_options options = *wanted;
    options.base = loop->base;
    options.metrics = loop->metrics;
    loop->workspace.ctx.remote = remote_create(
        &options, &(struct remote_hooks){.resume = connections_resume, .grew = connections_grew});
    return loop->workspace.ctx.remote != NULL;
}

/* Makes everything but the thread. False with errno. */
static bool prepare(struct worker *worker, const struct worker_options *options)
{
    struct loop *loop = &worker->loop;
    if (!loop_init(loop, options->store, options->instance, options->id)) {
        return false;
    }
    loop_configure(loop, &options->settings);
    loop->auth = (struct auth_context){.users = users_get(options->users),
                                       .authenticator = options->authenticator,
                                       .answered = on_answered,
                                       .context = worker};
    worker->reload_asker = (struct reload_asker){
        .queue = options->reloads, .answered = on_reloaded, .context = worker};
    loop->workspace.ctx.reload_asker = &worker->reload_asker;
    loop->housekeeper = options->housekeeper;
    loop->workspace.ctx.answered = on_query_answered;
    loop->workspace.ctx.answered_context = worker;
    if (loop->watch != NULL) {
        loop->watch->wake = on_events;
        loop->watch->plan = plan_telling;
        loop->watch->own = worker;
        evtimer_assign(&worker->tell, loop->base, on_tell, worker);
    }
    connections_serve(loop);
    evtimer_assign(&worker->deadline, loop->base, on_deadline, worker);
    if (options->cluster != NULL && !open_cluster(worker, options->cluster)) {
        return false;
    }
    return wakeup_init(&worker->wakeup, loop->base, on_wakeup, worker) &&
           heartbeat_init(&worker->heartbeat, loop->base);
}

/* False with errno. */
static bool open_handshaker(struct worker *worker)
{
    const struct handshaker_options options = {.id = worker->id,
                                               .instance = worker->loop.instance,
                                               .unauthenticated =
                                                   &worker->loop.unauthenticated_count,
                                               .done = deliver,
                                               .context = worker};
    worker->loop.handshaker = handshaker_create(&options);
    return worker->loop.handshaker != NULL;
}

static int start(struct worker *worker)
{
    int error = thread_start(&worker->thread, run, worker);
    worker->runs = error == 0;
    return error;
}

struct worker *worker_create(const struct worker_options *options)
{
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        return NULL;
    }
    worker->id = options->id;
    mailbox_init(&worker->mailbox);
    bool prepared = prepare(worker, options) && (!options->tls || open_handshaker(worker));
    int error = prepared ? start(worker) : errno;
    if (error != 0) {
        worker_destroy(&worker);
        errno = error;
    }
    return worker;
}

void worker_join(struct worker *worker)
{
    if (worker->runs) {
        worker_stop(worker);
        pthread_join(worker->thread, NULL);
        worker->runs = false;
    }
    handshaker_destroy(&worker->loop.handshaker); /* it delivers nothing from now on */
}

void worker_destroy(struct worker **place)
{
    struct worker *worker = *place;
    *place = NULL;
    if (worker == NULL) {
        return;
    }
    worker_join(worker);
    handoffs_close(&worker->mailbox.handoffs,
                   worker->loop.instance);  /* delivered after the thread had ended */
    return_logins(&worker->mailbox.logins); /* their connections are closed: this frees them */
    return_reloads(&worker->mailbox.reloads);
    heartbeat_deinit(&worker->heartbeat);
    wakeup_deinit(&worker->wakeup);
    loop_deinit(&worker->loop);
    mailbox_deinit(&worker->mailbox);
    free(worker);
}
