/*
 * listener.c - opening TCP and Unix sockets, and leaving no cleanup.
 *
 * Owns a listening socket and, of a Unix socket, its name in the file system. A
 * name that is in use is never taken from its owner: a socket is stale only when
 * nobody answers there, and what is no socket is not ours at all. The same care
 * at the end: a name that leads to another socket by then is left alone.
 *
 * Options that every connection needs are set here, once: on Linux a connection
 * inherits them from its listener, which saves two system calls for each.
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

#include "daemon/base/safe_open.h"
#include "daemon/os/privilege.h"

enum {
    UNSENT_MAX = 16 << 10,
    LOCK_ATTEMPTS = 40, /* of LOCK_PAUSE_MS; another daemon has a name's lock for microseconds */
    LOCK_PAUSE_MS = 25,
};

/* Says what failed and why, keeps errno, and is false for the caller to return. */
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

/* A name that begins with a NUL is Linux's abstract kind, written with an @. */
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

static bool is_reached(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)address;
        return ntohl(four->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET;
    }
    const struct in6_addr *six = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return address->sa_family == AF_INET6 && !IN6_IS_ADDR_LOOPBACK(six) &&
           !(IN6_IS_ADDR_V4MAPPED(six) && six->s6_addr[12] == IN_LOOPBACKNET);
}

/* What the kernel says it is bound to, so that a port of 0 gets its number. */
static bool name_from_kernel(struct listener *listener)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_storage room;
    } address = {.any.sa_family = AF_UNSPEC};
    socklen_t length = sizeof address;

    if (getsockname(listener->fd, &address.any, &length) != 0) {
        return false;
    }
    listener->reached = is_reached(&address.any);
    if (address.any.sa_family == AF_UNIX) {
        name_unix(listener->endpoint.name, &address.local, length);
    } else {
        name_internet(listener->endpoint.name, &address.any, length);
    }
    return true;
}

/* --- TCP ---------------------------------------------------------------- */

static bool turn_on(int fd, int level, int option)
{
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* What connections inherit. Keepalive finds peers whose machine is gone. The kernel takes no
 * more replies than it may soon send, instead of megabytes for each peer that asks much and
 * never reads. */
static bool set_inherited(int fd)
{
    const int unsent = UNSENT_MAX;
    return turn_on(fd, IPPROTO_TCP, TCP_NODELAY) && turn_on(fd, SOL_SOCKET, SO_KEEPALIVE) &&
           setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent) == 0;
}

/* "*" would be every address of one family, at the library's choice. */
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
    return listener->fd >= 0 && turn_on(listener->fd, SOL_SOCKET, SO_REUSEADDR) &&
           set_families(listener->fd, at, both) && set_inherited(listener->fd) &&
           bind(listener->fd, at->ai_addr, at->ai_addrlen) == 0 &&
           listen(listener->fd, ENDPOINT_BACKLOG) == 0 && name_from_kernel(listener);
}

static bool open_internet(struct listener *listener, const struct conf_listen *conf, char *error)
{
    struct addrinfo *found;

    if (!resolve(conf, &found)) {
        errno = EINVAL;
        return failed(error, "cannot listen on %s port %u: not a numeric address", conf->address,
                      conf->port);
    }
    name_internet(listener->endpoint.name, found->ai_addr, found->ai_addrlen);
    bool done = bind_internet(listener, found, conf->both);
    int why = errno;
    freeaddrinfo(found);
    errno = why;
    return done || failed(error, "cannot listen on %s: %s%s", listener->endpoint.name,
                          strerror(why), why == EADDRINUSE ? " (ss -ltnp says by what)" : "");
}

/* --- Unix --------------------------------------------------------------- */

/* Whether somebody answers at the name. */
static bool is_alive(const struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) != 0 &&
                   errno == ECONNREFUSED;

    if (fd >= 0) {
        close(fd);
    }
    return !refused;
}

