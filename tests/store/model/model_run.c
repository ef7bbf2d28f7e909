/*
 * model_run.c - see model_run.h.
 */
#include "tests/store/model/model_run.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { LINES_SHOWN = 40 };

struct run run;

/* --- telling ------------------------------------------------------------ */

__attribute__((format(printf, 1, 2))) void run_note(const char *format, ...)
{
    char *line = run.lines[run.step % RUN_LINES];
    int used = snprintf(line, RUN_LINE, "ns%u/%zu ", run.ns, run.key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, (size_t)(RUN_LINE - used), format, arguments);
    va_end(arguments);
}

void run_differ(const char *format, ...)
{
    char about[RUN_LINE];
    char what[256];
    int length = snprintf(about, sizeof about, "ns%u/%zu ", run.ns, run.key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    uint64_t first = run.step < RUN_LINES ? 0 : run.step - RUN_LINES + 1;
    for (uint64_t step = first; step <= run.step; step++) {
        const char *line = run.lines[step % RUN_LINES];
        if (step + LINES_SHOWN > run.step || strncmp(line, about, (size_t)length) == 0) {
            fprintf(stderr, "%" PRIu64 ": %s\n", step, line);
        }
    }
    ck_abort_msg("MODEL_SEED=%" PRIu64 " step %" PRIu64 " now %" PRIu64 " ns%u/%zu: %s", run.seed,
                 run.step, run.fixture.now, run.ns, run.key, what);
}

/* --- chance ------------------------------------------------------------- */

uint64_t run_below(uint64_t bound)
{
    return fixture_random(&run.random) % bound;
}

void run_choose_record(void)
{
    size_t range = run_below(2) ? run.model.keys : run.model.keys / 16;
    run.ns = (unsigned)run_below(MODEL_NAMESPACES);
    if (run.ns == MODEL_NAMESPACES - 1) {
        range = 20; /* one namespace is nearly empty, and comes and goes */
    }
    run.key = (size_t)run_below(range);
    if (run_below(40) == 0) {
        run.key = (size_t)run_below(RUN_LARGE_KEYS);
    }
    run.record = model_at(&run.model, run.ns, run.key);
}

struct store_ttl run_choose_ttl(void)
{
    switch (run_below(8)) {
    case 0:
    case 1:
        return TTL_DEFAULT;
    case 2:
        return TTL_NEVER;
    default:
        return TTL_FOR(1 + run_below(1ULL << (1 + run_below(32))));
    }
}

static size_t choose_length(void)
{
    if (run.key < RUN_LARGE_KEYS && run_below(3) == 0) {
        return (size_t)run_below(RUN_LARGE_MAX);
    }
    return (size_t)(run_below(20) == 0 ? run_below(3000) : run_below(300));
}

/* A value that cannot be taken for a number. */
uint64_t run_choose_seed(void)
{
    char first;
    uint64_t seed;
    do {
        seed = fixture_random(&run.random);
        fixture_pattern(&first, 0, 1, seed);
    } while (first >= '0' && first <= '9');
    return seed;
}

/* --- between model and store -------------------------------------------- */

struct model_namespace *run_namespace(void)
{
    return &run.model.namespaces[run.ns];
}

void run_enter(void)
{
    store_enter(run.fixture.thread);
    enum store_status status = store_locate(run.fixture.thread, slice_of(run_namespace()->name),
                                            model_key(run.key, run.key_bytes), &run.at);
    if (status != STORE_OK) {
        run_differ("locate: status %d", (int)status);
    }
    if (run_below(2)) {
        store_fetch(run.fixture.thread, &run.at);
    }
}

void run_leave(void)
{
    store_leave(run.fixture.thread);
}

bool run_alive(void)
{
    return model_alive(run.record, run.fixture.now);
}

/* The store says that a record is not there. Believes it where it may be true. */
static void accept_loss(void)
{
    if (run_alive() && run.ample) {
        run_differ("lost; should live until %" PRIu64 "; %" PRIu64 " evictions",
                   run.record->expires, fixture_figures(&run.fixture).counters.evictions);
    }
    if (run_alive()) {
        model_drop(&run.model, run.ns, run.key);
    }
}

/* Compares the status of something that needs the record to be there. True when
 * it was there for both. */
static bool both_there(enum store_status status)
{
    if (status == STORE_NOT_FOUND) {
        accept_loss();
        return false;
    }
    if (!run_alive()) {
        run_differ("is there with status %d, but %s", (int)status,
                   run.record->there ? "has expired" : "was taken away");
    }
    return true;
}

/* --- single records ----------------------------------------------------- */

static void keep_view(const struct store_view *view)
{
    struct held_view *slot = &run.views[run_below(RUN_VIEWS)];
    if (slot->held && !fixture_view_is_pattern(&slot->view, slot->seed)) {
        run_differ("a view's bytes have changed");
    }
    if (slot->held) {
        store_view_put(&slot->view);
    }
    *slot = (struct held_view){true, run.record->seed, *view};
}

void run_get(void)
{
    struct store_view view = {.length = 0};
    bool right = false;
    run_enter();
    enum store_status status = store_get(run.fixture.thread, &run.at, run.fixture.now, &view);
    struct store_view seen = view;
    if (status == STORE_OK) {
        right = model_is_value(run.record, &view);
        if (right && view.pinned && run_below(2)) {
            keep_view(&view);
        } else {
            store_view_put(&view);
        }
    }
    run_leave();
    run_note("get: %d", (int)status);
    if (status == STORE_CROWDED && !run.ample) {
        run.refused++;
        return;
    }
    if (!both_there(status)) {
        return;
    }
    if (!right) {
        run_differ("get: wrong value of %" PRIu64 " bytes", seen.length);
    }
    if (seen.expires != run.record->expires || seen.client_flags != run.record->flags) {
        run_differ("get: expires %" PRIu64 ", flags %u, not %" PRIu64 ", %u", seen.expires,
                   seen.client_flags, run.record->expires, run.record->flags);
    }
}

/* The record that a write would make; a number now and then. */
static struct model_record new_record(void)
{
    struct model_record record = {.flags = run_below(4) ? 0 : (uint32_t)run_below(1ULL << 32)};
    record.is_number = run_below(8) == 0;
    if (record.is_number) {
        record.number = run_below(4) ? run_below(1000) : UINT64_MAX - run_below(1000);
    } else {
        record.length = (uint32_t)choose_length();
        record.seed = run_choose_seed();
    }
    return record;
}

/* What a write should answer; sets the record's expiry. */
enum store_status run_expected_write(struct model_record *record, enum store_mode mode,
                                     struct store_ttl ttl)
{
    enum store_status status =
        model_expiry(run_namespace(), ttl, run.fixture.now, &record->expires);
    if (status == STORE_OK && mode == STORE_ADD && run_alive()) {
        status = STORE_EXISTS;
    }
    return status;
}

/* Compares, and brings the model to where the store is. */
void run_judge_write(enum store_status status, enum store_status expected)
{
    bool fits = status == expected;
    if (status == STORE_NO_MEMORY && !run.ample) {
        run.refused++;
        return;
    }
    if (expected == STORE_EXISTS && status == STORE_OK) {
        fits = !run.ample; /* the old record was evicted */
    }
    if (expected == STORE_TTL_REQUIRED && status == STORE_EXISTS) {
        fits = run_alive(); /* both are true */
    }
    if (!fits) {
        run_differ("status %d, not %d", (int)status, (int)expected);
    }
}

void run_put(void)
{
    struct model_record record = new_record();
    enum store_mode mode = run_below(5) ? STORE_SET : STORE_ADD;
    struct store_ttl ttl = run_choose_ttl();
    char digits[MODEL_DIGITS];
    struct slice value = {run.value, record.length};
    if (record.is_number) {
        value = model_digits(&record, digits);
    } else {
        fixture_pattern(run.value, 0, record.length, record.seed);
    }
    enum store_status expected = run_expected_write(&record, mode, ttl);
    run_enter();
    struct store_terms terms = {.mode = mode, .ttl = ttl, .client_flags = record.flags};
    enum store_status status =
        store_put(run.fixture.thread, &run.at, &terms, value, run.fixture.now, NULL);
    run_leave();
    run.puts++;
    run_note("%s %zu bytes until %" PRIu64 ": %d", mode == STORE_ADD ? "add" : "put", value.length,
             record.expires, (int)status);
    run_judge_write(status, expected);
    if (status == STORE_OK) {
        model_write(&run.model, run.ns, run.key, record, run.fixture.now);
    }
}

void run_delete(void)
{
    run_enter();
    enum store_status status = store_delete(run.fixture.thread, &run.at, NULL, run.fixture.now);
    run_leave();
    run_note("delete: %d", (int)status);
    if (both_there(status)) {
        model_drop(&run.model, run.ns, run.key);
    }
}

void run_expiry(void)
{
    uint64_t expires = 0;
    run_enter();
    enum store_status status = store_expiry(run.fixture.thread, &run.at, run.fixture.now, &expires);
    run_leave();
    run_note("expiry: %d", (int)status);
    if (!both_there(status)) {
        return;
    }
    if (expires != run.record->expires) {
        run_differ("it expires at %" PRIu64 ", not %" PRIu64, expires, run.record->expires);
    }
}

void run_touch(void)
{
    struct store_ttl ttl = run_choose_ttl();
    struct model_record record = *run.record;
    if (model_expiry(run_namespace(), ttl, run.fixture.now, &record.expires) != STORE_OK) {
        return; /* a record that is not there may be told first, or this */
    }
    run_enter();
    enum store_status status = store_touch(run.fixture.thread, &run.at, ttl, run.fixture.now);
    run_leave();
    run_note("touch until %" PRIu64 ": %d", record.expires, (int)status);
    if (status == STORE_NO_MEMORY && !run.ample) {
        run.refused++;
    } else if (both_there(status)) {
        model_write(&run.model, run.ns, run.key, record, run.fixture.now);
    }
}

/* What a sum comes to, as the protocol wants it. */
static enum store_status expected_sum(uint64_t by, bool subtract, uint64_t *sum)
{
    uint64_t number = run.record->number;
    if (!run.record->is_number) {
        return STORE_NOT_A_NUMBER;
    }
    if (!subtract && number + by < number) {
        return STORE_OVERFLOW;
    }
    *sum = subtract ? (by > number ? 0 : number - by) : number + by;
    return STORE_OK;
}

void run_add_number(void)
{
    uint64_t by = run_below(3) ? run_below(100) : fixture_random(&run.random);
    bool subtract = run_below(2);
    uint64_t sum = 0;
    uint64_t result = 0;
    run_enter();
    struct store_sum addition = {.by = by, .subtract = subtract};
    enum store_status status = store_add_number(
        run.fixture.thread, &run.at, TERMS(STORE_SET, TTL_KEEP), &addition, run.fixture.now);
    run_leave();
    result = addition.number;
    run_note("%s %" PRIu64 ": %d", subtract ? "decr" : "incr", by, (int)status);
    if (status == STORE_NO_MEMORY && !run.ample) {
        run.refused++;
        return;
    }
    if (!both_there(status)) {
        return;
    }
    struct model_record record = *run.record;
    enum store_status expected = expected_sum(by, subtract, &sum);
    if (status != expected || (status == STORE_OK && result != sum)) {
        run_differ("status %d, %" PRIu64 ", not %d, %" PRIu64, (int)status, result, (int)expected,
                   sum);
    }
    if (status == STORE_OK) {
        record.number = sum;
        model_write(&run.model, run.ns, run.key, record, run.fixture.now);
    }
}
