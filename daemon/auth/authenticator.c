/*
 * authenticator.c - the thread, and what one petition goes through.
 *
 *      gate_ask --- recalled, or no place ---> answered
 *         |
 *      gate_queue --- its turn ---> checked, without the lock ---> settled ---> answered
 *         |   +--- GATE_PATIENCE_MS ---> answered
 *         +--- gate_withdraw ---> its caller's
 *
 * A check cannot be cut short, and the end of the gate does not wait for a long one: the thread
 * works on a copy of the petition, and when it was left behind it ends alone and touches nothing
 * else.
 *
 * login_queue.h says whose turn it is. A failure is counted before it is answered: a petition
 * that follows the answer finds itself delayed.
 *
 * What is known to be wrong waits in a line of its own, that of an address which no peer has:
 * APART is set in its family. Each failure of the address delays it there, and so does each
 * repetition: a client that knows nothing better does not keep the processor busy.
 */
#include "daemon/auth/authenticator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/auth/login_queue.h"
#include "daemon/auth/wrong_secrets.h"
#include "daemon/base/clock.h"
#include "daemon/base/thread.h"

enum {
    NICENESS = 5, /* requests come first */
    END_MS = 100, /* that a check may still take when the gate is destroyed */
};

static const uint64_t APART = (uint64_t)1 << 32;

struct gate {
    struct gate_options options;
    pthread_t thread;
    pthread_mutex_t lock;      /* never held while a secret is checked, or an answer given */
    pthread_cond_t wakeup;     /* lock; one of those below has changed, or the clock */
    pthread_cond_t over;       /* lock; `ended` has changed */
    bool stopping;             /* lock */
    bool ended;                /* lock; the thread has, but for its return */
    bool left_behind;          /* lock; the thread frees the gate, and only that */
    struct petition *checked;  /* lock; NULL: none, or answered by gate_destroy */
    bool answering;            /* lock; the thread is, without it: for microseconds */
    struct gate_queue *queue;  /* lock */
    struct gate_wrongs wrongs; /* lock, but for the key */
};

static uint64_t now_of(const struct gate *gate)
{
    return gate->options.now(gate->options.context);
}

/* --- one petition ----------------------------------------------------------- */

static struct slice secret_of(const struct petition *petition)
{
    return (struct slice){petition->secret, petition->secret_length};
}

static struct slice name_of(const struct petition *petition)
{
    return (struct slice){petition->name, petition->name_length};
}

static const struct user *user_of(const struct petition *petition)
{
    return users_find(petition->users, name_of(petition));
}

/* NULL: it is not known again, and may be right or wrong. */
static const struct user *recall(const struct petition *petition)
{
    const struct user *user = user_of(petition);

    return user != NULL && user_recalls(user, secret_of(petition)) ? user : NULL;
}

/* For who is nobody. */
static const char *decoy(const struct petition *petition)
{
    const char *hash = users_decoy(petition->users, name_of(petition));

    return hash != NULL ? hash : secret_of_nobody;
}

/* NULL: denied. */
static const struct user *check(const struct gate *gate, const struct petition *petition)
{
    const struct user *user = user_of(petition);
    const char *hash = user != NULL ? user_hash(user) : NULL;
    bool matches = gate->options.check(gate->options.context, secret_of(petition),
                                       hash != NULL ? hash : decoy(petition));

    if (hash == NULL || !matches) {
        return NULL;
    }
    user_prove(user, secret_of(petition));
    return user;
}

static void answer(struct petition *petition, const struct user *user)
{
    explicit_bzero(petition->secret, sizeof petition->secret);
    petition->secret_length = 0;
    petition->user = user;
    petition->answered(petition);
}

static void deny_all(struct petitions *petitions)
{
    struct petition *petition;

    while ((petition = TAILQ_FIRST(petitions)) != NULL) {
        TAILQ_REMOVE(petitions, petition, next);
        answer(petition, NULL);
    }
}

static bool is_apart(const struct petition *petition)
{
    return (petition->address.family & APART) != 0;
}

/* With the lock. The user where it is known at once. */
static const struct user *recall_at_once(struct gate *gate, struct petition *petition, uint64_t now)
{
    const struct user *user = NULL;

    petition->compared = false;
    if (gate_wrongs_has(&gate->wrongs, petition->token)) {
        petition->address.family |= APART;
    } else if (gate_queue_trusts(gate->queue, &petition->address, now)) {
        user = recall(petition);
        petition->compared = user == NULL;
    }
    if (user != NULL) {
        gate_queue_know(gate->queue, &petition->address, now);
    }
    return user;
}

