/*
 * ghost.c - three Bloom filters in turns; see ghost.h.
 */
#include "daemon/store/records/ghost.h"

#include <string.h>

#include "daemon/store/arena/pages.h"

enum {
    PROBES = 4,
    MEMORY_SHARE = 170, /* of the store's memory */
    RECORDS_SHARE = 6,  /* a filter takes so much less keys than there are records, */
    LINE_KEYS = 20,     /* and no more than this for each line */
    PAYMENTS = 16,
    PAGE = 4096,
    GIVE_BACK = 64 * PAGE, /* at once: some 50 microseconds */
};

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
        ghost->keys = 0;
        ghost->filling = ghost->cleared = 0;
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

static inline unsigned probe(uint64_t mixed, int which)
{
    return ((unsigned)(mixed >> (8 * which)) & 0xff) * GHOST_BITS >> 8;
}

/* So much of the next filter is emptied that it is ready in time. */
static void clear_ahead(struct ghost *ghost, uint64_t most)
{
    uint32_t next = (ghost->filling + 1) % GHOST_FILTERS;
    uint64_t due = ghost->keys * ghost->count / most;
    for (; ghost->cleared < due && ghost->cleared < ghost->count; ghost->cleared++) {
        uint32_t *words = ghost->lines[ghost->cleared].bits[next];
        for (int i = 0; i < GHOST_WORDS; i++) {
            __atomic_store_n(&words[i], 0, __ATOMIC_RELAXED);
        }
    }
}

void ghost_add(struct ghost *ghost, uint64_t hash, uint64_t records)
{
    if (ghost->open == 0) {
        return;
    }
    uint64_t most = records / RECORDS_SHARE + 1;
    uint64_t fit = (uint64_t)ghost->count * LINE_KEYS;
    ghost->keys++;
    clear_ahead(ghost, most < fit ? most : fit);
    if (ghost->cleared == ghost->count) {
        ghost->filling = (ghost->filling + 1) % GHOST_FILTERS;
        ghost->keys = 0;
        ghost->cleared = 0;
    }
    uint64_t mixed = ghost_mix(hash);
    uint32_t *words = ghost_line(ghost, mixed)->bits[ghost->filling];
    for (int i = 0; i < PROBES; i++) {
        unsigned bit = probe(mixed, i);
        __atomic_fetch_or(&words[bit / 32], 1u << bit % 32, __ATOMIC_RELAXED);
    }
}

static bool filter_has(const uint32_t *words, uint64_t mixed)
{
    for (int i = 0; i < PROBES; i++) {
        unsigned bit = probe(mixed, i);
        if ((__atomic_load_n(&words[bit / 32], __ATOMIC_RELAXED) >> bit % 32 & 1) == 0) {
            return false;
        }
    }
    return true;
}

bool ghost_has(const struct ghost *ghost, uint64_t hash)
{
    if (__atomic_load_n(&ghost->open, __ATOMIC_ACQUIRE) == 0) {
        return false;
    }
    uint64_t mixed = ghost_mix(hash);
    const struct ghost_line *line = ghost_line(ghost, mixed);
    for (int filter = 0; filter < GHOST_FILTERS; filter++) {
        if (filter_has(line->bits[filter], mixed)) {
            return true;
        }
    }
    return false;
}
