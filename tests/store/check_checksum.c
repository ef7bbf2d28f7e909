/*
 * check_checksum.c - what a file's checks find. Damage is done byte by byte, in every way that a
 * byte can be damaged: what is read afterwards is what was written, or nothing.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/arena/checksum.h"
#include "daemon/store/arena/file_namespace.h"
#include "daemon/store/arena/file_segment.h"
#include "daemon/store/records/segment.h"
#include "tests/store/fixture.h"

enum { SEED = 77, LEAD = RECORD_GUARD };

/* Calls `look` with each byte of the range changed in each of 255 ways. */
static void damage_bytes(void *bytes, size_t length, void (*look)(size_t at))
{
    char *at = bytes;
    for (size_t i = 0; i < length; i++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            at[i] = (char)(at[i] ^ (char)flip);
            look(i);
            at[i] = (char)(at[i] ^ (char)flip);
        }
    }
}

/* --- sums --------------------------------------------------------------- */

static char buffer[256];
static size_t length_now;
static uint32_t sum_now;

static void expect_other_sum(size_t at)
{
    (void)at;
    FIXTURE_THAT(checksum_bytes(SEED, buffer, length_now) != sum_now);
}

START_TEST(a_byte_changes_a_sum)
{
    fixture_pattern(buffer, 0, sizeof buffer, SEED);
    for (length_now = 0; length_now < sizeof buffer; length_now += 1 + length_now / 16) {
        sum_now = checksum_bytes(SEED, buffer, length_now);
        damage_bytes(buffer, length_now, expect_other_sum);
        char behind = buffer[length_now];
        buffer[length_now] = (char)~behind;
        ck_assert_uint_eq(checksum_bytes(SEED, buffer, length_now), sum_now);
        buffer[length_now] = behind;
        ck_assert_uint_ne(checksum_bytes(SEED + 1, buffer, length_now), sum_now);
    }
}
END_TEST

/* The XOR alone does not see these. */
START_TEST(two_bits_change_a_sum)
{
    enum { BITS = 168 * 8 };
    fixture_pattern(buffer, 0, sizeof buffer, SEED);
    sum_now = checksum_bytes(SEED, buffer, BITS / 8);
    for (unsigned first = 0; first < BITS; first++) {
        buffer[first / 8] = (char)(buffer[first / 8] ^ (1 << first % 8));
        for (unsigned second = 0; second < first; second++) {
            buffer[second / 8] = (char)(buffer[second / 8] ^ (1 << second % 8));
            FIXTURE_THAT(checksum_bytes(SEED, buffer, BITS / 8) != sum_now);
            buffer[second / 8] = (char)(buffer[second / 8] ^ (1 << second % 8));
        }
        buffer[first / 8] = (char)(buffer[first / 8] ^ (1 << first % 8));
    }
}
END_TEST

/* Nor these, where they are an even number of bytes; found by the fuzzer of arena files. */
START_TEST(inverted_bytes_change_a_sum)
{
    for (size_t length = 1; length <= sizeof buffer; length++) {
        fixture_pattern(buffer, 0, sizeof buffer, SEED + length);
        sum_now = checksum_bytes(SEED, buffer, sizeof buffer);
        for (size_t from = 0; from + length <= sizeof buffer; from++) {
            for (size_t i = from; i < from + length; i++) {
                buffer[i] = (char)~buffer[i];
            }
            FIXTURE_THAT(checksum_bytes(SEED, buffer, sizeof buffer) != sum_now);
            for (size_t i = from; i < from + length; i++) {
                buffer[i] = (char)~buffer[i];
            }
        }
    }
}
END_TEST

START_TEST(zeros_of_any_length_differ)
{
    uint32_t sums[sizeof buffer];
    memset(buffer, 0, sizeof buffer);
    for (size_t length = 0; length < sizeof buffer; length++) {
        sums[length] = checksum_bytes(SEED, buffer, length);
        for (size_t shorter = 0; shorter < length; shorter++) {
            FIXTURE_THAT(sums[shorter] != sums[length]);
        }
    }
}
END_TEST

/* --- sealed words ------------------------------------------------------- */

static uint64_t word_now;

static void expect_damaged_word(size_t at)
{
    uint64_t payload;
    (void)at;
    FIXTURE_THAT(word_now != 0);
    FIXTURE_THAT(!checksum_open(SEED, word_now, &payload));
}

