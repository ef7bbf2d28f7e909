/*
 * http_conns.h - the connections of one HTTP listener: bounded in number and in time.
 *
 * evhttp of libevent 2.1 has neither bound. Each bufferevent that evhttp is given is noted here
 * with a reference of its own, so that it is still there to be looked at when evhttp has let it
 * go. At HTTP_CONNS_MAX the listener accepts no more, and of the connections that are not being
 * answered the oldest is ended. A connection ends as well when it has brought no whole request
 * for HTTP_IDLE_MS, or has not taken its answer within HTTP_ANSWER_MS. It is ended by shutting
 * its socket down: then evhttp sees that it is gone, and frees what it has.
 *
 * The thread's that owns the base.
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
    HTTP_SWEEP_MS = 1000, /* between two sweeps; less while there is no place: */
    HTTP_SWEEP_FULL_MS = 100,
    HTTP_SWEEP_ENDING_MS = 2,  /* while one that gives its place is about to go */
    HTTP_INPUT_MAX = 16 << 10, /* bytes that are read before they are looked at */
};

struct bufferevent;
struct evconnlistener;

struct http_conn {
    struct bufferevent *bufferevent; /* NULL: the place is free */
    uint64_t since;                  /* milliseconds: when it came, or its last request did, or
                                        was answered */
    unsigned trust_version;          /* for http_tls_user */
    bool ending;                     /* its socket was shut down */
    void *answering;                 /* the owner's; NULL: no request is being answered */
};

struct http_conns {
    struct http_conn all[HTTP_CONNS_MAX];
    size_t count;
    struct evconnlistener *listener; /* the owner's */
    bool full;                       /* it accepts no more for now */
};

/* Milliseconds on the clock that connections are measured by. */
uint64_t http_conns_now(void);

/* Notes one that was just accepted. There is a place: while there is none none is accepted. */
struct http_conn *http_conns_add(struct http_conns *conns, struct bufferevent *bufferevent);
/* NULL: it was not noted. */
struct http_conn *http_conns_find(struct http_conns *conns, struct bufferevent *bufferevent);

/* Lets go of those that evhttp has let go of, ends those whose time is over, and accepts again
 * where there is a place. To be called when http_conns_due says. */
void http_conns_sweep(struct http_conns *conns);

/* When the next sweep is due, in milliseconds. */
unsigned http_conns_due(const struct http_conns *conns);

/* Accepts no more until the next sweep: it failed. */
void http_conns_pause(struct http_conns *conns);

/* When evhttp has let go of all. */
void http_conns_deinit(struct http_conns *conns);

#endif
