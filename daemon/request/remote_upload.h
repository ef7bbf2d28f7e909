/*
 * remote_upload.h - a large value on its way into the cluster.
 *
 * Nodes take a value as a whole, and no other request of their connection is served meanwhile. So
 * the value is kept in memory until all of it has come from the client.
 *
 * For the thread of the worker.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_UPLOAD_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_UPLOAD_H

#include <sys/uio.h>

#include "daemon/request/remote.h"

/* For a request whose value is still to come; its work. NULL: no memory. */
struct remote_work *remote_upload_create(struct command_context *ctx,
                                         const struct request *request);

/* Where the next bytes go, and that they have come. */
struct iovec remote_upload_space(struct remote_work *work);
void remote_upload_advance(struct remote_work *work, size_t size);

/* Bytes that it holds. */
size_t remote_upload_memory(const struct remote_work *work);

/* Asks when all has come, and answers when the node has. False: it waits for the node. */
bool remote_upload_commit(struct command_context *ctx, struct remote_work *work,
                          struct request *request, struct store_key *at);

#endif
