/*
 * check_damage.c - a byte of an arena file is another than it was: any byte of what
 * tells of names, segments and time, and any byte of two segments, in three ways.
 *
 * Whatever it was, a store opens with the file, is sound, and serves of every record what was
 * written or nothing; what was deleted, replaced, flushed or had expired does not come back.
 * And what has nothing to do with the byte is not lost.
 */
#include "tests/store/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/store/arena/layout.h"
#include "tests/store/crash/image.h"
#include "tests/support/scratch.h"

enum {
    MEMORY = STORE_MEMORY_MIN,
    LARGE = 12000,
    ZEROED = 4096, /* bytes at once: a page that was lost */
};

struct fact {
    const char *name, *key;
    size_t length; /* 0: it is not there, and must not be */
    uint64_t seed;
    uint64_t expires;
    uint32_t flags;
    bool noted;
};

static const struct fact facts[] = {
    {"a", "plain", 40, 1, STORE_NEVER, 0, false},
    {"a", "with ttl", 50, 2, 100000, 0, false},
    {"a", "with flags", 300, 3, STORE_NEVER, 77, false},
    {"a", "noted", 20, 4, 200000, 1, true},
    {"a", "replaced", 30, 6, STORE_NEVER, 0, false},
    {"a", "deleted", 0, 0, 0, 0, false},
    {"a", "expired", 0, 0, 0, 0, false},
    {"a", "large", LARGE, 9, 300000, 5, true},
    {"a", "large and deleted", 0, 0, 0, 0, false},
    {"b", "plain", 60, 10, STORE_NEVER, 0, false},
    {"b", "with ttl", 70, 11, 100000, 0, true},
    {"flushed", "old", 0, 0, 0, 0, false},
    {"flushed", "new", 33, 12, STORE_NEVER, 0, false},
    {"gone", "old", 0, 0, 0, 0, false},
};

enum { FACTS = sizeof facts / sizeof *facts };

static struct fixture fixture;
static struct image image;
static char path[128];

/* --- a store, and what is left of it -------------------------------------------- */

static void put(const char *name, const char *key, size_t length, uint64_t seed, uint64_t expires,
                uint32_t flags, bool noted)
{
    char bytes[LARGE];
    struct store_key at;
    struct store_terms terms = {.ttl = expires == STORE_NEVER ? TTL_NEVER
                                                              : TTL_FOR(expires - fixture.now - 1),
                                .client_flags = flags,
                                .noted = noted};
    fixture_pattern(bytes, 0, length, seed);
    store_enter(fixture.thread);
    FIXTURE_OK(store_locate(fixture.thread, slice_of(name), slice_of(key), &at));
    FIXTURE_OK(
        store_put(fixture.thread, &at, &terms, (struct slice){bytes, length}, fixture.now, NULL));
    store_leave(fixture.thread);
}

static void fill(void)
{
    put("flushed", "old", 40, 20, STORE_NEVER, 0, false);
    put("gone", "old", 40, 21, STORE_NEVER, 0, false);
    put("a", "replaced", 30, 5, STORE_NEVER, 0, false);
    put("a", "deleted", 30, 7, STORE_NEVER, 0, false);
    put("a", "expired", 30, 8, fixture.now + 10, 0, false);
    put("a", "large and deleted", LARGE, 22, STORE_NEVER, 0, false);
    fixture_flush(&fixture, "flushed");
    FIXTURE_OK(fixture_delete(&fixture, "gone", "old"));
    FIXTURE_OK(fixture_delete(&fixture, "a", "deleted"));
    FIXTURE_OK(fixture_delete(&fixture, "a", "large and deleted"));
    for (unsigned i = 0; i < FACTS; i++) {
        if (facts[i].length > 0) {
            put(facts[i].name, facts[i].key, facts[i].length, facts[i].seed, facts[i].expires,
                facts[i].flags, facts[i].noted);
        }
    }
    fixture_wait(&fixture, 10);
}

static bool is_there(const struct fact *fact)
{
    struct store_view view;
    if (fixture_get(&fixture, fact->name, fact->key, &view) != STORE_OK) {
        return false;
    }
    bool right = view.length == fact->length && view.expires == fact->expires &&
                 view.client_flags == fact->flags && fixture_view_is_pattern(&view, fact->seed);
    fixture_give_back(&view);
    if (!right) {
        ck_abort_msg("%s %s is there and wrong", fact->name, fact->key);
    }
    return true;
}

/* How many are there; how many of the namespace b. */
static unsigned count_right(unsigned *of_b)
{
    unsigned there = 0;
    *of_b = 0;
    for (unsigned i = 0; i < FACTS; i++) {
        if (is_there(&facts[i])) {
            there++;
            *of_b += facts[i].name[0] == 'b';
        }
    }
    return there;
}

static void expect_known_names(void)
{
    struct store_namespace_stats stats;
    uint32_t next = 0;
    store_enter(fixture.thread);
    while (store_namespace_next(fixture.thread, &next, &stats)) {
        bool known = false;
        for (unsigned i = 0; i < FACTS; i++) {
            known = known || strcmp(stats.name, facts[i].name) == 0;
        }
        FIXTURE_THAT(known);
    }
    store_leave(fixture.thread);
}

/* --- one damage -------------------------------------------------------------------- */

static struct fixture as; /* how the file was left */

