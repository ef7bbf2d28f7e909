/*
 * reload.c - see reload.h.
 *
 * A file is not refused because memory is full: changes of users and rights must not wait for
 * memory. The store knows the rules of a namespace by its name from the first moment on
 * (store_policy_begin), whether it could create the namespace yet or not. So all of the file is in
 * force together.
 */
#include "daemon/server/reload.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/path_advice.h"
#include "daemon/base/thread.h"
#include "daemon/base/wakeup.h"
#include "daemon/http/http.h"
#include "daemon/os/fd_limit.h"
#include "daemon/os/service_manager.h"
#include "daemon/server/conf_apply.h"
#include "daemon/server/server_state.h"

enum {
    NAMES_MAX = 256,   /* bytes; of options that need a restart */
    CHANGES_MAX = 512, /* bytes; of what changed, in the log */
    WAIT_US = 1000,    /* for requests that are under way */
    RETRY_S = 1,       /* between two tries to create namespaces for which there was no room */
};

/* What clients are told: lines of text that grow. */
struct mistakes {
    char *text; /* NULL: none, or no memory */
    size_t length;
    const char *file; /* what lines begin with that name no file */
};

struct reload {
    struct server *server;
    enum {
        RELOAD_IDLE,
        RELOAD_READS,   /* the thread runs */
        RELOAD_APPLIES, /* namespaces, slice by slice */
    } state;
    bool again;      /* another one was asked for meanwhile */
    bool incomplete; /* namespaces are missing (conf_apply_is_incomplete); retried every RETRY_S */
    pthread_t reader;
    struct wakeup wakeup;           /* signalled by the reader at its end */
    struct event *slice;            /* the next one */
    struct reload_requests asked;   /* clients that are answered by the next reload, */
    struct reload_requests current; /* and by this one */
    /* The result; of the reader alone until it has ended. */
    struct mistakes mistakes; /* of the thread that works on the reload */
    struct conf *next;
    struct conf_errors errors;
    struct users *users;
    char changes[CHANGES_MAX]; /* what differs from the configuration in force */
    bool prepared;
};

/* --- what clients are told ---------------------------------------------------- */

/* For log_tap: each error that is logged is a mistake. */
static void keep_mistake(void *context, const char *line)
{
    struct mistakes *mistakes = context;
    bool names_file = line[0] == '/' || strncmp(line, "-o ", 3) == 0 || mistakes->file == NULL;
    const char *file = names_file ? "" : mistakes->file;
    const char *colon = names_file ? "" : ": ";
    size_t more = strlen(file) + strlen(colon) + strlen(line) + 2;
    char *text = realloc(mistakes->text, mistakes->length + more);
    if (text != NULL) {
        mistakes->text = text;
        mistakes->length +=
            (size_t)snprintf(text + mistakes->length, more, "%s%s%s\n", file, colon, line);
    }
}

static void forget_mistakes(struct reload *reload)
{
    free(reload->mistakes.text);
    reload->mistakes = (struct mistakes){.file = reload->server->source.file};
}

static void answer_done(struct reload *reload)
{
    const struct server *server = reload->server;
    char text[CHANGES_MAX + NAMES_MAX + 64];
    char restart[NAMES_MAX];
    bool any = reload->changes[0] != '\0';
    conf_needs_restart(server->first, server->conf, restart, sizeof restart);
    snprintf(text, sizeof text, "%s%s%s%s", any ? "changed: " : "nothing changed", reload->changes,
             restart[0] != '\0' ? "; waits for a restart: " : "", restart);
    reload_requests_answer(&reload->current, RELOAD_DONE, text);
}

void reload_on_asked(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    (void)fd;
    (void)what;
    reload_queue_take(&server->reload_queue, &server->reload->asked);
    if (!STAILQ_EMPTY(&server->reload->asked)) {
        reload_begin(server->reload);
    }
}

/* --- reading: on the reader's thread --------------------------------------- */

/* Whether the file needs other listeners to be safe: a reload leaves them as they are. */
static bool is_exposed(const struct server *server, const struct conf *next)
{
    const struct conf_listen *listen = conf_exposed(server->first, next);
    const char *name =
        listen != NULL ? listen->address : listeners_exposed(&server->listeners, next);
    if (name != NULL) {
        log_error("other machines can reach %s until a restart: keep users and TLS until then, or "
                  "write insecure = true",
                  name);
    }
    return name != NULL;
}

/* Whether the file lacks settings that were there before. That is seldom intended: an editor may
 * have emptied the file, and not written it yet. */
static bool lacks_settings(const struct server *server, const struct conf *next)
{
    bool users = server->conf->user_count > 0 && !next->users_given;
    bool everything = next->empty && !server->conf->empty;
    if (everything) {
        log_error("the file has no setting, and had some before: if the defaults are meant, write "
                  "users = ();");
    } else if (users) {
        log_error("users: the file does not have this option, and there are users: if every client "
                  "may do everything, write users = ();");
    }
    return everything || users;
}

/* Whether a setting does not fit into so much memory, in bytes, or the cluster that the daemon
 * runs with; logs which. */
