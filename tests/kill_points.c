/*
 * kill_points.c - a process that writes to an arena file is killed after any instruction.
 *
 * A child does one thing to a store, one instruction at a time (ptrace). Whenever the file
 * has changed, what it is then is what a kill would leave there: it is put into another file,
 * and a store is opened with that. It must be sound, and hold what it held before the
 * operation or what it holds after it, and nothing else. Then it is opened once more, for a
 * recovery may be killed, too; recovery itself is one of the operations. In the end the child
 * is killed, and what it did must be there.
 *
 * This is the compiled code as it is, with the order of stores that the compiler chose.
 *
 * Long operations are looked at less often the longer they last. KILL_POINTS=all looks after
 * every instruction; with any value each operation tells how long it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/box.h"
#include "tests/image.h"
#include "tests/scratch.h"

enum {
    MEMORY = STORE_MEMORY_MIN,
    SKIPPED = 77,
    EVERY = 3000,     /* instructions, the first of which are all looked at */
    CLOSELY = 60,     /* states, likewise */
    AT_MOST = 300000, /* instructions of one operation; the rest of it is done in one go */
    LARGE = 20000,    /* bytes: several pieces */
};

/* What a store holds is one of these. */
enum state { BEFORE, AFTER, EITHER };

static struct box box;
static char worked_on[128];
static char tried_on[128];

/* --- what is asked ----------------------------------------------------------- */

static bool holds(const char *name, const char *key, const char *value)
{
    struct store_view view;
    enum store_status status = box_get(&box, name, key, &view);

    if (status != STORE_OK || value == NULL)
        return status != STORE_OK && value == NULL;
    return !view.pinned && view.length == strlen(value) &&
           memcmp(view.bytes, value, view.length) == 0;
}

static enum state which(const char *name, const char *key, const char *before, const char *after)
{
    if (holds(name, key, before))
        return BEFORE;
    if (!holds(name, key, after))
        ck_abort_msg("%s %s is neither as before nor as after", name, key);
    return AFTER;
}

/* 0 bytes: it is not there. */
static bool holds_pattern(const char *name, const char *key, size_t length, uint64_t seed)
{
    struct store_view view;
    enum store_status status = box_get(&box, name, key, &view);

    if (status != STORE_OK || length == 0)
        return status != STORE_OK && length == 0;
    bool same = view.length == length && box_view_is_pattern(&view, seed);
    box_give_back(&view);
    return same;
}

static enum state which_pattern(const char *key, size_t before, uint64_t before_seed, size_t after,
                                uint64_t after_seed)
{
    if (holds_pattern("a", key, before, before_seed))
        return BEFORE;
    if (!holds_pattern("a", key, after, after_seed))
        ck_abort_msg("%s is neither as before nor as after", key);
    return AFTER;
}

static bool has_left(const char *key, uint64_t left)
{
    uint64_t got = 0;
    return box_left(&box, "a", key, &got) == STORE_OK && got == left;
}

/* --- small records ------------------------------------------------------------- */

static void no_preparation(void)
{
}

static void put_small(void)
{
    BOX_OK(box_put(&box, "a", "k", TTL_FOR(100000), "the first value"));
}

static void overwrite(void)
{
    BOX_OK(box_put(&box, "a", "k", TTL_FOR(100000), "the second value, and longer"));
}

static void overwrite_for_ever(void)
{
    BOX_OK(box_put(&box, "a", "k", TTL_NEVER, "the second value, and longer"));
}

static enum state is_put(void)
{
    return which("a", "k", NULL, "the first value");
}

static enum state is_overwritten(void)
{
    return which("a", "k", "the first value", "the second value, and longer");
}

static void delete_it(void)
{
    BOX_OK(box_delete(&box, "a", "k"));
}

static enum state is_deleted(void)
{
    return which("a", "k", "the first value", NULL);
}

static void put_number(void)
{
    BOX_OK(box_put(&box, "a", "k", TTL_FOR(100000), "99"));
}

static void add_number(void)
{
    uint64_t sum = 0;
    BOX_OK(box_incr(&box, "a", "k", 1, &sum));
}

static enum state is_added(void)
{
    return which("a", "k", "99", "100");
}

static void touch(void)
{
    BOX_OK(box_touch(&box, "a", "k", TTL_FOR(5000)));
}

static enum state is_touched(void)
{
    BOX_THAT(holds("a", "k", "the first value"));
    if (has_left("k", 100000))
        return BEFORE;
    BOX_THAT(has_left("k", 5000));
    return AFTER;
}

