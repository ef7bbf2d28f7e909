/*
 * probe.c - asks a server one thing at a time and says when it was answered.
 *
 *   probe watch --port=N --protocol=P --pid=N --every=MS --for=MS
 *       how many records there are and how many bytes are resident, again and
 *       again: a line `nanoseconds records bytes` each time
 *   probe ask --port=N --protocol=P REQUEST...
 *       sends each request line and reads its whole reply: a line
 *       `nanoseconds lines first-line` each
 *
 * Times are of the monotonic clock, so that they can be laid beside the
 * generator's. Everything is bounded: ten seconds for any reply.
 */
#include "scripts/load/dialect.h"
#include "scripts/load/link.h"
#include "scripts/load/process.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 10
#define MILLISECOND      1000000u

struct probe {
    const char *port;
    const struct dialect *dialect;
    pid_t pid;
    unsigned every, lasting; /* milliseconds */
    int fd;
    char *in; /* what has come of the reply, from the start; grows */
    size_t have, size;
};

static bool fail(const char *what)
{
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    return false;
}

static bool send_all(struct probe *p, const char *bytes, size_t length)
{
    while (length) {
        ssize_t n = send(p->fd, bytes, length, MSG_NOSIGNAL);
        if (n <= 0) {
            return fail("sending");
        }
        bytes += n;
        length -= (size_t)n;
    }
    p->have = 0;
    return true;
}

static bool receive_some(struct probe *p)
{
    if (p->size - p->have < 65536) {
        size_t size = p->size * 2 + 131072;
        char *in = realloc(p->in, size);
        if (!in) {
            return fail("memory");
        }
        p->in = in;
        p->size = size;
    }
    errno = ECONNRESET; /* what an orderly end in the middle of a reply amounts to */
    ssize_t n = recv(p->fd, p->in + p->have, p->size - p->have, 0);
    if (n <= 0) {
        return fail("waiting for a reply");
    }
    p->have += (size_t)n;
    return true;
}

static bool ends_with(const struct probe *p, const char *text)
{
    size_t length = strlen(text);
    return p->have >= length && memcmp(p->in + p->have - length, text, length) == 0;
}

static bool ask_items(struct probe *p, uint64_t *items)
{
    const struct dialect *d = p->dialect;
    if (!send_all(p, d->items_request, strlen(d->items_request))) {
        return false;
    }
    do {
        if (!receive_some(p)) {
            return false;
        }
    } while (!ends_with(p, d->items_end));
    const char *mark = memmem(p->in, p->have, d->items_mark, strlen(d->items_mark));
    if (!mark) {
        fprintf(stderr, "probe: no \"%s\" in the reply: %.*s\n", d->items_mark,
                (int)(p->have < 80 ? p->have : 80), p->in);
        return false;
    }
    *items = strtoull(mark + strlen(d->items_mark), NULL, 10);
    return true;
}

static bool watch(struct probe *p)
{
    uint64_t start = process_clock();
    uint64_t ends = start + (uint64_t)p->lasting * MILLISECOND;
    for (uint64_t due = start; due < ends; due += (uint64_t)p->every * MILLISECOND) {
        uint64_t items;
        struct timespec at = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        if (!ask_items(p, &items)) {
            return false;
        }
        printf("%lu %lu %lu\n", process_clock(), items, process_resident(p->pid));
        fflush(stdout); /* the reader of this may end the probe at any time */
    }
    return true;
}

/* How many lines the reply has that begins with `line`; 0: as many as come
 * before a line `END`. */
static uint64_t lines_expected(const char *line, size_t length)
{
    static const char *const lists[] = {"KEY ", "RECORD ", "STAT ", "NAMESPACE ", "END"};
    if (line[0] == '*') { /* a RESP array of strings: a size and a text each */
        return 1 + 2 * strtoull(line + 1, NULL, 10);
    }
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        if (dialect_begins(line, length, lists[i], strlen(lists[i]))) {
            return 0;
        }
    }
    return 1;
}

/* Counts lines as they come, for replies whose values hold no line ends. */
static bool read_lines(struct probe *p, uint64_t *lines)
{
    size_t from = 0;
    uint64_t expected = UINT64_MAX;
    *lines = 0;
    for (;;) {
        size_t length, taken;
        if (from == p->have || !dialect_line(p->in + from, p->have - from, &length, &taken)) {
            if (!receive_some(p)) {
                return false;
            }
            continue;
        }
        if (expected == UINT64_MAX) {
            expected = lines_expected(p->in, length);
        }
        ++*lines;
        if (expected ? *lines == expected : dialect_is(p->in + from, length, LITERAL("END"))) {
            return true;
        }
        from += taken;
    }
}

static bool ask(struct probe *p, const char *request)
{
    char line[4096];
    uint64_t lines;
    size_t length, taken;
    int n = snprintf(line, sizeof line, "%s\r\n", request);
    if (n < 0 || (size_t)n >= sizeof line) {
        errno = EMSGSIZE;
        return fail(request);
    }
    uint64_t start = process_clock();
    if (!send_all(p, line, (size_t)n) || !read_lines(p, &lines)) {
        return false;
    }
    uint64_t lasted = process_clock() - start;
    dialect_line(p->in, p->have, &length, &taken);
    printf("%lu %lu %.*s\n", lasted, lines, (int)length, p->in);
    return true;
}

static bool read_options(struct probe *p, int argc, char **argv)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'}, {"protocol", required_argument, NULL, 'P'},
        {"pid", required_argument, NULL, 'i'},  {"every", required_argument, NULL, 'e'},
        {"for", required_argument, NULL, 'f'},  {NULL, 0, NULL, 0},
    };
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'p') {
            p->port = optarg;
        } else if (o == 'P') {
            p->dialect = dialect_find(optarg);
        } else if (o == 'i') {
            p->pid = (pid_t)strtol(optarg, NULL, 10);
        } else if (o == 'e') {
            p->every = (unsigned)strtoul(optarg, NULL, 10);
        } else if (o == 'f') {
            p->lasting = (unsigned)strtoul(optarg, NULL, 10);
        } else {
            return false;
        }
    }
    return p->port && p->dialect && p->every && optind < argc;
}

static bool connect_to(struct probe *p)
{
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    p->fd = link_connect("127.0.0.1", p->port);
    if (p->fd < 0) {
        return fail("connecting");
    }
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return true;
}

int main(int argc, char **argv)
{
    struct probe p = {.every = 10, .lasting = 10000, .fd = -1};
    if (!read_options(&p, argc, argv)) {
        fputs("usage: probe watch|ask --port=N --protocol=P [--pid=N] [--every=MS] [--for=MS] "
              "[REQUEST...]\n",
              stderr);
        return 2;
    }
    bool ok = connect_to(&p);
    if (ok && strcmp(argv[optind], "watch") == 0) {
        ok = watch(&p);
    } else {
        for (int i = optind + 1; ok && i < argc; i++) {
            ok = ask(&p, argv[i]);
        }
    }
    if (p.fd >= 0) {
        close(p.fd);
    }
    free(p.in);
    return ok ? 0 : 1;
}
