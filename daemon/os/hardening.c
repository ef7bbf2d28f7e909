/*
 * hardening.c - no core file, no new privileges.
 *
 * A core file holds every record and secret, and keeps them on a disk. A process that is not
 * dumpable leaves none, whether core_pattern names a file or a program; nor can another process
 * of the same user attach to it or read its memory. The limit of 0 repeats that for tools that
 * look there.
 *
 * The arena needs no MADV_DONTDUMP beside that: without core files there is nothing to keep it out
 * of, and core_dumps asks for complete ones.
 */
#include "daemon/os/hardening.h"

#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* A limit that is 0 already is left alone: a service manager may have set it and then forbid the
 * call. */
static bool forbid_core_files(void)
{
    static const struct rlimit none = {0, 0};
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0) {
        return true;
    }
    return setrlimit(RLIMIT_CORE, &none) == 0;
}

const char *hardening_apply(bool core_dumps)
{
    const char *undone = NULL;
    if (!core_dumps && !forbid_core_files()) {
        undone = "RLIMIT_CORE";
    }
    /* Set in both cases: after a change of user a process is not dumpable. */
    if (prctl(PR_SET_DUMPABLE, core_dumps ? 1 : 0, 0, 0, 0) != 0) {
        undone = "PR_SET_DUMPABLE";
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        undone = "PR_SET_NO_NEW_PRIVS";
    }
    return undone;
}
