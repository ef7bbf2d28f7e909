/*
 * reload.c - see reload.h.
 *
 * Memory that is full is no reason to refuse a file: users and rights that are to change
 * must not wait for it. What a namespace may be is known by its name from the first moment
 * on (store_policy_begin), whether there is room for it yet or not, so all of the file
 * is in force together.
 */
#include "daemon/server/reload.h"

#include <errno.h>
#include <string.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/thread.h"
#include "daemon/os/fd_limit.h"
#include "daemon/os/service_manager.h"
#include "daemon/server/conf_apply.h"
#include "daemon/server/server_state.h"

enum {
    NAMES_MAX = 256, /* of options that need a restart */
    WAIT_US = 1000,  /* for requests that were under way */
    RETRY_S = 1,     /* between two tries to make what is owed */
};

/* --- reading: on the reader's thread --------------------------------------- */

/* What only the listeners could forbid, which a reload leaves as they are. */
static bool exposes(const struct server *server, const struct conf *next)
{
    const struct conf_listen *listen = conf_exposed(server->first, next);
    const char *name =
        listen != NULL ? listen->address : listeners_exposed(&server->listeners, next);

    if (name != NULL) {
        log_error("others than this machine can reach %s until the daemon is restarted, so until "
                  "then there must be users and TLS, or insecure = true",
                  name);
    }
    return name != NULL;
}

/* A file that lacks what there was is seldom meant so: an editor may have emptied it, and not
 * written it yet. */
static bool forgets(const struct server *server, const struct conf *next)
{
    bool users = server->conf->user_count > 0 && !next->users_given;
    bool everything = next->blank && !server->conf->blank;

    if (everything) {
        log_error("the file has no setting in it, and had some before: write one, such as "
                  "users = (); if the defaults are meant");
    } else if (users) {
        log_error("users: the file does not speak of them, and there are some: write users = (); "
                  "if everybody shall do everything");
    }
    return everything || users;
}

/* Whether namespaces ask for more than there is of so much memory, which is said. */
static bool conflicts(const struct conf *next, uint64_t memory)
{
    const char *conflict = conf_apply_conflict(next, memory);

    if (conflict != NULL) {
        log_error("%s", conflict);
    }
    return conflict != NULL;
}

/* What can fail, and is easily dropped again. */
static bool prepare(struct server *server)
{
    struct reload *reload = &server->reload;

    if (conflicts(reload->next, reload->next->memory)) {
        return false;
    }
    reload->users = users_create(reload->next, server->users);
    if (reload->users == NULL) {
        log_error("users: %s", strerror(errno));
        return false;
    }
    return listeners_load_tls(&server->listeners);
}

