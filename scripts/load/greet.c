/*
 * greet.c - one TLS handshake after the other, and what they cost the server.
 *
 *   greet --port=N --pid=N [--seconds=S] [--resume]
 *
 * Each is a connection of its own, with one PING behind the handshake, which brings the
 * ticket that the next one resumes with. The server's CPU time has all of that in it: accept,
 * handshake, PING, close. It says `name=value` lines, as the generator does.
 */
#include "scripts/load/link.h"
#include "scripts/load/process.h"

#include <errno.h>
#include <getopt.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND           1000000000u
#define PATIENCE_SECONDS 10

struct greet {
    const char *port;
    pid_t pid;
    double seconds;
    bool resume;
    SSL_CTX *context;
    SSL_SESSION *session; /* the last that came, or NULL */
    unsigned long done, resumed;
};

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct greet *g = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    SSL_SESSION_free(g->session);
    g->session = session;
    return 1;
}

static bool ping(SSL *ssl)
{
    char pong[6];
    size_t part;
    if (SSL_write_ex(ssl, "PING\r\n", 6, &part) != 1) {
        return false;
    }
    for (size_t have = 0; have < sizeof pong; have += part) {
        if (SSL_read_ex(ssl, pong + have, sizeof pong - have, &part) != 1) {
            return false;
        }
    }
    return memcmp(pong, "PONG\r\n", sizeof pong) == 0;
}

static bool greet_once(struct greet *g)
{
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    int fd = link_connect("127.0.0.1", g->port);
    if (fd < 0) {
        return false;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL *ssl = SSL_new(g->context);
    bool well = ssl && SSL_set_fd(ssl, fd) == 1;
    if (well && g->resume && g->session) {
        well = SSL_set_session(ssl, g->session) == 1;
    }
    well = well && SSL_connect(ssl) == 1 && ping(ssl);
    if (well) {
        g->done++;
        g->resumed += SSL_session_reused(ssl) == 1;
        SSL_shutdown(ssl); /* without it the session counts as broken off */
    }
    SSL_free(ssl);
    close(fd);
    return well;
}

static bool greet_for(struct greet *g)
{
    struct process_time before, after;
    if (!greet_once(g) || !process_time(g->pid, &before)) {
        return false;
    }
    g->done = g->resumed = 0;
    uint64_t began = process_clock(), now = began;
    while (now - began < (uint64_t)(g->seconds * SECOND)) {
        if (!greet_once(g)) {
            return false;
        }
        now = process_clock();
    }
    if (!process_time(g->pid, &after)) {
        return false;
    }
    double cpu = (double)(after.total - before.total) / 1000 / (double)g->done;
    printf("handshakes=%lu\nresumed=%lu\nrate=%.1f\ncpu_us=%.2f\n", g->done, g->resumed,
           (double)g->done * SECOND / (double)(now - began), cpu);
    return true;
}

static bool take(struct greet *g, int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"pid", required_argument, NULL, 'i'},
                                            {"seconds", required_argument, NULL, 'x'},
                                            {"resume", no_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'p') {
            g->port = optarg;
        } else if (o == 'i') {
            g->pid = (pid_t)atoi(optarg);
        } else if (o == 'x') {
            g->seconds = atof(optarg);
        } else if (o == 'r') {
            g->resume = true;
        } else {
            return false;
        }
    }
    return optind == argc && g->port && g->pid > 0 && g->seconds > 0 && g->seconds <= 600;
}

int main(int argc, char **argv)
{
    struct greet g = {.seconds = 1};
    signal(SIGPIPE, SIG_IGN);
    if (!take(&g, argc, argv)) {
        fputs("usage: greet --port=N --pid=N [--seconds=S] [--resume]\n", stderr);
        return 2;
    }
    g.context = SSL_CTX_new(TLS_client_method());
    if (!g.context) {
        return 1;
    }
    SSL_CTX_set_app_data(g.context, &g);
    SSL_CTX_set_session_cache_mode(g.context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(g.context, keep_session);
    bool well = greet_for(&g);
    if (!well) {
        fputs("greet: a handshake failed\n", stderr);
    }
    SSL_SESSION_free(g.session);
    SSL_CTX_free(g.context);
    return well ? 0 : 1;
}
