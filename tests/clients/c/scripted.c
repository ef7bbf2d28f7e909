/*
 * scripted.c - a server of a test.
 */
#include "tests/clients/c/scripted.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void scripted_init(struct scripted *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *server = (struct scripted){.peer = -1, .folder = "/tmp/check_clients.XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(server->folder));
    snprintf(server->path, sizeof server->path, "%s/socket", server->folder);
    strcpy(address.sun_path, server->path);
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_ge(server->listener, 0);
    ck_assert_int_eq(bind(server->listener, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(server->listener, SCRIPTED_CONNECTIONS_MAX), 0);
}

static void hang_up(struct scripted *server)
{
    if (server->peer >= 0) {
        close(server->peer);
        server->peer = -1;
    }
}

void scripted_reset(struct scripted *server)
{
    hang_up(server);
    text_deinit(&server->sent);
    memset(server->answers, 0, sizeof server->answers);
    server->connections = server->given = server->received = 0;
}

void scripted_deinit(struct scripted *server)
{
    hang_up(server);
    close(server->listener);
    unlink(server->path);
    rmdir(server->folder);
    text_deinit(&server->sent);
}

static void take_connection(struct scripted *server)
{
    int peer = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0) {
        return;
    }
    hang_up(server);
    server->peer = peer;
    ck_assert_uint_lt(server->connections, SCRIPTED_CONNECTIONS_MAX);
    server->connections++;
    server->given = server->received = 0;
}

static void take_bytes(struct scripted *server)
{
    char bytes[4096];
    ssize_t count;
    while (server->peer >= 0 && (count = recv(server->peer, bytes, sizeof bytes, 0)) > 0) {
        text_add(&server->sent, (struct kvc_bytes){bytes, (size_t)count});
        server->received += (size_t)count;
    }
}

/* The next piece of the reply, or the end. False: there is nothing to be done. */
static bool answer(struct scripted *server)
{
    const struct scripted_answer *answer = &server->answers[server->connections - 1];
    if (server->peer < 0 || server->received < answer->wait_for) {
        return server->peer < 0;
    }
    if (server->given < answer->reply.length) {
        size_t end = server->given < answer->cut ? answer->cut : answer->reply.length;
        size_t count = end - server->given;
        ck_assert_int_eq(
            send(server->peer, answer->reply.bytes + server->given, count, MSG_NOSIGNAL),
            (ssize_t)count);
        server->given = end;
        return true;
    }
    if (answer->closes) {
        hang_up(server);
    }
    return answer->closes;
}

static int turn(void *context, int fd, short events, int timeout)
{
    struct scripted *server = context;
    (void)fd;
    (void)timeout;
    take_connection(server);
    take_bytes(server);
    return (events & POLLOUT) != 0 || answer(server) ? 1 : 0;
}

struct kvc_options scripted_options(struct scripted *server)
{
    return (struct kvc_options){.size = sizeof(struct kvc_options),
                                .address = server->path,
                                .poll = turn,
                                .poll_context = server};
}
