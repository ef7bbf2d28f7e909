/*
 * check_marks.c - an arena file whose marks contradict each other, as a process leaves it that
 * ends between two of them, and one that was cut short.
 */
#include "tests/store/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/store/arena/layout.h"
#include "daemon/store/records/record.h"
#include "tests/store/crash/image.h"
#include "tests/support/scratch.h"

enum { MEMORY = 8 * FIXTURE_MIB };

static struct fixture fixture;
static struct image image;

static char path[128];

static void make(void)
{
    scratch_make();
    snprintf(path, sizeof path, "%s", scratch_path("arena"));
    fixture_open_file(&fixture, MEMORY, FIXTURE_MIB, path);
}

static void unmake(void)
{
    if (fixture.store != NULL) {
        fixture_close(&fixture);
    }
    image_free(&image);
    scratch_remove();
}

/* --- two of one key ----------------------------------------------------------------- */

/* Where in the file the record of that small value is: at its flags. */
static uint64_t find_record(const char *key, const char *value)
{
    size_t before = 3 + strlen(key);
    for (unsigned i = 0; i < image.count; i++) {
        const struct image_run *run = &image.runs[i];
        const char *at = memmem(run->bytes, run->length, value, strlen(value));
        if (at != NULL) {
            return run->from + (uint64_t)(at - run->bytes) - before;
        }
    }
    ck_abort_msg("%s is not in the file", value);
    return 0;
}

static void take_image(void)
{
    int fd = open(fixture.file, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert(image_take(&image, fd));
    close(fd);
}

/* As if the process had ended before the older one was retired. */
START_TEST(of_two_that_live_one_is_retired)
{
    struct store_view view;
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_NEVER, "the older"));
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_NEVER, "the newer"));
    FIXTURE_OK(fixture_put(&fixture, "a", "other", TTL_NEVER, "another"));
    fixture_crash(&fixture);
    take_image();
    char *record = image_at(&image, find_record("k", "the older"));
    ck_assert(record_is_dead(record));
    record[0] &= ~RECORD_DEAD;
    record[-1] = (char)~record[-1];
    record[-2] = (char)~record[-2];
    ck_assert(image_put(&image, fixture.file));
    fixture_start(&fixture);
    ck_assert_uint_eq(fixture.found.duplicates, 1);
    ck_assert_uint_eq(fixture.found.records, 2);
    ck_assert_uint_eq(fixture.found.damaged_records, 0);
    FIXTURE_OK(fixture_get(&fixture, "a", "k", &view));
    bool older = memcmp(view.bytes, "the older", view.length) == 0;
    fixture_restart(&fixture);
    ck_assert_uint_eq(fixture.found.duplicates, 0);
    fixture_expect(&fixture, "a", "k", older ? "the older" : "the newer");
}
END_TEST

/* A death is two marks, and one of them is enough. */
START_TEST(either_mark_of_a_death_is_enough)
{
    FIXTURE_OK(fixture_put(&fixture, "a", "k", TTL_NEVER, "the record"));
    FIXTURE_OK(fixture_put(&fixture, "a", "other", TTL_NEVER, "another"));
    FIXTURE_OK(fixture_delete(&fixture, "a", "k"));
    fixture_crash(&fixture);
    take_image();
    char *record = image_at(&image, find_record("k", "the record"));
    if (_i == 0) {
        record[0] &= ~RECORD_DEAD;
    } else {
        record[-1] = (char)~record[-1];
        record[-2] = (char)~record[-2];
    }
    ck_assert(image_put(&image, fixture.file));
    for (int i = 0; i < 2; i++) {
        fixture_start(&fixture);
        ck_assert_uint_eq(fixture.found.records, 1);
        ck_assert_uint_eq(fixture.found.damaged_records, 0);
        fixture_expect_gone(&fixture, "a", "k");
        fixture_crash(&fixture);
        take_image(); /* by now there are both */
        record = image_at(&image, find_record("k", "the record"));
        ck_assert(record_is_dead(record));
        record[0] &= ~RECORD_DEAD;
        ck_assert(image_put(&image, fixture.file));
    }
    fixture_start(&fixture);
}
END_TEST

/* --- files that are not what they should be ------------------------------------------ */

static void expect_each_right_or_none(unsigned *there)
{
    char key[32];
    *there = 0;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "key%u", i);
        if (!fixture_has(&fixture, "a", key)) {
            continue;
        }
        fixture_expect_pattern(&fixture, "a", key, 200 + i, i);
        (*there)++;
    }
}

START_TEST(a_shorter_file_is_kept_as_far_as_it_goes)
{
    char key[32];
    unsigned there = 0;
    unsigned most = 0;
    for (unsigned i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "key%u", i);
        FIXTURE_OK(fixture_put_pattern(&fixture, "a", key, TTL_NEVER, 200 + i, i));
    }
    fixture_stop(&fixture);
    take_image();
    for (unsigned i = 0; i < image.count; i++) {
        const struct image_run *run = &image.runs[i];
        uint64_t step = run->length / 40 + 4096;
        for (uint64_t at = run->from; at < run->from + run->length; at += step / 4096 * 4096) {
            ck_assert(image_put(&image, fixture.file));
            ck_assert_int_eq(truncate(fixture.file, (off_t)at), 0);
            fixture_start(&fixture);
            fixture_check(&fixture);
            expect_each_right_or_none(&there);
            ck_assert_uint_ge(there, most);
            most = there;
            FIXTURE_OK(fixture_put(&fixture, "a", "new", TTL_NEVER, "new"));
            fixture_stop(&fixture);
            if (fixture.found.aside != NULL) {
                ck_assert_int_eq(unlink(fixture.found.aside), 0);
            }
        }
    }
    ck_assert(image_put(&image, fixture.file));
    fixture_start(&fixture);
    expect_each_right_or_none(&there);
    ck_assert_uint_eq(there, 500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("marks");
    TCase *tcase = tcase_create("marks");
    tcase_set_timeout(tcase, FIXTURE_TIMEOUT);
    tcase_add_checked_fixture(tcase, make, unmake);
    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, of_two_that_live_one_is_retired);
    tcase_add_loop_test(tcase, either_mark_of_a_death_is_enough, 0, 2);
    tcase_add_test(tcase, a_shorter_file_is_kept_as_far_as_it_goes);
    return suite_run(suite);
}
