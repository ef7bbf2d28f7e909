/*
 * hardening.h - what the process gives up before it holds any record.
 */
#ifndef KVCACHED_DAEMON_OS_HARDENING_H
#define KVCACHED_DAEMON_OS_HARDENING_H

#include <stdbool.h>

/*
 * From here on neither this process nor what it may start gains privileges, and with
 * core_dumps false it leaves no core file. With true it may, as far as RLIMIT_CORE of
 * whoever started it allows.
 *
 * For the main thread, while there is no other, and after the last change of user: the
 * kernel decides anew then who may look at the process. Returns NULL, or the name of what
 * could not be done, with errno; the rest is done all the same.
 */
const char *hardening_apply(bool core_dumps);

#endif