void gate_ask(struct gate *gate, struct petition *petition)
{
    struct petitions lost = TAILQ_HEAD_INITIALIZER(lost);
    bool waits = false;

    petition->entry = NULL;
    petition->token = gate_wrongs_token(&gate->wrongs, petition);
    pthread_mutex_lock(&gate->lock);
    uint64_t now = now_of(gate);
    const struct user *user = recall_at_once(gate, petition, now);
    if (user == NULL) {
        waits = gate_queue_add(gate->queue, petition, now, &lost);
    }
    if (waits) {
        pthread_cond_signal(&gate->wakeup);
    }
    pthread_mutex_unlock(&gate->lock);
    if (!waits) {
        answer(petition, user);
    }
    deny_all(&lost);
}

bool gate_withdraw(struct gate *gate, struct petition *petition)
{
    pthread_mutex_lock(&gate->lock);
    bool waited = gate_queue_withdraw(gate->queue, petition, now_of(gate));
    pthread_mutex_unlock(&gate->lock);
    if (waited) {
        explicit_bzero(petition->secret, sizeof petition->secret);
        petition->secret_length = 0;
    }
    return waited;
}

/* --- the thread ------------------------------------------------------------- */

/* With the lock, which it gives while it sleeps. May return early. */
static void sleep_until(struct gate *gate, uint64_t now, uint64_t due)
{
    struct timespec until;

    if (due == UINT64_MAX) {
        pthread_cond_wait(&gate->wakeup, &gate->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t nanoseconds = (uint64_t)until.tv_nsec + (due - now) % 1000 * 1000000;
    until.tv_sec += (time_t)((due - now) / 1000 + nanoseconds / 1000000000);
    until.tv_nsec = (long)(nanoseconds % 1000000000);
    pthread_cond_timedwait(&gate->wakeup, &gate->lock, &until);
}

/* With the lock. */
static void remember_wrong(struct gate *gate, const struct petition *petition, uint64_t now)
{
    const struct peer_address apart = {petition->address.family | APART, petition->address.number};

    gate_wrongs_add(&gate->wrongs, petition->token);
    gate_queue_fail(gate->queue, &apart, now);
}

/* NULL: denied. The petition's owner may be gone before this returns. */
static const struct user *judge(const struct gate *gate, const struct petition *petition,
                                bool is_wrong)
{
    if (is_wrong) {
        return NULL;
    }
    const struct user *user = recall(petition);
    return user != NULL ? user : check(gate, petition);
}

/* With the lock, which it gives meanwhile. */
static void settle(struct gate *gate, const struct user *user, bool is_wrong)
{
    struct petition *petition = gate->checked;
    enum gate_end end = GATE_RIGHT;
    uint64_t now = now_of(gate);

    if (user == NULL) {
        end = is_wrong && !is_apart(petition) ? GATE_KNOWN_WRONG : GATE_WRONG;
    }
    if (user == NULL && !is_wrong) {
        remember_wrong(gate, petition, now);
    }
    gate->checked = NULL;
    gate_queue_settle(gate->queue, end, now);
    gate->answering = true;
    pthread_mutex_unlock(&gate->lock);
    answer(petition, user);
    pthread_mutex_lock(&gate->lock);
    gate->answering = false;
}

/* With the lock, which it gives meanwhile. */
static void serve(struct gate *gate, struct petition *petition)
{
    bool is_wrong = gate_wrongs_has(&gate->wrongs, petition->token) || is_apart(petition);
    struct petition copy = *petition;

    copy.users = users_get(petition->users);
    gate->checked = petition;
    pthread_mutex_unlock(&gate->lock);
    const struct user *user = judge(gate, &copy, is_wrong);
    explicit_bzero(copy.secret, sizeof copy.secret);
    pthread_mutex_lock(&gate->lock);
    if (!gate->left_behind) {
        settle(gate, user, is_wrong);
    }
    users_put(&copy.users);
}

/* With the lock, which it gives meanwhile. */
static void deny_expired(struct gate *gate, uint64_t now)
{
    struct petitions lost = TAILQ_HEAD_INITIALIZER(lost);

    gate_queue_expire(gate->queue, now, &lost);
    if (!TAILQ_EMPTY(&lost)) {
        gate->answering = true;
        pthread_mutex_unlock(&gate->lock);
        deny_all(&lost);
        pthread_mutex_lock(&gate->lock);
        gate->answering = false;
    }
}

static void dispose_parts(struct gate *gate)
{
    int why = errno;

    gate_queue_destroy(&gate->queue);
    pthread_mutex_destroy(&gate->lock);
    free(gate);
    errno = why;
}

static void dispose(struct gate *gate)
{
    pthread_cond_destroy(&gate->wakeup);
    pthread_cond_destroy(&gate->over);
    dispose_parts(gate);
}

static void *run(void *context)
{
    struct gate *gate = context;

    thread_set_background("gate", NICENESS);
    pthread_mutex_lock(&gate->lock);
    while (!gate->stopping && !gate->left_behind) {
        uint64_t due, now = now_of(gate);
        deny_expired(gate, now);
        struct petition *petition = gate_queue_next(gate->queue, now, &due);
        if (petition != NULL) {
            serve(gate, petition);
        } else if (!gate->stopping) {
            sleep_until(gate, now, due);
        }
    }
    bool alone = gate->left_behind;
    gate->ended = true;
    pthread_cond_signal(&gate->over);
    pthread_mutex_unlock(&gate->lock);
    if (alone) {
        dispose(gate);
    }
    return NULL;
}

static void ring(struct gate *gate, bool stop)
{
    pthread_mutex_lock(&gate->lock);
    gate->stopping = gate->stopping || stop;
    pthread_cond_signal(&gate->wakeup);
    pthread_mutex_unlock(&gate->lock);
}

void gate_wake(struct gate *gate)
{
    ring(gate, false);
}

/* --- life ------------------------------------------------------------------- */

static bool check_truly(void *context, struct slice secret, const char *hash)
{
    (void)context;
    return secret_matches(secret, hash);
}

static uint64_t now_truly(void *context)
{
    (void)context;
    return clock_now();
}

static bool make_wakeups(struct gate *gate)
{
    errno = thread_cond_init(&gate->wakeup);
    if (errno != 0) {
        return false;
    }
    errno = thread_cond_init(&gate->over);
    if (errno != 0) {
        pthread_cond_destroy(&gate->wakeup);
    }
    return errno == 0;
}

static bool start_thread(struct gate *gate)
{
    errno = thread_start(&gate->thread, run, gate);
    return errno == 0;
}

struct gate *gate_create_with(const struct gate_options *options)
{
    struct gate *gate = calloc(1, sizeof *gate);

    if (gate == NULL) {
        return NULL;
    }
    gate->options = *options;
    gate->options.check = options->check != NULL ? options->check : check_truly;
    gate->options.now = options->now != NULL ? options->now : now_truly;
    pthread_mutex_init(&gate->lock, NULL);
    gate->queue = gate_queue_create();
    if (gate->queue == NULL || !gate_wrongs_init(&gate->wrongs) || !make_wakeups(gate)) {
        dispose_parts(gate);
        return NULL;
    }
    if (!start_thread(gate)) {
        dispose(gate);
        return NULL;
    }
    return gate;
}

struct gate *gate_create(void)
{
    return gate_create_with(&(struct gate_options){0});
}

/* With the lock. Whether the thread has ended in time. */
static bool await_end(struct gate *gate)
{
    uint64_t deadline = clock_precise() + END_MS * UINT64_C(1000000);
    const struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000),
                                   .tv_nsec = (long)(deadline % 1000000000)};

    while (!gate->ended && clock_precise() < deadline) {
        pthread_cond_timedwait(&gate->over, &gate->lock, &until);
    }
    while (!gate->ended && gate->answering) {
        pthread_cond_wait(&gate->over, &gate->lock);
    }
    return gate->ended;
}

/* With the lock: all petitions that are not answered yet. */
static void take_left(struct gate *gate, struct petitions *left)
{
    if (gate->checked != NULL) {
        gate_queue_settle(gate->queue, GATE_KNOWN_WRONG, now_of(gate));
        TAILQ_INSERT_TAIL(left, gate->checked, next);
        gate->checked = NULL;
    }
    gate_queue_drain(gate->queue, left);
}

void gate_destroy(struct gate **owned)
{
    struct gate *gate = *owned;
    struct petitions left = TAILQ_HEAD_INITIALIZER(left);

    *owned = NULL;
    if (gate == NULL) {
        return;
    }
    ring(gate, true);
    pthread_mutex_lock(&gate->lock);
    bool ended = await_end(gate);
    gate->left_behind = !ended;
    take_left(gate, &left);
    pthread_t thread = gate->thread;
    pthread_mutex_unlock(&gate->lock);
    deny_all(&left);
    if (ended) {
        pthread_join(thread, NULL);
        dispose(gate);
    } else {
        pthread_detach(thread);
    }
}
