/*
 * check_malloc_trim.c - that what malloc keeps is given back, rush after rush.
 */
#include "daemon/maintenance/malloc_trim.h"

#include <check.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/suite.h"

enum { BLOCKS = 40000, BLOCK_BYTES = 1000, MIB = 1 << 20, RUSHES = 3 };

static void *blocks[BLOCKS];

static size_t resident(void)
{
    size_t pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(statm);
    ck_assert_int_eq(fscanf(statm, "%*u %zu", &pages), 1);
    fclose(statm);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Some 40 MiB are used and free again, below a block that stays. */
static void rush(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = calloc(1, BLOCK_BYTES);
        ck_assert_msg(blocks[i] != NULL, "no memory");
    }
    void *stays = malloc(2 * BLOCK_BYTES); /* no place that a block left will do */
    ck_assert_ptr_nonnull(stays);
    for (int i = 0; i < BLOCKS; i++) {
        free(blocks[i]);
    }
    blocks[0] = stays;
}

/* Also where there is no look while it is in use. */
START_TEST(rush_after_rush)
{
    struct malloc_trim state = {0};
    uint64_t now = 100000;
    malloc_trim_run(&state, now);
    for (int i = 0; i < RUSHES; i++) {
        rush();
        if (mallinfo2().fordblks < MIB) {
            return; /* another malloc, as a sanitizer's */
        }
        size_t before = resident();
        now += 1000;
        malloc_trim_run(&state, now);
        ck_assert_uint_lt(resident() + 20 * MIB, before);
        free(blocks[0]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("malloc_trim");
    TCase *all = tcase_create("all");
    tcase_add_test(all, rush_after_rush);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}
