/*
 * link_state.h - a link, for the files that make it work: link_io.c, link_dial.c, links.c.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_LINK_STATE_H
#define KVCACHED_DAEMON_CLUSTER_LINK_STATE_H

#include "daemon/cluster/link.h"
#include "daemon/cluster/resolver.h"
#include "daemon/net/transport.h"

struct resp_reader;

enum {
    LINK_BACKOFF_MIN = 20,  /* ms until the next attempt to connect */
    LINK_BACKOFF_MAX = 500, /* it doubles up to here */
    LINK_STALE = 4,         /* deadlines after which no reply is believed */
    LINK_BUFFER = 64 << 10, /* bytes of one read */
    LINK_REASON_MAX = 160,
};

enum link_state {
    LINK_WAITS,
    LINK_RESOLVES,
    LINK_CONNECTS, /* from here on there is a transport */
    LINK_HANDSHAKES,
    LINK_GREETS, /* from here on requests are sent and replies are read */
    LINK_READY,
};

struct link {
    struct links *links;
    void *owner;
    enum link_state state;
    bool replica;   /* what the node is */
    bool reads;     /* READONLY was sent, and READWRITE was not */
    bool blocked;   /* the socket did not take all of `unsent` */
    bool unflushed; /* it stands in links->unflushed */
    TAILQ_ENTRY(link) next;
    struct address address; /* the last that was found */
    bool is_numeric;
    struct lookup *lookup;
    struct transport transport; /* from LINK_CONNECTS on */
    struct event readable, writable, timer;
    uint64_t timer_at; /* ms, when the timer fires */
    struct resp_reader *reader;
    struct link_requests unsent, awaited;
    size_t sent_of_first; /* bytes of the first of `unsent` that were taken */
    uint64_t heard;       /* ms, when bytes came last */
    uint64_t taken;       /* ms, when the socket took bytes last */
    unsigned backoff;
    unsigned failures; /* to become ready */
    unsigned greeted;  /* replies to the greeting that came */
    struct link_request greeting, ping, role;
    bool role_asked;                 /* `role` is on its way */
    char complaint[LINK_REASON_MAX]; /* what was logged since it was ready last */
    uint16_t port;
    char name[LINK_HOST_MAX + 16];
    char host[];
};

#endif
