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
static bool start_others(struct staff *staff, const struct conf *conf, struct store *store)
{
    staff->housekeeper = housekeeper_create(store, conf->purge_interval);
    if (staff->housekeeper == NULL) {
        log_error("cannot start the housekeeper: %s", strerror(errno));
        return false;
    }
    staff->authenticator = authenticator_create();
    if (staff->authenticator == NULL) {
        log_error("cannot start the thread that checks secrets: %s", strerror(errno));
        return false;
    }
    return true;
}

static bool speaks_tls(const struct conf *conf)
{
    bool speaks = false;

    for (size_t i = 0; i < conf->listen_count; i++) {
        speaks |= conf->listen[i].tls_certificate != NULL;
    }
    return speaks;
}

bool staff_start(struct staff *staff, const struct conf *conf, struct users *users,
                 struct store *store, struct instance *instance)
{
    struct worker_options options = {.store = store,
                                     .instance = instance,
                                     .settings = policy_conn_settings(conf),
                                     .users = users,
                                     .greets = speaks_tls(conf)};

    *staff = (struct staff){.workers = calloc(instance->threads, sizeof(struct worker *))};
    if (staff->workers == NULL) {
        log_error("threads: %s", strerror(errno));
        return false;
    }
    if (!start_others(staff, conf, store)) {
        return false;
    }
    options.housekeeper = staff->housekeeper;
    options.authenticator = staff->authenticator;
    while (staff->count < instance->threads) {
        options.id = staff->count;
        struct worker *worker = worker_create(&options);
        if (worker == NULL) {
            log_error("threads: cannot start worker %u: %s", options.id, strerror(errno));
            return false;
        }
        staff->workers[staff->count++] = worker;
    }
    return true;
}

void staff_reconfigure(struct staff *staff, const struct conf *conf, struct users *users)
{
    const struct conn_settings settings = policy_conn_settings(conf);

    for (unsigned i = 0; i < staff->count; i++) {
        worker_reconfigure(staff->workers[i], &settings, users);
    }
    housekeeper_reconfigure(staff->housekeeper, conf->purge_interval);
    for (unsigned i = 0; i < staff->count; i++) {
        if (!worker_await(staff->workers[i])) {
            log_warning("worker %u is busy: the new configuration is in force there later", i);
        }
    }
}

/* All are told before the first is waited for, so that they finish together. The authenticator may
 * have answers for them until it is gone. */
void staff_end(struct staff *staff)
{
    for (unsigned i = 0; i < staff->count; i++) {
        worker_stop(staff->workers[i]);
    }
    for (unsigned i = 0; i < staff->count; i++) {
        worker_join(staff->workers[i]);
    }
    authenticator_destroy(&staff->authenticator);
    for (unsigned i = 0; i < staff->count; i++) {
        worker_destroy(&staff->workers[i]);
    }
    housekeeper_destroy(&staff->housekeeper);
    free(staff->workers);
    *staff = (struct staff){.workers = NULL};
}
