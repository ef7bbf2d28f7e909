/*
 * thread_sanitizer.c - linked into kvcached where it is built with ThreadSanitizer.
 *
 * ThreadSanitizer makes a thread's record of signals when the thread first calls a function that
 * may block, or in the handler of a signal that comes before. Older ones, that of clang 14 among
 * them, do not expect such a signal while the record is made: they make a second one, and the
 * signal, which the first has, is lost. So the main thread has its record before main, where no
 * signal has a handler.
 */
#include <poll.h>
#include <stddef.h>

static void __attribute__((constructor)) make_record(void)
{
    poll(NULL, 0, 0);
}
