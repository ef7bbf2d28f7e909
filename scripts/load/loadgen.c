/*
 * loadgen.c - asks a cache many things at once and says how it went.
 *
 * One thread, one epoll, any number of connections. Two ways of asking:
 *
 *   closed: each connection sends a pipeline's worth of requests in one write,
 *           waits until all are answered, and sends the next;
 *   open:   (--rate) requests go out on schedule, whether or not earlier ones
 *           are answered, so that a server's pause shows in every request that
 *           fell into it and not in one only.
 *
 * The report is `name=value` lines on stdout. Exit status 1 when the run could
 * not be finished: a closed connection, a reply that makes no sense, ten
 * seconds without any.
 */
#include "scripts/load/exchange.h"
#include "scripts/load/process.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SECOND      1000000000u
#define PATIENCE    (10ull * SECOND) /* without any reply, then the run is given up */
#define EVENTS_MOST 512

struct run {
    const struct plan *plan;
    struct source source;
    struct exchange exchange;
    struct link *links;
    int epoll;
    int timer;       /* open: fires when a request is due; else -1 */
    uint64_t sent;   /* open: how many so far */
    uint64_t opened; /* process_clock when the first request went out */
    uint64_t began;  /* when measuring began */
    uint64_t ends;   /* when no more is asked */
    uint64_t ended;  /* when the last reply was in */
    bool measuring;
    struct process_time time_before, time_after;
};

static bool fail(const char *what)
{
    fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
    return false;
}

static uint64_t from_seconds(double seconds)
{
    return (uint64_t)llround(seconds * SECOND);
}

static bool start_timer(struct run *run)
{
    long interval = (long)(SECOND / run->plan->rate);
    struct itimerspec every = {.it_interval = {interval / SECOND, interval % SECOND},
                               .it_value = {interval / SECOND, interval % SECOND}};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    run->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return run->timer >= 0 && timerfd_settime(run->timer, 0, &every, NULL) == 0 &&
           epoll_ctl(run->epoll, EPOLL_CTL_ADD, run->timer, &event) == 0;
}

static bool open_links(struct run *run)
{
    const struct plan *plan = run->plan;
    struct rlimit files = {plan->connections + 64, plan->connections + 64}, now;
    if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur < files.rlim_cur &&
        setrlimit(RLIMIT_NOFILE, &files) != 0) {
        return fail("raising the limit of open files");
    }
    run->links = calloc(plan->connections, sizeof *run->links);
    if (!run->links) {
        return fail("links");
    }
    for (unsigned i = 0; i < plan->connections; i++) {
        run->links[i].fd = -1;
    }
    for (unsigned i = 0; i < plan->connections; i++) {
        if (!link_open(&run->links[i], run->epoll, plan->host, plan->port, plan->pipeline,
                       plan->tls)) {
            return fail("connecting");
        }
    }
    return true;
}

/* Warm-up is over: what was counted so far is forgotten. */
static void begin_measuring(struct run *run, uint64_t now)
{
    memset(&run->exchange.tally, 0, sizeof run->exchange.tally);
    if (run->plan->pid) {
        process_time(run->plan->pid, &run->time_before);
    }
    run->measuring = true;
    run->began = now;
    run->ends = now + from_seconds(run->plan->seconds);
}

static bool send_due(struct run *run)
{
    uint64_t fired;
    if (read(run->timer, &fired, sizeof fired) != sizeof fired) {
        return true;
    }
    for (; fired; fired--) {
        struct link *l = &run->links[run->sent++ % run->plan->connections];
        if (!exchange_ask(&run->exchange, l, 1)) {
            return fail("sending");
        }
    }
    return true;
}

static bool serve_link(struct run *run, struct link *l, uint32_t events)
{
    if (events & EPOLLOUT && link_flush(l) == LINK_CLOSED) {
        return fail("sending");
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        return true;
    }
    do {
        if (!exchange_take(&run->exchange, l)) {
            return false;
        }
    } while (link_has_more(l));
    if (l->asked_count || run->plan->rate || run->plan->mode == PLAN_IDLE) {
        return true;
    }
    return exchange_ask(&run->exchange, l, run->plan->pipeline) || fail("sending");
}

static bool start_asking(struct run *run)
{
    run->opened = process_clock();
    if (run->plan->mode == PLAN_IDLE) {
        return true;
    }
    if (run->plan->rate) {
        return start_timer(run) || fail("timer");
    }
    for (unsigned i = 0; i < run->plan->connections; i++) {
        if (!exchange_ask(&run->exchange, &run->links[i], run->plan->pipeline)) {
            return fail("sending");
        }
    }
    return true;
}

