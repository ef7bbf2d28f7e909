/*
 * script.h - a script as a command begins with it: by its digest, or by its text.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_SCRIPT_H
#define KVCACHED_DAEMON_CLUSTER_SCRIPT_H

#include "daemon/cluster/cluster.h"

enum { SCRIPT_ARGUMENTS = 2 /* that stand before the number of keys */ };

/* The first two arguments, as RESP: EVALSHA and the digest; EVAL and the text. They live as long as
 * the script. */
struct slice script_by_digest(const struct cluster_script *script);
struct slice script_by_text(const struct cluster_script *script);

#endif
