/*
 * model.c - see model.h. Plain loops over plain arrays, so that there is nothing
 * in here that could be wrong in the same way as the store.
 */
#include "tests/store/model/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/store/fixture.h"

enum { SHORT_KEYS = 16 }; /* numbers below this have keys of one byte */

bool model_init(struct model *model, size_t keys)
{
    bool whole = true;
    *model = (struct model){.keys = keys};
    for (unsigned i = 0; i < MODEL_NAMESPACES; i++) {
        struct model_namespace *ns = &model->namespaces[i];
        snprintf(ns->name, sizeof ns->name, "ns%u", i);
        ns->records = calloc(keys, sizeof *ns->records);
        whole = whole && ns->records != NULL;
    }
    for (unsigned i = 0; i < MODEL_LISTINGS; i++) {
        model->listings[i].duty = calloc(keys, 1);
        model->listings[i].seen = calloc(keys, 1);
        whole = whole && model->listings[i].duty != NULL && model->listings[i].seen != NULL;
    }
    return whole;
}

void model_deinit(struct model *model)
{
    for (unsigned i = 0; i < MODEL_NAMESPACES; i++) {
        free(model->namespaces[i].records);
    }
    for (unsigned i = 0; i < MODEL_LISTINGS; i++) {
        free(model->listings[i].duty);
        free(model->listings[i].seen);
    }
}

/* --- keys --------------------------------------------------------------- */

/* Mostly short, some of every length up to the longest. */
static size_t key_length(size_t number)
{
    if (number < SHORT_KEYS) {
        return 1;
    }
    if (number % 61 == 0) {
        return 3 + number * 7 % (STORE_KEY_MAX - 2);
    }
    return 3 + number % 29;
}

struct slice model_key(size_t number, char bytes[STORE_KEY_MAX])
{
    size_t length = key_length(number);
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (char)(i < 3 ? number >> (8 * i) : number * 31 + i);
    }
    return (struct slice){bytes, length};
}

size_t model_key_number(const struct model *model, struct slice key)
{
    char expected[STORE_KEY_MAX];
    size_t number = 0;
    for (size_t i = 0; i < key.length && i < 3; i++) {
        number |= (size_t)(unsigned char)key.bytes[i] << (8 * i);
    }
    bool ours = number < model->keys && slice_equal(key, model_key(number, expected));
    return ours ? number : SIZE_MAX;
}

/* --- records ------------------------------------------------------------ */

struct model_record *model_at(struct model *model, unsigned ns, size_t key)
{
    return &model->namespaces[ns].records[key];
}

bool model_alive(const struct model_record *record, uint64_t now)
{
    return record->there && (record->expires == STORE_NEVER || now < record->expires);
}

enum store_status model_expiry(const struct model_namespace *ns, struct store_ttl ttl, uint64_t now,
                               uint64_t *expires)
{
    uint64_t time = ttl.kind == STORE_TTL_NEVER ? STORE_NEVER : ttl.milliseconds;
    if (ttl.kind == STORE_TTL_DEFAULT) {
        time = ns->ttl;
    }
    if (time == STORE_NEVER && ns->require_ttl) {
        return STORE_TTL_REQUIRED;
    }
    if (ns->max_ttl != STORE_NEVER && (time == STORE_NEVER || time > ns->max_ttl)) {
        time = ns->max_ttl;
    }
    *expires = time == STORE_NEVER ? STORE_NEVER : now + 1 + time;
    return STORE_OK;
}

/* What a change means to listings of the namespace. */
static void tell_listings(struct model *model, unsigned ns, size_t key, bool stays)
{
    for (unsigned i = 0; i < MODEL_LISTINGS; i++) {
        struct model_listing *listing = &model->listings[i];
        if (!listing->open || listing->ns != ns || listing->duty[key] == MODEL_NONE) {
            continue;
        }
        listing->duty[key] = stays ? MODEL_ONCE_AT_LEAST : MODEL_NONE;
    }
}

void model_write(struct model *model, unsigned ns, size_t key, struct model_record record,
                 uint64_t now)
{
    struct model_record *old = model_at(model, ns, key);
    tell_listings(model, ns, key, model_alive(old, now));
    *old = record;
    old->there = true;
}

void model_drop(struct model *model, unsigned ns, size_t key)
{
    tell_listings(model, ns, key, false);
    model_at(model, ns, key)->there = false;
}

void model_flush(struct model *model, unsigned ns)
{
    for (size_t key = 0; key < model->keys; key++) {
        model_drop(model, ns, key);
    }
}

struct slice model_digits(const struct model_record *record, char bytes[MODEL_DIGITS])
{
    int length = snprintf(bytes, MODEL_DIGITS, "%" PRIu64, record->number);
    return (struct slice){bytes, (size_t)length};
}

bool model_is_value(const struct model_record *record, const struct store_view *view)
{
    char digits[MODEL_DIGITS];
    if (!record->is_number) {
        return view->length == record->length && fixture_view_is_pattern(view, record->seed);
    }
    struct slice text = model_digits(record, digits);
    return !view->pinned && slice_equal(text, (struct slice){view->bytes, view->length});
}

void model_count(const struct model *model, unsigned ns, uint64_t now, uint64_t *live,
                 uint64_t *there)
{
    *live = 0;
    *there = 0;
    for (size_t key = 0; key < model->keys; key++) {
        const struct model_record *record = &model->namespaces[ns].records[key];
        *there += record->there;
        *live += model_alive(record, now);
    }
}

void model_list(struct model *model, struct model_listing *listing, unsigned ns, uint64_t now)
{
    listing->open = true;
    listing->ns = ns;
    memset(listing->seen, 0, model->keys);
    for (size_t key = 0; key < model->keys; key++) {
        bool alive = model_alive(model_at(model, ns, key), now);
        listing->duty[key] = alive ? MODEL_ONCE : MODEL_NONE;
    }
}
