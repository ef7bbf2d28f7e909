/*
 * threads_policy.c - policies that come one after the other while a housekeeper tidies up and
 * writers press for memory: whatever is declared is there, with its settings, after each.
 *
 * POLICY_ROUNDS says how many policies there are.
 */
#include "tests/store/fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ROUNDS = 10,
    NEW = 2000, /* names that each policy adds */
    MEMORY = 32 * FIXTURE_MIB,
    WRITERS = 2,
    VALUE = 3000, /* bytes, of the values that press */
    NAME = 16,
};

struct crowd {
    char (*names)[NAME];
    struct store_namespace_options *options;
    size_t count;
};

static struct fixture fixture;
static atomic_bool over;
static atomic_uint refused; /* writes */
static atomic_uint evicted; /* records */

/* --- the others --------------------------------------------------------------- */

static void observe(void *context, const struct store_observed *observed)
{
    (void)context;
    atomic_fetch_add(&evicted, observed->deed == STORE_DEED_EVICTED);
}

static struct store_thread *create_thread(void)
{
    struct store_thread *thread = store_thread_create(fixture.store);
    store_thread_set_observer(thread, observe, NULL);
    return thread;
}

static void *keep_house(void *unused)
{
    struct store_thread *thread = create_thread();
    while (!atomic_load(&over)) {
        store_enter(thread);
        store_housekeep(thread, fixture.now, FIXTURE_EFFORT);
        store_leave(thread);
    }
    store_thread_destroy(&thread);
    return unused;
}

static void put(struct store_thread *thread, const char *name, const char *key, struct slice value)
{
    struct store_key at;
    store_enter(thread);
    enum store_status status = store_locate(thread, slice_of(name), slice_of(key), &at);
    if (status == STORE_OK) {
        status = store_put(thread, &at, TERMS(STORE_SET, TTL_NEVER), value, fixture.now, NULL);
    }
    store_leave(thread);
    if (status != STORE_OK) {
        atomic_fetch_add(&refused, 1);
    }
}

/* Records that have to be evicted again and again, and namespaces that come and go. */
static void *write_on(void *context)
{
    struct store_thread *thread = create_thread();
    const char *who = context;
    static const char bytes[VALUE];
    char key[NAME], name[NAME];
    for (unsigned i = 0; !atomic_load(&over); i++) {
        snprintf(key, sizeof key, "%s-%u", who, i);
        snprintf(name, sizeof name, "%s%u", who, i % 1024);
        put(thread, who, key, (struct slice){bytes, sizeof bytes});
        put(thread, name, key, (struct slice){bytes, 1});
    }
    store_thread_destroy(&thread);
    return NULL;
}

/* --- what is declared ----------------------------------------------------------- */

static void crowd_init(struct crowd *crowd, size_t most)
{
    crowd->names = calloc(most, sizeof *crowd->names);
    crowd->options = calloc(most, sizeof *crowd->options);
    crowd->count = 0;
    ck_assert(crowd->names != NULL && crowd->options != NULL);
}

static void crowd_deinit(struct crowd *crowd)
{
    free(crowd->names);
    free(crowd->options);
}

/* The settings of each follow from its number and from the round. */
static void set(struct crowd *crowd, size_t i, uint64_t round)
{
    crowd->options[i] = (struct store_namespace_options){.name = slice_of(crowd->names[i]),
                                                         .ttl = 1000 + 10 * i + round,
                                                         .max_ttl = 1000000 + i,
                                                         .require_ttl = i % 2 == 0};
}

static void grow(struct crowd *crowd, uint64_t round)
{
    for (size_t end = crowd->count + NEW; crowd->count < end; crowd->count++) {
        snprintf(crowd->names[crowd->count], NAME, "declared%zu", crowd->count);
    }
    for (size_t i = 0; i < crowd->count; i++) {
        set(crowd, i, round);
    }
}

static void expect_all(const struct crowd *crowd)
{
    struct store_namespace_stats stats;
    for (size_t i = 0; i < crowd->count; i++) {
        const struct store_namespace_options *options = &crowd->options[i];
        FIXTURE_OK(fixture_namespace(&fixture, crowd->names[i], &stats));
        FIXTURE_THAT(stats.declared);
        FIXTURE_THAT(stats.ttl == options->ttl);
        FIXTURE_THAT(stats.max_ttl == options->max_ttl);
    }
    for (size_t i = 0; i < crowd->count; i += crowd->count / 100) {
        /* What never ends is shortened to max_ttl, but where a time is required. */
        enum store_status status =
            fixture_put(&fixture, crowd->names[i], "key", TTL_NEVER, "value");
        FIXTURE_THAT(status == (crowd->options[i].require_ttl ? STORE_TTL_REQUIRED : STORE_OK));
        FIXTURE_OK(fixture_put(&fixture, crowd->names[i], "key", TTL_DEFAULT, "value"));
    }
}

static int rounds(void)
{
    const char *text = getenv("POLICY_ROUNDS");
    return text != NULL ? atoi(text) : ROUNDS;
}

/* Until the writers have filled the memory once more. Figures are not asked for meanwhile: that
 * takes the lock of the namespaces, which the housekeeper would hardly come to have. */
static void let_them_press(void)
{
    unsigned before = atomic_load(&evicted);
    while (atomic_load(&evicted) - before < NEW) {
        sched_yield();
    }
}

START_TEST(what_is_declared_is_there)
{
    static const char *const who[WRITERS] = {"one", "two"};
    pthread_t threads[WRITERS + 1];
    struct crowd crowd;
    fixture_open(&fixture, MEMORY, FIXTURE_MIB);
    crowd_init(&crowd, (size_t)rounds() * NEW);
    atomic_store(&over, false);
    ck_assert_int_eq(pthread_create(&threads[WRITERS], NULL, keep_house, NULL), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_on, (void *)(uintptr_t)who[i]), 0);
    }
    for (int round = 0; round < rounds(); round++) {
        let_them_press();
        grow(&crowd, (uint64_t)round);
        fixture_declare(&fixture, crowd.options, crowd.count, STORE_NEVER);
        expect_all(&crowd);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i <= WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(atomic_load(&refused), 0);
    crowd_deinit(&crowd);
    fixture_close(&fixture);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("threads policy");
    TCase *policies = tcase_create("policies");
    tcase_set_timeout(policies, FIXTURE_TIMEOUT);
    tcase_add_test(policies, what_is_declared_is_there);
    suite_add_tcase(suite, policies);
    return suite_run(suite);
}