START_TEST(a_byte_breaks_a_word)
{
    for (uint64_t payload = 1; payload <= CHECKSUM_PAYLOAD_MAX; payload += 1 + payload / 3) {
        uint64_t opened = 0;
        word_now = checksum_word(SEED, payload);
        ck_assert(checksum_open(SEED, word_now, &opened));
        ck_assert_uint_eq(opened, payload);
        damage_bytes(&word_now, sizeof word_now, expect_damaged_word);
    }
    word_now = checksum_word(SEED, CHECKSUM_PAYLOAD_MAX);
    damage_bytes(&word_now, sizeof word_now, expect_damaged_word);
}
END_TEST

START_TEST(a_byte_makes_no_word_of_none)
{
    word_now = 0;
    for (unsigned at = 0; at < 64; at += 8) {
        for (uint64_t byte = 1; byte < 256; byte++) {
            uint64_t payload;
            FIXTURE_THAT(!checksum_open(SEED, byte << at, &payload));
        }
    }
}
END_TEST

START_TEST(each_field_has_its_own_seal)
{
    const uint64_t secret[2] = {1, 2};
    unsigned opened = 0;
    for (unsigned what = CHECKSUM_HEAD; what <= CHECKSUM_RECORDS; what++) {
        for (uint64_t number = 0; number < 16; number++) {
            uint64_t payload;
            uint64_t seed = checksum_seed(secret, (enum checksum_domain)what, number);
            opened += checksum_open(
                seed, checksum_word(checksum_seed(secret, CHECKSUM_OWNER, 3), 99), &payload);
        }
    }
    /* Its own, and of 175 others those that have the eight bits by chance. */
    ck_assert_uint_ge(opened, 1);
    ck_assert_uint_le(opened, 5);
}
END_TEST

/* --- guards ------------------------------------------------------------- */

static struct {
    char bytes[4096];
    uint32_t used; /* guard and record */
    struct record record;
} placed;

static char key_bytes[300];
static char value_bytes[3000];

static const struct record samples[] = {
    {.value_length = 0},
    {.value_length = 1, .expires = true, .after = 60000},
    {.value_length = 100, .expires = true, .after = 60000},
    {.value_length = 200, .client_flags = 0x01020304},
    {.value_length = 300, .noted = true, .notes = NOTE_TOLD, .read_at = 123456789},
    {.value_length = 40, .noted = true, .notes = NOTE_STALE | NOTE_WON, .version = 0x1122334455},
    {.value_length = 2500, .expires = true, .after = UINT64_C(1) << 40, .client_flags = 1},
    {.value_length = 1000000, .noted = true, .span = true, .notes = NOTE_READ},
};
static const size_t key_lengths[] = {1, 2, 16, 300, 16, 5, 16, 16};

static char *record_there(void)
{
    return placed.bytes + LEAD;
}

static void place_sample(int which)
{
    struct record record = samples[which];
    uint32_t size = 0;
    fixture_pattern(key_bytes, 0, sizeof key_bytes, 1);
    fixture_pattern(value_bytes, 0, sizeof value_bytes, 2);
    fixture_pattern(placed.bytes, 0, sizeof placed.bytes, 3);
    record.key = (struct slice){key_bytes, key_lengths[which]};
    record.value = value_bytes;
    record_write(record_there(), &record);
    ck_assert(record_measure(record_there(), sizeof placed.bytes - LEAD, &placed.record, &size));
    placed.used = LEAD + size;
    record_guard(record_there(), size, SEED);
}

/* As a start reads it. */
static bool take_record(struct record *record)
{
    uint32_t size = 0;
    return record_measure(record_there(), sizeof placed.bytes - LEAD, record, &size) &&
           record_guard_check(record_there(), size, SEED) == GUARD_LIVE &&
           !record_is_dead(record_there());
}

/* Nothing, or what was written but for the notes that may be wrong. */
static void expect_same_or_none(size_t at)
{
    struct record record;
    (void)at;
    if (!take_record(&record)) {
        return;
    }
    const unsigned loose =
        NOTE_READ | NOTE_WON | NOTE_TOLD | (record.span ? (unsigned)NOTE_STALE : 0);
    FIXTURE_THAT(record.key.bytes == placed.record.key.bytes &&
                 record.key.length == placed.record.key.length);
    FIXTURE_THAT(memcmp(record.key.bytes, key_bytes, record.key.length) == 0);
    FIXTURE_THAT(record.span == placed.record.span &&
                 record.value_length == placed.record.value_length);
    FIXTURE_THAT(record.span || memcmp(record.value, value_bytes, record.value_length) == 0);
    FIXTURE_THAT(record.expires == placed.record.expires && record.after == placed.record.after);
    FIXTURE_THAT(record.client_flags == placed.record.client_flags);
    FIXTURE_THAT(record.noted == placed.record.noted && record.version == placed.record.version);
    FIXTURE_THAT(((record.notes ^ placed.record.notes) & ~loose) == 0);
}

