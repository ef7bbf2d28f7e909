/*
 * model.h - what a store should hold, told in the simplest way: an array of
 * records for each namespace, and the time at which each ends.
 *
 * It knows nothing of memory. Where the store may evict, the test that compares them
 * tells the model what was found missing (model_drop).
 */
#ifndef KVCACHED_TESTS_STORE_MODEL_MODEL_H
#define KVCACHED_TESTS_STORE_MODEL_MODEL_H

#include "daemon/store/store.h"

enum {
    MODEL_NAMESPACES = 8,
    MODEL_LISTINGS = 4,
    MODEL_DIGITS = 24, /* room for a number's text */
};

struct model_record {
    bool there; /* written and not taken away; it may have expired */
    bool is_number;
    uint32_t flags;
    uint32_t length;  /* of a value that is a pattern */
    uint64_t seed;    /* of that */
    uint64_t number;  /* else */
    uint64_t expires; /* or STORE_NEVER */
};

struct model_namespace {
    char name[8];
    uint64_t ttl;
    uint64_t max_ttl;
    bool require_ttl;
    struct model_record *records; /* by the key's number */
};

/* What has to be true of a record at the end of a listing. */
enum model_duty {
    MODEL_NONE,          /* was not there all the time: seen or not */
    MODEL_ONCE,          /* has been there, and was not written */
    MODEL_ONCE_AT_LEAST, /* has been there, but was written again */
};

struct model_listing {
    bool open;
    unsigned ns;
    uint8_t *duty; /* by the key's number */
    uint8_t *seen; /* how many times */
};

struct model {
    size_t keys; /* of each namespace */
    struct model_namespace namespaces[MODEL_NAMESPACES];
    struct model_listing listings[MODEL_LISTINGS];
};

/* False when out of memory. */
bool model_init(struct model *model, size_t keys);
void model_deinit(struct model *model);

/* A key's bytes follow from its number: 1 to STORE_KEY_MAX of any kind. The slice
 * lies in `bytes`. The number of a key that is none of ours is SIZE_MAX. */
struct slice model_key(size_t number, char bytes[STORE_KEY_MAX]);
size_t model_key_number(const struct model *model, struct slice key);

struct model_record *model_at(struct model *model, unsigned ns, size_t key);
bool model_alive(const struct model_record *record, uint64_t now);

/* STORE_OK and when a write at `now` would end, or STORE_TTL_REQUIRED. */
enum store_status model_expiry(const struct model_namespace *ns, struct store_ttl ttl, uint64_t now,
                               uint64_t *expires);

/* A write, or a new expiry, as of `now`. */
void model_write(struct model *model, unsigned ns, size_t key, struct model_record record,
                 uint64_t now);
void model_drop(struct model *model, unsigned ns, size_t key);
void model_flush(struct model *model, unsigned ns);

/* Is this what the record's value should be? */
bool model_is_value(const struct model_record *record, const struct store_view *view);
/* The decimal text of a number record. */
struct slice model_digits(const struct model_record *record, char bytes[MODEL_DIGITS]);

/* How many of a namespace live, and how many are there, expired ones included. */
void model_count(const struct model *model, unsigned ns, uint64_t now, uint64_t *live,
                 uint64_t *there);

/* A listing begins: what lives now has to be seen. */
void model_list(struct model *model, struct model_listing *listing, unsigned ns, uint64_t now);

#endif
