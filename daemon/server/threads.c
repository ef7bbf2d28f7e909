/*
 * threads.c - the order in which threads start and end.
 *
 * Workers wake the housekeeper and submit logins to the authenticator, so both start before the
 * first worker and end after the last one. Both wake workers, too, which are freed after them.
 */
#include "daemon/server/threads.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/cluster/cluster.h"
#include "daemon/server/conf_apply.h"
#include "daemon/watch/slow_log.h"

/* Starts the threads that workers need. */
static bool start_services(struct threads *threads, const struct conf *conf, struct store *store,
                           const struct instance *instance)
{
    threads->housekeeper = housekeeper_create(store, instance, conf->purge_interval);
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

/* Of struct client_desk. */
static void ask(void *context, unsigned worker, struct client_query *query)
{
    const struct threads *threads = context;
    worker_ask(threads->workers[worker], query);
}

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* Of struct cluster_desk. */
static void read_cluster(void *context, struct cluster_state *sum)
{
    const struct threads *threads = context;
    *sum = (struct cluster_state){.masters_ready = UINT_MAX};
    for (unsigned i = 0; i < threads->count; i++) {
        struct cluster_state one;
        worker_read_cluster(threads->workers[i], &one);
        sum->masters = larger(sum->masters, one.masters);
        sum->replicas = larger(sum->replicas, one.replicas);
        sum->slots = larger(sum->slots, one.slots);
        sum->under_way += one.under_way;
        if (one.masters_ready < sum->masters_ready) {
            sum->masters_ready = one.masters_ready;
        }
    }
}

bool threads_start(struct threads *threads, const struct conf *conf, struct users *users,
                   const struct cluster_options *cluster, struct store *store,
                   struct instance *instance, struct reload_queue *reloads)
{
    struct worker_options options = {.store = store,
                                     .instance = instance,
                                     .settings = conf_apply_conn_settings(conf),
                                     .users = users,
                                     .reloads = reloads,
                                     .cluster = cluster,
                                     .tls = has_tls(conf)};
    *threads = (struct threads){.workers = calloc(instance->threads, sizeof(struct worker *))};
    if (threads->workers == NULL) {
        log_error("threads: %s", strerror(errno));
        return false;
    }
    slow_log_keep(instance->slow_log, conf->slow_log.entries);
    threads->slow_log = instance->slow_log;
    if (!start_services(threads, conf, store, instance)) {
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
    threads->desk = (struct client_desk){threads->count, ask, threads};
    instance->clients = &threads->desk;
    threads->cluster_desk = (struct cluster_desk){read_cluster, threads};
    instance->cluster = cluster != NULL ? &threads->cluster_desk : NULL;
    return true;
}

void threads_reconfigure(struct threads *threads, const struct conf *conf, struct users *users)
{
    const struct conn_settings settings = conf_apply_conn_settings(conf);
    for (unsigned i = 0; i < threads->count; i++) {
        worker_reconfigure(threads->workers[i], &settings, users);
    }
    housekeeper_reconfigure(threads->housekeeper, conf->purge_interval);
    slow_log_keep(threads->slow_log, conf->slow_log.entries);
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
    housekeeper_destroy(&threads->housekeeper);
    for (unsigned i = 0; i < threads->count; i++) {
        worker_destroy(&threads->workers[i]);
    }
    free(threads->workers);
    *threads = (struct threads){.workers = NULL};
}
