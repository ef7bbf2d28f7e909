/*
 * fd_limit.c - RLIMIT_NOFILE.
 *
 * The soft limit may go up to the hard one by anybody's hand, the hard one by
 * root's only. Both are tried, so that a start as root suffices.
 */
#include "daemon/os/fd_limit.h"

#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "conf/conf.h"
#include "daemon/base/log.h"

enum {
    FD_LIMIT_A_WORKER = 4, /* and as many for its handshaker */
    FD_LIMIT_OF_HTTP = 40, /* connections of a listener, and its thread's own */
    FD_LIMIT_LEAST = 24,   /* the log, the pid file, the bases and so on, and a few clients */
    FD_LIMIT_BESIDE = 96,  /* the same, with room to spare */
};

uint64_t fd_limit_allow(uint64_t wanted)
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

/* Those that are open when no client is connected. */
static uint64_t own_descriptors(const struct conf *conf)
{
    bool greets = false;
    uint64_t http = 0;

    for (size_t i = 0; i < conf->listen_count; i++) {
        bool is_http = strcmp(conf->listen[i].protocol, "http") == 0;
        greets |= conf->listen[i].tls_certificate != NULL && !is_http;
        http += is_http ? FD_LIMIT_OF_HTTP : 0;
    }
    return conf->listen_count + http +
           (greets ? 2u : 1u) * FD_LIMIT_A_WORKER * (uint64_t)conf->threads;
}

uint64_t fd_limit_allow_for(const struct conf *conf)
{
    uint64_t own = own_descriptors(conf);
    uint64_t wanted = own + FD_LIMIT_BESIDE + conf->max_connections;
    uint64_t allowed = fd_limit_allow(wanted);

    if (allowed < wanted) {
        uint64_t least = own + FD_LIMIT_LEAST;
        log_warning("max_connections: %u need %ju file descriptors, but the limit is %ju: about "
                    "%ju connections will find room",
                    conf->max_connections, (uintmax_t)wanted, (uintmax_t)allowed,
                    (uintmax_t)(allowed > least ? allowed - least : 0));
    }
    return allowed;
}

bool fd_limit_take(const struct conf *conf)
{
    uint64_t least = own_descriptors(conf) + FD_LIMIT_LEAST;
    uint64_t allowed = fd_limit_allow_for(conf);

    if (allowed < least) {
        log_error("file descriptors: the limit is %ju, but %u threads and %zu listeners need %ju: "
                  "raise it (ulimit -n, LimitNOFILE), or write fewer threads",
                  (uintmax_t)allowed, conf->threads, conf->listen_count, (uintmax_t)least);
    }
    return allowed >= least;
}
