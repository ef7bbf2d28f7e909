/*
 * authenticator.c - the thread, and what happens to one login.
 *
 *      authenticator_submit --- in the cache, or no room ---> answered
 *         |
 *      login_queue --- served ---> checked, without the lock ---> settled ---> answered
 *         |   +--- LOGIN_PATIENCE_MS ---> answered
 *         +--- authenticator_withdraw ---> its caller's
 *
 * A check cannot be interrupted, and authenticator_destroy does not wait for a long one: the thread
 * works on a copy of the login, and when it was detached it ends alone and touches nothing else.
 *
 * login_queue.h says which login is served next. A failure is counted before it is answered: a
 * login that follows the answer is delayed.
 *
 * A secret that is known to be wrong waits in a queue of its own, that of an address which no peer
 * has: REPEATED is set in its family. Each failure of the address delays that queue, and so does
 * each repetition, so that a client that repeats a wrong secret takes little processor time.
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
#include "daemon/base/log.h"
#include "daemon/base/thread.h"

enum {
    NICENESS = 5, /* requests come first */
    END_MS = 100, /* that a check may still take when the authenticator is destroyed */
};

static const uint64_t REPEATED = (uint64_t)1 << 32; /* above all address families */

struct authenticator {
    struct authenticator_options options;
    pthread_t thread;
    pthread_mutex_t lock;          /* never held while a secret is checked, or an answer given */
    pthread_cond_t wakeup;         /* lock; a field below has changed, or the clock */
    pthread_cond_t over;           /* lock; `ended` has changed */
    bool stopping;                 /* lock */
    bool ended;                    /* lock; the thread has nothing left to do but to return */
    bool detached;                 /* lock; the thread frees the authenticator, and does no more */
    struct login_request *checked; /* lock; NULL: none, or answered by authenticator_destroy */
    bool answering;                /* lock; the thread answers without it, for microseconds */
    struct login_queue *queue;     /* lock */
    struct wrong_secrets wrongs;   /* lock, the key excepted */
};

static uint64_t now_of(const struct authenticator *authenticator)
{
    return authenticator->options.now(authenticator->options.context);
}

/* --- one login ----------------------------------------------------------- */

static struct slice secret_of(const struct login_request *login)
{
    return (struct slice){login->secret, login->secret_length};
}

static struct slice name_of(const struct login_request *login)
{
    return (struct slice){login->name, login->name_length};
}

static const struct user *user_of(const struct login_request *login)
{
    return users_find(login->users, name_of(login));
}

/* The user, if the secret is in the cache. NULL: it may be right or wrong. */
static const struct user *recall(const struct login_request *login)
{
    const struct user *user = user_of(login);
    return user != NULL && user_recalls(user, secret_of(login)) ? user : NULL;
}

/* The hash to check where the user does not exist, or has no secret. */
static const char *decoy(const struct login_request *login)
{
    const char *hash = users_decoy(login->users, name_of(login));
    return hash != NULL ? hash : secret_of_no_user;
}

/* NULL: denied. */
static const struct user *check(const struct authenticator *authenticator,
                                const struct login_request *login)
{
    const struct user *user = user_of(login);
    const char *hash = user != NULL ? user_hash(user) : NULL;
    bool matches = authenticator->options.check(authenticator->options.context, secret_of(login),
                                                hash != NULL ? hash : decoy(login));
    if (hash == NULL || !matches) {
        return NULL;
    }
    user_prove(user, secret_of(login));
    return user;
}

static void answer(struct login_request *login, const struct user *user)
{
    explicit_bzero(login->secret, sizeof login->secret);
    login->secret_length = 0;
    login->user = user;
    login->answered(login);
}

static void deny_all(struct logins *logins)
{
    struct login_request *login;
    while ((login = TAILQ_FIRST(logins)) != NULL) {
        TAILQ_REMOVE(logins, login, next);
        answer(login, NULL);
    }
}

static bool is_repeated(const struct login_request *login)
{
    return (login->address.family & REPEATED) != 0;
}

/* With the lock. The user, if the secret may be looked up in the cache and is there. */
static const struct user *try_cache(struct authenticator *authenticator,
                                    struct login_request *login, uint64_t now)
{
    const struct user *user = NULL;
    login->compared = false;
    if (wrong_secrets_has(&authenticator->wrongs, login->token)) {
        login->address.family |= REPEATED;
    } else if (login_queue_may_recall(authenticator->queue, &login->address, now)) {
        user = recall(login);
        login->compared = user == NULL;
    }
    if (user != NULL) {
        login_queue_know(authenticator->queue, &login->address, now);
    }
    return user;
}

