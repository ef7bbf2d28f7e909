/*
 * model_terms.c - writing and looking on terms, against a model that holds every
 * value byte by byte: all modes, versions, notes, values that grow over the
 * bound above which a record has segments of its own.
 *
 * Memory is ample, so nothing may ever be missing. Beside the records under test
 * others come and go, so that those are moved now and then: a version that was
 * told must be the same afterwards. Some runs have the arena in a file, and the store ends
 * now and then and is opened again.
 *
 * MODEL_SEED and MODEL_STEPS choose another run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/store/model/terms_model.h"
#include "tests/support/scratch.h"

/* --- looking ------------------------------------------------------------- */

static void enter(void)
{
    store_enter(fixture.thread);
    store_tick(fixture.thread, fixture.now);
    FIXTURE_OK(store_locate(fixture.thread, slice_of("ns"), slice_of(key), &at));
}

static void leave(void)
{
    store_leave(fixture.thread);
}

/* Looks, and compares everything that is told. */
static void look(const struct store_terms *terms)
{
    struct store_view view;
    bool there = lives();
    enter();
    enum store_status status = store_inspect(fixture.thread, &at, terms, fixture.now, &view);
    bool same = false;
    if (status == STORE_OK) {
        struct iovec pieces[64];
        uint64_t done = 0;
        same = view.length == (there ? record->length : 0);
        if (there && same && !view.pinned) {
            same = memcmp(view.bytes, record->bytes, record->length) == 0;
        }
        while (there && same && view.pinned && done < view.length) {
            size_t count = store_view_pieces(&view, done, pieces, 64);
            for (size_t i = 0; i < count; i++) {
                same = same &&
                       memcmp(pieces[i].iov_base, record->bytes + done, pieces[i].iov_len) == 0;
                done += pieces[i].iov_len;
            }
        }
        store_view_put(&view);
    }
    leave();
    if (status != (there || terms->makes ? STORE_OK : STORE_NOT_FOUND)) {
        differ("look: status %d, and it %s", (int)status, there ? "lives" : "does not");
    }
    if (status != STORE_OK) {
        return;
    }
    if (!same) {
        differ("look: another value, of %" PRIu64 " bytes", view.length);
    }
    if (!there) {
        uint64_t expires = ends(terms->make);
        if (!view.won || view.taken || view.stale || view.expires != expires) {
            differ("look: made, but won %d taken %d", view.won, view.taken);
        }
        write_value("", 0, "", 0);
        record->flags = 0;
        record->expires = expires;
        record->noted = record->won = true;
        if (terms->tells_version) {
            learn_new(view.version, terms->version, 0);
        }
        if (!terms->peeks) {
            touch_notes();
        }
        return;
    }
    uint64_t expires = ends(terms->ttl);
    uint64_t idle = fixture.now - (record->touched >> 7 << 7);
    bool was_noted = record->noted;
    record->noted |= !terms->peeks || terms->ttl.kind != STORE_TTL_KEEP;
    bool ending = record->expires != STORE_NEVER && terms->refresh > 0 &&
                  store_left(record->expires, fixture.now) < terms->refresh;
    bool won = terms->contends && !record->won && (record->stale || ending);
    if (view.expires != expires || view.client_flags != record->flags) {
        differ("look: expires %" PRIu64 " flags %u", view.expires, view.client_flags);
    }
    if (view.stale != record->stale || view.taken != record->won || view.won != won) {
        differ("look: stale %d taken %d won %d, not %d %d %d", view.stale, view.taken, view.won,
               record->stale, record->won, won);
    }
    if (was_noted && (view.idle != idle || view.read_before != record->read)) {
        differ("look: idle %" PRIu64 " read %d, not %" PRIu64 " %d", view.idle, view.read_before,
               idle, record->read);
    }
    if (record->told && view.version != record->version) {
        differ("look: version %" PRIu64 ", but was told %" PRIu64, view.version, record->version);
    }
    if (terms->tells_version && record->noted && !record->told) {
        learn_new(view.version, 0, 0);
    }
    record->expires = expires;
    if (record->noted) {
        record->won |= won;
    }
    if (!terms->peeks && record->noted) {
        touch_notes();
    }
}

