/*
 * check_gate.c - petitions at a gate whose clock and whose checks are the test's.
 *
 * A hash is `is ` and the secret, so a check takes no time; and a check can be held up, so
 * that what is asked meanwhile has to wait. What must not happen yet is told by somebody
 * else who asks later and is answered: see fence.
 */
#include "daemon/gate.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/members.h"
#include "tests/suite.h"

enum {
    MEMBERS = 10, /* user0 and so on, whose secret is secret0 */
    MANY = 1000,
    START = 1000000, /* milliseconds */
    GUESSES = 12,    /* enough to reach the longest delay */
    ELSEWHERE = 1000000,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
/* All under the lock. */
static uint64_t now;
static bool held;       /* checks do not end */
static bool checking;   /* one is going on */
static bool all_match;  /* whatever is said */
static unsigned checks; /* that have begun */
static char last_hash[SECRET_HASH_MAX];
static unsigned answers;
static bool left_secrets; /* one was not wiped */

static struct gate *gate;
static struct users *users;

struct visitor {
    struct petition petition;
    unsigned answered; /* lock; its number among all answers, from 1 on; 0: not yet */
};

static bool check_secret(void *context, struct slice secret, const char *hash)
{
    char own[SECRET_HASH_MAX];
    (void)context;

    pthread_mutex_lock(&lock);
    checks++;
    snprintf(last_hash, sizeof last_hash, "%s", hash);
    checking = true;
    pthread_cond_broadcast(&changed);
    while (held) {
        pthread_cond_wait(&changed, &lock);
    }
    checking = false;
    pthread_cond_broadcast(&changed);
    snprintf(own, sizeof own, "is %.*s", (int)secret.length, secret.bytes);
    bool matches = all_match || strcmp(own, hash) == 0;
    pthread_mutex_unlock(&lock);
    return matches;
}

static uint64_t read_clock(void *context)
{
    (void)context;
    pthread_mutex_lock(&lock);
    uint64_t time = now;
    pthread_mutex_unlock(&lock);
    return time;
}

static void on_answer(struct petition *petition)
{
    struct visitor *visitor = petition->context;
    bool wiped = petition->secret_length == 0;

    for (size_t i = 0; i < sizeof petition->secret; i++) {
        wiped = wiped && petition->secret[i] == '\0';
    }
    pthread_mutex_lock(&lock);
    left_secrets = left_secrets || !wiped;
    visitor->answered = ++answers;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void open_gate(void)
{
    const struct gate_options options = {.check = check_secret, .now = read_clock};
    struct members members = {0};
    char name[16], hash[16];

    now = START;
    held = checking = all_match = left_secrets = false;
    checks = answers = 0;
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(name, sizeof name, "user%d", i);
        snprintf(hash, sizeof hash, "is secret%d", i);
        members_add(&members, name, hash, NULL);
    }
    members_add(&members, "mute", NULL, "root");
    users = members_users(&members, NULL);
    members_clear(&members);
    gate = gate_create_with(&options);
    ck_assert_ptr_nonnull(gate);
}

static void close_gate(void)
{
    gate_destroy(&gate);
    ck_assert_ptr_null(gate);
    users_put(&users);
    ck_assert(!left_secrets);
}

/* --- what tests say --------------------------------------------------------- */

static void ask(struct visitor *visitor, uint64_t address, const char *name, const char *secret)
{
    struct petition *petition = &visitor->petition;

    *visitor = (struct visitor){
        .petition = {.users = users,
                     .address = {AF_INET, address},
                     .name_length = strlen(name),
                     .secret_length = strlen(secret),
                     .answered = on_answer,
                     .context = visitor},
    };
    memcpy(petition->name, name, petition->name_length);
    memcpy(petition->secret, secret, petition->secret_length);
    gate_ask(gate, petition);
}

/* Zero: not yet. */
static unsigned answer_of(struct visitor *visitor)
{
    pthread_mutex_lock(&lock);
    unsigned answered = visitor->answered;
    pthread_mutex_unlock(&lock);
    return answered;
}

static void wait_for(struct visitor *visitor)
{
    pthread_mutex_lock(&lock);
    while (visitor->answered == 0) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

/* The name of who it turned out to be, or NULL. */
static const char *outcome(struct visitor *visitor)
{
    static char name[REQUEST_NAMESPACE_MAX + 1];

    wait_for(visitor);
    const struct user *user = visitor->petition.user;
    if (user == NULL) {
        return NULL;
    }
    snprintf(name, sizeof name, "%.*s", (int)user_name(user).length, user_name(user).bytes);
    ck_assert_ptr_eq(users_find(users, user_name(user)), user);
    return name;
}

static const char *try(uint64_t address, const char *name, const char *secret)
{
    struct visitor visitor;

    ask(&visitor, address, name, secret);
    return outcome(&visitor);
}

static unsigned count_checks(void)
{
    pthread_mutex_lock(&lock);
    unsigned count = checks;
    pthread_mutex_unlock(&lock);
    return count;
}

/* Two turns of addresses that nobody knows: who was ready before has had his. */
static void fence(void)
{
    static uint64_t address = ELSEWHERE;

    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_null(try(address++, "stranger", "guess"));
    }
}

static void pass_time(uint64_t milliseconds)
{
    pthread_mutex_lock(&lock);
    now += milliseconds;
    pthread_mutex_unlock(&lock);
    gate_wake(gate);
}

/* From here on one check goes on, which somebody far away has asked for. */
static void hold(struct visitor *visitor, uint64_t address, const char *name, const char *secret)
{
    pthread_mutex_lock(&lock);
    held = true;
    pthread_mutex_unlock(&lock);
    ask(visitor, address, name, secret);
    pthread_mutex_lock(&lock);
    while (!checking) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

static void let_go(void)
{
    pthread_mutex_lock(&lock);
    held = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Who asks now is looked at when so much time has gone by, and not before. */
static void expect_delay(struct visitor *visitor, uint64_t milliseconds)
{
    pass_time(milliseconds - 1);
    fence();
    ck_assert_uint_eq(answer_of(visitor), 0);
    pass_time(1);
    wait_for(visitor);
}

/* --- who is let in ----------------------------------------------------------- */

START_TEST(the_right_secret_opens_and_no_other)
{
    ck_assert_str_eq(try(1, "user3", "secret3"), "user3");
    ck_assert_ptr_null(try(2, "user3", "secret4"));
    ck_assert_ptr_null(try(3, "user3", ""));
    ck_assert_ptr_null(try(4, "user", "secret3"));
    ck_assert_ptr_null(try(5, "user33", "secret3"));
    ck_assert_uint_eq(count_checks(), 5);
}
END_TEST

START_TEST(who_is_nobody_takes_a_check_all_the_same)
{
    static const char *const nobodies[] = {"stranger", "mute", ""};
    unsigned made = 0;

    for (size_t i = 0; i < sizeof nobodies / sizeof *nobodies; i++) {
        char first[SECRET_HASH_MAX];
        ck_assert_ptr_null(try(10 * i + 1, nobodies[i], "guess"));
        ck_assert_uint_eq(count_checks(), ++made);
        ck_assert_int_eq(strncmp(last_hash, "is secret", 9), 0); /* as long as somebody's */
        memcpy(first, last_hash, sizeof first);
        ck_assert_ptr_null(try(10 * i + 2, nobodies[i], "guess"));
        ck_assert_uint_eq(count_checks(), ++made);
        ck_assert_str_eq(last_hash, first);
        ck_assert_ptr_null(try(10 * i + 3, nobodies[i], first + 3)); /* whose it is not */
        ck_assert_uint_eq(count_checks(), ++made);
    }
}
END_TEST

START_TEST(nobody_has_no_secret)
{
    pthread_mutex_lock(&lock);
    all_match = true;
    pthread_mutex_unlock(&lock);
    ck_assert_ptr_null(try(1, "stranger", "guess"));
    ck_assert_ptr_null(try(2, "mute", "guess"));
    ck_assert_str_eq(try(3, "user1", "guess"), "user1");
}
END_TEST

START_TEST(what_was_right_before_takes_no_check)
{
    struct visitor visitor;

    ck_assert_str_eq(try(1, "user3", "secret3"), "user3");
    ask(&visitor, 2, "user3", "secret3");
    ck_assert_uint_ne(answer_of(&visitor), 0); /* inside of gate_ask */
    ck_assert_str_eq(outcome(&visitor), "user3");
    ck_assert_uint_eq(count_checks(), 1);
    ck_assert_ptr_null(try(3, "user4", "secret3"));
    ck_assert_uint_eq(count_checks(), 2);
}
END_TEST

START_TEST(a_crowd_with_one_secret_takes_one_check)
{
    static struct visitor crowd[MANY];

    hold(&crowd[0], 1, "user3", "secret3");
    for (int i = 1; i < MANY; i++) {
        ask(&crowd[i], 1, "user3", "secret3");
        ck_assert_uint_eq(answer_of(&crowd[i]), 0);
    }
    let_go();
    for (int i = 0; i < MANY; i++) {
        ck_assert_str_eq(outcome(&crowd[i]), "user3");
    }
    ck_assert_uint_eq(count_checks(), 1);
}
END_TEST

START_TEST(the_daemons_own_gate_knows_true_hashes)
{
    struct members members = {0};
    char hash[SECRET_HASH_MAX];

    gate_destroy(&gate);
    gate_destroy(&gate);
    gate = gate_create();
    ck_assert_ptr_nonnull(gate);
    ck_assert(secret_hash(slice_of("sesame"), hash));
    members_add(&members, "ann", hash, NULL);
    users_put(&users);
    users = members_users(&members, NULL);
    members_clear(&members);
    ck_assert_str_eq(try(1, "ann", "sesame"), "ann");
    ck_assert_ptr_null(try(2, "ann", "sesam"));
    ck_assert_ptr_null(try(3, "stranger", "sesame"));
    ck_assert_str_eq(try(3, "ann", "sesame"), "ann"); /* after a true delay */
}
END_TEST

/* --- turns --------------------------------------------------------------------- */

START_TEST(the_turn_goes_round_by_address)
{
    struct visitor a[4], b[2], c;

    hold(&a[0], 1, "user0", "secret0");
    ask(&a[1], 1, "user1", "secret1");
    ask(&a[2], 1, "user2", "secret2");
    ask(&a[3], 1, "user3", "secret3");
    ask(&b[0], 2, "user4", "secret4");
    ask(&b[1], 2, "user5", "secret5");
    ask(&c, 3, "user6", "secret6");
    let_go();
    struct visitor *const order[] = {&a[0], &b[0], &c, &a[1], &b[1], &a[2], &a[3]};
    for (unsigned i = 0; i < 7; i++) {
        ck_assert_ptr_nonnull(outcome(order[i]));
        ck_assert_uint_eq(answer_of(order[i]), i + 1);
    }
    ck_assert_uint_eq(count_checks(), 7);
}
END_TEST

START_TEST(a_thousand_guesses_delay_another_by_one_check)
{
    static struct visitor guesses[MANY];
    struct visitor other, more;

    hold(&guesses[0], 1, "user0", "guess");
    for (int i = 1; i < MANY; i++) {
        ask(&guesses[i], 1, "user0", "guess");
    }
    ask(&other, 2, "user1", "secret1");
    let_go();
    ck_assert_str_eq(outcome(&other), "user1");
    ck_assert_uint_eq(count_checks(), 2);
    /* Most of the others have lost their places, without a look. */
    for (int i = 1 + GATE_WAITING_MAX; i < MANY; i++) {
        ck_assert_ptr_null(outcome(&guesses[i]));
    }
    for (int i = 1; i <= GATE_WAITING_MAX; i++) {
        ck_assert_uint_eq(answer_of(&guesses[i]), 0);
    }
    ask(&more, 1, "user0", "secret0");
    ck_assert_uint_ne(answer_of(&more), 0);
    ck_assert_ptr_null(outcome(&more));
    ck_assert_uint_eq(count_checks(), 2);
    for (int i = 1; i <= GATE_WAITING_MAX; i++) {
        pass_time(GATE_DELAY_MOST_MS);
        ck_assert_ptr_null(outcome(&guesses[i]));
    }
    ck_assert_uint_eq(count_checks(), 2 + GATE_WAITING_MAX);
}
END_TEST

/* --- failures -------------------------------------------------------------------- */

START_TEST(each_failure_doubles_the_delay_up_to_a_bound)
{
    uint64_t delay = GATE_DELAY_MS;
    struct visitor visitor;

    ck_assert_ptr_null(try(1, "user0", "guess"));
    for (int i = 0; i < GUESSES; i++) {
        ask(&visitor, 1, "user0", "guess");
        expect_delay(&visitor, delay);
        delay = 2 * delay < GATE_DELAY_MOST_MS ? 2 * delay : GATE_DELAY_MOST_MS;
    }
}
END_TEST

START_TEST(right_and_wrong_secrets_wait_alike_and_a_success_takes_nothing_back)
{
    struct visitor visitor;

    ck_assert_ptr_null(try(1, "user0", "guess"));
    ask(&visitor, 1, "user0", "guess");
    expect_delay(&visitor, GATE_DELAY_MS);
    ask(&visitor, 1, "user1", "secret1");
    expect_delay(&visitor, 2 * GATE_DELAY_MS);
    ck_assert_str_eq(outcome(&visitor), "user1");
    ck_assert_ptr_null(try(1, "user0", "guess"));
    ask(&visitor, 1, "user0", "guess");
    expect_delay(&visitor, 4 * GATE_DELAY_MS);
}
END_TEST

START_TEST(after_quiet_all_is_forgotten)
{
    struct visitor visitor;

    ck_assert_str_eq(try(2, "user1", "secret1"), "user1");
    ck_assert_ptr_null(try(1, "user0", "guess"));
    pass_time(GATE_DELAY_MS);
    ck_assert_ptr_null(try(1, "user0", "guess"));
    unsigned before = count_checks();

    pass_time(GATE_FORGET_MS - 1);
    ck_assert_str_eq(try(1, "user1", "secret1"), "user1");
    ck_assert_uint_eq(count_checks(), before + 1); /* not recalled */
    pass_time(1);
    ck_assert_str_eq(try(1, "user1", "secret1"), "user1");
    ck_assert_uint_eq(count_checks(), before + 1); /* recalled */
    ck_assert_ptr_null(try(1, "user0", "guess"));
    ask(&visitor, 1, "user0", "guess");
    expect_delay(&visitor, GATE_DELAY_MS);
}
END_TEST

START_TEST(who_has_failed_is_not_told_what_is_remembered)
{
    struct visitor visitor;

    ck_assert_str_eq(try(2, "user1", "secret1"), "user1");
    ck_assert_ptr_null(try(1, "user1", "guess"));
    ck_assert_uint_eq(count_checks(), 2);
    ask(&visitor, 1, "user1", "secret1");
    ck_assert_uint_eq(answer_of(&visitor), 0);
    expect_delay(&visitor, GATE_DELAY_MS);
    ck_assert_str_eq(outcome(&visitor), "user1");
    ck_assert_str_eq(last_hash, "is secret1"); /* looked at, after the fence's */
    ck_assert_str_eq(try(3, "user1", "secret1"), "user1");
}
END_TEST

/* The right one among many guesses at once is found no sooner than they are failures. */
START_TEST(many_guesses_at_once_are_not_told_either)
{
    static struct visitor guesses[GATE_WAITING_MAX];
    struct visitor first;

    ck_assert_str_eq(try(2, "user1", "secret1"), "user1");
    hold(&first, 1, "user1", "guess");
    for (int i = 0; i < GATE_WAITING_MAX; i++) {
        ask(&guesses[i], 1, "user1", i == 5 ? "secret1" : "guess");
        ck_assert_uint_eq(answer_of(&guesses[i]), 0);
    }
    let_go();
    ck_assert_ptr_null(outcome(&first));
    uint64_t delay = GATE_DELAY_MS;
    for (int i = 0; i <= 5; i++) {
        expect_delay(&guesses[i], delay);
        delay *= 2;
    }
    ck_assert_str_eq(outcome(&guesses[5]), "user1");
    for (int i = 6; i < GATE_WAITING_MAX; i++) {
        pass_time(GATE_DELAY_MOST_MS);
        ck_assert_ptr_null(outcome(&guesses[i]));
    }
    /* Each took one, and so did the two of each fence. */
    ck_assert_uint_eq(count_checks(), 2 + GATE_WAITING_MAX + 6 * 2);
}
END_TEST

START_TEST(who_still_waits_at_the_end_is_denied)
{
    static struct visitor waiting[3 * GATE_WAITING_MAX];

    for (uint64_t address = 0; address < 3; address++) {
        ck_assert_ptr_null(try(address, "user0", "guess"));
    }
    for (int i = 0; i < 3 * GATE_WAITING_MAX; i++) {
        ask(&waiting[i], (uint64_t)i % 3, "user0", "secret0");
        ck_assert_uint_eq(answer_of(&waiting[i]), 0);
    }
    gate_destroy(&gate);
    for (int i = 0; i < 3 * GATE_WAITING_MAX; i++) {
        ck_assert_uint_ne(answer_of(&waiting[i]), 0);
        ck_assert_ptr_null(outcome(&waiting[i]));
    }
    ck_assert_uint_eq(count_checks(), 3);
}
END_TEST

/* The thread is left behind in it; what it still needs must be there. */
START_TEST(the_end_does_not_wait_for_a_long_check)
{
    static struct visitor longest, waiting[8];

    hold(&longest, 1, "user0", "secret0");
    for (int i = 0; i < 8; i++) {
        ask(&waiting[i], (uint64_t)i % 2, "user0", "secret0");
    }
    gate_destroy(&gate);
    ck_assert_ptr_null(outcome(&longest));
    for (int i = 0; i < 8; i++) {
        ck_assert_ptr_null(outcome(&waiting[i]));
    }
    memset(&longest, 0, sizeof longest);
    users_put(&users);
    pthread_mutex_lock(&lock);
    held = false;
    pthread_cond_broadcast(&changed);
    while (checking) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gate");
    TCase *doors = tcase_create("doors");
    tcase_add_checked_fixture(doors, open_gate, close_gate);
    tcase_set_timeout(doors, 60);
    tcase_add_test(doors, the_right_secret_opens_and_no_other);
    tcase_add_test(doors, who_is_nobody_takes_a_check_all_the_same);
    tcase_add_test(doors, nobody_has_no_secret);
    tcase_add_test(doors, what_was_right_before_takes_no_check);
    tcase_add_test(doors, a_crowd_with_one_secret_takes_one_check);
    tcase_add_test(doors, the_daemons_own_gate_knows_true_hashes);
    tcase_add_test(doors, the_turn_goes_round_by_address);
    tcase_add_test(doors, a_thousand_guesses_delay_another_by_one_check);
    suite_add_tcase(suite, doors);

    TCase *failures = tcase_create("failures");
    tcase_add_checked_fixture(failures, open_gate, close_gate);
    tcase_set_timeout(failures, 60);
    tcase_add_test(failures, each_failure_doubles_the_delay_up_to_a_bound);
    tcase_add_test(failures, right_and_wrong_secrets_wait_alike_and_a_success_takes_nothing_back);
    tcase_add_test(failures, after_quiet_all_is_forgotten);
    tcase_add_test(failures, who_has_failed_is_not_told_what_is_remembered);
    tcase_add_test(failures, many_guesses_at_once_are_not_told_either);
    tcase_add_test(failures, who_still_waits_at_the_end_is_denied);
    tcase_add_test(failures, the_end_does_not_wait_for_a_long_check);
    suite_add_tcase(suite, failures);

    return suite_run(suite);
}
