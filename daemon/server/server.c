/*
 * server.c - the life of the daemon: start and shutdown. Between the two: reload.c.
 *
 * Owns all parts of the daemon, and the order in which they are made and destroyed. The start is a
 * list of steps; each step logs its own errors, and the first that fails ends the start. One
 * function undoes whatever is there, for a start that failed and for a daemon that was stopped.
 *
 * The main thread accepts connections, handles signals and talks to the service manager. It serves
 * no requests, so it is never busy for long.
 */
#include "daemon/server/server.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/path_advice.h"
#include "daemon/base/safe_open.h"
#include "daemon/http/http.h"
#include "daemon/net/tls.h"
#include "daemon/os/event_errors.h"
#include "daemon/os/fd_limit.h"
#include "daemon/os/hardening.h"
#include "daemon/os/service_manager.h"
#include "daemon/os/signals.h"
#include "daemon/server/acceptor.h"
#include "daemon/server/health.h"
#include "daemon/server/reload.h"
#include "daemon/server/server_state.h"
#include "daemon/server/watchdog.h"
#include "daemon/watch/slow_log.h"
#include "daemon/watch/watch.h"

/* --- the steps of a start: EX_OK, or what to exit with ------------------- */

static int failed(int status, const char *what)
{
    log_error("%s: %s", what, strerror(errno));
    return status;
}

static int start_log(struct server *server)
{
    const char *why;
    log_echo();
    if (!server_state_open_log(server, server->conf, &why)) {
        const char *to = server->conf->log.to;
        log_error("cannot log to %s: %s", to, path_advice(to, errno, why).text);
        return errno == EACCES ? EX_NOPERM : EX_CANTCREAT;
    }
    return EX_OK;
}

static int find_user(struct server *server)
{
    const char *name = server->conf->user;
    if (name == NULL) {
        return EX_OK;
    }
    enum privilege_status status = privilege_find(name, &server->user);
    if (status != PRIVILEGE_OK) {
        log_error("user: %s: %s", name, privilege_error(status));
        return EX_CONFIG;
    }
    server->becomes_user = geteuid() == 0;
    if (!server->becomes_user && server->user.uid != geteuid()) {
        log_warning("user: %s: only root can become another user; the daemon keeps its user", name);
    }
    return EX_OK;
}

static int open_pidfile(struct server *server)
{
    const char *path = server->conf->pid_file;
    const char *why;
    pid_t holder;
    if (path == NULL) {
        return EX_OK;
    }
    switch (pidfile_open(&server->pidfile, path, server_state_user(server), &holder, &why)) {
    case PIDFILE_OK:
        if (geteuid() == 0 && safe_is_open_to_others(path)) {
            log_warning(
                "pid_file: users other than root may write to its directory, and put another "
                "number there: %s",
                path);
        }
        return EX_OK;
    case PIDFILE_TAKEN:
        log_error("pid_file: %s: another kvcached is running, with process id %d", path,
                  (int)holder);
        return EX_UNAVAILABLE;
    case PIDFILE_FAILED:
        break;
    }
    log_error("pid_file: %s: %s", path, path_advice(path, errno, why).text);
    return errno == EACCES ? EX_NOPERM : EX_CANTCREAT;
}

static int raise_fd_limit(struct server *server)
{
    return fd_limit_require(server->conf) ? EX_OK : EX_OSERR;
}

static int open_listeners(struct server *server)
{
    int status = listeners_open(&server->listeners, server->conf,
                                server->becomes_user ? &server->user : NULL);
    const char *exposed = listeners_exposed(&server->listeners, server->conf);
    if (status == EX_OK && exposed != NULL) {
        log_error("other machines can reach %s, a socket of the service manager, without users or "
                  "without TLS",
                  exposed);
        log_error("write users, and tls_certificate and tls_key in a group of listen with its "
                  "protocol, or insecure = true: see \"Users and rights\" in kvcached(8)");
        status = EX_CONFIG;
    }
    return status;
}

