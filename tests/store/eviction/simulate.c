/*
 * simulate.c - what the store misses when it is too small, beside other ways to evict.
 *
 * Each trace (trace.h) is played to the store and to the reference policies
 * (policies.h) with the same memory. The store has a fixed secret and the trace's own
 * clock, so the figures are the same each time, and are held to bounds.
 *
 * SIMULATE_MEMORY is how many bytes there are (16 MiB), with a key for every 32 of them;
 * SIMULATE_ROUNDS how many requests for each key (10), of which the second half counts.
 * Bounds are asserted where both are as they are by default or more, and SIMULATE_TABLE=1
 * prints a line for each trace.
 */
#include "tests/store/eviction/policies.h"
#include "tests/store/fixture.h"

#include <inttypes.h>
#include <stdio.h>

enum { ROUNDS = 10, BYTES_A_KEY = 32, KEY_BYTES = 14, RECORD_COST = 3, SLOT_COST = 10 };

/* Enough for every part of every trace to come. */
enum { CHECKSUM_KEYS = 65536, CHECKSUM_REQUESTS = 200000 };

struct tally {
    uint64_t reads, missed;
};

static const struct {
    uint64_t checksum; /* of the first CHECKSUM_REQUESTS by CHECKSUM_KEYS keys */
    double most;       /* that the store may miss, */
    double beside;     /* and how much more than any reference policy, as a factor */
} expected[TRACE_KINDS] = {
    [TRACE_ZIPF_08] = {UINT64_C(0x0b7022a51c5cab69), 0.292, 1.03},
    [TRACE_ZIPF_10] = {UINT64_C(0xe8851008c9fb189f), 0.1195, 1.03},
    [TRACE_SCANS] = {UINT64_C(0xbdcce50ec72d1400), 0.2555, 1.03},
    [TRACE_DRIFT] = {UINT64_C(0x753d4c174c5a7b33), 0.1256, 1.03},
    [TRACE_SETS] = {UINT64_C(0x31e37d8fc72cc7fa), 0.1217, 1.17},
    [TRACE_TTL] = {UINT64_C(0x950b52780b2efa02), 0.189, 1.03},
    [TRACE_SIZES] = {UINT64_C(0xd77dd505dc06102b), 0.222, 1.03},
    [TRACE_OVERWRITES] = {UINT64_C(0x51a4bd510d62f136), 0.1225, 1.03},
};

static uint64_t memory(void)
{
    return fixture_setting("SIMULATE_MEMORY", 16 * FIXTURE_MIB);
}

static uint64_t requests_for(const struct trace *trace)
{
    return fixture_setting("SIMULATE_ROUNDS", ROUNDS) * trace->keys;
}

static bool serve(struct fixture *fixture, const struct trace_request *request)
{
    static const char value[2048];
    char name[KEY_BYTES + 1];
    struct store_view view;
    fixture->now = request->now;
    snprintf(name, sizeof name, "key-%010" PRIu32, request->key);
    struct slice key = {name, KEY_BYTES};
    bool hit = fixture_get_bytes(fixture, slice_of("n"), key, &view) == STORE_OK;
    if (hit) {
        fixture_give_back(&view);
    }
    if (!hit || request->writes) {
        FIXTURE_OK(fixture_put_bytes(fixture, slice_of("n"), key,
                                     request->ttl == 0 ? TTL_NEVER : TTL_FOR(request->ttl),
                                     (struct slice){value, request->length}));
    }
    return hit;
}

static void count(struct tally *tally, uint64_t step, uint64_t requests, bool hit)
{
    if (step >= requests / 2) {
        tally->reads++;
        tally->missed += !hit;
    }
}

static double ratio(const struct tally *tally)
{
    return tally->reads == 0 ? 0 : (double)tally->missed / (double)tally->reads;
}

static double play_store(struct trace *trace)
{
    enum { HOUSEKEEP_EVERY = 4096 };
    uint64_t requests = requests_for(trace);
    struct tally tally = {0, 0};
    struct fixture fixture;
    fixture_open(&fixture, memory(), FIXTURE_MIB);
    trace_rewind(trace);
    for (uint64_t step = 0; step < requests; step++) {
        struct trace_request request = trace_next(trace);
        count(&tally, step, requests, serve(&fixture, &request));
        if (step % HOUSEKEEP_EVERY == 0) {
            fixture_housekeep(&fixture);
        }
    }
    fixture_close(&fixture);
    return ratio(&tally);
}

static double play_policy(struct trace *trace, enum policy_kind kind)
{
    uint64_t requests = requests_for(trace);
    struct tally tally = {0, 0};
    struct policy policy;
    ck_assert(policy_init(&policy, kind, memory(), KEY_BYTES + RECORD_COST + SLOT_COST,
                          trace_key_bound(trace, requests)));
    trace_rewind(trace);
    for (uint64_t step = 0; step < requests; step++) {
        struct trace_request request = trace_next(trace);
        count(&tally, step, requests, policy_serve(&policy, &request));
    }
    policy_deinit(&policy);
    return ratio(&tally);
}

START_TEST(misses_little)
{
    bool whole =
        memory() >= 16 * FIXTURE_MIB && fixture_setting("SIMULATE_ROUNDS", ROUNDS) >= ROUNDS;
    struct trace trace;
    char line[160];
    int length = 0;
    ck_assert(trace_init(&trace, (enum trace_kind)_i, (uint32_t)(memory() / BYTES_A_KEY)));
    double ours = play_store(&trace);
    length = snprintf(line, sizeof line, "%-10s  store %.4f", trace_names[_i], ours);
    for (int kind = 0; kind < POLICIES; kind++) {
        double theirs = play_policy(&trace, (enum policy_kind)kind);
        length += snprintf(line + length, sizeof line - (size_t)length, "  %s %.4f",
                           policy_names[kind], theirs);
        if (whole) {
            ck_assert_msg(ours <= theirs * expected[_i].beside, "%s", line);
        }
    }
    if (fixture_setting("SIMULATE_TABLE", 0) != 0) {
        printf("%s\n", line);
    }
    trace_deinit(&trace);
    if (whole) {
        ck_assert_msg(ours <= expected[_i].most, "%s", line);
    }
}
END_TEST

START_TEST(traces_are_the_same_everywhere)
{
    struct trace trace;
    ck_assert(trace_init(&trace, (enum trace_kind)_i, CHECKSUM_KEYS));
    uint64_t sum = trace_checksum(&trace, CHECKSUM_REQUESTS);
    trace_deinit(&trace);
    ck_assert_msg(sum == expected[_i].checksum, "%s: 0x%016" PRIx64, trace_names[_i], sum);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("eviction");
    TCase *simulation = tcase_create("simulation");
    tcase_set_timeout(simulation, 4 * FIXTURE_TIMEOUT);
    tcase_add_loop_test(simulation, traces_are_the_same_everywhere, 0, TRACE_KINDS);
    tcase_add_loop_test(simulation, misses_little, 0, TRACE_KINDS);
    suite_add_tcase(suite, simulation);
    return suite_run(suite);
}
