/*
 * secret_prompt.c - asks for secrets without echo, and prints their hashes for kvcached.conf.
 *
 * While the terminal does not echo, signals that would leave it so are blocked, and read from a
 * descriptor beside the input: no signal is lost between a look at it and the wait. The terminal is
 * restored first, then the signal takes effect.
 */
#include "daemon/secret/secret_prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

struct terminal {
    int input;
    struct termios before;
    sigset_t before_signals;
    int signals; /* a descriptor; -1: there is no terminal */
};

static void report(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
}

/* --- the terminal ------------------------------------------------------------- */

/* Echoes the ends of lines only. Input that was typed before is dropped, since it was echoed. */
static bool silence(const struct terminal *terminal)
{
    struct termios silent = terminal->before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL;
    return tcsetattr(terminal->input, TCSAFLUSH, &silent) == 0;
}

static void terminal_close(struct terminal *terminal)
{
    tcsetattr(terminal->input, TCSAFLUSH, &terminal->before);
    close(terminal->signals);
    sigprocmask(SIG_SETMASK, &terminal->before_signals, NULL);
}

/* False with errno; the terminal is as it was then. */
static bool terminal_open(struct terminal *terminal)
{
    static const int held[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};
    sigset_t signals;
    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        sigaddset(&signals, held[i]);
    }
    if (tcgetattr(terminal->input, &terminal->before) != 0) {
        return false;
    }
    terminal->signals = signalfd(-1, &signals, SFD_CLOEXEC);
    if (terminal->signals < 0) {
        return false;
    }
    sigprocmask(SIG_BLOCK, &signals, &terminal->before_signals);
    if (!silence(terminal)) {
        int error = errno;
        terminal_close(terminal);
        errno = error;
        return false;
    }
    return true;
}

/* Lets the pending signal take effect. Returns where the process goes on, after a pause or because
 * the signal is ignored. False with errno. */
static bool deliver_signal(const struct terminal *terminal)
{
    struct signalfd_siginfo info;
    sigset_t one;
    if (read(terminal->signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return false;
    }
    tcsetattr(terminal->input, TCSAFLUSH, &terminal->before);
    sigemptyset(&one);
    sigaddset(&one, (int)info.ssi_signo);
    raise((int)info.ssi_signo);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    sigprocmask(SIG_BLOCK, &one, NULL);
    return silence(terminal);
}

/* --- a line ------------------------------------------------------------------- */

enum read_result { READ_LINE, READ_SIGNAL, READ_FAILED };

/* Byte by byte, since bytes behind the line are left to the next reader. The rest of a line that is
 * too long is left as well. READ_FAILED: see errno. */
static enum read_result read_line(const struct terminal *terminal, struct secret_entry *entry)
{
    struct pollfd ready[] = {{.fd = terminal->input, .events = POLLIN},
                             {.fd = terminal->signals, .events = POLLIN}};
    entry->length = 0;
    while (entry->length < sizeof entry->bytes) {
        char *byte = entry->bytes + entry->length;
        ssize_t got = poll(ready, 2, -1);
        if (got > 0 && ready[1].revents != 0) {
            return READ_SIGNAL;
        }
        if (got > 0) {
            got = read(terminal->input, byte, 1);
        }
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            return READ_FAILED;
        }
        if (got == 0 || (got > 0 && *byte == '\n')) {
            break;
        }
        entry->length += got > 0;
    }
    return READ_LINE;
}

/* False: it could not be read, which was reported. */
static bool ask(const struct terminal *terminal, const char *question, struct secret_entry *entry)
{
    enum read_result result;
    do {
        fputs(question, stderr);
        result = read_line(terminal, entry);
        if (result == READ_SIGNAL) {
            explicit_bzero(entry, sizeof *entry);
            result = deliver_signal(terminal) ? READ_SIGNAL : READ_FAILED;
        }
    } while (result == READ_SIGNAL);
    if (result == READ_FAILED) {
        report("the secret cannot be read", strerror(errno));
    }
    return result == READ_LINE;
}

static struct slice slice_of_entry(const struct secret_entry *entry)
{
    return (struct slice){entry->bytes, entry->length};
}

/* False: it cannot be one, which was reported. */
static bool may_be_secret(const struct secret_entry *entry)
{
    const char *why;
    bool possible = secret_is_possible(slice_of_entry(entry), &why);
    if (!possible) {
        report("this cannot be a secret", why);
    }
    return possible;
}

/* --- a secret -------------------------------------------------------------------- */

bool secret_ask(int input, const char *question, struct secret_entry *entry)
{
    struct terminal terminal = {.input = input};
    if (!terminal_open(&terminal)) {
        report("the terminal cannot be made silent", strerror(errno));
        return false;
    }
    bool taken = ask(&terminal, question, entry) && may_be_secret(entry);
    terminal_close(&terminal);
    return taken;
}

/* --- the command ---------------------------------------------------------------- */

/* False: there is none, which was reported. */
static bool ask_twice(struct secret_entry *entry)
{
    struct terminal terminal = {.input = STDIN_FILENO};
    struct secret_entry again = {.length = 0};
    if (!terminal_open(&terminal)) {
        report("the terminal cannot be made silent", strerror(errno));
        return false;
    }
    bool taken = ask(&terminal, "Secret: ", entry) && may_be_secret(entry) &&
                 ask(&terminal, "Once more: ", &again);
    terminal_close(&terminal);
    if (taken && !slice_equal(slice_of_entry(entry), slice_of_entry(&again))) {
        report("no hash was made", "the second was not the same");
        taken = false;
    }
    explicit_bzero(&again, sizeof again);
    return taken;
}

static bool read_secret(struct secret_entry *entry)
{
    static const struct terminal none = {.input = STDIN_FILENO, .signals = -1};
    if (isatty(STDIN_FILENO)) {
        return ask_twice(entry);
    }
    return ask(&none, "", entry) && may_be_secret(entry);
}

bool secret_prompt(void)
{
    struct secret_entry entry = {.length = 0};
    char hash[SECRET_HASH_MAX];
    bool done = false;
    if (read_secret(&entry)) {
        done = secret_hash(slice_of_entry(&entry), hash);
        if (!done) {
            report("no hash was made", strerror(errno));
        } else if (puts(hash) < 0 || fflush(stdout) != 0) {
            report("the hash cannot be written", strerror(errno));
            done = false;
        }
    }
    explicit_bzero(&entry, sizeof entry);
    return done;
}