static int become_user(struct server *server)
{
    if (!server->becomes_user) {
        return EX_OK;
    }
    log_give(server->user.uid, server->user.gid);
    if (privilege_drop(&server->user) != PRIVILEGE_OK) {
        log_error("user: cannot become %s: %s", server->conf->user, strerror(errno));
        return EX_NOPERM;
    }
    return EX_OK;
}

/* As the user that reads them at a reload: what would fail then has to fail now. */
static int read_certificates(struct server *server)
{
    if (!listeners_load_tls(&server->listeners)) {
        return EX_CONFIG;
    }
    listeners_adopt_tls(&server->listeners);
    return EX_OK;
}

static int open_cluster(struct server *server)
{
    return cluster_apply_open(&server->cluster, server->conf) ? EX_OK : EX_CONFIG;
}

/* A failure is logged, and is no reason not to serve. */
static int harden(struct server *server)
{
    const char *undone = hardening_apply(server->conf->core_dumps);
    if (undone != NULL) {
        log_warning("hardening: %s: %s", undone, strerror(errno));
    }
    return EX_OK;
}

/* From here on a signal ends the start between two steps, so that the arena file is closed in
 * order. */
static int start_store(struct server *server)
{
    signals_note();
    return storage_open(&server->storage, server->conf, &server->percent);
}

/* What clients need that look into the daemon. The housekeeper is a source of events, too. */
static bool make_inspection(struct server *server)
{
    struct instance *instance = &server->instance;
    instance->watch = watch_create(instance->threads + 1, &instance->watched);
    instance->slow_log = slow_log_create(instance->threads);
    return instance->watch != NULL && instance->slow_log != NULL;
}

static int make_instance(struct server *server)
{
    struct instance *instance = &server->instance;
    instance->version = server->version;
    instance->pid = getpid();
    instance->started = clock_now();
    instance->threads = server->conf->threads;
    instance->arena = server->storage.file != NULL ? "file" : "memory";
    instance->tls = tls_is_built();
    instance->recovered = server->storage.recovered;
    conf_in_use_init(&server->conf_in_use, server->first);
    instance->conf = &server->conf_in_use;
    listeners_names(&server->listeners, &protocol_memcache, server->memcache_at);
    instance->memcache_at = server->memcache_at;
    atomic_init(&instance->loaded, clock_wall());
    instance->metrics_sets = INSTANCE_SETS_OF(instance->threads);
    atomic_init(&instance->connections, 0);
    atomic_init(&instance->max_connections, server->conf->max_connections);

    if (!make_inspection(server)) {
        return failed(EX_OSERR, "threads");
    }
    size_t bytes = instance->metrics_sets * sizeof(struct metrics);
    instance->metrics = aligned_alloc(_Alignof(struct metrics), bytes);
    if (instance->metrics == NULL) {
        return failed(EX_OSERR, "threads");
    }
    memset(instance->metrics, 0, bytes);
    return EX_OK;
}

static int make_users(struct server *server)
{
    server->users = users_create(server->conf, NULL);
    return server->users != NULL ? EX_OK : failed(EX_OSERR, "users");
}

/* The thread writes from log_serve on. */
static int start_log_thread(struct server *server)
{
    struct metrics *metrics =
        &server->instance.metrics[INSTANCE_SET_OF_LOG(server->instance.threads)];
    return log_start(metrics) ? EX_OK : failed(EX_OSERR, "threads: cannot start the log's");
}

/* Workers may be asked for a reload as soon as they run. */
static int open_reload_queue(struct server *server)
{
    return reload_queue_init(&server->reload_queue, server->base, reload_on_asked, server)
               ? EX_OK
               : failed(EX_OSERR, "cannot make reloads possible");
}

static int start_threads(struct server *server)
{
    return threads_start(&server->threads, server->conf, server->users,
                         cluster_apply_options(&server->cluster), server->storage.store,
                         &server->instance, &server->reload_queue)
               ? EX_OK
               : EX_OSERR;
}

