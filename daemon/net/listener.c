/*
 * listener.c - opens TCP and Unix sockets, and leaves no file behind.
 *
 * Owns a listening socket and the file of a Unix socket. A file that is in use is never replaced: a
 * socket is stale only if no process accepts connections there, and a file that is no socket is
 * left alone. So is, at the end, a path that leads to another socket by then (cleanup.h).
 *
 * Options that every connection needs are set here, once: on Linux a connection inherits them from
 * its listener, which saves a system call for each option.
 */
#include "daemon/net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "daemon/base/path_advice.h"
#include "daemon/base/safe_open.h"
#include "daemon/os/privilege.h"

enum {
    UNSENT_MAX = 16 << 10,    /* bytes; see set_options */
    LOCK_ATTEMPTS = 40,       /* another daemon holds the lock of a path for microseconds */
    LOCK_PAUSE_MS = 25,       /* between them */
    PORT_UNPRIVILEGED = 1024, /* from here on every user may listen, where that was not changed */
};

/* Writes the text of an error and returns false. Keeps errno. */
static bool failed(char error[LISTENER_ERROR_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool failed(char error[LISTENER_ERROR_MAX], const char *format, ...)
{
    int why = errno;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error, LISTENER_ERROR_MAX, format, arguments);
    va_end(arguments);
    errno = why;
    return false;
}

/* --- names -------------------------------------------------------------- */

static void name_internet(char *name, const struct sockaddr *address, socklen_t length)
{
    char host[INET6_ADDRSTRLEN + 32] = "?", port[8] = "?";
    bool v6 = address->sa_family == AF_INET6;
    getnameinfo(address, length, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(name, ENDPOINT_NAME_MAX, v6 ? "[%s]:%s" : "%s:%s", host, port);
}

/* A path that begins with a NUL is in Linux's abstract namespace, and is written with an @. */
static void name_unix(char *name, const struct sockaddr_un *address, socklen_t length)
{
    size_t bytes = length - offsetof(struct sockaddr_un, sun_path);
    if (length <= offsetof(struct sockaddr_un, sun_path)) {
        snprintf(name, ENDPOINT_NAME_MAX, "unnamed");
    } else if (address->sun_path[0] == '\0') {
        snprintf(name, ENDPOINT_NAME_MAX, "@%.*s", (int)bytes - 1, address->sun_path + 1);
    } else {
        snprintf(name, ENDPOINT_NAME_MAX, "%.*s", (int)bytes, address->sun_path);
    }
}

/* Whether other machines can reach an address. */
static bool is_exposed(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        return ntohl(four->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET;
    }
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return address->sa_family == AF_INET6 && !IN6_IS_ADDR_LOOPBACK(six) &&
           !(IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == IN_LOOPBACKNET);
}

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_un local;
    struct sockaddr_storage room;
};

/* The address that the socket is bound to, and *length of it. False with errno. */
static bool bound_address(const struct listener *listener, union address *address,
                          socklen_t *length)
{
    *address = (union address){.any.sa_family = AF_UNSPEC};
    *length = sizeof *address;
    return getsockname(listener->fd, &address->any, length) == 0;
}

/* Takes the name from the address that the socket is bound to, so that a port of 0 gets its number.
 */
static bool name_from_kernel(struct listener *listener)
{
    union address address;
    socklen_t length;
    if (!bound_address(listener, &address, &length)) {
        return false;
    }
    listener->is_exposed = is_exposed(&address.any);
    if (address.any.sa_family == AF_UNIX) {
        name_unix(listener->endpoint.name, &address.local, length);
    } else {
        name_internet(listener->endpoint.name, &address.any, length);
    }
    return true;
}

/* --- TCP ---------------------------------------------------------------- */

static bool enable(int fd, int level, int option)
{
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* Options that connections inherit. Keepalive detects peers whose machine is gone. With the low
 * mark for unsent bytes the kernel takes no more replies than it can soon send, instead of
 * megabytes for each client that requests much and never reads. */
static bool set_options(int fd)
{
    const int unsent = UNSENT_MAX;
    return enable(fd, IPPROTO_TCP, TCP_NODELAY) && enable(fd, SOL_SOCKET, SO_KEEPALIVE) &&
           setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent) == 0;
}

/* "*" is refused: getaddrinfo would choose a family for it. */
static bool resolve(const struct conf_listen *conf, struct addrinfo **found)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    char port[8];
    snprintf(port, sizeof port, "%u", conf->port);
    return strcmp(conf->address, "*") != 0 && getaddrinfo(conf->address, port, &hints, found) == 0;
}

