/*
 * reply.h - nodes of replies, for those files of the room that make and free them.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_REPLY_H
#define KVCACHED_DAEMON_CLUSTER_REPLY_H

#include "daemon/cluster/cluster.h"

/* NULL: no memory. The bytes are copied. */
struct cluster_reply *reply_text(enum cluster_reply_type type, struct slice text);
/* With `count` elements that are NULL. */
struct cluster_reply *reply_array(size_t count);
struct cluster_reply *reply_integer(int64_t integer);
struct cluster_reply *reply_nil(void);

/* With all that is below it. Sets *reply to NULL; NULL is legal. */
void reply_free(struct cluster_reply **reply);

/* Whether it is of that type and its text begins so. */
bool reply_begins(const struct cluster_reply *reply, enum cluster_reply_type type,
                  const char *text);

#endif