/* Before the store, since opening it may take long. */
static int start_http(struct server *server)
{
    const struct http_options options = {.listeners = &server->listeners,
                                         .conf = server->conf,
                                         .users = server->users,
                                         .percent = &server->percent};
    atomic_init(&server->percent, UINT_MAX);
    if (!listeners_have_http(&server->listeners)) {
        return EX_OK;
    }
    if (!http_is_built()) {
        log_error("listen: protocol \"http\": this kvcached was built without HTTP");
        return EX_CONFIG;
    }
    server->http = http_create(&options);
    return server->http != NULL ? EX_OK : EX_OSERR;
}

static int serve_http(struct server *server)
{
    struct http_serving serving = {.store = server->storage.store,
                                   .instance = &server->instance,
                                   .authenticator = server->threads.authenticator,
                                   .find_stuck = health_find_stuck};
    if (server->http == NULL) {
        return EX_OK;
    }
    server->health = health_create(&server->threads);
    serving.context = server->health;
    return server->health != NULL && http_serve(server->http, &serving)
               ? EX_OK
               : failed(EX_OSERR, "cannot serve HTTP");
}

static int make_reload(struct server *server)
{
    server->reload = reload_create(server);
    return server->reload != NULL ? EX_OK : failed(EX_OSERR, "cannot make reloads possible");
}

static int start_accepting(struct server *server)
{
    const struct acceptor_options options = {.base = server->base,
                                             .listeners = &server->listeners,
                                             .threads = &server->threads,
                                             .instance = &server->instance};
    uint64_t interval = notify_watchdog();
    server->acceptor = acceptor_create(&options);
    if (server->acceptor == NULL) {
        return failed(EX_OSERR, "cannot accept connections");
    }
    if (interval > 0) {
        server->watchdog = watchdog_create(server->base, interval, &server->threads);
        if (server->watchdog == NULL) {
            return failed(EX_OSERR, "cannot start the watchdog");
        }
    }
    return EX_OK;
}

static void on_reload(evutil_socket_t number, short what, void *context)
{
    struct server *server = context;
    (void)number;
    (void)what;
    reload_begin(server->reload);
}

/* For log rotation: the configuration is not read. */
static void on_reopen(evutil_socket_t number, short what, void *context)
{
    struct server *server = context;
    const char *why = NULL;
    (void)number;
    (void)what;
    if (server_state_open_log(server, server->conf, &why)) {
        log_notice("opened the log again");
    } else {
        log_error("cannot open %s again: %s: the log goes on as before", server->conf->log.to, why);
    }
}

/* --- shutdown ----------------------------------------------------------- */

/* From here on a second signal to stop ends the process at once, whatever the threads wait for, and
 * a reload has no effect. No signal may arrive between the old handlers and the new ones. */
static void end_signals(struct server *server)
{
    signals_hand_over();
    for (size_t i = 0; i < sizeof server->signals / sizeof *server->signals; i++) {
        if (server->signals[i] != NULL) {
            event_free(server->signals[i]);
            server->signals[i] = NULL;
        }
    }
    signals_end();
}

static const char *signal_name(int number)
{
    return number == SIGINT ? "SIGINT" : "SIGTERM";
}

static void on_stop(evutil_socket_t number, short what, void *context)
{
    struct server *server = context;
    (void)what;
    log_notice("stopping: %s", signal_name(number));
    log_ending();
    notify_stopping();
    http_stop_serving(server->http);
    event_base_loopbreak(server->base);
}

/* --- life --------------------------------------------------------------- */

/* Signals that came during the start are handled when the event loop runs. */
static void replay_signals(struct server *server)
{
    const struct signals_given given = signals_handed_over();
    for (size_t i = 0; i < sizeof server->signals / sizeof *server->signals; i++) {
        int number = event_get_signal(server->signals[i]);
        if (number == given.stop || number == given.reload || number == given.reopen) {
            event_active(server->signals[i], EV_SIGNAL, 1);
        }
    }
}

static int start_signals(struct server *server)
{
    static const struct {
        int number;
        event_callback_fn handler;
    } wanted[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}, {SIGUSR1, on_reopen}};

    signals_hand_over();
    server->base = event_base_new();
    for (size_t i = 0; server->base != NULL && i < sizeof wanted / sizeof *wanted; i++) {
        server->signals[i] =
            evsignal_new(server->base, wanted[i].number, wanted[i].handler, server);
        if (server->signals[i] == NULL || event_add(server->signals[i], NULL) != 0) {
            return failed(EX_OSERR, "signals");
        }
    }
    if (server->base == NULL) {
        return failed(EX_OSERR, "event base");
    }
    replay_signals(server);
    return EX_OK;
}

