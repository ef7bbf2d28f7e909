/*
 * model_store.c - millions of random things done to a store and to its model,
 * compared at every step.
 *
 * In two ways. With ample memory the two must be equal: nothing served late, nothing
 * dropped early, nothing lost, the same figures, the same listings. With little
 * memory the store may lose records at any time; what it still serves must be
 * right, and what was seen lost, deleted, flushed or expired never comes back.
 *
 * In both ways the memory becomes another at times, and also with the arena in a file. Then the
 * store ends at times, as by a kill or in order and with the machine, and is opened again with the
 * file.
 *
 * MODEL_OPS says how many things are done in each run (a million), MODEL_SEED
 * which ones, MODEL_AMPLE and MODEL_MEMORY how much memory there is, in bytes. A
 * failure tells seed and step; the same settings bring it back. Here are the
 * runs, and what is done over more than one step; model_run.c has what is done to
 * single records.
 */
#include "tests/store/model/model_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/scratch.h"
#include "tests/support/suite.h"

/* --- writes in parts ---------------------------------------------------- */

static void begin_write(struct open_write *slot)
{
    *slot = (struct open_write){.ns = run.ns,
                                .key = (size_t)run_below(RUN_LARGE_KEYS),
                                .mode = run_below(4) ? STORE_SET : STORE_ADD,
                                .ttl = run_choose_ttl()};
    run.key = slot->key;
    run.record = model_at(&run.model, run.ns, run.key);
    slot->record.length = (uint32_t)run_below(RUN_LARGE_MAX);
    slot->record.seed = run_choose_seed();
    enum store_status expected = run_expected_write(&slot->record, slot->mode, slot->ttl);
    run_enter();
    enum store_status status =
        store_write_begin(run.fixture.thread, &run.at, TERMS(slot->mode, slot->ttl),
                          slot->record.length, run.fixture.now, &slot->write);
    run_leave();
    run_note("begin %u bytes: %d", slot->record.length, (int)status);
    run_judge_write(status, expected);
    if (status != STORE_OK) {
        slot->write = NULL;
    }
}

static void commit_write(struct open_write *slot)
{
    enum store_status expected = run_expected_write(&slot->record, slot->mode, slot->ttl);
    enum store_status status = fixture_commit(&run.fixture, &slot->write);
    run_note("commit until %" PRIu64 ": %d", slot->record.expires, (int)status);
    run_judge_write(status, expected);
    if (status == STORE_OK) {
        model_write(&run.model, run.ns, run.key, slot->record, run.fixture.now);
    }
}

static void go_on_writing(void)
{
    struct open_write *slot = &run.writes[run_below(RUN_WRITES)];
    if (slot->write == NULL) {
        begin_write(slot);
        return;
    }
    run.ns = slot->ns;
    run.key = slot->key;
    run.record = model_at(&run.model, run.ns, run.key);
    uint64_t until = slot->done + run_below(RUN_LARGE_MAX / 2);
    if (until > slot->record.length) {
        until = slot->record.length;
    }
    enum store_status status = fixture_write_pattern(&run.fixture, slot->write, &slot->done, until,
                                                     20000, slot->record.seed);
    run_note("write up to %" PRIu64 ": %d", slot->done, (int)status);
    bool waits = status == STORE_CROWDED && slot->done == 0;
    if (status != STORE_OK && (run.ample || (status != STORE_NO_MEMORY && !waits))) {
        run_differ("write: status %d", (int)status);
    }
    if (waits && run_below(4) != 0) {
        return;
    }
    if (status != STORE_OK || run_below(20) == 0) {
        fixture_abort(&run.fixture, &slot->write);
    } else if (slot->done == slot->record.length) {
        commit_write(slot);
    }
}

/* --- listings ----------------------------------------------------------- */

static bool visit(void *context, struct store_entry *entry)
{
    struct model_listing *listing = context;
    size_t key = model_key_number(&run.model, entry->key);
    if (run_below(50) == 0) {
        return false;
    }
    if (key == SIZE_MAX) {
        run_differ("listing: a strange key of %zu bytes", entry->key.length);
    }
    run.key = key;
    struct model_record *record = model_at(&run.model, listing->ns, key);
    struct store_view view = {.length = entry->value.length, .bytes = entry->value.bytes};
    if (entry->large != NULL) {
        view = *entry->large;
    }
    if (!model_alive(record, run.fixture.now)) {
        run_differ("listing: a record that is not there");
    }
    if (view.length != entry->value_length || !model_is_value(record, &view)) {
        run_differ("listing: wrong value of %" PRIu64 " bytes", entry->value_length);
    }
    if (entry->expires != record->expires || entry->client_flags != record->flags) {
        run_differ("listing: expires %" PRIu64 ", flags %u, not %" PRIu64 ", %u", entry->expires,
                   entry->client_flags, record->expires, record->flags);
    }
    if (listing->seen[key] < UINT8_MAX) {
        listing->seen[key]++;
    }
    return true;
}