static void append(void)
{
    struct store_key at;

    store_enter(box.lane);
    BOX_OK(store_locate(box.lane, slice_of("a"), slice_of("k"), &at));
    BOX_OK(store_put(box.lane, &at, TERMS(STORE_APPEND, TTL_KEEP), slice_of(", and more"), box.now,
                     NULL));
    store_leave(box.lane);
}

static enum state is_appended(void)
{
    return which("a", "k", "the first value", "the first value, and more");
}

static void make_stale(void)
{
    struct store_key at;

    store_enter(box.lane);
    BOX_OK(store_locate(box.lane, slice_of("a"), slice_of("k"), &at));
    BOX_OK(store_make_stale(box.lane, &at, &(struct store_terms){.ttl = TTL_FOR(7000)}, box.now));
    store_leave(box.lane);
}

/* Both at once: stale, and with the new time to live. */
static enum state is_stale(void)
{
    struct store_key at;
    struct store_view view;

    store_enter(box.lane);
    BOX_OK(store_locate(box.lane, slice_of("a"), slice_of("k"), &at));
    BOX_OK(store_look(box.lane, &at, &(struct store_terms){.ttl = TTL_KEEP, .peeks = true}, box.now,
                      &view));
    store_view_put(&view);
    store_leave(box.lane);
    bool shorter = view.expires == box.now + 7000;
    BOX_THAT(shorter || view.expires == box.now + 100000);
    BOX_THAT(shorter == view.stale);
    return view.stale ? AFTER : BEFORE;
}

/* --- large records --------------------------------------------------------------- */

/* Made beforehand, so that no steps are spent on it. */
static char large_bytes[3][LARGE];

static void make_large_bytes(void)
{
    for (unsigned seed = 0; seed < 3; seed++)
        box_pattern(large_bytes[seed], 0, LARGE, seed);
}

static void put_bytes(unsigned seed, size_t length)
{
    BOX_OK(box_put_bytes(&box, slice_of("a"), slice_of("k"), TTL_FOR(100000),
                         (struct slice){large_bytes[seed], length}));
}

static void put_large(void)
{
    put_bytes(1, LARGE);
}

static void overwrite_large(void)
{
    put_bytes(2, LARGE / 2);
}

static enum state is_large_put(void)
{
    return which_pattern("k", 0, 0, LARGE, 1);
}

static enum state is_large_overwritten(void)
{
    return which_pattern("k", LARGE, 1, LARGE / 2, 2);
}

static enum state is_large_deleted(void)
{
    return which_pattern("k", LARGE, 1, 0, 0);
}

static enum state is_large_made_small(void)
{
    return holds_pattern("a", "k", LARGE, 1) ? BEFORE : which("a", "k", "", "the first value");
}

static enum state is_large_touched(void)
{
    BOX_THAT(holds_pattern("a", "k", LARGE, 1));
    if (has_left("k", 100000))
        return BEFORE;
    BOX_THAT(has_left("k", 5000));
    return AFTER;
}

/* --- whole namespaces --------------------------------------------------------------- */

static void put_two(void)
{
    BOX_OK(box_put(&box, "n", "k", TTL_NEVER, "one"));
    BOX_OK(box_put_pattern(&box, "n", "l", TTL_NEVER, LARGE, 3));
}

static void flush(void)
{
    box_flush(&box, "n");
}

static void flush_and_put(void)
{
    box_flush(&box, "n");
    box_housekeep(&box);
    BOX_OK(box_put(&box, "n", "k", TTL_NEVER, "two"));
}

static enum state is_flushed(void)
{
    enum state state = which("n", "k", "one", NULL);
    BOX_THAT(holds_pattern("n", "l", state == BEFORE ? LARGE : 0, 3));
    return state;
}

static enum state is_flushed_and_put(void)
{
    bool there = holds("n", "k", "one");
    BOX_THAT(holds_pattern("n", "l", there ? LARGE : 0, 3));
    BOX_THAT(there || holds("n", "k", NULL) || holds("n", "k", "two"));
    return holds("n", "k", "two") ? AFTER : BEFORE;
}

static void flush_later(void)
{
    put_two();
    store_enter(box.lane);
    BOX_OK(store_flush_at(box.lane, slice_of("n"), box.now + 10));
    store_leave(box.lane);
}

static void tick(void)
{
    store_enter(box.lane);
    store_tick(box.lane, box.now + 10);
    store_leave(box.lane);
    BOX_OK(box_put(&box, "n", "k", TTL_NEVER, "two"));
}

