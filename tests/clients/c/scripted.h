/*
 * scripted.h - a server of a test, which answers as it was told, in the thread of its client.
 *
 * The client waits by scripted_poll: each wait is a turn of the server, which takes in what was
 * sent and gives the next piece of its reply. So nothing depends on time: where the client waits
 * for what will not come, its wait ends with a timeout at once.
 */
#ifndef KVCACHED_TESTS_CLIENTS_C_SCRIPTED_H
#define KVCACHED_TESTS_CLIENTS_C_SCRIPTED_H

#include "tests/clients/c/text.h"

enum { SCRIPTED_CONNECTIONS_MAX = 4 };

/* What one connection is answered with, once `wait_for` bytes were sent through it. */
struct scripted_answer {
    struct kvc_bytes reply;
    size_t cut;      /* the reply comes in two pieces, cut there */
    size_t wait_for; /* bytes */
    bool closes;     /* behind the reply */
};

struct scripted {
    char folder[64], path[96];
    int listener, peer; /* peer: the client's connection; -1: none */
    struct scripted_answer answers[SCRIPTED_CONNECTIONS_MAX];
    size_t connections; /* that there were */
    size_t given;       /* bytes of the reply of this one */
    size_t received;    /* bytes that came through this one */
    struct text sent;   /* all that came, through all of them */
};

void scripted_init(struct scripted *server);
void scripted_deinit(struct scripted *server);
/* As after scripted_init. */
void scripted_reset(struct scripted *server);
/* Options of a client of this server. */
struct kvc_options scripted_options(struct scripted *server);

#endif
