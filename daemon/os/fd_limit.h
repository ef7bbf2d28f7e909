/*
 * fd_limit.h - how many file descriptors the process may have.
 */
#ifndef KVCACHED_DAEMON_OS_FD_LIMIT_H
#define KVCACHED_DAEMON_OS_FD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct conf;

/* Raises the limit to `wanted` where it is lower, as far as that is allowed, and
 * returns what it is then. Never lowers it. */
uint64_t fd_limit_allow(uint64_t wanted);

/* Raises the limit as far as is needed for what the configuration asks for, or allowed, and warns
 * where that is less. Never lowers it. Returns what holds then. */
uint64_t fd_limit_allow_for(const struct conf *conf);

/* The same at the start. False, which is said, where it is too little for a daemon: it would
 * fail at some point of its start, with a message of that point. */
bool fd_limit_take(const struct conf *conf);

#endif
