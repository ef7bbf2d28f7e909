/*
 * threads.c - who starts first and who leaves last.
 *
 * Workers poke the housekeeper and ask the authenticator, so both are there before the first of
 * them and until the last one is gone.
 */
#include "daemon/server/threads.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/server/conf_apply.h"

/* Those whom workers need, and then workers. */
static bool start_others(struct threads *threads, const struct conf *conf, struct store *store)
{
    threads->housekeeper = housekeeper_create(store, conf->purge_interval);
    if (threads->housekeeper == NULL) {
        log_error("cannot start the housekeeper: %s", strerror(errno));
        return false;
    }
    threads->authenticator = authenticator_create();
    if (threads->authenticator == NULL) {
        log_error("cannot start the thread that checks secrets: %s", strerror(errno));
        return false;
    }
    return true;
}

static bool speaks_tls(const struct conf *conf)
{
    bool speaks = false;

    for (size_t i = 0; i < conf->listen_count; i++) {
        speaks |= conf->listen[i].tls_certificate != NULL &&
                  strcmp(conf->listen[i].protocol, "http") != 0;
    }
    return speaks;
}

bool threads_start(struct threads *threads, const struct conf *conf, struct users *users,
                   struct store *store, struct instance *instance)
{
    struct worker_options options = {.store = store,
                                     .instance = instance,
                                     .settings = conf_apply_conn_settings(conf),
                                     .users = users,
                                     .greets = speaks_tls(conf)};

    *threads = (struct threads){.workers = calloc(instance->threads, sizeof(struct worker *))};
    if (threads->workers == NULL) {
        log_error("threads: %s", strerror(errno));
        return false;
    }
    if (!start_others(threads, conf, store)) {
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
            log_warning("worker %u is busy: the new configuration is in force there later", i);
        }
    }
}

/* All are told before the first is waited for, so that they finish together. The authenticator may
 * have answers for them until it is gone. */
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
