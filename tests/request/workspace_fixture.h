/*
 * workspace_fixture.h - a workspace with a store, as the loop of a worker has one.
 */
#ifndef KVCACHED_TESTS_REQUEST_WORKSPACE_FIXTURE_H
#define KVCACHED_TESTS_REQUEST_WORKSPACE_FIXTURE_H

#include "daemon/request/workspace.h"

struct workspace_fixture {
    struct store *store;
    struct store_thread *store_thread;
    struct workspace workspace;
    char default_namespace[REQUEST_NAMESPACE_MAX + 1];
};

/* The instance must have been set up. */
void workspace_open(struct workspace_fixture *fixture, const struct store_options *options,
                    struct instance *instance);
/* Holds the store against itself first. Pipelines must be destroyed. */
void workspace_close(struct workspace_fixture *fixture);

/* As a reload does: the name that was there before is overwritten. */
void workspace_configure(struct workspace_fixture *fixture, uint64_t max_value,
                         const char *default_namespace);

#endif
