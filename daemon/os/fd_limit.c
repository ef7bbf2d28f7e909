/*
 * fd_limit.c - RLIMIT_NOFILE.
 *
 * Any process may raise its soft limit up to the hard limit; only root may raise the hard limit.
 * Both are tried, so that a start as root suffices.
 */
#include "daemon/os/fd_limit.h"

#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include "conf/conf.h"
#include "daemon/base/log.h"

enum {
    PER_THREAD = 5,     /* of each worker, and of each handshaker */
    HTTP_LISTENER = 40, /* connections of a listener with HTTP, and its thread's own descriptors */
    REST_LEAST = 24,    /* the log, the pid file, event bases of other threads, and a few clients */
    REST = 96,          /* the same, with a reserve */
};

uint64_t fd_limit_raise(uint64_t wanted)
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

/* Descriptors of listeners, workers and handshakers. */
static uint64_t own_descriptors(const struct conf *conf)
{
    bool speaks_tls = false;
    uint64_t http = 0;
    for (size_t i = 0; i < conf->listen_count; i++) {
        bool is_http = strcmp(conf->listen[i].protocol, "http") == 0;
        speaks_tls |= conf->listen[i].tls_certificate != NULL && !is_http;
        http += is_http ? HTTP_LISTENER : 0;
    }
    return conf_listen_sockets(conf) + http +
           (speaks_tls ? 2u : 1u) * PER_THREAD * (uint64_t)conf->threads;
}

uint64_t fd_limit_raise_for(const struct conf *conf)
{
    uint64_t own = own_descriptors(conf);
    uint64_t wanted = own + REST + conf->max_connections;
    uint64_t allowed = fd_limit_raise(wanted);
    if (allowed < wanted) {
        uint64_t least = own + REST_LEAST;
        log_warning(
            "max_connections: %u need %ju file descriptors, but the limit is %ju: about %ju "
            "connections are possible: raise the limit (ulimit -n, LimitNOFILE), or lower "
            "max_connections",
            conf->max_connections, (uintmax_t)wanted, (uintmax_t)allowed,
            (uintmax_t)(allowed > least ? allowed - least : 0));
    }
    return allowed;
}

bool fd_limit_require(const struct conf *conf)
{
    uint64_t least = own_descriptors(conf) + REST_LEAST;
    uint64_t allowed = fd_limit_raise_for(conf);
    if (allowed < least) {
        log_error("file descriptors: the limit is %ju, but %u threads and %zu listeners need %ju: "
                  "raise it (ulimit -n, LimitNOFILE), or write fewer threads",
                  (uintmax_t)allowed, conf->threads, conf_listen_sockets(conf), (uintmax_t)least);
    }
    return allowed >= least;
}
