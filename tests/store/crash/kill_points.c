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

#include "tests/store/crash/image.h"
#include "tests/store/crash/kill_operations.h"
#include "tests/store/fixture.h"
#include "tests/support/scratch.h"

enum {
    MEMORY = STORE_MEMORY_MIN,
    MAY_GROW = 16 * FIXTURE_MIB, /* a file, in one operation */
    SKIPPED = 77,
    EVERY = 3000,     /* instructions, the first of which are all looked at */
    CLOSELY = 60,     /* states, likewise */
    AT_MOST = 300000, /* instructions of one operation; the rest of it is done in one go */
};

static char worked_on[128];
static char tried_on[128];

/* --- one state of the file ------------------------------------------------------------ */

/* Twice: what a recovery leaves must be recovered, too. */
static enum state try(const struct operation *operation, const char *file, const struct fixture *as)
{
    enum state states[2];
    for (int i = 0; i < 2; i++) {
        kill_fixture = *as;
        kill_fixture.file = file;
        kill_fixture.found.aside = NULL;
        kill_fixture.clock.uptime = as->now; /* the offset of a file that was made here is 0 */
        fixture_start(&kill_fixture);
        ck_assert_int_eq(kill_fixture.found.arena, STORE_ARENA_KEPT);
        ck_assert_uint_eq(kill_fixture.found.damaged_records + kill_fixture.found.damaged_segments +
                              kill_fixture.found.damaged_namespaces,
                          0);
        fixture_check(&kill_fixture);
        if (!operation->evicts) {
            FIXTURE_THAT(kill_bystanders_are_there());
        }
        states[i] = operation->ask();
        fixture_close(&kill_fixture);
    }
    ck_assert_int_eq(states[0], states[1]);
    return states[0];
}

/* --- the child, and a step of it --------------------------------------------------------- */

static void be_child(const struct operation *operation)
{
    fixture_open_file(&kill_fixture, MEMORY, FIXTURE_MIB / 2, worked_on);
    kill_put_bystanders();
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
    while (waitpid(child, &status, 0) != child) {
        ck_assert_int_eq(errno, EINTR);
    }
    return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

/* A file that is being worked on. */
struct watch {
    int fd;
    uint64_t blocks, length;
    const char *bytes; /* of all of it, and of what it may grow by */
    size_t mapped;
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
    if ((uint64_t)found.st_blocks != watch->blocks || (uint64_t)found.st_size != watch->length) {
        return true;
    }
    for (unsigned i = 0; i < watch->image.count; i++) {
        const struct image_run *run = &watch->image.runs[i];
        if (memcmp(watch->bytes + run->from, run->bytes, run->length) != 0) {
            return true;
        }
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
    watch->mapped = (size_t)found.st_size + MAY_GROW;
    watch->bytes = mmap(NULL, watch->mapped, PROT_READ, MAP_SHARED, watch->fd, 0);
    ck_assert(watch->bytes != MAP_FAILED);
    look_again(watch);
}

static void end_watch(struct watch *watch)
{
    munmap((void *)watch->bytes, watch->mapped);
    close(watch->fd);
    image_free(&watch->image);
}

static enum state try_image(const struct operation *operation, const struct image *image,
                            const struct fixture *as)
{
    ck_assert(image_put(image, tried_on));
    return try(operation, tried_on, as);
}

/* How the store was opened, and the time in it when the operation begins. */
static struct fixture fixture_of(const struct operation *operation)
{
    struct fixture made;
    fixture_open_file(&kill_fixture, MEMORY, FIXTURE_MIB / 2, tried_on);
    kill_put_bystanders();
    operation->prepare();
    made = kill_fixture;
    if (kill_fixture.store != NULL) {
        fixture_crash(&kill_fixture);
    }
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
    const struct operation *operation = &kill_operations[_i];
    bool all = getenv("KILL_POINTS") != NULL && strcmp(getenv("KILL_POINTS"), "all") == 0;
    stay_on_one_processor();
    kill_prepare();
    struct fixture as = fixture_of(operation);
    uint64_t states = 0;
    uint64_t steps = 0;
    pid_t child = fork();

    if (child == 0) {
        be_child(operation);
    }
    ck_assert_int_gt(child, 0);
    ck_assert_int_eq(wait_for(child), SIGSTOP);
    begin_watch(&watch);
    ck_assert_int_ne(try_image(operation, &watch.image, &as), AFTER);
    for (;;) {
        bool goes_on = all || steps < AT_MOST;
        ck_assert_int_eq(ptrace(goes_on ? PTRACE_SINGLESTEP : PTRACE_CONT, child, NULL, NULL), 0);
        int signal = wait_for(child);
        steps++;
        if (signal == SIGSTOP && steps > 1) {
            break;
        }
        ck_assert_msg(signal == SIGTRAP || signal == SIGSTOP, "%s, instruction %ju: signal %d",
                      operation->name, (uintmax_t)steps, signal);
        if ((!all && !is_time_to_look(steps)) || !has_changed(&watch)) {
            continue;
        }
        look_again(&watch);
        states++;
        if (all || is_worth_trying(states)) {
            try_image(operation, &watch.image, &as);
        }
    }
    end_watch(&watch);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(wait_for(child), 0);
    ck_assert_int_ne(try(operation, worked_on, &as), BEFORE);
    if (getenv("KILL_POINTS") != NULL) {
        printf("%s: %ju instructions, %ju states\n", operation->name, (uintmax_t)steps,
               (uintmax_t)states);
    }
    if (all || steps < AT_MOST) { /* with a sanitizer an operation may be longer */
        ck_assert_uint_gt(states, 0);
    }
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
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0) {
            raise(SIGSTOP);
        }
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
    if (!may_trace()) {
        return SKIPPED;
    }
    tcase_add_checked_fixture(tcase, make, unmake);
    tcase_set_timeout(tcase, 4 * FIXTURE_TIMEOUT);
    tcase_add_loop_test(tcase, killed_anywhere, 0, kill_operations_count);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
