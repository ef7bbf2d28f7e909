/*
 * wall_clock.c - a wall clock that a test sets, for one process.
 *
 * A library for LD_PRELOAD, used by tests/e2e/test_clock.py: the file WALL_CLOCK holds a number
 * of seconds, in eight bytes of this machine's order, which CLOCK_REALTIME and gettimeofday()
 * are ahead by. The clocks that do not jump are left alone.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t *ahead;

__attribute__((constructor)) static void begin(void)
{
    const char *name = getenv("WALL_CLOCK");
    int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        void *bytes = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
        ahead = bytes != MAP_FAILED ? bytes : NULL;
        close(fd);
    }
}

static time_t shift(void)
{
    return ahead != NULL ? (time_t)__atomic_load_n(ahead, __ATOMIC_RELAXED) : 0;
}

int clock_gettime(clockid_t which, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, which, time);
    if (result == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
        time->tv_sec += shift();
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    (void)zone;

    clock_gettime(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}