void authenticator_submit(struct authenticator *authenticator, struct login_request *login)
{
    struct logins lost = TAILQ_HEAD_INITIALIZER(lost);
    bool waits = false;
    login->entry = NULL;
    login->token = wrong_secrets_token(&authenticator->wrongs, login);
    pthread_mutex_lock(&authenticator->lock);
    uint64_t now = now_of(authenticator);
    const struct user *user = try_cache(authenticator, login, now);
    if (user == NULL) {
        waits = login_queue_add(authenticator->queue, login, now, &lost);
    }
    if (waits) {
        pthread_cond_signal(&authenticator->wakeup);
    }
    pthread_mutex_unlock(&authenticator->lock);
    if (!waits) {
        answer(login, user);
    }
    deny_all(&lost);
}

bool authenticator_withdraw(struct authenticator *authenticator, struct login_request *login)
{
    pthread_mutex_lock(&authenticator->lock);
    bool waited = login_queue_withdraw(authenticator->queue, login, now_of(authenticator));
    pthread_mutex_unlock(&authenticator->lock);
    if (waited) {
        explicit_bzero(login->secret, sizeof login->secret);
        login->secret_length = 0;
    }
    return waited;
}

/* --- the thread ------------------------------------------------------------- */

/* With the lock, which it releases while it sleeps. May return early. */
static void sleep_until(struct authenticator *authenticator, uint64_t now, uint64_t due)
{
    if (due == UINT64_MAX) {
        pthread_cond_wait(&authenticator->wakeup, &authenticator->lock);
        return;
    }
    const struct timespec until = thread_timespec(clock_precise() + (due - now) * 1000000);
    pthread_cond_timedwait(&authenticator->wakeup, &authenticator->lock, &until);
}

/* With the lock. */
static void remember_wrong(struct authenticator *authenticator, const struct login_request *login,
                           uint64_t now)
{
    const struct peer_address repeated = {login->address.family | REPEATED, login->address.number};
    wrong_secrets_add(&authenticator->wrongs, login->token);
    login_queue_fail(authenticator->queue, &repeated, now);
}

/* NULL: denied. Works on a copy: the login may be answered and freed before this returns. */
static const struct user *verify(const struct authenticator *authenticator,
                                 const struct login_request *login, bool is_wrong)
{
    if (is_wrong) {
        return NULL;
    }
    const struct user *user = recall(login);
    return user != NULL ? user : check(authenticator, login);
}

/* With the lock, which it releases meanwhile. */
static void settle(struct authenticator *authenticator, const struct user *user, bool is_wrong)
{
    struct login_request *login = authenticator->checked;
    enum login_result result = LOGIN_RIGHT;
    uint64_t now = now_of(authenticator);
    if (user == NULL) {
        result = is_wrong && !is_repeated(login) ? LOGIN_KNOWN_WRONG : LOGIN_WRONG;
    }
    if (user == NULL && !is_wrong) {
        remember_wrong(authenticator, login, now);
    }
    authenticator->checked = NULL;
    login_queue_settle(authenticator->queue, result, now);
    authenticator->answering = true;
    pthread_mutex_unlock(&authenticator->lock);
    answer(login, user);
    pthread_mutex_lock(&authenticator->lock);
    authenticator->answering = false;
}

/* With the lock, which it releases meanwhile. */
static void serve(struct authenticator *authenticator, struct login_request *login)
{
    bool is_wrong = wrong_secrets_has(&authenticator->wrongs, login->token) || is_repeated(login);
    struct login_request copy = *login;
    copy.users = users_get(login->users);
    authenticator->checked = login;
    pthread_mutex_unlock(&authenticator->lock);
    const struct user *user = verify(authenticator, &copy, is_wrong);
    explicit_bzero(copy.secret, sizeof copy.secret);
    pthread_mutex_lock(&authenticator->lock);
    if (!authenticator->detached) {
        settle(authenticator, user, is_wrong);
    }
    users_put(&copy.users);
}

/* With the lock, which it releases meanwhile. */
static void deny_expired(struct authenticator *authenticator, uint64_t now)
{
    struct logins lost = TAILQ_HEAD_INITIALIZER(lost);
    login_queue_expire(authenticator->queue, now, &lost);
    if (!TAILQ_EMPTY(&lost)) {
        authenticator->answering = true;
        pthread_mutex_unlock(&authenticator->lock);
        deny_all(&lost);
        pthread_mutex_lock(&authenticator->lock);
        authenticator->answering = false;
    }
}

static void dispose_parts(struct authenticator *authenticator)
{
    int why = errno;
    login_queue_destroy(&authenticator->queue);
    pthread_mutex_destroy(&authenticator->lock);
    free(authenticator);
    errno = why;
}

static void dispose(struct authenticator *authenticator)
{
    pthread_cond_destroy(&authenticator->wakeup);
    pthread_cond_destroy(&authenticator->over);
    dispose_parts(authenticator);
}

