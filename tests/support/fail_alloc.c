/*
 * fail_alloc.c - one request for memory or for a thread that is refused.
 *
 * A library for LD_PRELOAD, used by tests/e2e/test_failing.py. It counts the calls of malloc
 * and its relatives, mmap and pthread_create that the program and its libraries make, and
 * refuses the one with the number in FAILING_AT. That, and how many there were, it tells in
 * the file FAILING_TELLS: "refused NUMBER FUNCTION SIZE" and, at the end, "made NUMBER".
 *
 * What libconfig asks for is never refused: up to version 1.7 it takes for granted that it
 * gets what it wants, and nothing outside of it can help that.
 *
 * Needs glibc: its own allocator answers to names beginning with __libc.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern char *__strdup(const char *text);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong calls;
static unsigned long fails_at; /* 0: none */
static const char *tells;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAILING_AT");
    tells = getenv("FAILING_TELLS");
    fails_at = at == NULL ? 0 : strtoul(at, NULL, 10);
    atomic_store(&calls, 0); /* what the loader needed does not count */
}

/* Without any call that may want memory. */
static void tell(const char *what, unsigned long number, const char *function, size_t size)
{
    char line[128];
    int fd = tells == NULL ? -1 : open(tells, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd >= 0) {
        int length = snprintf(line, sizeof line, "%s %lu %s %zu\n", what, number, function, size);
        if (write(fd, line, (size_t)length) < 0) {
            tells = NULL;
        }
        close(fd);
    }
}

__attribute__((destructor)) static void end(void)
{
    tell("made", atomic_load(&calls), "all", 0);
}

static bool is_exempt(const void *caller)
{
    Dl_info where;

    return dladdr(caller, &where) != 0 && where.dli_fname != NULL &&
           strstr(where.dli_fname, "libconfig") != NULL;
}

static bool refuses(const char *function, size_t size, const void *caller)
{
    if (fails_at == 0 || is_exempt(caller)) {
        return false;
    }
    unsigned long number = atomic_fetch_add(&calls, 1) + 1;
    if (number != fails_at) {
        return false;
    }
    tell("refused", number, function, size);
    errno = ENOMEM;
    return true;
}

#define is_refused(function, size) refuses(function, size, __builtin_return_address(0))

void *malloc(size_t size)
{
    return is_refused("malloc", size) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_refused("calloc", count * size) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return is_refused("realloc", size) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return is_refused("aligned_alloc", size) ? NULL : __libc_memalign(alignment, size);
}

static char *copy_of(const char *text, size_t size)
{
    char *copy = __libc_malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* Itself, so that the caller is known. */
char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return is_refused("strdup", size) ? NULL : copy_of(text, size);
}

/* What older headers call it. */
char *__strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return is_refused("strdup", size) ? NULL : copy_of(text, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    if (is_refused("posix_memalign", size)) {
        return ENOMEM;
    }
    *result = __libc_memalign(alignment, size);
    return *result == NULL ? ENOMEM : 0;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (is_refused("mmap", size)) {
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *context)
{
    static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (create == NULL) {
        *(void **)&create = dlsym(RTLD_NEXT, "pthread_create");
    }
    return is_refused("pthread_create", 0) ? EAGAIN : create(thread, attributes, run, context);
}