/* What was written after the flush is never taken by the same flush. */
static enum state is_ticked(void)
{
    store_enter(box.lane);
    store_tick(box.lane, box.now + 10);
    store_leave(box.lane);
    return which("n", "k", NULL, "two");
}

static void make_namespace(void)
{
    BOX_OK(box_put(&box, "n", "k", TTL_NEVER, "two"));
}

static enum state is_made(void)
{
    return which("n", "k", NULL, "two");
}

static void put_one(void)
{
    BOX_OK(box_put(&box, "n", "k", TTL_NEVER, "one"));
}

static void empty_namespace(void)
{
    BOX_OK(box_delete(&box, "n", "k"));
    box_housekeep(&box);
    BOX_OK(box_put(&box, "m", "k", TTL_NEVER, "in its place"));
}

static enum state is_emptied(void)
{
    if (holds("n", "k", "one")) {
        BOX_THAT(holds("m", "k", NULL));
        return BEFORE;
    }
    BOX_THAT(holds("n", "k", NULL));
    return holds("m", "k", NULL) ? BEFORE : which("m", "k", "", "in its place");
}

/* --- what the housekeeper does --------------------------------------------------------- */

enum { MANY = 60 };

static void put_many(struct store_ttl ttl)
{
    char key[16];

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key%u", i);
        BOX_OK(box_put_pattern(&box, "a", key, ttl, 20 + i % 50, i));
    }
}

/* One in four, or none. */
static void expect_many(bool fourth)
{
    char key[16];

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key%u", i);
        if (!holds_pattern("a", key, fourth && i % 4 == 0 ? 20 + i % 50 : 0, i))
            ck_abort_msg("%s is not as it was", key);
    }
}

static void prepare_purge(void)
{
    put_many(TTL_FOR(50));
    box_wait(&box, 50);
}

static enum state is_purged(void)
{
    expect_many(false);
    return EITHER;
}

static void prepare_compaction(void)
{
    char key[16];

    put_many(TTL_NEVER);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "key%u", i);
        if (i % 4 != 0)
            BOX_OK(box_delete(&box, "a", key));
    }
}

static void keep_house(void)
{
    box_housekeep(&box);
}

static enum state is_compacted(void)
{
    expect_many(true);
    return EITHER;
}

static void fill(void)
{
    char key[16];

    for (unsigned i = 0; i < 3400; i++) {
        snprintf(key, sizeof key, "key%u", i);
        BOX_OK(box_put_pattern(&box, "a", key, TTL_NEVER, 1000, i));
    }
}

static void put_into_full(void)
{
    char key[16];

    for (unsigned i = 0; i < 8; i++) {
        snprintf(key, sizeof key, "new%u", i);
        BOX_OK(box_put_pattern(&box, "a", key, TTL_NEVER, 1000, i));
    }
}

static enum state is_right_or_gone(void)
{
    char key[16];
    unsigned there = 0;

    for (unsigned i = 0; i < 3400; i++) {
        snprintf(key, sizeof key, "key%u", i);
        bool gone = holds_pattern("a", key, 0, 0);
        BOX_THAT(gone || holds_pattern("a", key, 1000, i));
        there += !gone;
    }
    BOX_THAT(there > 2400);
    return EITHER;
}

/* --- the end and the beginning ------------------------------------------------------- */

static void prepare_recovery(void)
{
    prepare_compaction();
    put_large();
    put_two();
    box_flush(&box, "n");
    BOX_OK(box_put(&box, "a", "soon", TTL_FOR(10), "gone"));
    box_wait(&box, 10);
    box_crash(&box);
}

static enum state is_recovered(void)
{
    expect_many(true);
    BOX_THAT(holds_pattern("a", "k", LARGE, 1));
    BOX_THAT(holds("n", "k", NULL) && holds_pattern("n", "l", 0, 0));
    BOX_THAT(holds("a", "soon", NULL));
    return EITHER;
}

static void recover(void)
{
    box_start(&box);
}

static void stop(void)
{
    box_stop(&box);
}

static enum state is_stopped(void)
{
    BOX_THAT(holds("a", "k", "the first value"));
    return EITHER;
}

