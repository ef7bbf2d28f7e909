/*
 * ghost.c - lines of fingerprints; see ghost.h.
 */
#include "daemon/store/records/ghost.h"

#include <string.h>

#include "daemon/store/arena/pages.h"

enum {
    MEMORY_SHARE = 120, /* of the store's memory */
    PAYMENTS = 16,
    PAGE = 4096,
    GIVE_BACK = 64 * PAGE, /* at once: some 50 microseconds */
};

/* A lane. */
enum {
    LANES = 4, /* in a word */
    KEYS = GHOST_LANES - 1,
    PRINT = 0xfffc, /* of the key's hash */
    WAS_PROVEN = 1, /* the record was, when it was evicted */
    RETURNED = 2,   /* the key was written since */
};

/* In parts of the records that there are. */
#define REACH_UNIT  (UINT64_C(1) << 24)
#define REACH_LEAST (REACH_UNIT * 3 / 32)
#define REACH_START (REACH_UNIT * 3 / 8)
#define REACH_MOST  (REACH_UNIT * 5 / 8)
enum { REACH_STEP = 32 /* so many times the records, if each of them came back */ };

static size_t bytes_of(uint32_t lines)
{
    return lines * sizeof(struct ghost_line);
}

/* A whole number of pages. */
static uint32_t lines_for(uint64_t memory)
{
    const uint64_t page = PAGE / sizeof(struct ghost_line);
    uint64_t lines = memory / MEMORY_SHARE / sizeof(struct ghost_line);
    lines = lines / page * page + page;
    return (uint32_t)(lines < UINT32_MAX ? lines : UINT32_MAX / page * page);
}

bool ghost_init(struct ghost *ghost, uint64_t memory, uint64_t most)
{
    memset(ghost, 0, sizeof *ghost);
    ghost->reach = REACH_START;
    ghost->count = ghost->wanted = lines_for(memory);
    ghost->most = lines_for(most > memory ? most : memory);
    ghost->lines = pages_reserve(bytes_of(ghost->most));
    return ghost->lines != NULL && ghost_open(ghost, memory);
}

void ghost_deinit(struct ghost *ghost)
{
    pages_release(ghost->lines, bytes_of(ghost->most));
    ghost->lines = NULL;
}

bool ghost_open(struct ghost *ghost, uint64_t memory)
{
    return pages_open(ghost->lines, bytes_of(lines_for(memory)));
}

void ghost_resize(struct ghost *ghost, uint64_t memory)
{
    ghost->wanted = lines_for(memory);
}

/* The last pages that may be in use are the system's. */
static void give_back(struct ghost *ghost, struct budget *budget)
{
    uint64_t end = (ghost->paid + PAGE - 1) / PAGE * PAGE;
    uint64_t from = end > GIVE_BACK ? end - GIVE_BACK : 0;
    pages_forget((char *)ghost->lines + from, end - from);
    budget_give(budget, ghost->paid - from);
    ghost->paid = from;
}

bool ghost_settle(struct ghost *ghost, struct budget *budget)
{
    if (ghost->count == ghost->wanted) {
        return false;
    }
    __atomic_store_n(&ghost->open, 0, __ATOMIC_RELAXED);
    if (ghost->paid > 0) {
        give_back(ghost, budget);
    } else {
        __atomic_store_n(&ghost->count, ghost->wanted, __ATOMIC_RELAXED);
        __atomic_store_n(&ghost->reach, REACH_START, __ATOMIC_RELAXED);
    }
    return true;
}

bool ghost_pay(struct ghost *ghost, struct budget *budget)
{
    uint64_t whole = bytes_of(ghost->count);
    uint64_t part = whole / PAYMENTS + 1;
    if (ghost->paid == whole || ghost->count != ghost->wanted) {
        return true;
    }
    part = part < whole - ghost->paid ? part : whole - ghost->paid;
    if (!budget_take(budget, part)) {
        return false;
    }
    ghost->paid += part;
    if (ghost->paid == whole) {
        __atomic_store_n(&ghost->open, 1, __ATOMIC_RELEASE);
    }
    return true;
}

/* --- a line ---------------------------------------------------------------------- */

