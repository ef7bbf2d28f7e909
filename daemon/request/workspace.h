/*
 * workspace.h - what the pipelines of one thread share: the pools of their blocks, and the context
 * in which they execute commands, with the settings and the clock that these go by.
 *
 * Memory follows activity, not connections: a pipeline takes its blocks from here while it has
 * something to do, and gives them back when it is idle.
 *
 * Owned by the thread's loop, and used by that thread alone: nothing in it is locked.
 */
#ifndef KVCACHED_DAEMON_REQUEST_WORKSPACE_H
#define KVCACHED_DAEMON_REQUEST_WORKSPACE_H

#include "daemon/base/pool.h"
#include "daemon/request/command.h"
#include "daemon/request/recv_buffer.h"

struct workspace {
    /* Used by one pipeline after the other. The pipeline sets `replies`, `endpoint`, `identity` and
     * `crowded`; the owner sets the rest, and `now` and `until` before each turn. */
    struct command_context ctx;
    struct recv_buffer_pools recv_buffers;
    struct pool chunks;      /* of reply queues */
    struct pipeline *rested; /* pipelines that the next connections take, with their buffers */
    unsigned rested_count;
};

#endif
