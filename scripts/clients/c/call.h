/*
 * call.h - one request, and its replies. One thread.
 *
 * A call is begun, its request is appended, and its first reply is read; what else comes is read
 * with kvc_next.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_CALL_H
#define KVCACHED_SCRIPTS_CLIENTS_C_CALL_H

#include "scripts/clients/c/append.h"
#include "scripts/clients/c/handle.h"

/* Refused while replies to other requests are left. */
enum kvc_result call_begin(struct kvc *kvc);

/* Reads the first reply. `appended` is what appending came to, and returned where it is an error.
 * A request that only reads is sent once more if its connection was lost. */
enum kvc_result call_first(struct kvc *kvc, enum kvc_result appended, struct kvc_reply *reply);

/* Ends a call that was stopped in the middle: its connection is out of step. Returns `result`. */
enum kvc_result call_end(struct kvc *kvc, enum kvc_result result);

/* Sends once more what was sent, on a new connection, if `lost` is only read and the options allow
 * it. False: it is not. */
bool call_again(struct kvc *kvc, struct expected lost);

#endif
