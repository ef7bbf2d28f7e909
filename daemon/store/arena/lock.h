/*
 * lock.h - a lock of one word, and the order in which locks are taken.
 *
 * It is held for about a microsecond: the copy of a small record, a link in a list. So a thread
 * that waits spins a little, then lets others run; it never sleeps in the kernel, and an
 * uncontended pair costs one atomic exchange and one store. The lock is not fair: a thread that
 * gives it and takes it again at once keeps others out. So a thread that takes it again and again
 * gives it with lock_let_in.
 *
 * Lock order, outermost first. A thread that holds one may take those below it:
 *
 *   1. store.reclaim_lock  mutex; housekeeping and eviction, one thread at a time
 *   2. namespaces.lock     mutex; making and removing namespaces, settings
 *   3. namespace.lock      appending to one namespace, its lists of segments
 *   4. bucket              one line of the index (index.h); two only when the
 *                          index grows or shrinks, the lower number first
 *   5. leaves              arena.lock, segments.lock, expire.lock, backlog.lock,
 *                          cursors.lock, bucket_pool.lock: never two at once
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_LOCK_H
#define KVCACHED_DAEMON_STORE_ARENA_LOCK_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

struct lock {
    uint32_t word; /* LOCK_HELD, and LOCK_WANTED if a thread has waited for it */
};

enum {
    LOCK_HELD = 1,
    LOCK_WANTED = 2,
    LOCK_PATIENCE = 1024, /* pauses of lock_let_in at most: some tens of microseconds */
};

/* Tells the processor that this is a loop that waits. */
#if defined(__x86_64__) || defined(__i386__)
#define LOCK_PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define LOCK_PAUSE() __asm__ volatile("yield")
#else
#define LOCK_PAUSE() __asm__ volatile("")
#endif

/* One pause of a loop that waits: mostly the processor's own hint, every 64th time the scheduler.
 */
static inline void lock_wait(unsigned *pauses)
{
    if (++*pauses % 64 != 0) {
        LOCK_PAUSE();
    } else {
        sched_yield();
    }
}

static inline void lock_take(struct lock *lock)
{
    unsigned pauses = 0;
    while ((__atomic_exchange_n(&lock->word, LOCK_HELD, __ATOMIC_ACQUIRE) & LOCK_HELD) != 0) {
        __atomic_fetch_or(&lock->word, LOCK_WANTED, __ATOMIC_RELAXED);
        while ((__atomic_load_n(&lock->word, __ATOMIC_RELAXED) & LOCK_HELD) != 0) {
            lock_wait(&pauses);
        }
    }
}

static inline void lock_give(struct lock *lock)
{
    __atomic_store_n(&lock->word, 0, __ATOMIC_RELEASE);
}

/* Gives it. If a thread wanted it, waits until that has it, for LOCK_PATIENCE pauses at most. */
static inline void lock_let_in(struct lock *lock)
{
    uint32_t word = __atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE);
    if ((word & LOCK_WANTED) == 0) {
        return;
    }
    unsigned pauses = 0;
    while (pauses < LOCK_PATIENCE && __atomic_load_n(&lock->word, __ATOMIC_RELAXED) == 0) {
        lock_wait(&pauses);
    }
}

#endif
