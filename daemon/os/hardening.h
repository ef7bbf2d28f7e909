/*
 * hardening.h - privileges that the process gives up before it holds any record.
 */
#ifndef KVCACHED_DAEMON_OS_HARDENING_H
#define KVCACHED_DAEMON_OS_HARDENING_H

#include <stdbool.h>

/*
 * From here on neither this process nor its children gain privileges, and with core_dumps false it
 * leaves no core file. With core_dumps true it may leave one, as far as the RLIMIT_CORE that it
 * inherited allows.
 *
 * For the main thread, while there is no other, and after the last change of user, at which the
 * kernel decides again which processes may attach to this one. Returns NULL, or the name of the
 * step that failed, with errno; the other steps are done all the same.
 */
const char *hardening_apply(bool core_dumps);

#endif
