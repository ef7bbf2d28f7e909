/*
 * model_run.h - one run of a store beside its model: what is open, what was done
 * last, and the things that can be done to one record.
 *
 * Every act is done to both and compared. What differs fails the test and tells
 * how to bring it back.
 */
#ifndef KVCACHED_TESTS_STORE_MODEL_MODEL_RUN_H
#define KVCACHED_TESTS_STORE_MODEL_MODEL_RUN_H

#include "tests/store/fixture.h"
#include "tests/store/model/model.h"

enum {
    RUN_LARGE_KEYS = 12,    /* the first keys of a namespace may hold large values */
    RUN_LARGE_MAX = 150000, /* bytes */
    RUN_VIEWS = 6,
    RUN_WRITES = 6,
    RUN_LINES = 8192, /* that tell what was done last */
    RUN_LINE = 96,    /* bytes of one */
};

struct held_view {
    bool held;
    uint64_t seed;
    struct store_view view;
};

struct open_write {
    struct store_write *write;
    unsigned ns;
    size_t key;
    enum store_mode mode;
    struct store_ttl ttl;
    struct model_record record;
    uint64_t done;
};

struct run {
    struct fixture fixture;
    struct model model;
    uint64_t random;
    uint64_t seed;
    uint64_t step;
    bool ample;      /* memory: nothing may be lost */
    uint64_t memory; /* bytes, at first */
    uint64_t puts;
    uint64_t refused; /* for want of memory */
    struct store_cursor *cursors[MODEL_LISTINGS];
    struct held_view views[RUN_VIEWS];
    struct open_write writes[RUN_WRITES];
    /* What a step is about. */
    unsigned ns;
    size_t key;
    struct model_record *record;
    struct store_key at;
    char key_bytes[STORE_KEY_MAX];
    char value[RUN_LARGE_MAX];
    char (*lines)[RUN_LINE];
};

extern struct run run; /* large, and there is one at a time */

/* What is being done, for the reader of a failure. One line a step. */
__attribute__((format(printf, 1, 2))) void run_note(const char *format, ...);
/* Store and model differ: the end. */
__attribute__((format(printf, 1, 2), noreturn)) void run_differ(const char *format, ...);

/* --- chance ------------------------------------------------------------- */

uint64_t run_below(uint64_t bound);
/* Sets run.ns, run.key and run.record. */
void run_choose_record(void);
struct store_ttl run_choose_ttl(void);
/* Of a value that cannot be taken for a number. */
uint64_t run_choose_seed(void);

/* --- between model and store -------------------------------------------- */

struct model_namespace *run_namespace(void);
/* store_enter, and run.at for the chosen record. */
void run_enter(void);
void run_leave(void);
/* Does the model's record live? */
bool run_alive(void);
/* What a write should answer; sets the record's expiry. */
enum store_status run_expected_write(struct model_record *record, enum store_mode mode,
                                     struct store_ttl ttl);
/* Is that an answer to expect? Counts what was refused for want of memory. */
void run_judge_write(enum store_status status, enum store_status expected);

/* --- acts on the chosen record ------------------------------------------ */

void run_get(void);
void run_put(void);
void run_delete(void);
void run_expiry(void);
void run_touch(void);
void run_add_number(void);

#endif
