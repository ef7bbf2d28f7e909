/*
 * path_advice.h - what to do where a file or a socket of the configuration cannot be made.
 *
 * Any thread.
 */
#ifndef KVCACHED_DAEMON_BASE_PATH_ADVICE_H
#define KVCACHED_DAEMON_BASE_PATH_ADVICE_H

enum { PATH_ADVICE_MAX = 640 /* bytes, the NUL included */ };

struct path_advice {
    char text[PATH_ADVICE_MAX];
};

/*
 * A clause that says why the file of an absolute path could not be opened or made, and what to do
 * if that is its directory's fault: the directory does not exist, or the user of the process may
 * not write to it. `error` is the errno of the failure, and `why` the clause where it has another
 * cause.
 */
struct path_advice path_advice(const char *path, int error, const char *why);

#endif