static void expect_all_seen(struct model_listing *listing)
{
    run.ns = listing->ns;
    for (run.key = 0; run.key < run.model.keys; run.key++) {
        run.record = model_at(&run.model, run.ns, run.key);
        unsigned seen = listing->seen[run.key];
        if (seen > 2) {
            run_differ("listing: seen %u times", seen);
        }
        if (listing->duty[run.key] == MODEL_NONE || !run_alive() || seen > 0) {
            continue;
        }
        if (!run.ample && listing->duty[run.key] != MODEL_ONCE) {
            continue; /* may have been lost and come back between two looks */
        }
        if (!run.ample) {
            run_get(); /* and is told if it was lost */
        }
        if (run_alive()) {
            run_differ("listing: not seen, should be %s", listing->duty[run.key] == MODEL_ONCE
                                                              ? "once"
                                                              : "once or more, was written again");
        }
    }
}

static void close_listing(unsigned i)
{
    run.model.listings[i].open = false;
    store_cursor_close(&run.cursors[i]);
}

static void list(void)
{
    unsigned i = (unsigned)run_below(MODEL_LISTINGS);
    struct model_listing *listing = &run.model.listings[i];
    if (!listing->open) {
        model_list(&run.model, listing, run.ns, run.fixture.now);
        run_enter();
        enum store_status status =
            store_cursor_open(run.fixture.thread, slice_of(run_namespace()->name), &run.cursors[i]);
        run_leave();
        run_note("open listing %u: %d", i, (int)status);
        if (status != STORE_OK) {
            run_differ("open listing: status %d", (int)status);
        }
    }
    run.ns = listing->ns;
    run_enter();
    bool ended = store_cursor_step(run.fixture.thread, run.cursors[i], run.fixture.now,
                                   (size_t)(1 + run_below(200)), visit, listing);
    run_leave();
    run_note("step listing %u: %d", i, ended);
    if (ended && store_cursor_status(run.cursors[i]) != STORE_OK) {
        run_differ("listing: ended before its time");
    }
    if (ended) {
        expect_all_seen(listing);
    }
    if (ended || run_below(200) == 0) {
        close_listing(i);
    }
}

/* Of a namespace that is being listed: most of it is written again, which is more than a
 * listing keeps one by one. */
static void write_much(void)
{
    const struct model_listing *listing = &run.model.listings[run_below(MODEL_LISTINGS)];
    for (size_t i = 0; listing->open && i < run.model.keys; i++) {
        run.ns = listing->ns;
        run.key = (size_t)run_below(run.model.keys);
        run.record = model_at(&run.model, run.ns, run.key);
        run_put();
    }
}

/* --- whole namespaces, time, housekeeping -------------------------------- */

static void flush(void)
{
    uint64_t live;
    uint64_t there;
    model_count(&run.model, run.ns, run.fixture.now, &live, &there);
    uint64_t flushed = fixture_flush(&run.fixture, run_namespace()->name);
    run_note("flush: %" PRIu64, flushed);
    if ((run.ample && flushed < live) || flushed > there) {
        run_differ("flushed %" PRIu64 ", not %" PRIu64 " to %" PRIu64, flushed, live, there);
    }
    model_flush(&run.model, run.ns);
}

/* Sometimes to the very millisecond of a record's end, or just before. */
static void pass_time(void)
{
    uint64_t dice = run_below(1000);
    uint64_t longest = dice == 0 ? run_below(20) == 0 ? 864000000 : 600000 : dice < 20 ? 5000 : 12;
    uint64_t expires = run.record->expires;
    if (dice >= 500 && run_alive() && expires != STORE_NEVER && expires - run.fixture.now < 2000) {
        run.fixture.now = expires - run_below(2);
    } else {
        run.fixture.now += run_below(longest + 1);
    }
    run_note("now it is %" PRIu64, run.fixture.now);
    run_get();
}

static void housekeep(void)
{
    size_t effort = (size_t)run_below(1ULL << run_below(14)) + 1;
    store_enter(run.fixture.thread);
    bool more = store_housekeep(run.fixture.thread, run.fixture.now, effort);
    store_leave(run.fixture.thread);
    run_note("housekeep %zu: %d", effort, more);
}