/* Makes room for a socket of that name where one was left behind. */
static bool remove_stale(const struct sockaddr_un *at, char *error)
{
    struct stat found;

    if (lstat(at->sun_path, &found) != 0) {
        return errno == ENOENT ||
               failed(error, "cannot listen on %s: %s", at->sun_path, strerror(errno));
    }
    errno = EADDRINUSE;
    if (!S_ISSOCK(found.st_mode)) {
        return failed(error, "cannot listen on %s: there is a file that is no socket",
                      at->sun_path);
    }
    if (is_alive(at)) {
        errno = EADDRINUSE;
        return failed(error, "cannot listen on %s: another process listens there", at->sun_path);
    }
    if (unlink(at->sun_path) != 0) {
        return failed(error, "cannot remove the old socket %s: %s", at->sun_path, strerror(errno));
    }
    return true;
}

/* The mode is there from the first moment: the kernel makes the file under the
 * umask. The process has one thread yet. */
static bool bind_with_mode(int fd, const struct sockaddr_un *at, mode_t mode)
{
    mode_t before = umask(~mode & 0777);
    bool done = bind(fd, (const struct sockaddr *)at, sizeof *at) == 0;
    int why = errno;

    umask(before);
    errno = why;
    return done;
}

/* No signal comes between the name and its note. */
static bool bind_and_note(struct listener *listener, const struct sockaddr_un *at, mode_t mode)
{
    sigset_t before;

    cleanup_hold(&before);
    bool done = bind_with_mode(listener->fd, at, mode) &&
                cleanup_note(&listener->cleanup, listener->endpoint.name, -1);
    cleanup_release(&before);
    return done;
}

static bool give_to(const struct listener *listener, const char *owner,
                    const struct privilege_user *user, char *error)
{
    struct privilege_user found;

    if (owner != NULL) {
        enum privilege_status status = privilege_find(owner, &found);
        if (status != PRIVILEGE_OK) {
            errno = EINVAL;
            return failed(error, "cannot give %s to %s: %s", listener->endpoint.name, owner,
                          privilege_error(status));
        }
        user = &found;
    }
    if (user != NULL && !safe_give_socket(listener->endpoint.name, user->uid, user->gid)) {
        return failed(error, "cannot give %s to %s: %s", listener->endpoint.name,
                      owner == NULL ? user->name : owner, strerror(errno));
    }
    return true;
}

/* Listens under a name that is free, or was left behind. */
static bool take_name(struct listener *listener, const struct conf_listen *conf,
                      const struct sockaddr_un *at, char *error)
{
    if (!remove_stale(at, error)) {
        return false;
    }
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0 || !bind_and_note(listener, at, conf->mode) ||
        listen(listener->fd, ENDPOINT_BACKLOG) != 0) {
        return failed(error, "cannot listen on %s: %s", conf->path, strerror(errno));
    }
    return true;
}

/* Of two daemons that start at once one takes the name, and the other one finds it taken: both
 * need the lock meanwhile. -1 with `error`. */
static int lock_name(const char *path, const struct privilege_user *user, struct cleanup *cleanup,
                     char *error)
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
    if (fd < 0) {
        failed(error, "cannot lock %s: %s", path, why);
    } else if (!cleanup_note(cleanup, path, -1)) {
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
    cleanup_hold(&before);
    int fd = lock_name(lock, user, &cleanup, error);
    cleanup_release(&before);
    if (fd < 0) {
        return false;
    }
    bool done = take_name(listener, conf, at, error);
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
    if (!safe_way(conf->path, &why)) {
        return failed(error, "cannot listen on %s: %s", conf->path, why);
    }
    return open_locked(listener, conf, user, &at, error) &&
           give_to(listener, conf->owner, user, error);
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

static bool is_listening_stream(int fd)
{
    int type = 0, listening = 0;
    socklen_t length = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
}

bool listener_take(struct listener *listener, int fd, const struct endpoint *endpoint,
                   char error[LISTENER_ERROR_MAX])
{
    *listener = (struct listener){.fd = fd, .endpoint = *endpoint, .taken = true};
    if (!is_listening_stream(fd) || !name_from_kernel(listener)) {
        listener_close(listener);
        errno = ENOTSOCK;
        return failed(error, "descriptor %d, which was handed over, is no listening stream socket",
                      fd);
    }
    if (listener->endpoint.name[0] != '/' && listener->endpoint.name[0] != '@') {
        set_inherited(fd); /* a hint here: it may be another family's socket */
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return true;
}

void listener_close(struct listener *listener)
{
    cleanup_remove(&listener->cleanup); /* where it may not, the next start finds it stale */
    if (listener->fd >= 0) {
        close(listener->fd);
        listener->fd = -1;
    }
}
