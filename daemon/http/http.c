/*
 * http.c - see http.h.
 *
 * The main thread sends the HTTP thread one message at a time, and waits until it has been
 * handled. That takes as long as a slice of a scrape.
 */
#include "daemon/http/http.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/auth/login_queue.h"
#include "daemon/base/clock.h"
#include "daemon/base/heartbeat.h"
#include "daemon/base/log.h"
#include "daemon/base/thread.h"
#include "daemon/base/wakeup.h"
#include "daemon/http/http_exchange.h"
#include "daemon/http/http_tls.h"

enum { NICENESS = 5, HEADERS_MAX = 8192 /* bytes */ };

struct message {
    enum { MESSAGE_SERVE, MESSAGE_RECONFIGURE, MESSAGE_STOP_SERVING, MESSAGE_END } kind;
    const struct http_serving *serving;
    struct users *users;
    enum conf_series series;
    bool latency;
    int error; /* the result, an errno; 0: success */
};

struct http_server {
    struct http *http;
    struct http_port port;
    struct evhttp *evhttp;
};

struct http {
    struct event_base *base;
    pthread_t thread;
    bool runs;
    struct wakeup wakeup;
    pthread_cond_t handled;  /* with the wakeup's lock, as are the next two */
    struct message *message; /* the sender's; NULL: there is none */
    struct logins logins;    /* answered by the authenticator */
    struct event *sweep;
    struct http_site site;
    struct http_serving serving; /* while site.stage is HTTP_SERVING */
    size_t count;
    struct http_server servers[];
};

/* --- connections ------------------------------------------------------------------- */

static void schedule_sweep(struct http *http, unsigned ms)
{
    const struct timeval wait = thread_timeval(ms);
    event_add(http->sweep, &wait);
}

static void on_sweep(evutil_socket_t fd, short what, void *context)
{
    struct http *http = context;
    unsigned due = HTTP_SWEEP_MS;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < http->count; i++) {
        http_conns_sweep(&http->servers[i].port.conns);
        unsigned wants = http_conns_due(&http->servers[i].port.conns);
        due = wants < due ? wants : due;
    }
    if (http->site.stage == HTTP_SERVING &&
        !http->serving.find_stuck(http->serving.context, http->site.stuck)) {
        http->site.stuck[0] = '\0';
    }
    schedule_sweep(http, due);
}

/* With NULL evhttp would make a plain bufferevent. So does this function where there is no memory
 * for TLS, and http_exchange.c serves nothing on it. */
static struct bufferevent *on_connection(struct event_base *base, void *context)
{
    struct http_server *server = context;
    struct http_port *port = &server->port;
    struct tls *tls = port->listener->endpoint.tls;
    unsigned trust_version = 0;
    struct bufferevent *made = NULL;
    http_conns_sweep(&port->conns);
    if (tls != NULL) {
        made = http_tls_bufferevent(base, tls, &trust_version);
    }
    if (made == NULL) {
        made = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    }
    struct http_conn *conn = made == NULL ? NULL : http_conns_add(&port->conns, made);
    if (conn != NULL) {
        conn->trust_version = trust_version;
    }
    if (port->conns.full) {
        schedule_sweep(server->http, http_conns_due(&port->conns));
    }
    return made;
}

static void on_accept_failed(struct evconnlistener *listener, void *context)
{
    static struct log_limit limit = LOG_LIMIT("cannot accept connections");
    struct http_server *server = context;
    (void)listener;
    if (log_admits(&limit, LOG_ERR)) {
        log_error("cannot accept connections on %s: %s", server->port.listener->endpoint.name,
                  strerror(errno));
    }
    http_conns_pause(&server->port.conns);
}

/* --- messages: on the HTTP thread ------------------------------------------------------------ */

static int serve(struct http *http, const struct http_serving *serving)
{
    struct http_site *site = &http->site;
    site->source.store_thread = store_thread_create(serving->store);
    if (site->source.store_thread == NULL) {
        return errno;
    }
    http->serving = *serving;
    site->source.instance = serving->instance;
    site->source.started = clock_wall() - (clock_now() - serving->instance->started);
    site->metrics = &serving->instance->metrics[INSTANCE_SET_OF_HTTP(serving->instance->threads)];
    site->auth.authenticator = serving->authenticator;
    site->stage = HTTP_SERVING;
    return 0;
}

