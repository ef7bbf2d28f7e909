/*
 * terms_model.h - what a record should be after anything that model_terms.c does to it, told
 * byte by byte.
 *
 * There is one model: its records, the record that the step is about, and chance are variables
 * that the steps share. One thread.
 */
#ifndef KVCACHED_TESTS_STORE_MODEL_TERMS_MODEL_H
#define KVCACHED_TESTS_STORE_MODEL_TERMS_MODEL_H

#include "tests/store/fixture.h"

enum {
    KEYS = 48,
    VALUE_MAX = 400000,
    KNOWN = 64, /* versions of a key that are remembered */
    STEPS = 120000,
};

#define EXPLICIT (UINT64_C(1) << 60) /* versions from here on were asked for */

struct record {
    bool there;
    bool noted;
    bool unsure; /* whether it is: a version that has to rise brings notes along */
    bool told;   /* its version is known */
    bool stale, won, read;
    bool large; /* lies in segments of its own: taken for no number */
    char *bytes;
    size_t length;
    uint32_t flags;
    uint64_t expires; /* or STORE_NEVER */
    uint64_t version; /* if told */
    uint64_t touched; /* when it was read or written last */
    uint64_t known[KNOWN];
    unsigned count;
};

extern struct fixture fixture;
extern struct record records[KEYS];
extern struct record *record; /* the one that this step is about */
extern struct store_key at;
extern char key[16];
extern char *value; /* VALUE_MAX bytes */
extern uint64_t seed, chance, step, asked;

/* Fails the test, and says how to run it again. */
#define differ(...) differ_at(__LINE__, __VA_ARGS__)
__attribute__((format(printf, 2, 3), noreturn)) void differ_at(int line, const char *format, ...);

uint64_t below(uint64_t bound);
bool once_in(uint64_t times);
bool lives(void);
uint64_t ends(struct store_ttl ttl);
/* The version of what was just written. `before`: that of the record that lived until
 * then, if it is known, else 0. */
void learn_new(uint64_t version, uint64_t asked_for, uint64_t before);
void write_value(const char *before, size_t before_length, const char *after, size_t after_length);
void touch_notes(void);
struct store_ttl some_ttl(bool may_keep);
struct slice some_value(void);
/* A version that may be right, or one that was, or none that ever was. */
uint64_t some_version(void);
/* What comparing should come to. */
enum store_status compared(const struct store_terms *terms, bool *stale);
enum store_status expected_put(const struct store_terms *terms, bool *stale);
/* The record as it should be after a put. */
void put_in_model(const struct store_terms *terms, struct slice added, bool stale,
                  uint64_t version);
bool number_of(bool blanks, uint64_t *number);

#endif