/* New settings for the declared namespaces: 2 to 5. Not while a write is open, for
 * it may have been judged by the old ones. */
static void declare(void)
{
    static const uint64_t ttls[] = {STORE_NEVER, 5000, 60000, 3600000};
    struct store_namespace_options options[4];
    for (size_t i = 0; i < RUN_WRITES; i++) {
        if (run.writes[i].write != NULL) {
            return;
        }
    }
    for (unsigned i = 0; i < 4; i++) {
        struct model_namespace *ns = &run.model.namespaces[i + 2];
        ns->ttl = ttls[run_below(4)];
        ns->max_ttl = i == 1 ? 5000 + ttls[run_below(4)] : STORE_NEVER;
        ns->require_ttl = i == 2 && run_below(2);
        options[i] = (struct store_namespace_options){.name = slice_of(ns->name),
                                                      .ttl = ns->ttl,
                                                      .max_ttl = ns->max_ttl,
                                                      .require_ttl = ns->require_ttl};
    }
    options[3].memory = run.fixture.max_value * (run.ample ? 16 : 1);
    fixture_declare_slowly(&run.fixture,
                           &(struct store_policy){.declared = options,
                                                  .declared_count = 4,
                                                  .max_value = run.fixture.max_value},
                           (size_t)run_below(1000));
    run_note("new policy");
}

/* From three quarters of the memory that there was at first, or all of it where that is little,
 * to more than twice as much. */
static uint64_t choose_memory(void)
{
    uint64_t quarters = run.ample ? 3 + run_below(6) : 4 + run_below(8);
    return run.memory / 4 * quarters;
}

/* Another memory, at once or by and by. */
static void resize(void)
{
    uint64_t memory = choose_memory();
    run_note("memory of %" PRIu64, memory);
    fixture_set_memory(&run.fixture, memory);
}

static void compare_figures(void)
{
    uint64_t live;
    uint64_t there;
    uint64_t all = 0;
    fixture_housekeep(&run.fixture);
    run_note("keep house and compare");
    for (run.ns = 0; run.ns < MODEL_NAMESPACES; run.ns++) {
        model_count(&run.model, run.ns, run.fixture.now, &live, &there);
        uint64_t items = fixture_items(&run.fixture, run_namespace()->name);
        if (run.ample ? items != live : items > live) {
            run_differ("%" PRIu64 " items, not %" PRIu64, items, live);
        }
        all += items;
    }
    struct store_stats stats = fixture_figures(&run.fixture);
    if (stats.items != all) {
        run_differ("%" PRIu64 " items, the namespaces' are %" PRIu64, stats.items, all);
    }
    if (run.ample && stats.counters.evictions != 0) {
        run_differ("%" PRIu64 " evictions", stats.counters.evictions);
    }
    fixture_check(&run.fixture);
}

/* --- the end of a store -------------------------------------------------- */

/* All views, writes and listings. A write that is `left` is one that a kill cut short. */
static void let_go(bool left)
{
    for (size_t i = 0; i < RUN_VIEWS; i++) {
        if (run.views[i].held) {
            ck_assert(fixture_view_is_pattern(&run.views[i].view, run.views[i].seed));
            store_view_put(&run.views[i].view);
            run.views[i].held = false;
        }
    }
    for (size_t i = 0; i < RUN_WRITES; i++) {
        if (run.writes[i].write != NULL && left) {
            free(run.writes[i].write);
        } else if (run.writes[i].write != NULL) {
            fixture_abort(&run.fixture, &run.writes[i].write);
        }
        run.writes[i].write = NULL;
    }
    for (unsigned i = 0; i < MODEL_LISTINGS; i++) {
        if (run.model.listings[i].open) {
            close_listing(i);
        }
    }
}

static void restart(void)
{
    if (run.fixture.file == NULL) {
        return;
    }
    bool in_order = run_below(3) == 0;
    let_go(!in_order);
    fixture_check(&run.fixture);
    if (run_below(3) == 0) {
        run.fixture.memory = choose_memory();
    }
    if (in_order) {
        fixture_reboot(&run.fixture, (int64_t)run_below(3000) - 500);
    } else {
        fixture_crash(&run.fixture);
        fixture_start(&run.fixture);
    }
    const struct store_recovery *found = &run.fixture.found;
    run_note("again at %" PRIu64 ", with %" PRIu64 " records", run.fixture.now, found->records);
    if (found->arena != STORE_ARENA_KEPT || found->duplicates != 0 ||
        found->damaged_records + found->damaged_segments + found->damaged_namespaces != 0 ||
        (run.ample && found->evicted != 0)) {
        run_differ("restart: arena %d, %" PRIu64 " twice, %" PRIu64 " damaged, %" PRIu64 " evicted",
                   (int)found->arena, found->duplicates, found->damaged_records, found->evicted);
    }
    declare();
    fixture_check(&run.fixture);
}

