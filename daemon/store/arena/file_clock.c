/*
 * file_clock.c - the store's clock across restarts; see file.h.
 *
 * Within one run of the machine the clock counts on by itself: uptime and an offset that stays.
 * Between two runs only the wall clock knows how long it took, and only a file that was left in
 * order can be believed: after a crash of the machine nobody knows which pages reached the disk.
 */
#include <string.h>

#include "daemon/store/arena/checksum.h"
#include "daemon/store/arena/file.h"

enum {
    TURNS = 255,
    /* ms: what four readings that were rounded down may make of less than nothing. The bridge is
     * shorter by that, so that no record expires early for it. */
    ROUNDING = 2,
};

enum slot { SLOT_WHOLE, SLOT_BEING_WRITTEN, SLOT_DAMAGED };

static uint64_t turn_word(unsigned turn)
{
    return turn * UINT64_C(0x0101010101010101);
}

static uint32_t clock_record_check(const struct clock_record *life, const uint64_t secret[2],
                                   unsigned slot)
{
    size_t from = offsetof(struct clock_record, boot);
    return checksum_bytes(checksum_seed(secret, SEAL_LIFE, slot), (const char *)life + from,
                          offsetof(struct clock_record, check) - from);
}

/* The turn too is looked at: all its bytes are the same. */
static enum slot look_at(const struct clock_record *life, const uint64_t secret[2], unsigned slot)
{
    uint64_t turn = __atomic_load_n(&life->turn, __ATOMIC_ACQUIRE);
    if (turn == 0) {
        return SLOT_BEING_WRITTEN;
    }
    bool whole =
        turn == turn_word(turn & 0xff) && life->check == clock_record_check(life, secret, slot);
    return whole ? SLOT_WHOLE : SLOT_DAMAGED;
}

/* Which of the two was written last; 2: neither can be read. */
static unsigned newest(const struct clock_record lives[2], const uint64_t secret[2])
{
    bool first = look_at(&lives[0], secret, 0) == SLOT_WHOLE;
    bool second = look_at(&lives[1], secret, 1) == SLOT_WHOLE;
    if (!first || !second) {
        return first ? 0 : second ? 1 : 2;
    }
    unsigned ahead = (unsigned)((lives[0].turn & 0xff) + TURNS - (lives[1].turn & 0xff)) % TURNS;
    return ahead != 0 && ahead <= TURNS / 2 ? 0 : 1;
}

static bool same_boot(const uint8_t a[16], const uint8_t b[16])
{
    static const uint8_t unknown[16];
    return memcmp(a, unknown, sizeof unknown) != 0 && memcmp(a, b, sizeof unknown) == 0;
}

/* The same run of the machine. A clock that would go back is not that run's, whatever its
 * name: a container may have an uptime of its own. */
static bool same_run(const struct clock_record *life, const struct store_clock *clock)
{
    int64_t now = (int64_t)clock->uptime + life->offset;
    return same_boot(life->boot, clock->boot) && now > 0 && (uint64_t)now >= life->stopped;
}

enum bridge clock_record_continue(const struct clock_record lives[2], const uint64_t secret[2],
                                  const struct store_clock *clock, uint64_t inode, int64_t *offset)
{
    unsigned last = newest(lives, secret);
    if (last == 2) {
        return LIFE_DAMAGED;
    }
    const struct clock_record *life = &lives[last];
    if (same_run(life, clock)) {
        *offset = life->offset;
        return life->inode == inode || life->stopped != 0 ? LIFE_GOES_ON : LIFE_COPY;
    }
    if (look_at(&lives[1 - last], secret, 1 - last) == SLOT_DAMAGED) {
        return LIFE_DAMAGED; /* it may have been the newer one, and said "in use" */
    }
    if (life->stopped == 0) {
        return LIFE_CRASHED;
    }
    uint64_t from = life->wall + ROUNDING;
    uint64_t gap = clock->wall > from ? clock->wall - from : 0;
    *offset = (int64_t)(life->stopped + gap) - (int64_t)clock->uptime;
    return LIFE_BRIDGED;
}

void clock_record_write(struct clock_record lives[2], const uint64_t secret[2],
                        const struct clock_record *fields)
{
    unsigned last = newest(lives, secret);
    unsigned slot = last == 2 ? 0 : 1 - last;
    unsigned turn = last == 2 ? 1 : (unsigned)(lives[last].turn & 0xff) % TURNS + 1;
    struct clock_record *life = &lives[slot];
    __atomic_store_n(&life->turn, 0, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* nothing below is moved above it */
    memcpy(life->boot, fields->boot, sizeof life->boot);
    life->offset = fields->offset;
    life->stopped = fields->stopped;
    life->wall = fields->wall;
    life->inode = fields->inode;
    life->spare = 0;
    life->check = clock_record_check(life, secret, slot);
    __atomic_store_n(&life->turn, turn_word(turn), __ATOMIC_RELEASE);
}