static void expect_none(size_t at)
{
    struct record record;
    (void)at;
    FIXTURE_THAT(!take_record(&record));
}

START_TEST(a_byte_breaks_a_record)
{
    struct record record;
    place_sample(_i);
    ck_assert(take_record(&record));
    damage_bytes(placed.bytes, placed.used, expect_same_or_none);
    /* The key and what is behind it are covered to the last bit. */
    damage_bytes(record_there() + (record.key.bytes - record_there()),
                 placed.used - (size_t)(record.key.bytes - placed.bytes), expect_none);
    damage_bytes(placed.bytes, LEAD, expect_none);
}
END_TEST

START_TEST(no_byte_undoes_a_death)
{
    place_sample(_i);
    record_kill(record_there(), true);
    ck_assert_int_eq(record_guard_check(record_there(), placed.used - LEAD, SEED), GUARD_DEAD);
    damage_bytes(placed.bytes, placed.used, expect_none);
    record_kill(record_there(), true);
    ck_assert_int_eq(record_guard_check(record_there(), placed.used - LEAD, SEED), GUARD_DEAD);
    damage_bytes(placed.bytes, placed.used, expect_none);
}
END_TEST

START_TEST(a_death_that_was_cut_short_is_one)
{
    place_sample(_i);
    record_kill(record_there(), false);
    expect_none(0);
    record_there()[-2] = (char)~record_there()[-2];
    expect_none(0);
}
END_TEST

START_TEST(what_is_noted_breaks_no_guard)
{
    struct record record;
    place_sample(_i);
    if (!placed.record.noted) {
        return;
    }
    unsigned kept = placed.record.notes & (unsigned)NOTE_STALE;
    record_set_notes(record_there(), (uint8_t)(NOTE_READ | NOTE_WON | NOTE_TOLD | kept));
    record_set_read_at(record_there(), UINT32_MAX);
    ck_assert(take_record(&record));
    record_set_notes(record_there(), (uint8_t)(kept ^ NOTE_STALE));
    ck_assert(take_record(&record) == placed.record.span);
}
END_TEST

START_TEST(a_record_is_valid_in_its_place_only)
{
    place_sample(_i);
    uint32_t size = placed.used - LEAD;
    unsigned right = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        right += record_guard_check(record_there(), size,
                                    segment_guard_seed(SEED, (uint32_t)seed)) != GUARD_BAD;
    }
    ck_assert_uint_eq(right, 1);
}
END_TEST

START_TEST(nothing_is_read_behind_the_end)
{
    struct record record;
    uint32_t size = 0;
    place_sample(_i);
    for (uint32_t left = 0; left < placed.used - LEAD; left++) {
        char *copy = malloc(left + 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, record_there(), left);
        char *end = realloc(copy, left > 0 ? left : 1); /* for a sanitizer to watch */
        FIXTURE_THAT(end != NULL && !record_measure(end, left, &record, &size));
        free(end);
    }
}
END_TEST

/* --- labels and names --------------------------------------------------- */

enum { FRAMES = 8, FRAME_ORDER = 6, NUMBER = 5 };

static struct arena_head head = {.secret = {0x1234, 0x5678}};
static struct segment_entry labels[NUMBER + 1];
static struct namespace_entry names[NUMBER + 1];
static struct file file = {.head = &head,
                           .segments = labels,
                           .namespaces = names,
                           .segments_max = NUMBER + 1,
                           .namespaces_backed = NUMBER + 1,
                           .frames = FRAMES,
                           .frame_order = FRAME_ORDER};
static struct file_segment_fields facts_now;

static const struct file_segment_fields file_segment_samples[] = {
    {.kind = FILE_SEGMENT_LOG,
     .order = 2,
     .owner = 9,
     .base_time = 1000,
     .version = 12345,
     .unit = 128,
     .used = 700},
    {.kind = FILE_SEGMENT_SPAN,
     .order = 6,
     .owner = 9,
     .base_time = 1000,
     .version = 7,
     .bound = 70,
     .unit = 64,
     .piece = 3,
     .sum = 99,
     .used = 65536,
     .expires = 5000,
     .stale = true},
    {.kind = FILE_SEGMENT_SPAN,
     .order = 0,
     .owner = 1,
     .version = 1,
     .bound = 1,
     .unit = 511,
     .sum = 1,
     .used = 20,
     .expires = SEGMENT_NEVER},
    {.kind = FILE_SEGMENT_PIECE,
     .order = 5,
     .owner = 2,
     .base_time = 2,
     .version = 3,
     .bound = 7,
     .unit = 96,
     .sum = 5,
     .used = 32768},
};

