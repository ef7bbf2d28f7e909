/*
 * logins_fixture.c - see logins_fixture.h.
 */
#include "tests/auth/logins_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/auth/users_fixture.h"

struct visitors visitors = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static bool check_secret(void *context, struct slice secret, const char *hash)
{
    char own[SECRET_HASH_MAX];
    (void)context;

    pthread_mutex_lock(&visitors.lock);
    visitors.checks++;
    snprintf(visitors.last_hash, sizeof visitors.last_hash, "%s", hash);
    visitors.checking = true;
    pthread_cond_broadcast(&visitors.changed);
    while (visitors.held) {
        pthread_cond_wait(&visitors.changed, &visitors.lock);
    }
    visitors.checking = false;
    pthread_cond_broadcast(&visitors.changed);
    snprintf(own, sizeof own, "is %.*s", (int)secret.length, secret.bytes);
    bool matches = visitors.all_match || strcmp(own, hash) == 0;
    pthread_mutex_unlock(&visitors.lock);
    return matches;
}

static uint64_t read_clock(void *context)
{
    (void)context;
    pthread_mutex_lock(&visitors.lock);
    uint64_t time = visitors.now;
    pthread_mutex_unlock(&visitors.lock);
    return time;
}

static void on_answer(struct login_request *login)
{
    struct visitor *visitor = login->context;
    bool wiped = login->secret_length == 0;
    for (size_t i = 0; i < sizeof login->secret; i++) {
        wiped = wiped && login->secret[i] == '\0';
    }
    pthread_mutex_lock(&visitors.lock);
    visitors.left_secrets = visitors.left_secrets || !wiped;
    visitor->answered = ++visitors.answers;
    pthread_cond_broadcast(&visitors.changed);
    pthread_mutex_unlock(&visitors.lock);
}

void visitors_open(void)
{
    const struct authenticator_options options = {.check = check_secret, .now = read_clock};
    struct members members = {0};
    char name[16], hash[16];
    visitors.now = VISITORS_START;
    visitors.held = visitors.checking = visitors.all_match = visitors.left_secrets = false;
    visitors.checks = visitors.answers = 0;
    for (int i = 0; i < VISITORS_MEMBERS; i++) {
        snprintf(name, sizeof name, "user%d", i);
        snprintf(hash, sizeof hash, "is secret%d", i);
        members_add(&members, name, hash, NULL);
    }
    members_add(&members, "mute", NULL, "root");
    visitors.users = members_users(&members, NULL);
    members_clear(&members);
    visitors.authenticator = authenticator_create_with(&options);
    ck_assert_ptr_nonnull(visitors.authenticator);
}

void visitors_close(void)
{
    authenticator_destroy(&visitors.authenticator);
    ck_assert_ptr_null(visitors.authenticator);
    users_put(&visitors.users);
    ck_assert(!visitors.left_secrets);
}

/* --- what tests say --------------------------------------------------------- */

void visitor_ask(struct visitor *visitor, uint64_t address, const char *name, const char *secret)
{
    struct login_request *login = &visitor->login;
    *visitor = (struct visitor){
        .login = {.users = visitors.users,
                  .address = {AF_INET, address},
                  .name_length = strlen(name),
                  .secret_length = strlen(secret),
                  .answered = on_answer,
                  .context = visitor},
    };
    memcpy(login->name, name, login->name_length);
    memcpy(login->secret, secret, login->secret_length);
    authenticator_submit(visitors.authenticator, login);
}

/* Zero: not yet. */
unsigned visitor_answer(struct visitor *visitor)
{
    pthread_mutex_lock(&visitors.lock);
    unsigned answered = visitor->answered;
    pthread_mutex_unlock(&visitors.lock);
    return answered;
}

void visitor_wait(struct visitor *visitor)
{
    pthread_mutex_lock(&visitors.lock);
    while (visitor->answered == 0) {
        pthread_cond_wait(&visitors.changed, &visitors.lock);
    }
    pthread_mutex_unlock(&visitors.lock);
}

/* The name of the user that it is, or NULL. */
const char *visitor_outcome(struct visitor *visitor)
{
    static char name[REQUEST_NAMESPACE_MAX + 1];
    visitor_wait(visitor);
    const struct user *user = visitor->login.user;
    if (user == NULL) {
        return NULL;
    }
    snprintf(name, sizeof name, "%.*s", (int)user_name(user).length, user_name(user).bytes);
    ck_assert_ptr_eq(users_find(visitors.users, user_name(user)), user);
    return name;
}

/* No two of them are the same. */
const char *visitors_guess(void)
{
    static char secret[32];
    static unsigned number;
    snprintf(secret, sizeof secret, "guess%u", number++);
    return secret;
}

const char *visitors_try(uint64_t address, const char *name, const char *secret)
{
    struct visitor visitor;
    visitor_ask(&visitor, address, name, secret);
    return visitor_outcome(&visitor);
}

unsigned visitors_checks(void)
{
    pthread_mutex_lock(&visitors.lock);
    unsigned count = visitors.checks;
    pthread_mutex_unlock(&visitors.lock);
    return count;
}

/* So many turns of addresses that are fresh that each that was ready has had its own. */
void visitors_fence(void)
{
    static uint64_t address = VISITORS_ELSEWHERE;
    for (int i = 0; i < VISITORS_FENCE; i++) {
        ck_assert_ptr_null(visitors_try(address++, "stranger", "guess"));
    }
}

void visitors_pass_time(uint64_t milliseconds)
{
    pthread_mutex_lock(&visitors.lock);
    visitors.now += milliseconds;
    pthread_mutex_unlock(&visitors.lock);
    authenticator_wake(visitors.authenticator);
}

/* From here on one check goes on, for an address far away. */
void visitor_hold(struct visitor *visitor, uint64_t address, const char *name, const char *secret)
{
    pthread_mutex_lock(&visitors.lock);
    visitors.held = true;
    pthread_mutex_unlock(&visitors.lock);
    visitor_ask(visitor, address, name, secret);
    pthread_mutex_lock(&visitors.lock);
    while (!visitors.checking) {
        pthread_cond_wait(&visitors.changed, &visitors.lock);
    }
    pthread_mutex_unlock(&visitors.lock);
}

void visitors_let_go(void)
{
    pthread_mutex_lock(&visitors.lock);
    visitors.held = false;
    pthread_cond_broadcast(&visitors.changed);
    pthread_mutex_unlock(&visitors.lock);
}

/* A login that is asked for now is checked when so much time has gone by, and not before. */
void visitor_expect_delay(struct visitor *visitor, uint64_t milliseconds)
{
    visitors_pass_time(milliseconds - 1);
    visitors_fence();
    ck_assert_uint_eq(visitor_answer(visitor), 0);
    visitors_pass_time(1);
    visitor_wait(visitor);
}
