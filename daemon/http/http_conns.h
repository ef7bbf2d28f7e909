/*
 * http_conns.h - the connections of one HTTP listener: bounded in number and in time.
 *
 * evhttp of libevent 2.1 has neither limit. Each bufferevent of evhttp is listed here with a
 * reference of its own, so that it can still be read when evhttp has freed it. At HTTP_CONNS_MAX
 * the listener accepts no more, and the oldest connection without a request under way is closed. A
 * connection is also closed when no complete request has come for HTTP_IDLE_MS, or when the client
 * has not taken its answer within HTTP_ANSWER_MS. Closing is to shut the socket down: evhttp
 * notices that, and frees the connection.
 *
 * All functions are for the HTTP thread.
 */
#ifndef KVCACHED_DAEMON_HTTP_HTTP_CONNS_H
#define KVCACHED_DAEMON_HTTP_HTTP_CONNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HTTP_CONNS_MAX = 32,
    HTTP_IDLE_MS = 30000,
    HTTP_ANSWER_MS = 60000,
    HTTP_SWEEP_MS = 1000,      /* between two sweeps */
    HTTP_SWEEP_FULL_MS = 100,  /* at HTTP_CONNS_MAX */
    HTTP_SWEEP_ENDING_MS = 2,  /* at HTTP_CONNS_MAX, while one is being closed */
    HTTP_INPUT_MAX = 16 << 10, /* bytes that are read before they are parsed */
};

struct bufferevent;
struct evconnlistener;

struct http_conn {
    struct bufferevent *bufferevent; /* NULL: the place is free */
    uint64_t since;                  /* milliseconds: accepted, or the last request begun or
                                        answered */
    unsigned trust_version;          /* for http_tls_user */
    bool ending;                     /* its socket has been shut down */
    void *answering;                 /* the request under way, of http_exchange.c; NULL: none */
};

struct http_conns {
    struct http_conn all[HTTP_CONNS_MAX];
    size_t count;
    struct evconnlistener *listener; /* of evhttp */
    bool full;                       /* accepting is suspended */
};

/* Milliseconds of the clock for `since`. */
uint64_t http_conns_now(void);

/* Lists a connection that was just accepted. NULL at HTTP_CONNS_MAX. */
struct http_conn *http_conns_add(struct http_conns *conns, struct bufferevent *bufferevent);
/* NULL: it is not listed. */
struct http_conn *http_conns_find(struct http_conns *conns, struct bufferevent *bufferevent);

/* Drops those that evhttp has freed, closes those whose time is over, and accepts again below
 * HTTP_CONNS_MAX. To be called after http_conns_due. */
void http_conns_sweep(struct http_conns *conns);

/* Milliseconds until the next sweep. */
unsigned http_conns_due(const struct http_conns *conns);

/* Suspends accepting until the next sweep, after an error. */
void http_conns_pause(struct http_conns *conns);

/* evhttp must have been freed. */
void http_conns_deinit(struct http_conns *conns);

#endif