static void write_label(int which)
{
    memset(labels, 0, sizeof labels);
    file_segment_write(&file, NUMBER, &file_segment_samples[which]);
    file_segment_set_owner(&file, NUMBER, file_segment_samples[which].owner);
    ck_assert_int_eq(file_segment_open(&file, NUMBER, &facts_now), FILE_SEGMENT_IS_VALID);
}

static bool is_same_label(const struct file_segment_fields *a, const struct file_segment_fields *b)
{
    return a->kind == b->kind && a->order == b->order && a->stale == b->stale &&
           a->owner == b->owner && a->base_time == b->base_time && a->version == b->version &&
           a->bound == b->bound && a->unit == b->unit && a->piece == b->piece && a->sum == b->sum &&
           (a->kind != FILE_SEGMENT_SPAN || a->expires == b->expires);
}

static void expect_label_or_none(size_t at)
{
    struct file_segment_fields facts;
    enum file_segment_state state = file_segment_open(&file, NUMBER, &facts);
    if (state == FILE_SEGMENT_IS_VALID) {
        FIXTURE_THAT(at >= offsetof(struct segment_entry, used) &&
                     at < offsetof(struct segment_entry, shape));
        FIXTURE_THAT(is_same_label(&facts, &facts_now));
    }
    FIXTURE_THAT(state != FILE_SEGMENT_IS_FREE);
}

static void expect_no_label(size_t at)
{
    struct file_segment_fields facts;
    (void)at;
    FIXTURE_THAT(file_segment_open(&file, NUMBER, &facts) != FILE_SEGMENT_IS_VALID);
}

START_TEST(a_byte_breaks_a_label)
{
    write_label(_i);
    ck_assert(is_same_label(&facts_now, &file_segment_samples[_i]));
    ck_assert_uint_eq(facts_now.used, file_segment_samples[_i].used);
    damage_bytes(&labels[NUMBER], sizeof labels[NUMBER], expect_label_or_none);
    file_segment_free(&file, NUMBER);
    damage_bytes(&labels[NUMBER], sizeof labels[NUMBER], expect_no_label);
}
END_TEST

START_TEST(a_label_follows_its_segment)
{
    struct file_segment_fields facts;
    write_label(1);
    file_segment_set_expiry(&file, NUMBER, 6000, false);
    file_segment_shrink(&file, NUMBER, 5);
    file_segment_set_used(&labels[NUMBER], 30000);
    ck_assert_int_eq(file_segment_open(&file, NUMBER, &facts), FILE_SEGMENT_IS_VALID);
    ck_assert(facts.expires == 6000 && !facts.stale && facts.order == 5 && facts.used == 30000);
    file_segment_set_expiry(&file, NUMBER, SEGMENT_NEVER - 1, true);
    ck_assert_int_eq(file_segment_open(&file, NUMBER, &facts), FILE_SEGMENT_IS_VALID);
    ck_assert(facts.expires == FILE_SEGMENT_NEVER - 1 && facts.stale);
    damage_bytes(&labels[NUMBER].expiry, sizeof labels[NUMBER].expiry, expect_no_label);
}
END_TEST

/* All checks may be right, and it lies outside of the file all the same. */
START_TEST(a_label_must_be_of_a_block)
{
    static const struct file_segment_fields wrong[] = {
        {.kind = FILE_SEGMENT_LOG, .order = 0, .unit = 63, .used = 3},
        {.kind = FILE_SEGMENT_LOG, .order = 0, .unit = FRAMES << FRAME_ORDER, .used = 3},
        {.kind = FILE_SEGMENT_LOG, .order = 3, .unit = 68, .used = 3},
        {.kind = FILE_SEGMENT_LOG, .order = 7, .unit = 128, .used = 3},
        {.kind = FILE_SEGMENT_LOG, .order = 0, .unit = 64, .used = 1025},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct file_segment_fields facts;
        file_segment_write(&file, NUMBER, &wrong[i]);
        file_segment_set_owner(&file, NUMBER, 1);
        ck_assert_int_eq(file_segment_open(&file, NUMBER, &facts), FILE_SEGMENT_IS_DAMAGED);
    }
}
END_TEST

START_TEST(a_copied_label_is_not_valid)
{
    struct file_segment_fields facts;
    write_label(0);
    labels[NUMBER - 1] = labels[NUMBER];
    ck_assert_int_eq(file_segment_open(&file, NUMBER - 1, &facts), FILE_SEGMENT_IS_DAMAGED);
}
END_TEST