static bool set_families(int fd, const struct addrinfo *at, bool both)
{
    const int only = !both;
    return at->ai_family != AF_INET6 ||
           setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0;
}

static bool bind_internet(struct listener *listener, const struct addrinfo *at, bool both)
{
    listener->fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return listener->fd >= 0 && enable(listener->fd, SOL_SOCKET, SO_REUSEADDR) &&
           set_families(listener->fd, at, both) && set_options(listener->fd) &&
           bind(listener->fd, at->ai_addr, at->ai_addrlen) == 0 &&
           listen(listener->fd, ENDPOINT_BACKLOG) == 0 && name_from_kernel(listener);
}

/* What to do about a port or an address that cannot be had; begins with a colon. */
static void advise(char *advice, size_t size, const struct conf_listen *conf, int error)
{
    switch (error) {
    case EADDRINUSE:
        snprintf(advice, size, ": ss -ltnp 'sport = :%u' shows which process listens there",
                 conf->port);
        return;
    case EACCES:
        snprintf(advice, size, "%s",
                 conf->port >= PORT_UNPRIVILEGED
                     ? ""
                     : ": a port below 1024 needs AmbientCapabilities=CAP_NET_BIND_SERVICE in the "
                       "unit, or a socket unit; or write another port");
        return;
    case EADDRNOTAVAIL:
        snprintf(advice, size, ": this machine does not have it; ip address shows what it has");
        return;
    case EAFNOSUPPORT:
        snprintf(advice, size, ": this machine has no IPv6; write an address of IPv4");
        return;
    default:
        advice[0] = '\0';
        return;
    }
}

static bool open_internet(struct listener *listener, const struct conf_listen *conf, char *error)
{
    struct addrinfo *found;
    char advice[160];
    if (!resolve(conf, &found)) {
        errno = EINVAL;
        return failed(error, "cannot listen on %s port %u: not a numeric address", conf->address,
                      conf->port);
    }
    name_internet(listener->endpoint.name, found->ai_addr, found->ai_addrlen);
    bool done = bind_internet(listener, found, conf->dual_stack);
    int why = errno;
    freeaddrinfo(found);
    if (!done) {
        advise(advice, sizeof advice, conf, why);
        failed(error, "cannot listen on %s: %s%s", listener->endpoint.name, strerror(why), advice);
    }
    errno = why;
    return done;
}

/* --- Unix --------------------------------------------------------------- */

/* Whether a process accepts connections at the path. */
static bool is_in_use(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 &&
                   errno == ECONNREFUSED;
    if (fd >= 0) {
        close(fd);
    }
    return !refused;
}

/* Unlinks a socket that was left behind at the path. */
static bool remove_stale(const struct sockaddr_un *at, char *error)
{
    struct stat found;
    if (lstat(at->sun_path, &found) != 0) {
        return errno == ENOENT ||
               failed(error, "cannot listen on %s: %s", at->sun_path, strerror(errno));
    }
    errno = EADDRINUSE;
    if (!S_ISSOCK(found.st_mode)) {
        return failed(
            error,
            "cannot listen on %s: there is a file that is no socket: move it, or listen elsewhere",
            at->sun_path);
    }
    if (is_in_use(at)) {
        errno = EADDRINUSE;
        return failed(error, "cannot listen on %s: another process listens there", at->sun_path);
    }
    if (unlink(at->sun_path) != 0) {
        return failed(error, "cannot remove the old socket %s: %s", at->sun_path, strerror(errno));
    }
    return true;
}

