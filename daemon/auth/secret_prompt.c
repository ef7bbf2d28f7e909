/*
 * secret_prompt.c - `kvcached --hash-secret`: from a secret to what kvcached.conf has of it.
 *
 * While the terminal is silent, signals that would leave it so are held back and read like
 * input, beside it: so there is no moment at which one comes between the look at it and
 * the wait. The terminal is put back first, then the signal does what it does.
 */
#include "daemon/auth/secret_prompt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "daemon/auth/secret.h"

/* One line, without its end. There is room for a byte more than a secret may have, so that
 * a longer one is known. */
struct entry {
    char bytes[SECRET_MAX + 1];
    size_t length;
};

struct terminal {
    struct termios before;
    sigset_t before_signals;
    int signals; /* a descriptor; -1: there is no terminal */
};

static void complain(const char *what, const char *why)
{
    fprintf(stderr, "kvcached: %s: %s\n", what, why);
}

/* --- the terminal ------------------------------------------------------------- */

/* Shows the end of a line, and nothing else of it. What was typed before is dropped: it
 * was shown. */
static bool silence(const struct terminal *terminal)
{
    struct termios silent = terminal->before;

    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL;
    return tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
}

static void terminal_close(struct terminal *terminal)
{
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal->before);
    close(terminal->signals);
    sigprocmask(SIG_SETMASK, &terminal->before_signals, NULL);
}

/* False with errno, and the terminal is as it was. */
static bool terminal_open(struct terminal *terminal)
{
    static const int held[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};
    sigset_t signals;

    sigemptyset(&signals);
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        sigaddset(&signals, held[i]);
    }
    if (tcgetattr(STDIN_FILENO, &terminal->before) != 0) {
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

/* Lets the signal that is there do what it does. Whoever comes back, from a pause or
 * because it is ignored, may go on. False with errno. */
static bool obey(const struct terminal *terminal)
{
    struct signalfd_siginfo info;
    sigset_t one;

    if (read(terminal->signals, &info, sizeof info) != (ssize_t)sizeof info) {
        return false;
    }
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &terminal->before);
    sigemptyset(&one);
    sigaddset(&one, (int)info.ssi_signo);
    raise((int)info.ssi_signo);
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    sigprocmask(SIG_BLOCK, &one, NULL);
    return silence(terminal);
}

/* --- a line ------------------------------------------------------------------- */

enum heard { HEARD_LINE, HEARD_SIGNAL, HEARD_FAILED };

/* Byte by byte: what follows the line is not ours. Of one that is too long the rest is
 * left too. HEARD_FAILED comes with errno. */
static enum heard read_line(int signals, struct entry *entry)
{
    struct pollfd ready[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = signals, .events = POLLIN}};

    entry->length = 0;
    while (entry->length < sizeof entry->bytes) {
        char *byte = entry->bytes + entry->length;
        ssize_t got = poll(ready, 2, -1);
        if (got > 0 && ready[1].revents != 0) {
            return HEARD_SIGNAL;
        }
        if (got > 0) {
            got = read(STDIN_FILENO, byte, 1);
        }
        if (got < 0 && errno != EINTR && errno != EAGAIN) {
            return HEARD_FAILED;
        }
        if (got == 0 || (got > 0 && *byte == '\n')) {
            break;
        }
        entry->length += got > 0;
    }
    return HEARD_LINE;
}

/* False when it could not be read, which is said. */
static bool ask(const struct terminal *terminal, const char *question, struct entry *entry)
{
    enum heard heard;

    do {
        fputs(question, stderr);
        heard = read_line(terminal->signals, entry);
        if (heard == HEARD_SIGNAL) {
            explicit_bzero(entry, sizeof *entry);
            heard = obey(terminal) ? HEARD_SIGNAL : HEARD_FAILED;
        }
    } while (heard == HEARD_SIGNAL);
    if (heard == HEARD_FAILED) {
        complain("the secret cannot be read", strerror(errno));
    }
    return heard == HEARD_LINE;
}

static struct slice slice_of_entry(const struct entry *entry)
{
    return (struct slice){entry->bytes, entry->length};
}

/* False when it is none, which is said. */
static bool may_be_secret(const struct entry *entry)
{
    const char *why;
    bool possible = secret_is_possible(slice_of_entry(entry), &why);

    if (!possible) {
        complain("this cannot be a secret", why);
    }
    return possible;
}

/* --- all of it ------------------------------------------------------------------ */

/* False when there is none, which is said. */
static bool ask_twice(struct entry *entry)
{
    struct terminal terminal;
    struct entry again = {.length = 0};

    if (!terminal_open(&terminal)) {
        complain("the terminal cannot be made silent", strerror(errno));
        return false;
    }
    bool taken = ask(&terminal, "Secret: ", entry) && may_be_secret(entry) &&
                 ask(&terminal, "Once more: ", &again);
    terminal_close(&terminal);
    if (taken && !slice_equal(slice_of_entry(entry), slice_of_entry(&again))) {
        complain("no hash was made", "the second was not the same");
        taken = false;
    }
    explicit_bzero(&again, sizeof again);
    return taken;
}

static bool read_secret(struct entry *entry)
{
    static const struct terminal none = {.signals = -1};

    if (isatty(STDIN_FILENO)) {
        return ask_twice(entry);
    }
    return ask(&none, "", entry) && may_be_secret(entry);
}

bool hash_secret(void)
{
    struct entry entry = {.length = 0};
    char hash[SECRET_HASH_MAX];
    bool done = false;

    if (read_secret(&entry)) {
        done = secret_hash(slice_of_entry(&entry), hash);
        if (!done) {
            complain("no hash was made", strerror(errno));
        } else if (puts(hash) < 0 || fflush(stdout) != 0) {
            complain("the hash cannot be written", strerror(errno));
            done = false;
        }
    }
    explicit_bzero(&entry, sizeof entry);
    return done;
}
