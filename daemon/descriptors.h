/*
 * descriptors.h - how many descriptors this process may have. For the main thread.
 */
#ifndef KVCACHED_DESCRIPTORS_H
#define KVCACHED_DESCRIPTORS_H

#include <stdint.h>

/* Raises the limit to `wanted` where it is lower, as far as that is allowed, and
 * returns what it is then. Never lowers it. */
uint64_t descriptors_allow(uint64_t wanted);

#endif