static void expect_name_or_none(size_t at)
{
    struct file_namespace_fields facts;
    enum file_namespace_state state = file_namespace_open(&file, NUMBER, &facts);
    FIXTURE_THAT(state != FILE_NAMESPACE_IS_FREE);
    if (state == FILE_NAMESPACE_IS_VALID) {
        bool spare = at >= offsetof(struct namespace_entry, creator);
        bool flush = at >= offsetof(struct namespace_entry, flush_at) &&
                     at < offsetof(struct namespace_entry, flush_at) + sizeof(uint64_t);
        FIXTURE_THAT(spare || flush);
        FIXTURE_THAT(slice_equal(facts.name, slice_of("some.name")) && facts.generation == 44);
        FIXTURE_THAT(facts.flush_at == (flush ? 1 : names[NUMBER].flush_at == 0 ? 0 : 7000));
    }
}

static void expect_no_name(size_t at)
{
    struct file_namespace_fields facts;
    (void)at;
    FIXTURE_THAT(file_namespace_open(&file, NUMBER, &facts) != FILE_NAMESPACE_IS_VALID);
}

START_TEST(a_byte_breaks_a_name)
{
    memset(names, 0, sizeof names);
    ck_assert(file_namespace_add(
        &file, NUMBER,
        &(struct file_namespace_fields){.name = slice_of("some.name"), .generation = 33}));
    file_namespace_set_generation(&file, NUMBER, 44);
    damage_bytes(&names[NUMBER], sizeof names[NUMBER], expect_name_or_none);
    file_namespace_set_flush_at(&file, NUMBER, 7000);
    damage_bytes(&names[NUMBER], sizeof names[NUMBER], expect_name_or_none);
    file_namespace_remove(&file, NUMBER);
    damage_bytes(&names[NUMBER], sizeof names[NUMBER], expect_no_name);
}
END_TEST

START_TEST(versions_are_told_in_advance)
{
    uint64_t told = 0;
    head.versions = 0;
    ck_assert(file_segment_versions(&file, &told));
    ck_assert_uint_eq(told, 0);
    for (uint64_t version = 1; version < UINT64_C(1) << 40; version *= 3) {
        uint64_t covered = file_segment_set_versions(&file, version);
        ck_assert_uint_gt(covered, version);
        ck_assert(file_segment_versions(&file, &told));
        ck_assert_uint_eq(told, covered);
    }
    head.versions ^= 1;
    ck_assert(!file_segment_versions(&file, &told));
}
END_TEST

static Suite *seal_suite(void)
{
    const int records = sizeof samples / sizeof *samples;
    Suite *suite = suite_create("checksum");
    TCase *sums = tcase_create("sums");
    TCase *guards = tcase_create("guards");
    TCase *marks = tcase_create("labels and names");
    tcase_set_timeout(sums, FIXTURE_TIMEOUT);
    tcase_add_test(sums, a_byte_changes_a_sum);
    tcase_add_test(sums, two_bits_change_a_sum);
    tcase_add_test(sums, inverted_bytes_change_a_sum);
    tcase_add_test(sums, zeros_of_any_length_differ);
    tcase_add_test(sums, a_byte_breaks_a_word);
    tcase_add_test(sums, a_byte_makes_no_word_of_none);
    tcase_add_test(sums, each_field_has_its_own_seal);
    suite_add_tcase(suite, sums);

    tcase_set_timeout(guards, FIXTURE_TIMEOUT);
    tcase_add_loop_test(guards, a_byte_breaks_a_record, 0, records);
    tcase_add_loop_test(guards, no_byte_undoes_a_death, 0, records);
    tcase_add_loop_test(guards, a_death_that_was_cut_short_is_one, 0, records);
    tcase_add_loop_test(guards, what_is_noted_breaks_no_guard, 0, records);
    tcase_add_loop_test(guards, a_record_is_valid_in_its_place_only, 0, records);
    tcase_add_loop_test(guards, nothing_is_read_behind_the_end, 0, records);
    suite_add_tcase(suite, guards);

    tcase_set_timeout(marks, FIXTURE_TIMEOUT);
    tcase_add_loop_test(marks, a_byte_breaks_a_label, 0,
                        (int)(sizeof file_segment_samples / sizeof *file_segment_samples));
    tcase_add_test(marks, a_label_follows_its_segment);
    tcase_add_test(marks, a_label_must_be_of_a_block);
    tcase_add_test(marks, a_copied_label_is_not_valid);
    tcase_add_test(marks, a_byte_breaks_a_name);
    tcase_add_test(marks, versions_are_told_in_advance);
    suite_add_tcase(suite, marks);
    return suite;
}

int main(void)
{
    return suite_run(seal_suite());
}
