/*
 * conf_machine.h - how many processors and how much memory the process may use: the machine's, or
 * less where a control group bounds it, as for a container.
 *
 * Inside conf/ only; any thread.
 */
#ifndef KVCACHED_CONF_CONF_MACHINE_H
#define KVCACHED_CONF_CONF_MACHINE_H

#include <stdint.h>

/* Processors that the process may use, rounded up; at least 1. `root` is where proc and sys/fs are,
 * "" but in tests. */
unsigned conf_machine_processors(const char *root);

/* Bytes of memory that the process may use; 0: unknown. */
uint64_t conf_machine_memory(const char *root);

#endif