/* --- steps ---------------------------------------------------------------- */

static void step_look(void)
{
    struct store_terms terms = {.ttl = below(3) ? TTL_KEEP : some_ttl(true),
                                .make = some_ttl(false),
                                .refresh = below(2) ? 0 : 1 + below(100000),
                                .makes = once_in(5),
                                .tells_version = below(2),
                                .peeks = once_in(4),
                                .contends = below(3) != 0};
    if (terms.ttl.kind != STORE_TTL_KEEP || (record->unsure && !record->noted)) {
        terms.peeks = false;
    }
    look(&terms);
}

/* So that comparing has something to compare with. */
static void hear_version(void)
{
    const struct store_terms terms = {.ttl = TTL_KEEP, .tells_version = true};
    if (lives() && !record->told) {
        look(&terms);
    }
}

static struct store_terms some_terms(void)
{
    struct store_terms terms = {.mode = (enum store_mode)below(5),
                                .ttl = some_ttl(false),
                                .make = some_ttl(false),
                                .client_flags = once_in(3) ? (uint32_t)below(100) : 0,
                                .compares = once_in(3),
                                .or_stale = once_in(2),
                                .makes = once_in(4),
                                .noted = below(3) != 0,
                                .tells_version = below(2)};
    if (terms.compares) {
        hear_version();
        terms.expected = some_version();
    }
    if (once_in(50)) {
        terms.version = EXPLICIT + ++asked;
    }
    return terms;
}

static enum store_status put_in_parts(const struct store_terms *terms, struct slice added,
                                      uint64_t *version)
{
    struct store_write *write = NULL;
    enter();
    enum store_status status =
        store_write_begin(fixture.thread, &at, terms, added.length, fixture.now, &write);
    leave();
    while (status == STORE_OK && added.length > 0) {
        struct iovec space;
        store_enter(fixture.thread);
        FIXTURE_OK(store_write_space(fixture.thread, write, fixture.now, &space));
        store_leave(fixture.thread);
        size_t size = space.iov_len < added.length ? space.iov_len : added.length;
        memcpy(space.iov_base, added.bytes, size);
        store_write_advance(write, size);
        added.bytes += size;
        added.length -= size;
    }
    if (status == STORE_OK) {
        store_enter(fixture.thread);
        status = store_write_commit(fixture.thread, &write, fixture.now, version);
        store_leave(fixture.thread);
    }
    return status;
}

/* Records from about an eighth of a segment on lie in segments of their own, and are
 * noted always. Near that size none is written. */
static bool is_large(size_t length)
{
    return length > fixture_figures(&fixture).segment_size / 8;
}

static bool is_at_the_edge(size_t length)
{
    size_t edge = fixture_figures(&fixture).segment_size / 8;
    return length <= edge && length + 100 > edge;
}

static void step_put(void)
{
    struct store_terms terms = some_terms();
    struct slice added = some_value();
    uint64_t version = 0;
    bool stale = false;
    bool in_parts = once_in(6);
    bool joins = terms.mode == STORE_APPEND || terms.mode == STORE_PREPEND;
    size_t length = added.length + (joins && lives() ? record->length : 0);
    if (length > fixture.max_value || is_at_the_edge(length)) {
        return;
    }
    bool lived = lives();
    bool was_large = record->large;
    uint64_t written = 0;
    terms.length = &written;
    enum store_status expected = expected_put(&terms, &stale);
    /* Where the result is large and stale at once, the old value is joined anew and
     * is not marked: keep to what is defined. */
    if (joins && stale) {
        return;
    }
    enum store_status status = STORE_OK;
    if (in_parts) {
        status = put_in_parts(&terms, added, &version);
    } else {
        enter();
        status = store_put(fixture.thread, &at, &terms, added, fixture.now, &version);
        leave();
    }
    if (status != expected) {
        differ("put mode %d: status %d, not %d", (int)terms.mode, (int)status, (int)expected);
    }
    if (status == STORE_OK) {
        put_in_model(&terms, added, stale, version);
        if (written != record->length) {
            differ("put: a length of %" PRIu64 ", not %zu", written, record->length);
        }
        record->large = in_parts || is_large(record->length) || (joins && lived && was_large);
        record->noted |= record->large;
    }
}

