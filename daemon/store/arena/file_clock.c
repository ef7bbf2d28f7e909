/*
 * file_clock.c - the store's clock across restarts; see file_clock.h.
 *
 * Until the machine is restarted the clock is its uptime and an offset that stays. Over a restart
 * of the machine only the wall clock knows how long it took. And only a file that was stopped
 * cleanly can be believed: after a crash of the machine it is not known which pages reached the
 * disk.
 */
#include "daemon/store/arena/file_clock.h"

#include <string.h>

#include "daemon/store/arena/checksum.h"

enum {
    TURNS = 255,
    /* ms: the error of four readings that are each rounded down. The gap is taken to be shorter
     * by that, so that no record expires early. */
    ROUNDING = 2,
};

enum slot_state { SLOT_WHOLE, SLOT_BEING_WRITTEN, SLOT_DAMAGED };

static uint64_t turn_word(unsigned turn)
{
    return turn * UINT64_C(0x0101010101010101);
}

static uint32_t clock_record_check(const struct clock_record *record, const uint64_t secret[2],
                                   unsigned slot)
{
    size_t from = offsetof(struct clock_record, boot);
    return checksum_bytes(checksum_seed(secret, CHECKSUM_CLOCK, slot), (const char *)record + from,
                          offsetof(struct clock_record, check) - from);
}

/* The turn is checked too: all of its bytes are the same. */
static enum slot_state state_of(const struct clock_record *record, const uint64_t secret[2],
                                unsigned slot)
{
    uint64_t turn = __atomic_load_n(&record->turn, __ATOMIC_ACQUIRE);
    if (turn == 0) {
        return SLOT_BEING_WRITTEN;
    }
    bool whole =
        turn == turn_word(turn & 0xff) && record->check == clock_record_check(record, secret, slot);
    return whole ? SLOT_WHOLE : SLOT_DAMAGED;
}

/* The one of the two that was written last; 2: neither can be read. */
static unsigned newest(const struct clock_record records[2], const uint64_t secret[2])
{
    bool first = state_of(&records[0], secret, 0) == SLOT_WHOLE;
    bool second = state_of(&records[1], secret, 1) == SLOT_WHOLE;
    if (!first || !second) {
        return first ? 0 : second ? 1 : 2;
    }
    unsigned ahead =
        (unsigned)((records[0].turn & 0xff) + TURNS - (records[1].turn & 0xff)) % TURNS;
    return ahead != 0 && ahead <= TURNS / 2 ? 0 : 1;
}

static bool same_boot(const uint8_t a[16], const uint8_t b[16])
{
    static const uint8_t unknown[16];
    return memcmp(a, unknown, sizeof unknown) != 0 && memcmp(a, b, sizeof unknown) == 0;
}

/* The machine was not restarted since. A clock that would go back is another machine's in spite
 * of the same boot id: a container may have an uptime of its own. */
static bool same_run(const struct clock_record *record, const struct store_clock *clock)
{
    int64_t now = (int64_t)clock->uptime + record->offset;
    return same_boot(record->boot, clock->boot) && now > 0 && (uint64_t)now >= record->stopped;
}

enum file_clock_state file_clock_continue(const struct clock_record records[2],
                                          const uint64_t secret[2], const struct store_clock *clock,
                                          uint64_t inode, int64_t *offset)
{
    unsigned last = newest(records, secret);
    if (last == 2) {
        return FILE_CLOCK_DAMAGED;
    }
    const struct clock_record *record = &records[last];
    if (same_run(record, clock)) {
        *offset = record->offset;
        return record->inode == inode || record->stopped != 0 ? FILE_CLOCK_CONTINUES
                                                              : FILE_CLOCK_COPY;
    }
    if (state_of(&records[1 - last], secret, 1 - last) == SLOT_DAMAGED) {
        return FILE_CLOCK_DAMAGED; /* it may have been the newer one, and said "in use" */
    }
    if (record->stopped == 0) {
        return FILE_CLOCK_CRASHED;
    }
    uint64_t from = record->wall + ROUNDING;
    uint64_t gap = clock->wall > from ? clock->wall - from : 0;
    *offset = (int64_t)(record->stopped + gap) - (int64_t)clock->uptime;
    return FILE_CLOCK_BRIDGED;
}

void file_clock_write(struct clock_record records[2], const uint64_t secret[2],
                      const struct clock_record *fields)
{
    unsigned last = newest(records, secret);
    unsigned slot = last == 2 ? 0 : 1 - last;
    unsigned turn = last == 2 ? 1 : (unsigned)(records[last].turn & 0xff) % TURNS + 1;
    struct clock_record *record = &records[slot];
    __atomic_store_n(&record->turn, 0, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* nothing below is moved above it */
    memcpy(record->boot, fields->boot, sizeof record->boot);
    record->offset = fields->offset;
    record->stopped = fields->stopped;
    record->wall = fields->wall;
    record->inode = fields->inode;
    record->spare = 0;
    record->check = clock_record_check(record, secret, slot);
    __atomic_store_n(&record->turn, turn_word(turn), __ATOMIC_RELEASE);
}
