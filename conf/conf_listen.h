/*
 * conf_listen.h - what a listener's address means: which machines can reach it, and which other
 * listeners it excludes.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_LISTEN_H
#define KVCACHED_CONF_CONF_LISTEN_H

#include <stdbool.h>

struct conf;
struct conf_listen;

/* Whether other machines can connect to it. False for a Unix socket. */
bool conf_listen_is_remote(const struct conf_listen *listen);

/* Whether the kernel would refuse to open the second of the two. Listeners with port 0 are
 * never the same. */
bool conf_listen_same(const struct conf_listen *a, const struct conf_listen *b);

/* Sets `dual_stack` of all listeners. */
void conf_listen_settle(struct conf *conf);

#endif
