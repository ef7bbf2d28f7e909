/*
 * recover_threads.c - work on all segments by several threads; see recover.h.
 *
 * The calling thread works too, and tells how far it is. A thread that cannot be had is
 * done without.
 */
#include "daemon/store/lifecycle/recover_threads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

enum {
    HELPERS_MOST = 64,
    TELLINGS = 128, /* times that progress is told, about */
};

struct helper {
    struct recover *recover;
    recover_work *work;
    pthread_t pthread;
};

bool recover_is_cancelled(struct recover *recover)
{
    if (recover->cancelled != NULL && recover->cancelled(recover->context)) {
        __atomic_store_n(&recover->gives_up, true, __ATOMIC_RELAXED);
        errno = ECANCELED;
        return true;
    }
    return false;
}

static bool work_on_next(struct recover *recover, recover_work *work)
{
    if (__atomic_load_n(&recover->gives_up, __ATOMIC_RELAXED)) {
        return false;
    }
    size_t at = __atomic_fetch_add(&recover->next, 1, __ATOMIC_RELAXED);
    if (at >= recover->count) {
        return false;
    }
    struct segment *segment = segment_at(&recover->store->segments, recover->segments[at]);
    uint32_t bytes = segment->used;
    work(recover, segment);
    __atomic_fetch_add(&recover->walked, bytes, __ATOMIC_RELAXED);
    return true;
}

static void *run_helper(void *argument)
{
    struct helper *helper = argument;
    while (work_on_next(helper->recover, helper->work)) {
    }
    return NULL;
}

/* Signals are for the thread that started the daemon. */
static unsigned start_helpers(struct recover *recover, recover_work *work, struct helper *helpers)
{
    unsigned wanted = recover->threads < HELPERS_MOST ? recover->threads : HELPERS_MOST;
    unsigned count = 0;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* the caller may want to hear of it: the file may fail */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 1; i < wanted && i < recover->count; i++) {
        helpers[count] = (struct helper){.recover = recover, .work = work};
        if (pthread_create(&helpers[count].pthread, NULL, run_helper, &helpers[count]) == 0) {
            count++;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return count;
}

bool recover_each(struct recover *recover, recover_work *work)
{
    struct helper helpers[HELPERS_MOST];
    recover->next = 0;
    unsigned count = start_helpers(recover, work, helpers);
    uint64_t told = 0;
    while (!recover_is_cancelled(recover) && work_on_next(recover, work)) {
        uint64_t walked = __atomic_load_n(&recover->walked, __ATOMIC_RELAXED);
        if (recover->progress != NULL && walked - told >= recover->to_walk / TELLINGS) {
            recover->progress(recover->context, walked, recover->to_walk);
            told = walked;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(helpers[i].pthread, NULL);
    }
    return !recover_is_cancelled(recover);
}