static const struct operation {
    const char *name;
    void (*prepare)(void);
    void (*act)(void);
    enum state (*ask)(void);
    bool evicts;
} operations[] = {
    {"put", no_preparation, put_small, is_put, false},
    {"overwrite", put_small, overwrite, is_overwritten, false},
    {"overwrite with another ttl", put_small, overwrite_for_ever, is_overwritten, false},
    {"delete", put_small, delete_it, is_deleted, false},
    {"add to a number", put_number, add_number, is_added, false},
    {"touch", put_small, touch, is_touched, false},
    {"append", put_small, append, is_appended, false},
    {"make stale", put_small, make_stale, is_stale, false},
    {"put large", no_preparation, put_large, is_large_put, false},
    {"overwrite large", put_large, overwrite_large, is_large_overwritten, false},
    {"delete large", put_large, delete_it, is_large_deleted, false},
    {"large to small", put_large, put_small, is_large_made_small, false},
    {"touch large", put_large, touch, is_large_touched, false},
    {"make large stale", put_large, make_stale, is_stale, false},
    {"flush", put_two, flush, is_flushed, false},
    {"flush and put", put_two, flush_and_put, is_flushed_and_put, false},
    {"flush that is due", flush_later, tick, is_ticked, false},
    {"make namespace", no_preparation, make_namespace, is_made, false},
    {"last record of a namespace", put_one, empty_namespace, is_emptied, false},
    {"purge", prepare_purge, keep_house, is_purged, false},
    {"compaction", prepare_compaction, keep_house, is_compacted, false},
    {"eviction", fill, put_into_full, is_right_or_gone, true},
    {"recovery", prepare_recovery, recover, is_recovered, false},
    {"clean stop", put_small, stop, is_stopped, false},
};

/* --- one state of the file ------------------------------------------------------------ */

/* Records that the operation has nothing to do with. */
static void put_bystanders(void)
{
    BOX_OK(box_put(&box, "a", "bystander", TTL_NEVER, "looks on"));
    BOX_OK(box_put_pattern(&box, "others", "large", TTL_NEVER, LARGE, 9));
}

/* Twice: what a recovery leaves must be recovered, too. */
static enum state try(const struct operation *operation, const char *file, const struct box *as)
{
    enum state states[2];

    for (int i = 0; i < 2; i++) {
        box = *as;
        box.file = file;
        box.found.aside = NULL;
        box.clock.uptime = as->now; /* the offset of a file that was made here is 0 */
        box_start(&box);
        ck_assert_int_eq(box.found.arena, STORE_ARENA_KEPT);
        ck_assert_uint_eq(box.found.damaged_records + box.found.damaged_segments +
                              box.found.damaged_namespaces,
                          0);
        box_check(&box);
        if (!operation->evicts) {
            BOX_THAT(holds("a", "bystander", "looks on"));
            BOX_THAT(holds_pattern("others", "large", LARGE, 9));
        }
        states[i] = operation->ask();
        box_close(&box);
    }
    ck_assert_int_eq(states[0], states[1]);
    return states[0];
}

/* --- the child, and a step of it --------------------------------------------------------- */

static void be_child(const struct operation *operation)
{
    box_open_file(&box, MEMORY, BOX_MIB / 2, worked_on);
    put_bystanders();
    operation->prepare();
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP);
    operation->act();
    raise(SIGSTOP);
    _exit(0);
}