/* The file has its mode from the start, since the kernel makes it under the umask. The umask is
 * that of the process, which has one thread yet. */
static bool bind_with_mode(int fd, const struct sockaddr_un *at, mode_t mode)
{
    mode_t before = umask(~mode & 0777);
    bool done = bind(fd, (const struct sockaddr *)at, sizeof *at) == 0;
    int why = errno;
    umask(before);
    errno = why;
    return done;
}

/* With signals blocked between making the file and registering it. */
static bool bind_and_register(struct listener *listener, const struct sockaddr_un *at, mode_t mode)
{
    sigset_t before;
    cleanup_block_signals(&before);
    bool done = bind_with_mode(listener->fd, at, mode) &&
                cleanup_register(&listener->cleanup, listener->endpoint.name, -1);
    cleanup_restore_signals(&before);
    return done;
}

static bool set_owner(const struct listener *listener, const char *owner,
                      const struct privilege_user *user, char *error)
{
    struct privilege_user found;
    if (owner != NULL) {
        enum privilege_status status = privilege_find(owner, &found);
        if (status != PRIVILEGE_OK) {
            errno = EINVAL;
            return failed(error, "cannot change the owner of %s to %s: %s", listener->endpoint.name,
                          owner, privilege_error(status));
        }
        user = &found;
    }
    if (user != NULL && !safe_give_socket(listener->endpoint.name, user->uid, user->gid)) {
        return failed(error, "cannot change the owner of %s to %s: %s", listener->endpoint.name,
                      owner == NULL ? user->name : owner, strerror(errno));
    }
    return true;
}

/* Listens at the path, if it is free or stale. */
static bool listen_at(struct listener *listener, const struct conf_listen *conf,
                      const struct sockaddr_un *at, char *error)
{
    if (!remove_stale(at, error)) {
        return false;
    }
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || !bind_and_register(listener, at, conf->mode) ||
        listen(listener->fd, ENDPOINT_BACKLOG) != 0) {
        return failed(error, "cannot listen on %s: %s", conf->path,
                      path_advice(conf->path, errno, strerror(errno)).text);
    }
    return true;
}

/* Locks the path of a socket by a file beside it, so that of two daemons that start at once one
 * gets it and the other one finds it in use. Returns the descriptor of that file, or -1 with
 * `error`. */
static int lock_path(const char *path, const char *socket_path, const struct privilege_user *user,
                     struct cleanup *cleanup, char *error)
{
    const struct safe_terms terms = {.path = path,
                                     .flags = O_RDWR | O_CREAT,
                                     .mode = 0600,
                                     .user = user != NULL ? user->uid : geteuid()};
    const char *why;
    bool made;
    int fd = safe_open_locked(&terms, &made, &why, NULL);
    for (int i = 0; fd < 0 && errno == EWOULDBLOCK && i < LOCK_ATTEMPTS; i++) {
        nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_MS * 1000000}, NULL);
        fd = safe_open_locked(&terms, &made, &why, NULL);
    }
    if (fd < 0 && errno == EWOULDBLOCK) {
        failed(error, "cannot lock %s: %s", path, why);
    } else if (fd < 0) {
        failed(error, "cannot listen on %s: %s", socket_path, path_advice(path, errno, why).text);
    } else if (!cleanup_register(cleanup, path, -1)) {
        failed(error, "cannot lock %s: %s", path, strerror(errno));
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool open_locked(struct listener *listener, const struct conf_listen *conf,
                        const struct privilege_user *user, const struct sockaddr_un *at,
                        char *error)
{
    struct cleanup cleanup = {.path = NULL};
    char lock[sizeof at->sun_path + sizeof ".lock"];
    sigset_t before;
    snprintf(lock, sizeof lock, "%s.lock", at->sun_path);
    cleanup_block_signals(&before);
    int fd = lock_path(lock, at->sun_path, user, &cleanup, error);
    cleanup_restore_signals(&before);
    if (fd < 0) {
        return false;
    }
    bool done = listen_at(listener, conf, at, error);
    int why = errno;
    cleanup_remove(&cleanup);
    close(fd);
    errno = why;
    return done;
}

static bool open_unix(struct listener *listener, const struct conf_listen *conf,
                      const struct privilege_user *user, char *error)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const char *why;
    if (strlen(conf->path) >= sizeof at.sun_path) {
        errno = ENAMETOOLONG;
        return failed(error, "cannot listen on %s: %s", conf->path, strerror(errno));
    }
    strcpy(at.sun_path, conf->path);
    snprintf(listener->endpoint.name, sizeof listener->endpoint.name, "%s", conf->path);
    if (!safe_path(conf->path, &why)) {
        return failed(error, "cannot listen on %s: %s", conf->path,
                      path_advice(conf->path, errno, why).text);
    }
    return open_locked(listener, conf, user, &at, error) &&
           set_owner(listener, conf->owner, user, error);
}

