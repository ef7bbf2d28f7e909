/*
 * transfer.h - a handle's bytes, out and in. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_TRANSFER_H
#define KVCACHED_SCRIPTS_CLIENTS_C_TRANSFER_H

#include "scripts/clients/c/handle.h"

/* Takes in what has come, without waiting. */
enum kvc_result transfer_take_in(struct kvc *kvc, enum link_result *state);
/* Sends what is left of the buffer from *sent on. */
enum kvc_result transfer_flush(struct kvc *kvc, const struct buffer *out, size_t *sent);
/* Cuts the reply that begins `from` bytes behind those that were taken, and takes none. Waits for
 * it. *taken: how many bytes it has. */
enum kvc_result transfer_cut(struct kvc *kvc, size_t from, enum kvc_values values,
                             struct kvc_reply *reply, size_t *taken);

#endif