/* --- a run -------------------------------------------------------------- */

static const struct {
    unsigned weight;
    void (*act)(void);
} acts[] = {
    {34000, run_get},      {28000, run_put},  {6000, run_delete},
    {4000, run_expiry},    {6000, run_touch}, {6000, run_add_number},
    {3000, go_on_writing}, {3000, list},      {6000, pass_time},
    {4000, housekeep},     {6, flush},        {3, declare},
    {5, compare_figures},  {5, restart},      {20, resize},
    {3, write_much},
};

static void act(void)
{
    unsigned total = 0;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        total += acts[i].weight;
    }
    uint64_t dice = run_below(total);
    size_t chosen = 0;
    while (dice >= acts[chosen].weight) {
        dice -= acts[chosen++].weight;
    }
    run_choose_record();
    acts[chosen].act();
    if (run.step % 64 == 0 && !fixture_is_within(&run.fixture)) {
        run_differ("%" PRIu64 " bytes are used", fixture_figures(&run.fixture).memory_used);
    }
}

/* `file`: of the arena, or NULL. */
static void compare(bool ample, uint64_t memory, size_t keys, const char *file)
{
    uint64_t steps = fixture_setting("MODEL_OPS", 1000000);
    memset(&run, 0, sizeof run);
    run.seed = fixture_setting("MODEL_SEED", 1);
    run.random = run.seed;
    run.ample = ample;
    run.memory = memory;
    run.lines = calloc(RUN_LINES, RUN_LINE);
    ck_assert_ptr_nonnull(run.lines);
    ck_assert(model_init(&run.model, keys));
    if (file != NULL) {
        fixture_open_file(&run.fixture, memory, FIXTURE_MIB, file);
    } else {
        fixture_open(&run.fixture, memory, FIXTURE_MIB);
    }
    declare();
    for (run.step = 1; run.step <= steps; run.step++) {
        act();
    }
    let_go(false);
    run.record = model_at(&run.model, 0, 0);
    compare_figures();
    ck_assert_msg(run.refused * 20 <= run.puts, "%" PRIu64 " of %" PRIu64 " writes were refused",
                  run.refused, run.puts);
    fixture_close(&run.fixture);
    model_deinit(&run.model);
    free(run.lines);
}

START_TEST(with_ample_memory_they_are_equal)
{
    compare(true, fixture_setting("MODEL_AMPLE", 64 * FIXTURE_MIB), 4096, NULL);
}
END_TEST

START_TEST(with_little_memory_what_is_served_is_right)
{
    compare(false, fixture_setting("MODEL_MEMORY", (_i ? 8 : 5) * FIXTURE_MIB), 16384, NULL);
}
END_TEST

static const char *arena(void)
{
    static char path[128];
    snprintf(path, sizeof path, "%s", scratch_path("arena"));
    return path;
}

START_TEST(with_a_file_and_ample_memory_they_are_equal)
{
    compare(true, fixture_setting("MODEL_AMPLE", 64 * FIXTURE_MIB), 4096, arena());
}
END_TEST

START_TEST(with_a_file_and_little_memory_what_is_served_is_right)
{
    compare(false, fixture_setting("MODEL_MEMORY", 6 * FIXTURE_MIB), 16384, arena());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store model");
    TCase *model = tcase_create("model");
    tcase_set_timeout(model, 4 * FIXTURE_TIMEOUT);
    tcase_add_test(model, with_ample_memory_they_are_equal);
    tcase_add_loop_test(model, with_little_memory_what_is_served_is_right, 0, 2);
    suite_add_tcase(suite, model);
    TCase *file = tcase_create("model and file");
    tcase_add_checked_fixture(file, scratch_make_in_memory, scratch_remove);
    tcase_set_timeout(file, 4 * FIXTURE_TIMEOUT);
    tcase_add_test(file, with_a_file_and_ample_memory_they_are_equal);
    tcase_add_test(file, with_a_file_and_little_memory_what_is_served_is_right);
    suite_add_tcase(suite, file);
    return suite_run(suite);
}