/* --- both --------------------------------------------------------------- */

struct endpoint listener_endpoint(const struct conf_listen *conf)
{
    struct endpoint endpoint = {.protocol = protocol_find(slice_of(conf->protocol)),
                                .is_http = strcmp(conf->protocol, "http") == 0,
                                .open = conf->open,
                                .separator = conf->prefix != NULL ? conf->prefix[0] : '\0'};
    if (conf->default_namespace != NULL) {
        snprintf(endpoint.default_namespace, sizeof endpoint.default_namespace, "%s",
                 conf->default_namespace);
        endpoint.default_length = (uint8_t)strlen(endpoint.default_namespace);
    }
    return endpoint;
}

bool listener_open(struct listener *listener, const struct conf_listen *conf,
                   const struct privilege_user *user, char error[LISTENER_ERROR_MAX])
{
    *listener = (struct listener){.fd = -1, .endpoint = listener_endpoint(conf)};
    if (listener->endpoint.protocol == NULL && !listener->endpoint.is_http) {
        errno = EPROTONOSUPPORT;
        return failed(error, "cannot listen: there is no protocol \"%s\"", conf->protocol);
    }
    bool done = conf->path != NULL ? open_unix(listener, conf, user, error)
                                   : open_internet(listener, conf, error);
    if (!done) {
        int why = errno;
        listener_close(listener);
        errno = why;
    }
    return done;
}

uint16_t listener_port(const struct listener *listener)
{
    union address address;
    socklen_t length;
    if (!bound_address(listener, &address, &length)) {
        return 0;
    }
    return address.any.sa_family == AF_INET    ? ntohs(address.four.sin_port)
           : address.any.sa_family == AF_INET6 ? ntohs(address.six.sin6_port)
                                               : 0;
}

static bool is_listening_stream(int fd)
{
    int type = 0, listening = 0;
    socklen_t length = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
}

bool listener_inherit(struct listener *listener, int fd, const struct endpoint *endpoint,
                      char error[LISTENER_ERROR_MAX])
{
    *listener = (struct listener){.fd = fd, .endpoint = *endpoint, .inherited = true};
    if (!is_listening_stream(fd) || !name_from_kernel(listener)) {
        listener_close(listener);
        errno = ENOTSOCK;
        return failed(error,
                      "descriptor %d of socket activation is no listening stream socket: check the "
                      "socket unit",
                      fd);
    }
    if (listener->endpoint.name[0] != '/' && listener->endpoint.name[0] != '@') {
        set_options(fd); /* may fail: the socket may be of another family */
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return true;
}

void listener_close(struct listener *listener)
{
    cleanup_remove(&listener->cleanup); /* if that fails, the next start finds a stale socket */
    if (listener->fd >= 0) {
        close(listener->fd);
        listener->fd = -1;
    }
}
