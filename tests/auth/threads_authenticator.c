/*
 * threads_authenticator.c - many ask at one authenticator while users are replaced.
 *
 * Each asker takes the users of the moment, as a worker does, and says a right or a wrong
 * secret: from an address of its own, or from one that all share and at which every other
 * one fails, so that some are recalled, some checked and some delayed. None gets in with a
 * wrong secret, and each with a right one: time goes by so fast that patience may end before,
 * and then it is said again. Meanwhile one thread makes the next users again and again, with
 * other hashes for half of them.
 */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/auth/authenticator.h"
#include "tests/auth/users_fixture.h"
#include "tests/support/suite.h"

enum {
    ASKERS = 4,
    ROUNDS = 2000, /* of each */
    MEMBERS = 8,
    OWN = 1, /* the first of the askers' own addresses */
    SHARED = 100,
    STEP_MS = 1000,
    TRIES = 20,
};

struct asker {
    pthread_t thread;
    unsigned number;
    pthread_mutex_t lock;
    pthread_cond_t heard;
    bool answered; /* lock */
    bool wiped;    /* lock */
    unsigned right, denied;
};

static struct authenticator *authenticator;
static _Atomic uint64_t now;
static atomic_uint busy; /* askers that have not finished */
static atomic_uint wrong;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct users *users; /* lock */

static bool check_secret(void *context, struct slice secret, const char *hash)
{
    (void)context;
    /* `is SECRET, N`: N is the salt. */
    return strncmp(hash, "is ", 3) == 0 && strncmp(hash + 3, secret.bytes, secret.length) == 0 &&
           hash[3 + secret.length] == ',';
}

static uint64_t read_clock(void *context)
{
    (void)context;
    return atomic_load(&now);
}

static struct users *users_of_now(void)
{
    pthread_mutex_lock(&lock);
    struct users *held = users_get(users);
    pthread_mutex_unlock(&lock);
    return held;
}

/* On the main thread; `version` is the salt of every other one. */
static void make_users(unsigned version)
{
    struct members members = {0};
    char name[16], hash[32];
    for (unsigned i = 0; i < MEMBERS; i++) {
        snprintf(name, sizeof name, "user%u", i);
        snprintf(hash, sizeof hash, "is secret%u, %u", i, i % 2 == 0 ? 0 : version);
        members_add(&members, name, hash, NULL);
        members_allow(&members, RIGHT_READ, name);
    }
    struct users *before = version > 0 ? users_of_now() : NULL;
    struct users *next = members_users(&members, before);
    members_clear(&members);
    pthread_mutex_lock(&lock);
    struct users *old = users;
    users = next;
    pthread_mutex_unlock(&lock);
    users_put(&old);
}

static void on_answer(struct login_request *login)
{
    static const char zeros[sizeof login->secret];
    struct asker *asker = login->context;
    pthread_mutex_lock(&asker->lock);
    asker->answered = true;
    asker->wiped = memcmp(login->secret, zeros, sizeof zeros) == 0;
    pthread_cond_signal(&asker->heard);
    pthread_mutex_unlock(&asker->lock);
}

/* A thread that waits makes time go by, or a delay would never end. */
static void wait_for_answer(struct asker *asker)
{
    struct timespec moment;
    bool done = false;
    while (!done) {
        pthread_mutex_lock(&asker->lock);
        if (!asker->answered) {
            clock_gettime(CLOCK_REALTIME, &moment);
            moment.tv_nsec += 1000000;
            moment.tv_sec += moment.tv_nsec / 1000000000;
            moment.tv_nsec %= 1000000000;
            pthread_cond_timedwait(&asker->heard, &asker->lock, &moment);
        }
        done = asker->answered;
        pthread_mutex_unlock(&asker->lock);
        if (!done) {
            atomic_fetch_add(&now, STEP_MS);
            authenticator_wake(authenticator);
        }
    }
}

/* Says that it is user `member`. */
static bool is_let_in(struct asker *asker, uint64_t address, unsigned member, bool right)
{
    struct login_request login = {
        .users = users_of_now(),
        .address = {1, address},
        .answered = on_answer,
        .context = asker,
    };
    char text[32];
    login.name_length = (size_t)snprintf(text, sizeof text, "user%u", member);
    memcpy(login.name, text, login.name_length);
    login.secret_length =
        (size_t)snprintf(text, sizeof text, right ? "secret%u" : "guess%u", member);
    memcpy(login.secret, text, login.secret_length);
    asker->answered = false;
    authenticator_submit(authenticator, &login);
    wait_for_answer(asker);

    const struct slice name = {login.name, login.name_length};
    bool let_in = login.user != NULL;
    if (!asker->wiped || (let_in && (!slice_equal(user_name(login.user), name) ||
                                     user_rights(login.user, name) != RIGHT_READ))) {
        atomic_fetch_add(&wrong, 1);
    }
    users_put(&login.users);
    return let_in;
}

static void *ask(void *context)
{
    struct asker *asker = context;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned member = (i + asker->number) % MEMBERS;
        bool shared = i % 8 == 0, right = !shared || i % 16 == 0;
        uint64_t address = shared ? SHARED : OWN + asker->number;
        bool let_in = is_let_in(asker, address, member, right);
        for (int tries = 0; !let_in && right && tries < TRIES; tries++) {
            let_in = is_let_in(asker, address, member, right);
        }
        asker->right += let_in ? 1 : 0;
        asker->denied += let_in ? 0 : 1;
        if (let_in != right) {
            atomic_fetch_add(&wrong, 1);
        }
    }
    atomic_fetch_sub(&busy, 1);
    return NULL;
}

START_TEST(many_ask_while_users_are_replaced)
{
    const struct authenticator_options options = {.check = check_secret, .now = read_clock};
    static struct asker askers[ASKERS];
    unsigned version = 0;
    make_users(version++);
    authenticator = authenticator_create_with(&options);
    ck_assert_ptr_nonnull(authenticator);
    atomic_store(&busy, ASKERS);
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i].number = i;
        pthread_mutex_init(&askers[i].lock, NULL);
        pthread_cond_init(&askers[i].heard, NULL);
        ck_assert_int_eq(pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    while (atomic_load(&busy) > 0) {
        make_users(version++);
    }
    for (unsigned i = 0; i < ASKERS; i++) {
        pthread_join(askers[i].thread, NULL);
        ck_assert_uint_eq(askers[i].right, ROUNDS - ROUNDS / 16);
        ck_assert_uint_eq(askers[i].denied, ROUNDS / 16);
        pthread_cond_destroy(&askers[i].heard);
        pthread_mutex_destroy(&askers[i].lock);
    }
    ck_assert_uint_eq(atomic_load(&wrong), 0);
    ck_assert_uint_gt(version, 2);
    authenticator_destroy(&authenticator);
    users_put(&users);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads authenticator");
    TCase *crowd = tcase_create("crowd");
    tcase_set_timeout(crowd, 600);
    tcase_add_test(crowd, many_ask_while_users_are_replaced);
    suite_add_tcase(suite, crowd);

    return suite_run(suite);
}