static void stop_serving(struct http *http)
{
    struct http_site *site = &http->site;
    site->stage = HTTP_STOPPING;
    for (size_t i = 0; i < http->count; i++) {
        http_exchange_end_all(&http->servers[i].port);
    }
    if (site->source.store_thread != NULL) {
        store_thread_destroy(&site->source.store_thread);
    }
}

static void reconfigure(struct http_site *site, struct message *message)
{
    users_put(&site->auth.users);
    site->auth.users = users_get(message->users);
    site->series = message->series;
    site->source.latency = message->latency;
}

static void handle_message(struct http *http, struct message *message)
{
    switch (message->kind) {
    case MESSAGE_SERVE:
        message->error = serve(http, message->serving);
        break;
    case MESSAGE_RECONFIGURE:
        reconfigure(&http->site, message);
        break;
    case MESSAGE_STOP_SERVING:
        stop_serving(http);
        break;
    case MESSAGE_END:
        event_base_loopbreak(http->base);
        break;
    }
}

static void take_logins(struct http *http, struct logins *logins)
{
    struct login_request *login;
    TAILQ_INIT(logins);
    while ((login = TAILQ_FIRST(&http->logins)) != NULL) {
        TAILQ_REMOVE(&http->logins, login, next);
        TAILQ_INSERT_TAIL(logins, login, next);
    }
}

static void answer_logins(struct logins *logins)
{
    struct login_request *login;
    while ((login = TAILQ_FIRST(logins)) != NULL) {
        TAILQ_REMOVE(logins, login, next);
        http_exchange_answered(login);
    }
}

static void on_wakeup(evutil_socket_t fd, short what, void *context)
{
    struct http *http = context;
    struct logins logins;
    (void)fd;
    (void)what;
    wakeup_receive(&http->wakeup);
    struct message *message = http->message;
    take_logins(http, &logins);
    wakeup_unlock(&http->wakeup);
    answer_logins(&logins);
    if (message != NULL) {
        handle_message(http, message);
        wakeup_lock(&http->wakeup);
        http->message = NULL;
        pthread_cond_signal(&http->handled);
        wakeup_unlock(&http->wakeup);
    }
}

/* `answered` of the auth context: on the authenticator's thread or on this one. */
static void on_answered(struct login_request *login)
{
    struct http *http = login->context;
    wakeup_lock(&http->wakeup);
    TAILQ_INSERT_TAIL(&http->logins, login, next);
    wakeup_send(&http->wakeup);
}

static void *run(void *context)
{
    struct http *http = context;
    thread_set_background("http", NICENESS);
    event_base_dispatch(http->base);
    return NULL;
}

/* --- messages: on the main thread --------------------------------------------------------- */

static int send_message(struct http *http, struct message *message)
{
    if (http == NULL || !http->runs) {
        return 0;
    }
    wakeup_lock(&http->wakeup);
    http->message = message;
    wakeup_send(&http->wakeup);
    wakeup_lock(&http->wakeup);
    while (http->message != NULL) {
        pthread_cond_wait(&http->handled, &http->wakeup.lock);
    }
    wakeup_unlock(&http->wakeup);
    return message->error;
}

bool http_serve(struct http *http, const struct http_serving *serving)
{
    int error = send_message(http, &(struct message){.kind = MESSAGE_SERVE, .serving = serving});
    errno = error;
    return error == 0;
}

void http_reconfigure(struct http *http, const struct conf *conf, struct users *users)
{
    send_message(http, &(struct message){.kind = MESSAGE_RECONFIGURE,
                                         .users = users,
                                         .series = conf->metrics.namespaces,
                                         .latency = conf->metrics.latency});
}

void http_stop_serving(struct http *http)
{
    send_message(http, &(struct message){.kind = MESSAGE_STOP_SERVING});
}