static bool conflicts(const struct server *server, const struct conf *next, uint64_t memory)
{
    const char *conflict = conf_apply_conflict(next, memory);
    if (conflict == NULL && cluster_apply_options(&server->cluster) == NULL &&
        conf_apply_needs_cluster(next)) {
        conflict = "engine: the daemon runs without a cluster, which takes a restart to change";
    }
    if (conflict != NULL) {
        log_error("%s", conflict);
    }
    return conflict != NULL;
}

/* Makes everything that can fail and can be dropped again. */
static bool prepare(struct reload *reload)
{
    struct server *server = reload->server;
    if (conflicts(server, reload->next, reload->next->memory)) {
        return false;
    }
    reload->users = users_create(reload->next, server->users);
    if (reload->users == NULL) {
        log_error("users: %s", strerror(errno));
        return false;
    }
    return listeners_load_tls(&server->listeners);
}

static void *read_and_prepare(void *context)
{
    struct reload *reload = context;
    struct server *server = reload->server;
    pthread_setname_np(pthread_self(), "reload");
    log_tap(keep_mistake, &reload->mistakes);
    reload->prepared = conf_load(&server->source, &reload->next, &reload->errors) &&
                       !lacks_settings(server, reload->next) && !is_exposed(server, reload->next) &&
                       prepare(reload);
    if (reload->prepared) {
        conf_changes(server->conf, reload->next, reload->changes, sizeof reload->changes);
    }
    wakeup_signal(&reload->wakeup);
    return NULL;
}

/* --- applying: on the main thread -------------------------------------------- */

static void log_conf_errors(const struct conf_errors *errors)
{
    const char *line = errors->text == NULL ? "" : errors->text;
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        log_error("%.*s", (int)(end - line), line);
    }
}

/* Logs which options of the file differ from the start, and need a restart. */
static void log_unchanged(const struct server *server)
{
    char names[NAMES_MAX];
    conf_needs_restart(server->first, server->conf, names, sizeof names);
    if (names[0] != '\0') {
        log_warning("reload: left as it was until a restart: %s", names);
    }
}

static bool apply_log_and_policy(struct server *server, const struct conf *next)
{
    const char *why;
    /* The store may not have got the memory that the file asks for. */
    if (conflicts(server, next, store_memory(server->storage.store))) {
        return false;
    }
    if (!server_state_open_log(server, next, &why)) {
        log_error("cannot log to %s: %s", next->log.to, path_advice(next->log.to, errno, why).text);
        return false;
    }
    if (!conf_apply_begin(next, server->storage.store_thread)) {
        log_error("namespaces: %s", strerror(ENOMEM));
        server_state_open_log(server, server->conf, &why);
        return false;
    }
    return true;
}

/* Memory grows before namespaces are given parts of it. It shrinks at the end, in finish(). */
static bool apply_log_and_store(struct server *server, const struct conf *next)
{
    uint64_t memory = store_memory(server->storage.store);
    if (next->memory > memory) {
        storage_set_memory(&server->storage, next->memory);
    }
    if (!apply_log_and_policy(server, next)) {
        storage_set_memory(&server->storage, memory);
        return false;
    }
    return true;
}

/* Puts in force what was prepared. Cannot fail. */
static void adopt(struct reload *reload)
{
    struct server *server = reload->server;
    struct conf *next = reload->next;
    listeners_adopt_tls(&server->listeners);
    threads_reconfigure(&server->threads, next, reload->users);
    http_reconfigure(server->http, next, reload->users);
    users_put(&server->users);
    server->users = reload->users;
    reload->users = NULL;
    atomic_store(&server->instance.max_connections, next->max_connections);
    atomic_store(&server->instance.reload_refused, false);
    atomic_store(&server->instance.loaded, clock_wall());
    fd_limit_raise_for(next);
    conf_in_use_set(&server->conf_in_use, next);
    if (server->conf != server->first) {
        conf_destroy(&server->conf);
    }
    server->conf = next;
    reload->next = NULL;
}

static void drop(struct reload *reload)
{
    struct server *server = reload->server;
    listeners_abandon_tls(&server->listeners);
    users_put(&reload->users);
    conf_destroy(&reload->next);
    conf_errors_deinit(&reload->errors);
}

static void schedule_slice(struct reload *reload, time_t seconds, suseconds_t us)
{
    const struct timeval delay = {.tv_sec = seconds, .tv_usec = us};
    if (event_add(reload->slice, &delay) != 0) { /* no memory for a timer: at once, then */
        event_active(reload->slice, EV_TIMEOUT, 0);
    }
}

/* After a reload was applied, or refused. */
static void end_reload(struct reload *reload)
{
    reload->state = RELOAD_IDLE;
    notify_ready();
    if (reload->again) {
        reload->again = false;
        reload_begin(reload);
    } else if (reload->incomplete) {
        schedule_slice(reload, RETRY_S, 0);
    }
}