/* Opened twice: what recovery makes of it must be sound, too. */
static unsigned try(unsigned *of_b)
{
    unsigned there = 0;
    ck_assert(image_put(&image, path));
    for (int i = 0; i < 2; i++) {
        unsigned before = there;
        fixture = as;
        fixture.found.aside = NULL;
        fixture_start(&fixture);
        fixture_check(&fixture);
        there = count_right(of_b);
        expect_known_names();
        if (i > 0 && there != before) {
            ck_abort_msg("first there were %u, then %u", before, there);
        }
        if (fixture.found.aside != NULL) {
            ck_assert_int_eq(unlink(fixture.found.aside), 0);
        }
        fixture_close(&fixture);
    }
    return there;
}

static char flipped(char byte, int way)
{
    static const unsigned char masks[] = {0x01, 0x80, 0xff};
    return (char)((unsigned char)byte ^ masks[way]);
}

/* All bytes from..end, in one way. Of what is lost no more than `most` records. */
static void damage(uint64_t from, uint64_t end, int way, unsigned all, unsigned most, bool keeps_b)
{
    for (uint64_t at = from; at < end; at++) {
        char *byte = image_at(&image, at);
        unsigned of_b = 0;
        if (byte == NULL) {
            continue;
        }
        char right = *byte;
        *byte = flipped(right, way);
        unsigned there = try(&of_b);
        *byte = right;
        if (there + most < all || (keeps_b && of_b != 2)) {
            ck_abort_msg("byte %ju as %d: %u of %u are left", (uintmax_t)at, way, there, all);
        }
    }
}

/* --- where ------------------------------------------------------------------------------ */

static uint64_t labels_at(void)
{
    uint64_t names = LAYOUT_HEAD + LAYOUT_NAMESPACES * sizeof(struct namespace_entry);
    return (names + LAYOUT_STEP - 1) / LAYOUT_STEP * LAYOUT_STEP;
}

/* Where the bytes of a record's value lie. */
static uint64_t find(uint64_t seed)
{
    char pattern[16];
    fixture_pattern(pattern, 0, sizeof pattern, seed);
    for (unsigned i = 0; i < image.count; i++) {
        const char *at = memmem(image.runs[i].bytes, image.runs[i].length, pattern, sizeof pattern);
        if (at != NULL) {
            return image.runs[i].from + (uint64_t)(at - image.runs[i].bytes);
        }
    }
    ck_abort_msg("a record is not in the file");
    return 0;
}

static void make(void)
{
    scratch_make_in_memory();
    snprintf(path, sizeof path, "%s", scratch_path("arena"));
    fixture_open_file(&fixture, MEMORY, FIXTURE_MIB / 2, path);
    fill();
    as = fixture;
    fixture_crash(&fixture);
    as.clock.uptime = as.now;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert(image_take(&image, fd));
    close(fd);
}

static void unmake(void)
{
    image_free(&image);
    scratch_remove();
}

static unsigned all_there(void)
{
    unsigned of_b = 0;
    unsigned all = 0;
    for (unsigned i = 0; i < FACTS; i++) {
        all += facts[i].length > 0;
    }
    ck_assert_uint_eq(try(&of_b), all);
    return all;
}

/* What cannot be believed at all is set aside, or all of it is there. */
START_TEST(of_the_head)
{
    unsigned all = all_there();
    damage(0, sizeof(struct arena_head) - sizeof((struct arena_head *)0)->rest + 8, _i, all, all,
           false);
}
END_TEST

START_TEST(of_the_names)
{
    unsigned all = all_there();
    damage(LAYOUT_HEAD, LAYOUT_HEAD + 7 * sizeof(struct namespace_entry), _i, all, all, false);
}
END_TEST

/* Each segment has one: no other is lost. */
START_TEST(of_the_labels)
{
    unsigned all = all_there();
    damage(labels_at(), labels_at() + 20 * sizeof(struct segment_entry), _i, all, 6, false);
}
END_TEST

START_TEST(of_a_segment)
{
    unsigned all = all_there();
    uint64_t start = find(1) / 1024 * 1024;
    damage(start, start + 1024, _i, all, 6, true);
}
END_TEST

START_TEST(of_a_large_record)
{
    unsigned all = all_there();
    uint64_t start = find(9) / 1024 * 1024;
    damage(start, start + 64, _i, all, 1, true);
    damage(start + 5000, start + 5064, _i, all, 1, true);
    damage(start + 8150, start + 8250, _i, all, 1, true);
    damage(start + LARGE - 64, start + LARGE + 100, _i, all, 1, true);
}
END_TEST

/* A page that reads as zeros, as after an error of a disk. */
START_TEST(of_a_whole_page)
{
    char kept[ZEROED];
    unsigned of_b = 0;
    all_there();
    for (unsigned i = 0; i < image.count; i++) {
        for (size_t at = 0; at < image.runs[i].length; at += ZEROED) {
            char *page = image.runs[i].bytes + at;
            memcpy(kept, page, ZEROED);
            memset(page, 0, ZEROED);
            try(&of_b);
            memcpy(page, kept, ZEROED);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena damage");
    TCase *tcase = tcase_create("damage");
    tcase_add_checked_fixture(tcase, make, unmake);
    tcase_set_timeout(tcase, 4 * FIXTURE_TIMEOUT);
    tcase_add_loop_test(tcase, of_the_head, 0, 3);
    tcase_add_loop_test(tcase, of_the_names, 0, 3);
    tcase_add_loop_test(tcase, of_the_labels, 0, 3);
    tcase_add_loop_test(tcase, of_a_segment, 0, 3);
    tcase_add_loop_test(tcase, of_a_large_record, 0, 3);
    tcase_add_test(tcase, of_a_whole_page);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