/* --- start and end -------------------------------------------------------------------- */

/* The socket still belongs to the listener. */
static bool start_server(struct http *http, const struct listener *listener)
{
    struct http_server *server = &http->servers[http->count++];
    const struct timeval patience = {.tv_sec = HTTP_IDLE_MS / 1000};
    server->http = http;
    server->port = (struct http_port){.site = &http->site, .listener = listener};
    server->evhttp = evhttp_new(http->base);
    struct evconnlistener *made =
        evconnlistener_new(http->base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, listener->fd);
    if (server->evhttp == NULL || made == NULL ||
        evhttp_bind_listener(server->evhttp, made) == NULL) {
        if (made != NULL) {
            evconnlistener_free(made);
        }
        return false;
    }
    server->port.conns.listener = made;
    evconnlistener_set_error_cb(made, on_accept_failed);
    evhttp_set_bevcb(server->evhttp, on_connection, server);
    evhttp_set_gencb(server->evhttp, http_exchange_begin, &server->port);
    evhttp_set_allowed_methods(server->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(server->evhttp, HEADERS_MAX);
    evhttp_set_max_body_size(server->evhttp, 0);
    evhttp_set_timeout_tv(server->evhttp, &patience);
    return true;
}

static bool start_servers(struct http *http, const struct listeners *listeners)
{
    errno = ENOMEM;
    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->all[i].endpoint.is_http && !start_server(http, &listeners->all[i])) {
            return false;
        }
    }
    return true;
}

static bool start(struct http *http, const struct http_options *options)
{
    TAILQ_INIT(&http->logins);
    thread_cond_init(&http->handled);
    http->base = thread_base(0);
    if (http->base == NULL || !wakeup_init(&http->wakeup, http->base, on_wakeup, http)) {
        return false;
    }
    http->site.percent = options->percent;
    http->site.series = options->conf->metrics.namespaces;
    http->site.source.latency = options->conf->metrics.latency;
    http->site.source.base = http->base;
    http->site.source.listeners = options->listeners;
    http->site.auth = (struct auth_context){
        .users = users_get(options->users), .answered = on_answered, .context = http};
    errno = ENOMEM;
    http->sweep = event_new(http->base, -1, 0, on_sweep, http);
    if (http->sweep == NULL || !start_servers(http, options->listeners)) {
        return false;
    }
    schedule_sweep(http, HTTP_SWEEP_MS);
    errno = thread_start(&http->thread, run, http);
    http->runs = errno == 0;
    return http->runs;
}

bool http_is_built(void)
{
    return true;
}

struct http *http_create(const struct http_options *options)
{
    struct http *http =
        calloc(1, sizeof *http + options->listeners->count * sizeof(struct http_server));
    if (http == NULL || !start(http, options)) {
        log_error("cannot serve HTTP: %s", strerror(errno));
        http_destroy(&http);
    }
    return http;
}

/* libevent frees bufferevents in the next round of the loop. */
static void close_servers(struct http *http)
{
    for (size_t i = 0; i < http->count; i++) {
        if (http->servers[i].evhttp != NULL) {
            evhttp_free(http->servers[i].evhttp);
        }
        http_conns_deinit(&http->servers[i].port.conns);
    }
    if (http->base != NULL) {
        event_base_loop(http->base, EVLOOP_NONBLOCK);
    }
}

void http_destroy(struct http **owned)
{
    struct http *http = *owned;
    struct logins logins;
    *owned = NULL;
    if (http == NULL) {
        return;
    }
    if (http->runs) {
        send_message(http, &(struct message){.kind = MESSAGE_END});
        pthread_join(http->thread, NULL);
    }
    if (http->sweep != NULL) {
        event_free(http->sweep); /* it looks at the servers, and would enable their listeners */
    }
    close_servers(http);
    take_logins(http, &logins);
    answer_logins(&logins);
    users_put(&http->site.auth.users);
    wakeup_deinit(&http->wakeup);
    if (http->base != NULL) {
        event_base_free(http->base);
    }
    pthread_cond_destroy(&http->handled);
    free(http);
}
