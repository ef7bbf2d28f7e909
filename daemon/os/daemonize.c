/*
 * daemonize.c - a fork whose parent waits until the daemon serves or has failed.
 *
 * The exit status of the command that starts a daemon tells whether the daemon serves. So a pipe
 * connects the two processes: a byte means that the child serves, the end of the pipe without a
 * byte that the child has ended, and its exit status is passed on.
 */
#include "daemon/os/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/os/signals.h"

/* Waits for the byte or for the end of the pipe; returns the exit status of the parent. */
static int await_child(int from_child, pid_t child)
{
    char byte;
    ssize_t count;
    int status;
    do {
        count = read(from_child, &byte, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 1) {
        return EX_OK;
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return EX_OSERR;
        }
    }
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status);
    }
    fprintf(stderr, "kvcached: killed by signal %d before it was ready: see its log\n",
            WTERMSIG(status));
    return EX_SOFTWARE;
}

int daemonize(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -1;
    }
    signals_hold();
    pid_t child = fork();
    if (child > 0) {
        signals_pass_on(child);
    }
    signals_ordinary();
    if (child > 0) {
        close(ends[1]);
        _exit(await_child(ends[0], child));
    }
    close(ends[0]);
    if (child < 0 || setsid() < 0 || chdir("/") != 0) {
        int why = errno;
        close(ends[1]);
        errno = why;
        return -1;
    }
    umask(022);
    return ends[1];
}

void daemonize_ready(int handle)
{
    static const char ready = '\0';
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++) {
        dup2(null, fd);
    }
    if (null > STDERR_FILENO) {
        close(null);
    }
    ssize_t ignored = write(handle, &ready, 1); /* fails if the parent was killed */
    (void)ignored;
    close(handle);
}
