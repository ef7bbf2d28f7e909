/*
 * loop_fixture.c - see loop_fixture.h.
 */
#include "tests/conn/loop_fixture.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/conn/connections.h"
#include "daemon/conn/scheduler.h"

enum { MEMORY = 32 << 20, MAX_VALUE = 1 << 20, LAST_PASSES = 3 };

static const struct endpoint endpoint = {.protocol = &protocol_native, .name = "test"};
static struct store *store;
struct rig rig;

/* --- in place of daemon/base/clock.c ------------------------------------------- */

uint64_t clock_now(void)
{
    return rig.milliseconds;
}

uint64_t clock_wall(void)
{
    return rig.milliseconds;
}

uint64_t clock_wall_us(void)
{
    return rig.milliseconds * 1000;
}

uint64_t clock_when(uint64_t wall)
{
    return wall > rig.milliseconds ? wall : 0;
}

uint64_t clock_precise(void)
{
    return rig.nanoseconds += SCHEDULER_SLICE_US * 1000;
}

/* --- in place of the worker ----------------------------------------------- */

void rig_pass(void)
{
    const struct conn *conn;
    ck_assert_int_ge(event_base_loop(rig.loop.base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
    TAILQ_FOREACH(conn, &rig.loop.active, link)
    {
        /* An interactive connection has nothing to wait for. An assertion that holds is written to
         * a file, and here are hundreds in each of thousands of passes. */
        if (conn->interactive && (conn->is_queued || conn->demoted)) {
            ck_abort_msg("an interactive connection waits in a queue, or is demoted");
        }
    }
}

void rig_open(void)
{
    static const struct conn_settings settings = {
        .max_value = MAX_VALUE, .idle_timeout = 60000, .default_namespace = "main"};
    struct store_options options = {.memory = MEMORY, .max_value = MAX_VALUE};
    struct store_policy policy = {.max_value = MAX_VALUE};
    rig.milliseconds = rig.nanoseconds = 1000;
    store = store_create(&options);
    ck_assert_ptr_nonnull(store);
    facts_of_one(&rig.instance, rig.metrics);
    ck_assert(loop_init(&rig.loop, store, &rig.instance, 0));
    loop_configure(&rig.loop, &settings);
    store_enter(rig.loop.store_thread);
    ck_assert(store_set_policy(store, rig.loop.store_thread, &policy, clock_now()));
    store_leave(rig.loop.store_thread);
    connections_serve(&rig.loop);
}

void rig_hang_up(struct peer *peer)
{
    if (peer->fd >= 0) {
        close(peer->fd);
        peer->fd = -1;
    }
}

bool rig_nobody_waits(void)
{
    return TAILQ_EMPTY(&rig.loop.run_queue.high) && TAILQ_EMPTY(&rig.loop.run_queue.low);
}

void rig_close(void)
{
    connections_close_all(&rig.loop);
    ck_assert(rig_nobody_waits());
    for (int i = 0; i < LAST_PASSES; i++) {
        rig_pass(); /* what is still to come finds no connection */
    }
    ck_assert_uint_eq(atomic_load(&rig.instance.connections), 0);
    ck_assert_uint_eq(rig.loop.backlogged, 0);
    event_del(&rig.loop.slice);
    event_del(&rig.loop.sweep);
    event_del(&rig.loop.pressure.scan);
    event_del(&rig.loop.pressure.retry);
    loop_deinit(&rig.loop);
    store_destroy(&store);
}

/* --- peers ---------------------------------------------------------------- */

void rig_come(struct peer *peer)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    atomic_fetch_add(&rig.instance.connections, 1);
    struct transport transport;
    transport_plain(&transport, ends[1]);
    ck_assert(connections_open(&rig.loop, &transport, &endpoint));
    *peer = (struct peer){.fd = ends[0], .conn = TAILQ_LAST(&rig.loop.active, loop_list)};
    ck_assert_int_eq(peer->conn->transport.fd, ends[1]);
}

void rig_say(const struct peer *peer, const char *text, size_t times)
{
    size_t length = strlen(text);
    char *all = malloc(length * times);
    ck_assert_ptr_nonnull(all);
    for (size_t i = 0; i < times; i++) {
        memcpy(all + i * length, text, length);
    }
    ck_assert_int_eq(send(peer->fd, all, length * times, MSG_NOSIGNAL), (ssize_t)(length * times));
    free(all);
}

size_t rig_hear(struct peer *peer, size_t most)
{
    char bytes[1 << 16];
    ssize_t got = recv(peer->fd, bytes, most < sizeof bytes ? most : sizeof bytes, 0);
    ck_assert(got > 0 || (got < 0 && errno == EAGAIN));
    peer->heard += got > 0 ? (size_t)got : 0;
    return got > 0 ? (size_t)got : 0;
}
