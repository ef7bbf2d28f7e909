/*
 * floor.c - what any server built on libevent must pay, and nothing else.
 *
 * It reads what has come, answers each line with a fixed reply, and writes all
 * answers at once. It understands nothing, stores nothing and looks at the
 * first letter only: a line with `G` gets a value, a line with `P` gets nothing
 * because the value's line that follows it gets the `STORED`. What a real
 * server costs above this is its own doing.
 *
 * With SEND_BYTES the kernel keeps about so much for each peer, and a peer that does not take its
 * replies gets no more and is not read from any more.
 *
 *   floor PORT VALUE_BYTES [SEND_BYTES]
 */
#include <event2/event.h>
#include <event2/listener.h>

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES ((size_t)16 << 10)
#define LINES_MOST (READ_BYTES / 16) /* no request here is shorter */

struct floor {
    struct event_base *base;
    char *value; /* the reply to a get */
    size_t value_length;
    char *out;      /* room for the replies to all that one read can bring */
    int send_bytes; /* 0: as many as the kernel likes, and peers are waited for */
};

struct guest {
    struct floor *floor;
    struct event *readable;
    char last; /* the first letter of the line that goes on; 0: a new one begins */
};

static void leave(struct guest *g)
{
    evutil_socket_t fd = event_get_fd(g->readable);
    event_free(g->readable);
    close(fd);
    free(g);
}

static char *answer(const struct floor *f, char first, char *out)
{
    if (first == 'P') {
        return out;
    }
    if (first == 'G') {
        return (char *)memcpy(out, f->value, f->value_length) + f->value_length;
    }
    return (char *)memcpy(out, "STORED\r\n", 8) + 8;
}

/* Blocking until all is out would be unfair to the others, but the generator
 * reads everything before it asks again. False: it broke. */
static bool write_all(struct guest *g, const char *bytes, size_t length)
{
    while (length) {
        ssize_t n = send(event_get_fd(g->readable), bytes, length, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            return false;
        }
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        } else if (g->floor->send_bytes) {
            event_del(g->readable);
            return true;
        }
    }
    return true;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    (void)what;
    struct guest *g = context;
    char in[READ_BYTES];
    ssize_t n = recv(fd, in, sizeof in, 0);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n <= 0) {
        leave(g);
        return;
    }
    char *out = g->floor->out;
    for (const char *at = in, *end = in + n; at < end;) {
        if (!g->last) {
            g->last = *at;
        }
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (!line_end) {
            break;
        }
        out = answer(g->floor, g->last, out);
        g->last = 0;
        at = line_end + 1;
    }
    if (!write_all(g, g->floor->out, (size_t)(out - g->floor->out))) {
        leave(g);
    }
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from,
                      int length, void *context)
{
    (void)listener, (void)from, (void)length;
    struct floor *f = context;
    struct guest *g = calloc(1, sizeof *g);
    int on = 1;
    if (!g) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (f->send_bytes) {
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &f->send_bytes, sizeof f->send_bytes);
    }
    g->floor = f;
    g->readable = event_new(f->base, fd, EV_READ | EV_PERSIST, on_readable, g);
    event_add(g->readable, NULL);
}

static bool prepare(struct floor *f, size_t bytes)
{
    char head[32];
    size_t n = (size_t)snprintf(head, sizeof head, "VALUE %zu\r\n", bytes);
    f->value_length = n + bytes + 2;
    f->value = malloc(f->value_length);
    f->out = malloc(LINES_MOST * (f->value_length > 8 ? f->value_length : 8));
    if (!f->value || !f->out) {
        return false;
    }
    memcpy(f->value, head, n);
    memset(f->value + n, 'v', bytes);
    memcpy(f->value + n + bytes, "\r\n", 2);
    return true;
}

int main(int argc, char **argv)
{
    struct floor f = {.base = event_base_new()};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    f.send_bytes = argc == 4 ? atoi(argv[3]) : 0;
    if (argc < 3 || argc > 4 || !f.base || !prepare(&f, strtoul(argv[2], NULL, 10))) {
        fputs("usage: floor PORT VALUE_BYTES [SEND_BYTES]\n", stderr);
        return 2;
    }
    at.sin_port = htons((in_port_t)strtoul(argv[1], NULL, 10));
    struct evconnlistener *listener = evconnlistener_new_bind(
        f.base, on_accept, &f, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC,
        1024, (struct sockaddr *)&at, sizeof at);
    if (!listener) {
        fprintf(stderr, "floor: 127.0.0.1:%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    event_base_dispatch(f.base);
    return 0;
}
