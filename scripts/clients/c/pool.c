/*
 * pool.c - handles that threads borrow.
 *
 * All handles are made with the pool, so borrowing one allocates nothing. The one that was used
 * last comes first: as few connections are open as threads are busy at the same time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "scripts/clients/c/clock.h"
#include "scripts/clients/c/handle.h"

struct kvc_pool {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    size_t size;
    size_t idle; /* under lock: of the handles, the first ones */
    struct kvc *handles[];
};

/* Times of the condition are those of clock.h. */
static bool init_locks(struct kvc_pool *pool)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&pool->returned, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (made && pthread_mutex_init(&pool->lock, NULL) != 0) {
        pthread_cond_destroy(&pool->returned);
        made = false;
    }
    return made;
}

static struct kvc_pool *fail(struct kvc_error *error, enum kvc_result code, const char *text)
{
    *error = (struct kvc_error){.code = code};
    memcpy(error->text, text, strlen(text) + 1);
    return NULL;
}

struct kvc_pool *kvc_pool_create(const struct kvc_options *options, size_t size,
                                 struct kvc_error *error)
{
    struct kvc_error unused;
    error = error != NULL ? error : &unused;
    if (size == 0 || size > SIZE_MAX / 2 / sizeof(struct kvc *)) {
        return fail(error, KVC_ERROR_ARGUMENT, "a pool has 1 handle or more");
    }
    struct kvc_pool *pool = calloc(1, sizeof *pool + size * sizeof *pool->handles);
    if (pool == NULL || !init_locks(pool)) {
        free(pool);
        return fail(error, KVC_ERROR_MEMORY, "no memory");
    }
    while (pool->size < size) {
        struct kvc *kvc = kvc_create(options, error);
        if (kvc == NULL) {
            kvc_pool_destroy(pool);
            return NULL;
        }
        pool->handles[pool->size++] = kvc;
        pool->idle = pool->size;
    }
    return pool;
}

void kvc_pool_destroy(struct kvc_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (size_t i = 0; i < pool->idle; i++) {
        kvc_destroy(pool->handles[i]);
    }
    pthread_cond_destroy(&pool->returned);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

static struct timespec time_of(int64_t milliseconds)
{
    return (struct timespec){(time_t)(milliseconds / 1000), milliseconds % 1000 * 1000000L};
}

/* Under the lock. False: none came back in time. */
static bool await_idle(struct kvc_pool *pool, int timeout)
{
    struct timespec until = time_of(clock_now() + (timeout > 0 ? timeout : 0));
    while (pool->idle == 0) {
        int error = timeout < 0 ? pthread_cond_wait(&pool->returned, &pool->lock)
                                : pthread_cond_timedwait(&pool->returned, &pool->lock, &until);
        if (error == ETIMEDOUT) {
            return pool->idle > 0;
        }
    }
    return true;
}

struct kvc *kvc_pool_get(struct kvc_pool *pool, int timeout)
{
    struct kvc *kvc = NULL;
    pthread_mutex_lock(&pool->lock);
    if (await_idle(pool, timeout)) {
        kvc = pool->handles[--pool->idle];
    }
    pthread_mutex_unlock(&pool->lock);
    return kvc;
}

void kvc_pool_put(struct kvc_pool *pool, struct kvc *kvc)
{
    if (kvc_awaited(kvc) > 0) {
        kvc_disconnect(kvc);
    }
    pthread_mutex_lock(&pool->lock);
    pool->handles[pool->idle++] = kvc;
    pthread_cond_signal(&pool->returned);
    pthread_mutex_unlock(&pool->lock);
}
