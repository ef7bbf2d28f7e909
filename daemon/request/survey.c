/*
 * survey.c - see survey.h.
 *
 * Sizes are those of values, as PUT and GET have them. Times are what records have left, as TTL
 * tells it.
 */
#include "daemon/request/survey.h"

#include <stdlib.h>
#include <string.h>

enum {
    SIZES = 33,  /* powers of two, from 1 byte on */
    LARGEST = 10 /* values of which the keys are told */
};

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static const struct {
    const char *name;
    uint64_t most; /* milliseconds left */
} times[] = {
    {"1s", SECOND},    {"10s", 10 * SECOND},       {"1m", MINUTE},        {"10m", 10 * MINUTE},
    {"1h", HOUR},      {"6h", 6 * HOUR},           {"1d", DAY},           {"7d", 7 * DAY},
    {"30d", 30 * DAY}, {"36500d", UINT64_MAX - 1}, {"never", UINT64_MAX},
};
enum { TIMES = sizeof times / sizeof times[0], TIMES_BEYOND = TIMES - 2 };

struct large {
    uint64_t size;
    size_t length;
    char key[STORE_KEY_MAX];
};

struct survey {
    struct {
        uint64_t records, bytes;
    } sizes[SIZES];
    uint64_t times[TIMES]; /* records */
    unsigned larges;
    struct large large[LARGEST]; /* the largest first */
};

struct survey *survey_create(void)
{
    return calloc(1, sizeof(struct survey));
}

void survey_destroy(struct survey **survey)
{
    free(*survey);
    *survey = NULL;
}

/* --- counting --------------------------------------------------------------------- */

/* The smallest power of two that is no less. */
static unsigned place_of_size(uint64_t size)
{
    unsigned place = size <= 1 ? 0 : 64 - (unsigned)__builtin_clzll(size - 1);
    return place < SIZES ? place : SIZES - 1;
}

static unsigned place_of_time(uint64_t expires, uint64_t now)
{
    uint64_t left = expires == STORE_NEVER ? UINT64_MAX : store_left(expires, now);
    unsigned place = 0;
    while (left > times[place].most) {
        place++;
    }
    return place;
}

static bool is_key(const struct large *large, struct slice key)
{
    return slice_equal((struct slice){large->key, large->length}, key);
}

/* A walk may come to a record twice. */
static void forget_key(struct survey *survey, struct slice key)
{
    for (unsigned i = 0; i < survey->larges; i++) {
        if (is_key(&survey->large[i], key)) {
            survey->larges--;
            memmove(&survey->large[i], &survey->large[i + 1],
                    (survey->larges - i) * sizeof survey->large[0]);
            return;
        }
    }
}

static void keep_large(struct survey *survey, struct slice key, uint64_t size)
{
    if (survey->larges == LARGEST && size <= survey->large[LARGEST - 1].size) {
        return;
    }
    forget_key(survey, key);
    unsigned place = survey->larges < LARGEST ? survey->larges++ : LARGEST - 1;
    for (; place > 0 && survey->large[place - 1].size < size; place--) {
        survey->large[place] = survey->large[place - 1];
    }
    struct large *large = &survey->large[place];
    large->size = size;
    large->length = key.length;
    memcpy(large->key, key.bytes, key.length);
}

void survey_count(struct survey *survey, const struct store_entry *entry, uint64_t now)
{
    unsigned place = place_of_size(entry->value_length);
    survey->sizes[place].records++;
    survey->sizes[place].bytes += entry->value_length;
    survey->times[place_of_time(entry->expires, now)]++;
    keep_large(survey, entry->key, entry->value_length);
}

/* --- telling ---------------------------------------------------------------------- */

static void tell_sizes(const struct survey *survey, struct reply_queue *replies,
                       const struct request *request)
{
    for (unsigned i = 0; i < SIZES; i++) {
        if (survey->sizes[i].records > 0) {
            reply_queue_reply(replies, request,
                              &(struct reply){.kind = REPLY_SIZES,
                                              .value_length = UINT64_C(1) << i,
                                              .number = survey->sizes[i].records,
                                              .bytes = survey->sizes[i].bytes});
        }
    }
}

static void tell_times(const struct survey *survey, struct reply_queue *replies,
                       const struct request *request)
{
    for (unsigned i = 0; i < TIMES; i++) {
        if (i != TIMES_BEYOND || survey->times[i] > 0) {
            reply_queue_reply(replies, request,
                              &(struct reply){.kind = REPLY_TIMES,
                                              .text = slice_of(times[i].name),
                                              .number = survey->times[i]});
        }
    }
}

void survey_tell(const struct survey *survey, struct reply_queue *replies,
                 const struct request *request)
{
    tell_sizes(survey, replies, request);
    tell_times(survey, replies, request);
    for (unsigned i = 0; i < survey->larges; i++) {
        const struct large *large = &survey->large[i];
        reply_queue_reply(replies, request,
                          &(struct reply){.kind = REPLY_LARGE,
                                          .name = {large->key, large->length},
                                          .value_length = large->size});
    }
}
