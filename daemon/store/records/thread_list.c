/*
 * thread_list.c - making and ending a store's threads, and their epochs; see store.h.
 */
#include <stdlib.h>

#include "daemon/store/records/state.h"

struct store_thread *store_thread_create(struct store *store)
{
    struct store_thread *thread = calloc(1, sizeof *thread);
    if (thread == NULL) {
        return NULL;
    }
    thread->store = store;
    pthread_mutex_lock(&store->namespaces.lock);
    while (thread->number < STORE_THREADS_MAX && store->threads.all[thread->number] != NULL) {
        thread->number++;
    }
    bool room = thread->number < STORE_THREADS_MAX;
    if (room) {
        __atomic_store_n(&store->threads.all[thread->number], thread, __ATOMIC_SEQ_CST);
    }
    pthread_mutex_unlock(&store->namespaces.lock);
    if (!room) {
        free(thread);
        return NULL;
    }
    return thread;
}

void store_thread_set_creator(struct store_thread *thread, store_creator *creator, void *context)
{
    thread->creator = creator;
    thread->creator_context = context;
}

void store_thread_set_observer(struct store_thread *thread, store_observer *observer, void *context)
{
    thread->observer = observer;
    thread->observer_context = context;
}

/* What a thread has counted stays: handed over as it is, or added to what is there. */
static void hand_over_counters(struct store_thread *from, struct threads *to)
{
    for (unsigned chunk = 0; chunk < COUNTER_CHUNKS; chunk++) {
        if (to->gone[chunk] == NULL) {
            to->gone[chunk] = from->counters[chunk];
            continue;
        }
        for (unsigned i = 0; from->counters[chunk] != NULL && i < COUNTER_CHUNK; i++) {
            counters_add(&to->gone[chunk][i], &from->counters[chunk][i]);
        }
        free(from->counters[chunk]);
    }
}

void store_thread_destroy(struct store_thread **thread)
{
    struct store_thread *gone = *thread;
    if (gone == NULL) {
        return;
    }
    struct store *store = gone->store;
    pthread_mutex_lock(&store->namespaces.lock);
    __atomic_store_n(&store->threads.all[gone->number], NULL, __ATOMIC_SEQ_CST);
    hand_over_counters(gone, &store->threads);
    pthread_mutex_unlock(&store->namespaces.lock);
    free(gone);
    *thread = NULL;
}

struct store *store_of(const struct store_thread *thread)
{
    return thread->store;
}

void store_enter(struct store_thread *thread)
{
    uint64_t epoch = __atomic_load_n(&thread->store->threads.epoch, __ATOMIC_SEQ_CST);
    /* An exchange, so that it is seen before anything is looked up. */
    __atomic_exchange_n(&thread->epoch, epoch, __ATOMIC_SEQ_CST);
}

void store_leave(struct store_thread *thread)
{
    __atomic_store_n(&thread->epoch, 0, __ATOMIC_RELEASE);
}
