/*
 * fd_limit.h - the limit on open file descriptors of the process. The main thread's.
 */
#ifndef KVCACHED_DAEMON_OS_FD_LIMIT_H
#define KVCACHED_DAEMON_OS_FD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct conf;

/* Raises the limit to `wanted` if it is lower, as far as the process may. Never lowers it. Returns
 * the limit then; 0: unknown. */
uint64_t fd_limit_raise(uint64_t wanted);

/* Raises the limit to what the configuration needs, as far as the process may, and warns if that is
 * less. Never lowers it. Returns the limit then. */
uint64_t fd_limit_raise_for(const struct conf *conf);

/* The same, at the start. False, and the log says so: the limit is too low for a daemon with that
 * configuration, which would fail later in its start with an error that does not name the limit. */
bool fd_limit_require(const struct conf *conf);

#endif
