/*
 * conf_in_use.c - see conf_in_use.h.
 */
#include "daemon/base/conf_in_use.h"

#include <stddef.h>

#include "conf/conf.h"

void conf_in_use_init(struct conf_in_use *in_use, struct conf *first)
{
    pthread_mutex_init(&in_use->lock, NULL);
    in_use->first = conf_get(first);
    in_use->now = conf_get(first);
}

void conf_in_use_deinit(struct conf_in_use *in_use)
{
    if (in_use->first != NULL) {
        conf_destroy(&in_use->now);
        conf_destroy(&in_use->first);
        pthread_mutex_destroy(&in_use->lock);
    }
}

void conf_in_use_set(struct conf_in_use *in_use, struct conf *now)
{
    pthread_mutex_lock(&in_use->lock);
    struct conf *before = in_use->now;
    in_use->now = conf_get(now);
    pthread_mutex_unlock(&in_use->lock);
    conf_destroy(&before);
}

void conf_in_use_get(struct conf_in_use *in_use, struct conf **first, struct conf **now)
{
    pthread_mutex_lock(&in_use->lock);
    *first = conf_get(in_use->first);
    *now = conf_get(in_use->now);
    pthread_mutex_unlock(&in_use->lock);
}