static void step_delete(void)
{
    bool compares = once_in(2);
    if (compares) {
        hear_version();
    }
    uint64_t expected = some_version();
    enum store_status right = STORE_OK;
    if (!lives()) {
        right = STORE_NOT_FOUND;
    } else if (compares && expected != record->version) {
        right = STORE_CHANGED;
    }
    enter();
    enum store_status status =
        store_delete(fixture.thread, &at, compares ? &expected : NULL, fixture.now);
    leave();
    if (status != right) {
        differ("delete: status %d, not %d", (int)status, (int)right);
    }
    if (status == STORE_OK) {
        record->there = record->told = false;
    }
}

static void step_make_stale(void)
{
    struct store_terms terms = {.ttl = some_ttl(true), .compares = once_in(2)};
    bool ignored = false;
    if (terms.compares) {
        hear_version();
        terms.expected = some_version();
    }
    enum store_status right = lives() ? compared(&terms, &ignored) : STORE_NOT_FOUND;
    enter();
    enum store_status status = store_make_stale(fixture.thread, &at, &terms, fixture.now);
    leave();
    if (status != right) {
        differ("make stale: status %d, not %d", (int)status, (int)right);
    }
    if (status != STORE_OK) {
        return;
    }
    if (!record->noted) {
        record->read = true; /* as far as is known: not looked at */
        record->touched = fixture.now;
    }
    record->expires = ends(terms.ttl);
    record->stale = true;
    record->won = record->told = false;
    bool noted_before = record->noted;
    record->noted = true;
    if (!noted_before) { /* whether it was read is not compared: read it */
        const struct store_terms read = {.ttl = TTL_KEEP, .contends = true};
        struct store_view view;
        enter();
        if (store_inspect(fixture.thread, &at, &read, fixture.now, &view) == STORE_OK) {
            record->won = true;
            store_view_put(&view);
        }
        leave();
        touch_notes();
    }
}

/* The version stays where the record is not marked as stale; without one of its own choice a
 * marked record has a new one. */
static void step_empty(void)
{
    struct store_terms terms = {.ttl = some_ttl(false),
                                .compares = once_in(2),
                                .client_flags = (uint32_t)below(3),
                                .version = once_in(4) ? EXPLICIT + ++asked : 0};
    bool marks = once_in(2);
    bool ignored = false;
    hear_version();
    terms.expected = some_version();
    enum store_status right = lives() ? compared(&terms, &ignored) : STORE_NOT_FOUND;
    enter();
    enum store_status status = store_empty(fixture.thread, &at, &terms, marks, fixture.now);
    leave();
    if (status != right) {
        differ("empty: status %d, not %d", (int)status, (int)right);
    }
    if (status != STORE_OK) {
        return;
    }
    uint64_t version = terms.version != 0 ? terms.version : record->version;
    write_value("", 0, "", 0);
    record->expires = ends(terms.ttl);
    record->flags = terms.client_flags;
    record->noted = true;
    record->unsure = false;
    record->stale = marks;
    if (!marks || terms.version != 0) {
        record->version = version;
        record->told = true;
        record->known[record->count++ % KNOWN] = version;
    }
}