/* The signal that stopped it. */
static int wait_for(pid_t child)
{
    int status = 0;

    while (waitpid(child, &status, 0) != child)
        ck_assert_int_eq(errno, EINTR);
    return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

/* A file that is being worked on. */
struct watch {
    int fd;
    uint64_t blocks, length;
    const char *bytes; /* of all of it */
    struct image image;
};

static void look_again(struct watch *watch)
{
    struct stat found;

    ck_assert(image_take(&watch->image, watch->fd));
    ck_assert_int_eq(fstat(watch->fd, &found), 0);
    watch->blocks = (uint64_t)found.st_blocks;
    watch->length = (uint64_t)found.st_size;
}

static bool has_changed(const struct watch *watch)
{
    struct stat found;

    ck_assert_int_eq(fstat(watch->fd, &found), 0);
    if ((uint64_t)found.st_blocks != watch->blocks || (uint64_t)found.st_size != watch->length)
        return true;
    for (unsigned i = 0; i < watch->image.count; i++) {
        const struct image_run *run = &watch->image.runs[i];
        if (memcmp(watch->bytes + run->from, run->bytes, run->length) != 0)
            return true;
    }
    return false;
}

static void begin_watch(struct watch *watch)
{
    struct stat found;

    memset(watch, 0, sizeof *watch);
    watch->fd = open(worked_on, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(watch->fd, 0);
    ck_assert_int_eq(fstat(watch->fd, &found), 0);
    watch->bytes = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_SHARED, watch->fd, 0);
    ck_assert(watch->bytes != MAP_FAILED);
    look_again(watch);
}

static void end_watch(struct watch *watch)
{
    munmap((void *)watch->bytes, watch->length);
    close(watch->fd);
    image_free(&watch->image);
}

static enum state try_image(const struct operation *operation, const struct image *image,
                            const struct box *as)
{
    ck_assert(image_put(image, tried_on));
    return try(operation, tried_on, as);
}

/* How the store was opened, and the time in it when the operation begins. */
static struct box box_of(const struct operation *operation)
{
    struct box made;

    box_open_file(&box, MEMORY, BOX_MIB / 2, tried_on);
    put_bystanders();
    operation->prepare();
    made = box;
    if (box.store != NULL)
        box_crash(&box);
    ck_assert_int_eq(unlink(tried_on), 0);
    return made;
}

/* A step is two switches between child and parent: cheap on one processor only. */
static void stay_on_one_processor(void)
{
    cpu_set_t one;
    int here = sched_getcpu();

    if (here >= 0) {
        CPU_ZERO(&one);
        CPU_SET((unsigned)here, &one);
        sched_setaffinity(0, sizeof one, &one);
    }
}

static bool is_time_to_look(uint64_t step)
{
    return step % (1 + step / EVERY) == 0;
}

static bool is_worth_trying(uint64_t states)
{
    return states % (1 + states / CLOSELY) == 0;
}

START_TEST(killed_anywhere)
{
    static struct watch watch;
    const struct operation *operation = &operations[_i];
    bool all = getenv("KILL_POINTS") != NULL && strcmp(getenv("KILL_POINTS"), "all") == 0;
    stay_on_one_processor();
    make_large_bytes();
    struct box as = box_of(operation);
    uint64_t states = 0;
    uint64_t steps = 0;
    pid_t child = fork();

    if (child == 0)
        be_child(operation);
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(wait_for(child), SIGSTOP);
    begin_watch(&watch);
    ck_assert_int_ne(try_image(operation, &watch.image, &as), AFTER);
    for (;;) {
        bool goes_on = all || steps < AT_MOST;
        ck_assert_int_eq(ptrace(goes_on ? PTRACE_SINGLESTEP : PTRACE_CONT, child, NULL, NULL), 0);
        int signal = wait_for(child);
        steps++;
        if (signal == SIGSTOP && steps > 1)
            break;
        ck_assert_msg(signal == SIGTRAP || signal == SIGSTOP, "%s, instruction %ju: signal %d",
                      operation->name, (uintmax_t)steps, signal);
        if ((!all && !is_time_to_look(steps)) || !has_changed(&watch))
            continue;
        look_again(&watch);
        states++;
        if (all || is_worth_trying(states))
            try_image(operation, &watch.image, &as);
    }
    end_watch(&watch);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(wait_for(child), 0);
    ck_assert_int_ne(try(operation, worked_on, &as), BEFORE);
    if (getenv("KILL_POINTS") != NULL)
        printf("%s: %ju instructions, %ju states\n", operation->name, (uintmax_t)steps,
               (uintmax_t)states);
    if (all || steps < AT_MOST) /* with a sanitizer an operation may be longer */
        ck_assert_uint_gt(states, 0);
}
END_TEST

/* --- the program -------------------------------------------------------------------------- */

static void make(void)
{
    scratch_make_in_memory();
    snprintf(worked_on, sizeof worked_on, "%s", scratch_path("worked-on"));
    snprintf(tried_on, sizeof tried_on, "%s", scratch_path("tried-on"));
}

static void unmake(void)
{
    scratch_remove();
}

/* Sandboxes may refuse it. */
static bool may_trace(void)
{
    pid_t child = fork();

    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
            raise(SIGSTOP);
        _exit(0);
    }
    int status = 0;
    bool stopped = child > 0 && waitpid(child, &status, 0) == child && WIFSTOPPED(status);
    bool stepped = stopped && ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 &&
                   waitpid(child, &status, 0) == child && WIFSTOPPED(status);
    if (stopped) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
    }
    return stepped;
}

int main(void)
{
    Suite *suite = suite_create("kill points");
    TCase *tcase = tcase_create("kill points");

    if (!may_trace())
        return SKIPPED;
    tcase_add_checked_fixture(tcase, make, unmake);
    tcase_set_timeout(tcase, 4 * BOX_TIMEOUT);
    tcase_add_loop_test(tcase, killed_anywhere, 0, (int)(sizeof operations / sizeof *operations));
    suite_add_tcase(suite, tcase);
    return box_main(suite);
}