static void *read_all(void *context)
{
    struct server *server = context;
    struct reload *reload = &server->reload;

    pthread_setname_np(pthread_self(), "reload");
    reload->prepared = conf_load(server->options.file, &reload->next, &reload->errors) &&
                       !forgets(server, reload->next) && !exposes(server, reload->next) &&
                       prepare(server);
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

/* Options that cannot change while the daemon runs stay as they were at the start;
 * those of the new file are said to be unheard. */
static void log_unchanged(const struct server *server)
{
    char names[NAMES_MAX];

    conf_needs_restart(server->first, server->conf, names, sizeof names);
    if (names[0] != '\0') {
        log_warning("reload: left as it was until a restart: %s", names);
    }
}

static bool change_log_and_policy(struct server *server, const struct conf *next)
{
    const char *why;

    /* The memory stays what it is where no other can be had. */
    if (conflicts(next, store_memory(server->storage.store))) {
        return false;
    }
    if (!server_open_log(server, next, &why)) {
        log_error("cannot log to %s: %s", next->log.to, why);
        return false;
    }
    if (!conf_apply_begin(next, server->storage.store_thread)) {
        log_error("namespaces: %s", strerror(ENOMEM));
        server_open_log(server, server->conf, &why);
        return false;
    }
    return true;
}

/* More memory comes before what may be promised of it. Less comes at the end: finish. */
static bool change_log_and_store(struct server *server, const struct conf *next)
{
    uint64_t memory = store_memory(server->storage.store);

    if (next->memory > memory) {
        storage_set_memory(&server->storage, next->memory);
    }
    if (!change_log_and_policy(server, next)) {
        storage_set_memory(&server->storage, memory);
        return false;
    }
    return true;
}

/* Nothing of it can fail. */
static void adopt(struct server *server)
{
    struct reload *reload = &server->reload;
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
    fd_limit_allow_for(next);
    if (server->conf != server->first) {
        conf_destroy(&server->conf);
    }
    server->conf = next;
    reload->next = NULL;
}

static void drop(struct server *server)
{
    struct reload *reload = &server->reload;

    listeners_abandon_tls(&server->listeners);
    users_put(&reload->users);
    conf_destroy(&reload->next);
    conf_errors_deinit(&reload->errors);
}

static void wait_for_slice(struct server *server, time_t seconds, suseconds_t us)
{
    const struct timeval delay = {.tv_sec = seconds, .tv_usec = us};

    if (event_add(server->reload.slice, &delay) != 0) { /* a timer takes memory: do without */
        event_active(server->reload.slice, EV_TIMEOUT, 0);
    }
}

/* It was applied, or refused. */
static void end(struct server *server)
{
    struct reload *reload = &server->reload;

    reload->state = RELOAD_IDLE;
    notify_ready();
    if (reload->again) {
        reload->again = false;
        reload_begin(server);
    } else if (reload->retries) {
        wait_for_slice(server, RETRY_S, 0);
    }
}

static void refuse(struct server *server)
{
    drop(server);
    atomic_store(&server->instance.reload_refused, true);
    log_error("reload refused: the configuration stays as it was");
    server_show_status(server, "; the last reload was refused, see the log");
    end(server);
}

static void on_read(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    struct reload *reload = &server->reload;
    (void)fd;
    (void)what;

    wakeup_clear(&reload->wakeup);
    if (reload->state != RELOAD_READS) {
        return;
    }
    pthread_join(reload->reader, NULL);
    log_conf_errors(&reload->errors);
    conf_errors_deinit(&reload->errors);
    if (!reload->prepared || !change_log_and_store(server, reload->next)) {
        refuse(server);
        return;
    }
    adopt(server);
    reload->state = RELOAD_APPLIES;
    wait_for_slice(server, 0, 0);
}

static void finish(struct server *server)
{
    struct reload *reload = &server->reload;
    bool owed = reload->retries;

    if (reload->state == RELOAD_APPLIES) {
        reload->retries = conf_apply_owes(server->storage.store_thread);
        if (server->conf->memory < store_memory(server->storage.store)) {
            storage_set_memory(&server->storage, server->conf->memory);
        }
        log_unchanged(server);
        log_notice("reloaded the configuration");
        server_show_status(server, "");
        end(server);
        return;
    }
    reload->retries = store_policy_result(server->storage.store_thread).owed > 0;
    if (owed && !reload->retries) {
        log_notice("namespaces: all that are declared could be made now");
    } else if (reload->retries) {
        wait_for_slice(server, RETRY_S, 0);
    }
}

static void on_slice(evutil_socket_t fd, short what, void *context)
{
    struct server *server = context;
    (void)fd;
    (void)what;

    if (server->reload.state == RELOAD_IDLE) {
        store_policy_retry(server->storage.store_thread); /* where that has not been done */
    }
    switch (conf_apply_go_on(server->storage.store_thread, clock_now())) {
    case STORE_GOES_ON:
        wait_for_slice(server, 0, 0);
        break;
    case STORE_WAITS:
        wait_for_slice(server, 0, WAIT_US);
        break;
    case STORE_DONE:
        finish(server);
        break;
    }
}

/* --- the whole ----------------------------------------------------------------- */

void reload_begin(struct server *server)
{
    struct reload *reload = &server->reload;
    const char *why;

    if (reload->state != RELOAD_IDLE) {
        reload->again = true;
        return;
    }
    notify_reloading();
    server_open_log(server, server->conf, &why); /* whatever the file says, this one was rotated */
    event_del(reload->slice);
    reload->state = RELOAD_READS;
    int error = thread_start(&reload->reader, read_all, server);
    if (error != 0) {
        log_error("reload: cannot start a thread: %s", strerror(error));
        refuse(server);
    }
}

bool reload_init(struct server *server)
{
    struct reload *reload = &server->reload;

    if (!wakeup_init(&reload->wakeup, server->base, on_read, server)) {
        return false;
    }
    errno = ENOMEM;
    reload->slice = event_new(server->base, -1, 0, on_slice, server);
    if (reload->slice == NULL) {
        return false;
    }
    reload->retries = conf_apply_owes(server->storage.store_thread);
    if (reload->retries) {
        wait_for_slice(server, RETRY_S, 0);
    }
    return true;
}

void reload_deinit(struct server *server)
{
    struct reload *reload = &server->reload;

    if (reload->state == RELOAD_READS) {
        pthread_join(reload->reader, NULL);
        drop(server);
    }
    wakeup_deinit(&reload->wakeup);
    if (reload->slice != NULL) {
        event_free(reload->slice);
    }
    reload->state = RELOAD_IDLE;
}