static void step_add_number(void)
{
    struct store_terms terms = {.ttl = some_ttl(true),
                                .make = some_ttl(false),
                                .compares = once_in(4),
                                .makes = once_in(3),
                                .noted = below(2),
                                .tells_version = below(2)};
    struct store_sum sum = {
        .by = below(200), .initial = below(5), .subtract = below(2), .wraps = below(2)};
    char digits[24];
    uint64_t number = 0;
    bool ignored = false;
    if (terms.compares) {
        hear_version();
        terms.expected = some_version();
    }
    bool lived = lives();
    enum store_status right = compared(&terms, &ignored);
    if (right == STORE_OK && !lived && !terms.makes) {
        right = STORE_NOT_FOUND;
    }
    if (right == STORE_OK && lived && !number_of(sum.wraps, &number)) {
        right = STORE_NOT_A_NUMBER;
    }
    if (right == STORE_OK && lived && !sum.subtract && !sum.wraps && number + sum.by < number) {
        right = STORE_OVERFLOW;
    }
    uint64_t result = !lived         ? sum.initial
                      : sum.subtract ? (number > sum.by ? number - sum.by : 0)
                                     : number + sum.by;
    enter();
    enum store_status status = store_add_number(fixture.thread, &at, &terms, &sum, fixture.now);
    leave();
    if (status != right || (status == STORE_OK && sum.number != result)) {
        differ("sum: status %d, %" PRIu64 ", not %d, %" PRIu64, (int)status, sum.number, (int)right,
               result);
    }
    if (status != STORE_OK) {
        return;
    }
    uint64_t expires = ends(lived || terms.ttl.kind != STORE_TTL_KEEP ? terms.ttl : terms.make);
    struct record old = *record;
    uint64_t before = lived && old.told ? old.version : 0;
    write_value(digits, (size_t)snprintf(digits, sizeof digits, "%" PRIu64, result), "", 0);
    record->flags = lived ? old.flags : 0;
    record->expires = expires;
    record->noted = terms.noted || terms.tells_version || (lived && old.noted);
    if (lived && record->noted && old.noted) {
        record->stale = old.stale;
        record->won = old.won;
        record->read = old.read;
        record->touched = old.touched;
    } else if (lived && record->noted) {
        record->unsure = true;
        record->noted = false; /* what it notes of the time before is not compared */
    }
    if (sum.expires != expires) {
        differ("sum: expires %" PRIu64 ", not %" PRIu64, sum.expires, expires);
    }
    if (terms.tells_version) {
        learn_new(sum.version, 0, before);
    }
}

static void step_touch(void)
{
    struct store_ttl ttl = some_ttl(false);
    enter();
    enum store_status status = store_touch(fixture.thread, &at, ttl, fixture.now);
    leave();
    if (status != (lives() ? STORE_OK : STORE_NOT_FOUND)) {
        differ("touch: status %d", (int)status);
    }
    if (status != STORE_OK) {
        return;
    }
    record->expires = ends(ttl);
    if (record->noted) {
        touch_notes();
    }
}

static void step_get(void)
{
    struct store_view view;
    enter();
    enum store_status status = store_get(fixture.thread, &at, fixture.now, &view);
    bool same = status != STORE_OK || view.length == record->length;
    if (status == STORE_OK && same && !view.pinned) {
        same = memcmp(view.bytes, record->bytes, record->length) == 0;
    }
    if (status == STORE_OK) {
        store_view_put(&view);
    }
    leave();
    if (status != (lives() ? STORE_OK : STORE_NOT_FOUND) || !same) {
        differ("get: status %d", (int)status);
    }
    if (status == STORE_OK && record->noted) {
        touch_notes();
    }
}

/* Others are written and go, so that segments are compacted. */
static void step_churn(void)
{
    char other[24];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(other, sizeof other, "other%" PRIu64, below(3000));
        if (below(2)) {
            FIXTURE_OK(fixture_put(&fixture, "ns", other, TTL_NEVER,
                                   "something to fill the segment with"));
        } else {
            fixture_delete(&fixture, "ns", other);
        }
    }
    fixture_housekeep(&fixture);
}