/* The line and the fingerprint of a key both come from one product. */
static inline uint64_t mix(uint64_t hash)
{
    return hash * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint32_t lines_in_use(const struct ghost *ghost)
{
    return __atomic_load_n(&ghost->count, __ATOMIC_RELAXED);
}

static inline struct ghost_line *line_of(const struct ghost *ghost, uint64_t mixed)
{
    return &ghost->lines[(mixed >> 32) * lines_in_use(ghost) >> 32];
}

static inline uint64_t load(const struct ghost_line *line, unsigned lane)
{
    return __atomic_load_n(&line->words[lane / LANES], __ATOMIC_RELAXED);
}

static inline uint16_t lane_of(uint64_t word, unsigned lane)
{
    return (uint16_t)(word >> 16 * (lane % LANES));
}

/* Threads that write records set RETURNED meanwhile. */
static void store_lane(struct ghost_line *line, unsigned lane, uint16_t value)
{
    uint64_t *word = &line->words[lane / LANES];
    unsigned shift = 16 * (lane % LANES);
    uint64_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
    uint64_t fresh = 0;
    do {
        fresh = (old & ~(UINT64_C(0xffff) << shift)) | (uint64_t)value << shift;
    } while (
        !__atomic_compare_exchange_n(word, &old, fresh, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
}

/* No key looks like the lane that says which is next. */
static inline uint16_t print_of(uint64_t mixed)
{
    uint16_t print = (uint16_t)(mixed & PRINT);
    return print >= GHOST_LANES ? print : (uint16_t)(print | GHOST_LANES);
}

/* The lane of a key; 0: it is not there. Four lanes are compared at once: the lowest lane that
 * is zero is told exactly. */
static inline unsigned find(const struct ghost_line *line, uint16_t print)
{
    const uint64_t ones = UINT64_C(0x0001000100010001);
    for (unsigned lane = 0; lane < GHOST_LANES; lane += LANES) {
        uint64_t other = (load(line, lane) & ones * PRINT) ^ ones * print;
        uint64_t equal = (other - ones) & ~other & ones << 15;
        if (equal != 0) {
            return lane + (unsigned)__builtin_ctzll(equal) / 16;
        }
    }
    return 0;
}

void ghost_add(struct ghost *ghost, uint64_t hash, enum segment_queue queue)
{
    if (ghost->open == 0) {
        return;
    }
    uint64_t mixed = mix(hash);
    uint16_t print = print_of(mixed);
    struct ghost_line *line = line_of(ghost, mixed);
    unsigned before = find(line, print);
    if (before != 0) {
        store_lane(line, before, 0);
    }
    unsigned next = lane_of(load(line, 0), 0);
    store_lane(line, next + 1, (uint16_t)(print | (queue == SEGMENT_PROVEN ? WAS_PROVEN : 0)));
    store_lane(line, 0, (uint16_t)((next + 1) % KEYS));
}

/* --- how far back ------------------------------------------------------------------ */

/* A key came back for the first time since it was evicted. */
static void adapt(struct ghost *ghost, bool was_proven, uint64_t records)
{
    uint64_t step = REACH_UNIT * REACH_STEP / records;
    uint64_t reach = __atomic_load_n(&ghost->reach, __ATOMIC_RELAXED);
    if (was_proven) {
        reach = reach > REACH_LEAST + step ? reach - step : REACH_LEAST;
    } else {
        reach = reach + step < REACH_MOST ? reach + step : REACH_MOST;
    }
    __atomic_store_n(&ghost->reach, reach, __ATOMIC_RELAXED);
}

bool ghost_has(struct ghost *ghost, uint64_t hash, uint64_t records)
{
    if (__atomic_load_n(&ghost->open, __ATOMIC_ACQUIRE) == 0 || records == 0) {
        return false;
    }
    uint64_t mixed = mix(hash);
    struct ghost_line *line = line_of(ghost, mixed);
    unsigned lane = find(line, print_of(mixed));
    if (lane == 0) {
        return false;
    }
    uint64_t word = load(line, lane);
    unsigned next = lane_of(load(line, 0), 0);
    uint64_t since = (uint64_t)((next + KEYS - lane) % KEYS) * lines_in_use(ghost);
    bool is_near = since <= records * __atomic_load_n(&ghost->reach, __ATOMIC_RELAXED) / REACH_UNIT;
    if (since > records * REACH_MOST / REACH_UNIT) {
        return false;
    }
    bool was_proven = (lane_of(word, lane) & WAS_PROVEN) != 0;
    if ((lane_of(word, lane) & RETURNED) == 0 && (was_proven || !is_near)) {
        adapt(ghost, was_proven, records);
    }
    __atomic_fetch_or(&line->words[lane / LANES], (uint64_t)RETURNED << 16 * (lane % LANES),
                      __ATOMIC_RELAXED);
    return is_near;
}