static void refuse(struct reload *reload)
{
    log_tap(NULL, NULL);
    drop(reload);
    atomic_store(&reload->server->instance.reload_refused, true);
    log_error("reload refused: the configuration stays as it was");
    server_state_show(reload->server, "; the last reload was refused, see the log");
    reload_requests_answer(&reload->current, RELOAD_REFUSED, reload->mistakes.text);
    end_reload(reload);
}

static void on_read(evutil_socket_t fd, short what, void *context)
{
    struct reload *reload = context;
    struct server *server = reload->server;
    (void)fd;
    (void)what;
    wakeup_clear(&reload->wakeup);
    if (reload->state != RELOAD_READS) {
        return;
    }
    pthread_join(reload->reader, NULL);
    log_tap(keep_mistake, &reload->mistakes);
    log_conf_errors(&reload->errors);
    conf_errors_deinit(&reload->errors);
    if (!reload->prepared || !apply_log_and_store(server, reload->next)) {
        refuse(reload);
        return;
    }
    log_tap(NULL, NULL);
    adopt(reload);
    reload->state = RELOAD_APPLIES;
    schedule_slice(reload, 0, 0);
}

static void finish(struct reload *reload)
{
    struct server *server = reload->server;
    bool was_incomplete = reload->incomplete;
    if (reload->state == RELOAD_APPLIES) {
        reload->incomplete = conf_apply_is_incomplete(server->storage.store_thread);
        if (server->conf->memory < store_memory(server->storage.store)) {
            storage_set_memory(&server->storage, server->conf->memory);
        }
        log_unchanged(server);
        log_notice("reloaded the configuration: %s",
                   reload->changes[0] != '\0' ? reload->changes : "no option changed");
        server_state_show(server, "");
        answer_done(reload);
        end_reload(reload);
        return;
    }
    reload->incomplete = store_policy_result(server->storage.store_thread).owed > 0;
    if (was_incomplete && !reload->incomplete) {
        log_notice("namespaces: all that are declared could be made now");
    } else if (reload->incomplete) {
        schedule_slice(reload, RETRY_S, 0);
    }
}

static void on_slice(evutil_socket_t fd, short what, void *context)
{
    struct reload *reload = context;
    struct store_thread *store_thread = reload->server->storage.store_thread;
    (void)fd;
    (void)what;
    if (reload->state == RELOAD_IDLE) {
        store_policy_retry(store_thread); /* namespaces that are missing */
    }
    switch (conf_apply_continue(store_thread, clock_now())) {
    case STORE_GOES_ON:
        schedule_slice(reload, 0, 0);
        break;
    case STORE_WAITS:
        schedule_slice(reload, 0, WAIT_US);
        break;
    case STORE_DONE:
        finish(reload);
        break;
    }
}

/* --- for the server -------------------------------------------------------------- */

void reload_begin(struct reload *reload)
{
    struct server *server = reload->server;
    const char *why;
    if (reload->state != RELOAD_IDLE) {
        reload->again = true;
        return;
    }
    notify_reloading();
    /* Whatever the file says, the log may have been rotated. */
    server_state_open_log(server, server->conf, &why);
    event_del(reload->slice);
    reload->state = RELOAD_READS;
    STAILQ_CONCAT(&reload->current, &reload->asked);
    forget_mistakes(reload);
    int error = thread_start(&reload->reader, read_and_prepare, reload);
    if (error != 0) {
        log_tap(keep_mistake, &reload->mistakes);
        log_error("reload: cannot start a thread: %s", strerror(error));
        refuse(reload);
    }
}

/* False with errno. */
static bool make_events(struct reload *reload)
{
    struct server *server = reload->server;
    if (!wakeup_init(&reload->wakeup, server->base, on_read, reload)) {
        return false;
    }
    errno = ENOMEM;
    reload->slice = event_new(server->base, -1, 0, on_slice, reload);
    if (reload->slice == NULL) {
        return false;
    }
    reload->incomplete = conf_apply_is_incomplete(server->storage.store_thread);
    if (reload->incomplete) {
        schedule_slice(reload, RETRY_S, 0);
    }
    return true;
}

struct reload *reload_create(struct server *server)
{
    struct reload *reload = calloc(1, sizeof *reload);
    if (reload == NULL) {
        return NULL;
    }
    reload->server = server;
    STAILQ_INIT(&reload->asked);
    STAILQ_INIT(&reload->current);
    if (!make_events(reload)) {
        int why = errno;
        reload_destroy(&reload);
        errno = why;
    }
    return reload;
}

void reload_destroy(struct reload **owned)
{
    struct reload *reload = *owned;
    *owned = NULL;
    if (reload == NULL) {
        return;
    }
    if (reload->state == RELOAD_READS) {
        pthread_join(reload->reader, NULL);
        drop(reload);
    }
    reload_queue_close(&reload->server->reload_queue, &reload->asked);
    reload_requests_answer(&reload->current, RELOAD_STOPPING, NULL);
    reload_requests_answer(&reload->asked, RELOAD_STOPPING, NULL);
    free(reload->mistakes.text);
    wakeup_deinit(&reload->wakeup);
    if (reload->slice != NULL) {
        event_free(reload->slice);
    }
    free(reload);
}
