/*
 * budget.h - how much memory the store may use, and how much it does.
 *
 * One number bounds everything: arena, index, tables. Code that makes memory resident takes it
 * from the budget first, and gives it back after the operating system has it again. Amounts are
 * bytes. Any thread, no lock.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_BUDGET_H
#define KVCACHED_DAEMON_STORE_ARENA_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
    uint64_t limit; /* atomic */
    uint64_t used;  /* atomic */
    uint64_t kept;  /* what only the arena may take: reclamation needs some to make room, and
                       memory that a table took does not come back; atomic */
};

static inline uint64_t budget_limit(const struct budget *budget)
{
    return __atomic_load_n(&budget->limit, __ATOMIC_RELAXED);
}

/* A lower limit takes nothing back. */
static inline void budget_set_limit(struct budget *budget, uint64_t limit)
{
    __atomic_store_n(&budget->limit, limit, __ATOMIC_RELAXED);
}

static inline uint64_t budget_kept(const struct budget *budget)
{
    return __atomic_load_n(&budget->kept, __ATOMIC_RELAXED);
}

static inline void budget_keep(struct budget *budget, uint64_t bytes)
{
    __atomic_store_n(&budget->kept, bytes, __ATOMIC_RELAXED);
}

/* What of a limit is kept for budget_force: a 128th, as far as that is no more than 128 KiB or a
 * 512th. */
static inline uint64_t budget_forced(uint64_t limit)
{
    const uint64_t enough = 128 << 10;
    uint64_t least = limit / 512;
    uint64_t most = limit / 128;
    return most < enough ? most : least > enough ? least : enough;
}

/* What may be taken with that limit. */
static inline uint64_t budget_open_of(uint64_t limit)
{
    return limit - budget_forced(limit);
}

/* A limit with which so many bytes may be taken, and hardly more. */
static inline uint64_t budget_limit_for(uint64_t bytes)
{
    return bytes + budget_forced(bytes + bytes / 127 + 1);
}

static inline uint64_t budget_open(const struct budget *budget)
{
    return budget_open_of(budget_limit(budget));
}

/* False: less than that is left beside `kept`. */
static inline bool budget_take_beside(struct budget *budget, uint64_t bytes, uint64_t kept)
{
    uint64_t used = __atomic_load_n(&budget->used, __ATOMIC_RELAXED);
    do {
        if (used + bytes + kept > budget_open(budget)) {
            return false;
        }
    } while (!__atomic_compare_exchange_n(&budget->used, &used, used + bytes, true,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

static inline bool budget_take(struct budget *budget, uint64_t bytes)
{
    return budget_take_beside(budget, bytes, budget_kept(budget));
}

/* For the arena, and for tables that it cannot be used without. */
static inline bool budget_take_for_arena(struct budget *budget, uint64_t bytes)
{
    return budget_take_beside(budget, bytes, 0);
}

/* Takes without asking, for what is small, bounded, and must not fail: a flush makes room, so it
 * cannot wait for room. */
static inline void budget_force(struct budget *budget, uint64_t bytes)
{
    __atomic_fetch_add(&budget->used, bytes, __ATOMIC_RELAXED);
}

static inline void budget_give(struct budget *budget, uint64_t bytes)
{
    __atomic_fetch_sub(&budget->used, bytes, __ATOMIC_RELAXED);
}

static inline uint64_t budget_used(const struct budget *budget)
{
    return __atomic_load_n(&budget->used, __ATOMIC_RELAXED);
}

static inline uint64_t budget_left(const struct budget *budget)
{
    uint64_t used = budget_used(budget);
    uint64_t open = budget_open(budget);
    return used < open ? open - used : 0;
}

#endif
