/*
 * check_store_life.c - whether a store's clock goes on from what its file says, with made-up
 * clocks.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/file.h"
#include "tests/suite.h"

static const uint64_t secret[2] = {17, 4711};

enum { INODE = 7 };

/* A life as it is written; without a time at which it was stopped it is in use. */
struct written {
    uint8_t boot; /* 0: unknown, or of a second one: not written */
    int64_t offset;
    uint64_t stopped, wall;
};

struct bridging {
    const char *what;
    struct written first, second;
    int damaged; /* 1, 2: that one; 3: both; -1, -2: that one is being written */
    uint8_t boot;
    uint64_t uptime, wall, inode;
    enum bridge bridge;
    int64_t offset;
};

/* clang-format off */
static const struct bridging bridgings[] = {
    {"killed",                        {1, 5, 0, 0}, {0, 0, 0, 0}, 0,  1, 100, 50, 7, LIFE_GOES_ON, 5},
    {"stopped, the same run",         {1, 5, 90, 9}, {0, 0, 0, 0}, 0, 1, 100, 50, 7, LIFE_GOES_ON, 5},
    {"a copy of one in use",          {1, 5, 0, 0}, {0, 0, 0, 0}, 0,  1, 100, 50, 8, LIFE_COPY, 0},
    {"a copy of one that was stopped",
                                      {1, 5, 90, 9}, {0, 0, 0, 0}, 0, 1, 100, 50, 8, LIFE_GOES_ON, 5},
    {"crashed",                       {1, 5, 0, 0}, {0, 0, 0, 0}, 0,  2, 100, 50, 7, LIFE_CRASHED, 0},
    {"another run after a stop",      {1, 5, 900, 1000}, {0, 0, 0, 0}, 0,
                                      2, 30, 1600, 7, LIFE_BRIDGED, 900 + 598 - 30},
    {"the wall clock was set back",   {1, 5, 900, 1000}, {0, 0, 0, 0}, 0,
                                      2, 30, 10, 7, LIFE_BRIDGED, 900 - 30},
    {"up for longer than ever",       {1, 5, 900, 1000}, {0, 0, 0, 0}, 0,
                                      2, 5000, 1001, 7, LIFE_BRIDGED, 900 - 5000},
    {"an unknown run is no other's",  {0, 5, 0, 0}, {0, 0, 0, 0}, 0,  0, 100, 50, 7, LIFE_CRASHED, 0},
    {"nor when it was stopped",       {0, 5, 105, 40}, {0, 0, 0, 0}, 0,
                                      0, 101, 50, 7, LIFE_BRIDGED, 105 + 8 - 101},
    {"an uptime that went back",      {1, 5, 900, 1000}, {0, 0, 0, 0}, 0,
                                      1, 100, 1002, 7, LIFE_BRIDGED, 900 - 100},
    {"the second counts",             {1, 5, 90, 9}, {2, 70, 0, 0}, 0, 2, 100, 50, 7, LIFE_GOES_ON, 70},
    {"in use since",                  {1, 5, 90, 9}, {2, 70, 0, 0}, 0, 3, 100, 50, 7, LIFE_CRASHED, 0},
    {"killed while it said so",       {1, 5, 90, 9}, {2, 70, 0, 0}, -2,
                                      3, 100, 50, 7, LIFE_BRIDGED, 90 + 39 - 100},
    {"\"in use\" is damaged",         {1, 5, 90, 9}, {2, 70, 0, 0}, 2, 3, 100, 50, 7, LIFE_DAMAGED, 0},
    {"the older is damaged, and the run the same",
                                      {2, 70, 0, 0}, {2, 70, 0, 0}, 1, 2, 100, 50, 7, LIFE_GOES_ON, 70},
    {"the older is damaged, and it was stopped",
                                      {2, 70, 0, 0}, {2, 70, 90, 9}, 1, 3, 1, 10, 7, LIFE_DAMAGED, 0},
    {"both are damaged",              {2, 70, 0, 0}, {2, 70, 0, 0}, 3, 2, 100, 50, 7, LIFE_DAMAGED, 0},
};
/* clang-format on */

static void write_life(struct life lives[2], const struct written *written)
{
    const struct life life = {.boot = {written->boot},
                              .offset = written->offset,
                              .stopped = written->stopped,
                              .wall = written->wall,
                              .inode = INODE};
    life_write(lives, secret, &life);
}

START_TEST(the_clock_goes_on_or_does_not)
{
    const struct bridging *at = &bridgings[_i];
    struct life lives[2];
    int64_t offset = 0;
    memset(lives, 0, sizeof lives);
    write_life(lives, &at->first);
    if (at->second.boot != 0) {
        write_life(lives, &at->second);
    }
    for (int slot = 0; at->damaged > 0 && slot < 2; slot++) {
        lives[slot].wall ^= (uint64_t)(at->damaged >> slot & 1) << 60;
    }
    if (at->damaged < 0) {
        lives[-at->damaged - 1].turn = 0;
    }
    struct store_clock now = {.boot = {at->boot}, .uptime = at->uptime, .wall = at->wall};
    enum bridge bridge = life_bridge(lives, secret, &now, at->inode, &offset);
    ck_assert_msg(bridge == at->bridge, "%s: %d", at->what, bridge);
    if (bridge <= LIFE_BRIDGED) {
        ck_assert_msg(offset == at->offset, "%s: %lld", at->what, (long long)offset);
    }
}
END_TEST

START_TEST(lives_take_turns_for_ever)
{
    struct life lives[2];
    memset(lives, 0, sizeof lives);
    for (uint64_t i = 1; i < 1000; i++) {
        struct life life = {.boot = {1}, .offset = (int64_t)i, .inode = 7};
        struct store_clock now = {.boot = {1}, .uptime = 1};
        int64_t offset = 0;
        life_write(lives, secret, &life);
        ck_assert_int_eq(life_bridge(lives, secret, &now, 7, &offset), LIFE_GOES_ON);
        ck_assert_int_eq(offset, (int64_t)i);
    }
}
END_TEST

/* One flipped byte never makes a file that was in use pass for one that was stopped. */
START_TEST(no_flipped_byte_invents_a_clean_stop)
{
    struct life lives[2], whole[2];
    struct life stopped = {.boot = {1}, .offset = 5, .inode = 7, .stopped = 90, .wall = 9};
    struct life in_use = {.boot = {2}, .offset = 70, .inode = 7};
    struct store_clock now = {.boot = {3}, .uptime = 100, .wall = 50};
    memset(whole, 0, sizeof whole);
    life_write(whole, secret, &stopped);
    life_write(whole, secret, &in_use);
    for (size_t at = 0; at < sizeof lives; at++) {
        for (unsigned bits = 1; bits < 256; bits++) {
            int64_t offset = 0;
            memcpy(lives, whole, sizeof lives);
            ((unsigned char *)lives)[at] ^= (unsigned char)bits;
            enum bridge bridge = life_bridge(lives, secret, &now, 7, &offset);
            ck_assert_msg(bridge == LIFE_CRASHED || bridge == LIFE_DAMAGED, "byte %zu ^ %u: %d", at,
                          bits, bridge);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("life");
    TCase *clock = tcase_create("clock");
    tcase_add_loop_test(clock, the_clock_goes_on_or_does_not, 0,
                        sizeof bridgings / sizeof *bridgings);
    tcase_add_test(clock, lives_take_turns_for_ever);
    tcase_add_test(clock, no_flipped_byte_invents_a_clean_stop);
    suite_add_tcase(suite, clock);

    return suite_run(suite);
}