static void log_ready(const struct server *server)
{
    log_notice("kvcached %s: %u threads, %ju MiB", server->version, server->instance.threads,
               server_state_memory(server));
    log_notice("configuration: %s%s (users: %zu, namespaces: %zu, records in %s)",
               server->source.file != NULL ? server->source.file : "built-in defaults",
               server->source.setting_count > 0 ? " and the command line" : "",
               server->conf->user_count, server->conf->namespace_count, server->instance.arena);
    for (size_t i = 0; i < server->listeners.count; i++) {
        const struct listener *listener = &server->listeners.all[i];
        log_notice("listening on %s (%s)%s%s", listener->endpoint.name,
                   endpoint_protocol(&listener->endpoint),
                   listener->endpoint.tls != NULL ? ", with TLS" : "",
                   listener->inherited ? ", by socket activation" : "");
    }
    if (geteuid() == 0) {
        log_warning("running as root: set `user`, or start kvcached as another user");
    }
    log_serve();
}

struct server *server_create(const struct server_options *options, struct conf **conf, int *status)
{
    /* Files and ports while the process may still be root; threads after the last step that changes
     * the process as a whole. */
    static int (*const steps[])(struct server *) = {
        find_user,         start_log,     raise_fd_limit,    open_pidfile,    open_listeners,
        become_user,       harden,        read_certificates, open_cluster,    make_users,
        start_http,        start_store,   make_instance,     start_signals,   start_log_thread,
        open_reload_queue, start_threads, make_reload,       start_accepting, serve_http,
    };
    struct server *server = calloc(1, sizeof *server);
    int stopped = 0;
    if (server == NULL) {
        *status = failed(EX_OSERR, "cannot start");
        conf_destroy(conf);
        return NULL;
    }
    event_errors_to_log();
    server->source = options->source;
    server->verbosity = options->verbosity;
    server->detached = options->detached;
    server->version = options->version;
    server->conf = server->first = *conf;
    *conf = NULL;
    *status = EX_OK;
    for (size_t i = 0; *status == EX_OK && i < sizeof steps / sizeof *steps; i++) {
        *status = steps[i](server);
        stopped = signals_noted();
        *status = stopped != 0 ? EX_TEMPFAIL : *status;
    }
    if (*status == EX_OK) {
        log_ready(server);
    } else {
        if (stopped != 0) {
            log_notice("stopping during the start: %s", signal_name(stopped));
            *status = EX_OK;
        }
        server_destroy(&server);
    }
    return server;
}

void server_run(struct server *server)
{
    server_state_show(server, "");
    notify_ready();
    event_base_dispatch(server->base);
    acceptor_last_call(server->acceptor);
}

void server_destroy(struct server **owned)
{
    struct server *server = *owned;
    *owned = NULL;
    end_signals(server);
    reload_destroy(&server->reload);
    watchdog_destroy(&server->watchdog);
    acceptor_destroy(&server->acceptor);
    listeners_close(&server->listeners);
    http_stop_serving(server->http);
    health_destroy(&server->health);
    threads_end(&server->threads);
    cluster_apply_close(&server->cluster);
    storage_close(&server->storage);
    http_destroy(&server->http);
    users_put(&server->users);
    reload_queue_deinit(&server->reload_queue);
    if (server->base != NULL) {
        event_base_free(server->base);
    }
    pidfile_close(&server->pidfile);
    listeners_deinit(&server->listeners);
    log_close();
    watch_destroy(&server->instance.watch);
    slow_log_destroy(&server->instance.slow_log);
    free(server->instance.metrics);
    conf_in_use_deinit(&server->conf_in_use);
    if (server->conf != server->first) {
        conf_destroy(&server->conf);
    }
    conf_destroy(&server->first);
    free(server);
}