/* Nothing is left to ask: by time, or because the source has come to its end. */
static bool all_asked(struct run *run, uint64_t now)
{
    struct source *source = &run->source;
    if (run->measuring && now >= run->ends) {
        source->stopped = true;
    }
    return source->stopped ||
           (source->limit && source->issued == source->limit && !source->missed_count);
}

static bool loop(struct run *run)
{
    struct epoll_event events[EVENTS_MOST];
    uint64_t warm = run->opened + from_seconds(run->plan->warmup);
    uint64_t heard = run->opened, answered = 0;
    for (;;) {
        int n = epoll_wait(run->epoll, events, EVENTS_MOST, 20);
        if (n < 0 && errno != EINTR) {
            return fail("epoll");
        }
        for (int i = 0; i < n; i++) {
            struct link *l = events[i].data.ptr;
            if (!(l ? serve_link(run, l, events[i].events) : send_due(run))) {
                return false;
            }
        }
        uint64_t now = process_clock();
        if (run->exchange.answered != answered || !run->exchange.under_way) {
            heard = now;
        }
        answered = run->exchange.answered;
        if (now - heard > PATIENCE) {
            return fprintf(stderr, "loadgen: no reply for ten seconds\n"), false;
        }
        if (!run->measuring && now >= warm) {
            begin_measuring(run, now);
        }
        if (all_asked(run, now) && !run->exchange.under_way) {
            return true;
        }
    }
}

static void report(struct run *run)
{
    const struct exchange *x = &run->exchange;
    const struct tally *t = &x->tally;
    double seconds = (double)(run->ended - run->began) / SECOND;
    double requests = t->requests ? (double)t->requests : 1;
    printf("requests=%lu\nstored=%lu\nhits=%lu\nmisses=%lu\nerrors=%lu\n", t->requests, t->stored,
           t->hits, t->misses, t->refused);
    printf("lasting_hits=%lu\nlasting_misses=%lu\n", t->lasting_hits, t->lasting_misses);
    printf("seconds=%.6f\nrate=%.1f\n", seconds, (double)t->requests / seconds);
    static const struct {
        const char *name;
        double share;
    } shares[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}};
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        printf("%s_us=%.2f\n", shares[i].name,
               (double)histogram_at(&t->latency, shares[i].share) / 1000);
    }
    printf("max_us=%.2f\n", (double)t->latency.longest / 1000);
    printf("ended_ns=%lu\nfirst_deadline_ns=%lu\nlast_deadline_ns=%lu\n", run->ended,
           x->first_deadline, x->last_deadline);
    if (!run->plan->pid) {
        return;
    }
    const struct process_time *a = &run->time_before, *b = &run->time_after;
    printf("cpu_us=%.4f\nuser_us=%.4f\nsystem_us=%.4f\ncpu_share=%.3f\n",
           (double)(b->total - a->total) / 1000 / requests,
           (double)(b->user - a->user) / 1000 / requests,
           (double)(b->system - a->system) / 1000 / requests,
           (double)(b->total - a->total) / SECOND / seconds);
}

static bool carry_out(struct run *run)
{
    const struct plan *plan = run->plan;
    run->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (run->epoll < 0 || !source_init(&run->source, plan) ||
        !exchange_init(&run->exchange, plan, &run->source)) {
        return fail("starting");
    }
    if (!open_links(run)) {
        return false;
    }
    if (plan->warmup == 0) {
        begin_measuring(run, process_clock());
    }
    if (!start_asking(run) || !loop(run)) {
        return false;
    }
    run->ended = process_clock();
    if (plan->pid && !process_time(plan->pid, &run->time_after)) {
        return fail("the server's CPU time");
    }
    if (plan->mode == PLAN_FILL || plan->mode == PLAN_READ) {
        if (run->source.issued < run->source.limit) {
            return fprintf(stderr, "loadgen: not finished in %g s\n", plan->seconds), false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct plan plan;
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes by write(2) */
    if (!plan_read(&plan, argc, argv)) {
        return 2;
    }
    struct run *run = calloc(1, sizeof *run); /* the histogram is large for a stack */
    if (!run) {
        return 1;
    }
    run->plan = &plan;
    run->timer = -1;
    bool finished = carry_out(run);
    if (finished) {
        report(run);
    }
    for (unsigned i = 0; run->links && i < plan.connections; i++) {
        link_close(&run->links[i]);
    }
    exchange_deinit(&run->exchange);
    source_deinit(&run->source);
    free(run->links);
    free(run);
    return finished ? 0 : 1;
}
