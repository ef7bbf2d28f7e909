/*
 * descriptors.c - RLIMIT_NOFILE.
 *
 * The soft limit may go up to the hard one by anybody's hand, the hard one by
 * root's only. Both are tried, so that a start as root suffices.
 */
#include "daemon/descriptors.h"

#include <sys/resource.h>

uint64_t descriptors_allow(uint64_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    if (limit.rlim_cur >= wanted) {
        return limit.rlim_cur;
    }
    struct rlimit higher = {.rlim_cur = wanted, .rlim_max = limit.rlim_max};
    if (higher.rlim_max < wanted) {
        higher.rlim_max = wanted;
    }
    if (setrlimit(RLIMIT_NOFILE, &higher) == 0) {
        return wanted;
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}
