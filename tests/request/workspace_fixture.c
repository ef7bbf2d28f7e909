/*
 * workspace_fixture.c - see workspace_fixture.h.
 */
#include "tests/request/workspace_fixture.h"

#include <check.h>
#include <stdio.h>

#include "daemon/base/clock.h"
#include "daemon/request/pipeline.h"

void workspace_open(struct workspace_fixture *fixture, const struct store_options *options,
                    struct instance *instance)
{
    struct command_context *ctx = &fixture->workspace.ctx;
    *fixture = (struct workspace_fixture){.store = store_create(options)};
    ck_assert_ptr_nonnull(fixture->store);
    fixture->store_thread = store_thread_create(fixture->store);
    ck_assert_ptr_nonnull(fixture->store_thread);
    store_thread_set_creator(fixture->store_thread, command_creator, ctx);
    pipeline_init_workspace(&fixture->workspace);
    ctx->store_thread = fixture->store_thread;
    ctx->instance = instance;
    ctx->metrics = instance->metrics;
}

void workspace_close(struct workspace_fixture *fixture)
{
    store_enter(fixture->store_thread);
    const char *wrong = store_check(fixture->store_thread, clock_now());
    ck_assert_msg(wrong == NULL, "%s", wrong);
    store_leave(fixture->store_thread);
    pipeline_deinit_workspace(&fixture->workspace);
    store_thread_destroy(&fixture->store_thread);
    store_destroy(&fixture->store);
}

void workspace_configure(struct workspace_fixture *fixture, uint64_t max_value,
                         const char *default_namespace)
{
    fixture->workspace.ctx.max_value = max_value;
    snprintf(fixture->default_namespace, sizeof fixture->default_namespace, "%s",
             default_namespace);
    fixture->workspace.ctx.default_namespace = slice_of(fixture->default_namespace);
}
