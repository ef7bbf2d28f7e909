/*
 * threads.c - the order in which threads start and end.
 *
 * Workers wake the housekeeper and submit logins to the authenticator, so both start before the
 * first worker and end after the last one.
 */
#include "daemon/server/threads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/server/conf_apply.h"

/* Starts the threads that workers need. */
static bool start_services(struct threads *threads, const struct conf *conf, struct store *store)
{
    threads->housekeeper = housekeeper_create(store, conf->purge_interval);
    if (threads->housekeeper == NULL) {
        log_error("cannot start the housekeeper: %s", strerror(errno));
        return false;
    }
    threads->authenticator = authenticator_create();
    if (threads->authenticator == NULL) {
        log_error("cannot start the authenticator, which checks secrets: %s", strerror(errno));
        return false;
    }
    return true;
}

static bool has_tls(const struct conf *conf)
{
    bool tls = false;
    for (size_t i = 0; i < conf->listen_count; i++) {
        tls |= conf->listen[i].tls_certificate != NULL &&
               strcmp(conf->listen[i].protocol, "http") != 0;
    }
    return tls;
}

bool threads_start(struct threads *threads, const struct conf *conf, struct users *users,
                   struct store *store, struct instance *instance, struct reload_queue *reloads)
{
    struct worker_options options = {.store = store,
                                     .instance = instance,
                                     .settings = conf_apply_conn_settings(conf),
                                     .users = users,
                                     .reloads = reloads,
                                     .tls = has_tls(conf)};
    *threads = (struct threads){.workers = calloc(instance->threads, sizeof(struct worker *))};
    if (threads->workers == NULL) {
        log_error("threads: %s", strerror(errno));
        return false;
    }
    if (!start_services(threads, conf, store)) {
        return false;
    }
    options.housekeeper = threads->housekeeper;
    options.authenticator = threads->authenticator;
    while (threads->count < instance->threads) {
        options.id = threads->count;
        struct worker *worker = worker_create(&options);
        if (worker == NULL) {
            log_error("threads: cannot start worker %u: %s", options.id, strerror(errno));
            return false;
        }
        threads->workers[threads->count++] = worker;
    }
    return true;
}

void threads_reconfigure(struct threads *threads, const struct conf *conf, struct users *users)
{
    const struct conn_settings settings = conf_apply_conn_settings(conf);
    for (unsigned i = 0; i < threads->count; i++) {
        worker_reconfigure(threads->workers[i], &settings, users);
    }
    housekeeper_reconfigure(threads->housekeeper, conf->purge_interval);
    for (unsigned i = 0; i < threads->count; i++) {
        if (!worker_await(threads->workers[i])) {
            log_warning("worker %u is busy: it applies the new configuration later", i);
        }
    }
}

/* All workers are stopped before the first is joined, so that they drain together. They are
 * destroyed after the authenticator, which may answer their logins until then. */
void threads_end(struct threads *threads)
{
    for (unsigned i = 0; i < threads->count; i++) {
        worker_stop(threads->workers[i]);
    }
    for (unsigned i = 0; i < threads->count; i++) {
        worker_join(threads->workers[i]);
    }
    authenticator_destroy(&threads->authenticator);
    for (unsigned i = 0; i < threads->count; i++) {
        worker_destroy(&threads->workers[i]);
    }
    housekeeper_destroy(&threads->housekeeper);
    free(threads->workers);
    *threads = (struct threads){.workers = NULL};
}