/* Versions that were told stay what they were, but for large records that are stale: theirs is not
 * known afterwards, and it is a new one. */
static void step_restart(void)
{
    if (fixture.file == NULL) {
        return;
    }
    if (once_in(3)) {
        fixture_reboot(&fixture, (int64_t)below(1000));
    } else {
        fixture_restart(&fixture);
    }
    if (fixture.found.arena != STORE_ARENA_KEPT ||
        fixture.found.evicted + fixture.found.duplicates != 0 ||
        fixture.found.damaged_records + fixture.found.damaged_segments != 0) {
        differ("restart: %" PRIu64 " damaged", fixture.found.damaged_records);
    }
    for (unsigned i = 0; i < KEYS; i++) {
        if (records[i].large && records[i].stale) {
            records[i].told = false;
        }
    }
}

static void one_step(void)
{
    snprintf(key, sizeof key, "key%" PRIu64, below(KEYS));
    record = &records[atoi(key + 3)];
    switch (below(16)) {
    case 0:
        fixture_wait(&fixture, below(once_in(20) ? 100000 : 300));
        break;
    case 1:
        if (once_in(5)) {
            step_churn();
        } else if (once_in(20)) {
            step_restart();
        }
        break;
    case 2:
        step_delete();
        break;
    case 3:
        if (below(2)) {
            step_make_stale();
        } else {
            step_empty();
        }
        break;
    case 4:
    case 5:
        step_add_number();
        break;
    case 6:
        step_touch();
        break;
    case 7:
        step_get();
        break;
    case 8:
    case 9:
    case 10:
    case 11:
        step_look();
        break;
    default:
        step_put();
    }
}

/* `file`: of the arena, or NULL. */
static void compare(uint64_t with_seed, const char *file)
{
    seed = with_seed;
    uint64_t steps = fixture_setting("MODEL_STEPS", STEPS);
    chance = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    value = malloc(VALUE_MAX);
    ck_assert_ptr_nonnull(value);
    if (file != NULL) {
        fixture_open_file(&fixture, 128 * FIXTURE_MIB, 4 * FIXTURE_MIB, file);
    } else {
        fixture_open(&fixture, 128 * FIXTURE_MIB, 4 * FIXTURE_MIB);
    }
    for (step = 0; step < steps; step++) {
        one_step();
        if (step % 4096 == 0) {
            fixture_check(&fixture);
        }
    }
    ck_assert_msg(file != NULL || fixture_figures(&fixture).compactions > 0,
                  "nothing was ever moved");
    fixture_close(&fixture);
    for (unsigned i = 0; i < KEYS; i++) {
        free(records[i].bytes);
    }
    free(value);
}

START_TEST(all_terms)
{
    compare(fixture_setting("MODEL_SEED", 1) + (uint64_t)_i, NULL);
}
END_TEST

START_TEST(all_terms_with_a_file)
{
    static char path[128];
    snprintf(path, sizeof path, "%s", scratch_path("arena"));
    compare(fixture_setting("MODEL_SEED", 1) + (uint64_t)_i, path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store terms model");
    TCase *tcase = tcase_create("random");
    tcase_set_timeout(tcase, FIXTURE_TIMEOUT);
    tcase_add_loop_test(tcase, all_terms, 0, 2);
    suite_add_tcase(suite, tcase);
    TCase *file = tcase_create("random with a file");
    tcase_add_checked_fixture(file, scratch_make_in_memory, scratch_remove);
    tcase_set_timeout(file, FIXTURE_TIMEOUT);
    tcase_add_loop_test(file, all_terms_with_a_file, 0, 2);
    suite_add_tcase(suite, file);
    return suite_run(suite);
}