static void *run(void *context)
{
    struct authenticator *authenticator = context;
    if (!thread_set_background("authenticator", NICENESS)) {
        log_debug("authenticator: its priority cannot be lowered: %m");
    }
    pthread_mutex_lock(&authenticator->lock);
    while (!authenticator->stopping && !authenticator->detached) {
        uint64_t due, now = now_of(authenticator);
        deny_expired(authenticator, now);
        struct login_request *login = login_queue_next(authenticator->queue, now, &due);
        if (login != NULL) {
            serve(authenticator, login);
        } else if (!authenticator->stopping) {
            sleep_until(authenticator, now, due);
        }
    }
    bool alone = authenticator->detached;
    authenticator->ended = true;
    pthread_cond_signal(&authenticator->over);
    pthread_mutex_unlock(&authenticator->lock);
    if (alone) {
        dispose(authenticator);
    }
    return NULL;
}

static void signal_thread(struct authenticator *authenticator, bool stop)
{
    pthread_mutex_lock(&authenticator->lock);
    authenticator->stopping = authenticator->stopping || stop;
    pthread_cond_signal(&authenticator->wakeup);
    pthread_mutex_unlock(&authenticator->lock);
}

void authenticator_wake(struct authenticator *authenticator)
{
    signal_thread(authenticator, false);
}

/* --- start and end ------------------------------------------------------------------- */

static bool check_with_crypt(void *context, struct slice secret, const char *hash)
{
    (void)context;
    return secret_matches(secret, hash);
}

static uint64_t read_clock(void *context)
{
    (void)context;
    return clock_now();
}

static bool init_conds(struct authenticator *authenticator)
{
    errno = thread_cond_init(&authenticator->wakeup);
    if (errno != 0) {
        return false;
    }
    errno = thread_cond_init(&authenticator->over);
    if (errno != 0) {
        pthread_cond_destroy(&authenticator->wakeup);
    }
    return errno == 0;
}

static bool start_thread(struct authenticator *authenticator)
{
    errno = thread_start(&authenticator->thread, run, authenticator);
    return errno == 0;
}

struct authenticator *authenticator_create_with(const struct authenticator_options *options)
{
    struct authenticator *authenticator = calloc(1, sizeof *authenticator);
    if (authenticator == NULL) {
        return NULL;
    }
    authenticator->options = *options;
    authenticator->options.check = options->check != NULL ? options->check : check_with_crypt;
    authenticator->options.now = options->now != NULL ? options->now : read_clock;
    pthread_mutex_init(&authenticator->lock, NULL);
    authenticator->queue = login_queue_create();
    if (authenticator->queue == NULL || !wrong_secrets_init(&authenticator->wrongs) ||
        !init_conds(authenticator)) {
        dispose_parts(authenticator);
        return NULL;
    }
    if (!start_thread(authenticator)) {
        dispose(authenticator);
        return NULL;
    }
    return authenticator;
}

struct authenticator *authenticator_create(void)
{
    return authenticator_create_with(&(struct authenticator_options){0});
}

/* With the lock. Whether the thread has ended in time. */
static bool await_end(struct authenticator *authenticator)
{
    uint64_t deadline = clock_precise() + END_MS * UINT64_C(1000000);
    const struct timespec until = thread_timespec(deadline);
    while (!authenticator->ended && clock_precise() < deadline) {
        pthread_cond_timedwait(&authenticator->over, &authenticator->lock, &until);
    }
    while (!authenticator->ended && authenticator->answering) {
        pthread_cond_wait(&authenticator->over, &authenticator->lock);
    }
    return authenticator->ended;
}

/* With the lock: takes out all logins that are not answered yet. */
static void take_unanswered(struct authenticator *authenticator, struct logins *left)
{
    if (authenticator->checked != NULL) {
        login_queue_settle(authenticator->queue, LOGIN_KNOWN_WRONG, now_of(authenticator));
        TAILQ_INSERT_TAIL(left, authenticator->checked, next);
        authenticator->checked = NULL;
    }
    login_queue_drain(authenticator->queue, left);
}

void authenticator_destroy(struct authenticator **owned)
{
    struct authenticator *authenticator = *owned;
    struct logins left = TAILQ_HEAD_INITIALIZER(left);
    *owned = NULL;
    if (authenticator == NULL) {
        return;
    }
    signal_thread(authenticator, true);
    pthread_mutex_lock(&authenticator->lock);
    bool ended = await_end(authenticator);
    authenticator->detached = !ended;
    take_unanswered(authenticator, &left);
    pthread_t thread = authenticator->thread;
    pthread_mutex_unlock(&authenticator->lock);
    deny_all(&left);
    if (ended) {
        pthread_join(thread, NULL);
        dispose(authenticator);
    } else {
        pthread_detach(thread);
    }
}
