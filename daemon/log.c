/*
 * log.c - where lines go, and that nothing in them can lie.
 *
 * Owns the one log of the process: stderr (with time, or with the priority
 * prefixes that the journal reads when stderr is the journal), syslog, or a
 * file. It refuses to fail: a line that cannot be written is lost, since there
 * is nobody left to tell.
 *
 * A mutex makes the change of a target safe while others are writing. Lines are
 * rare, so nobody waits for it.
 */
#include "daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOG_TEXT_MAX = 1024,                  /* bytes of a message as it was given */
    LOG_LINE_MAX = 4 * LOG_TEXT_MAX + 64, /* every byte escaped, and a prefix */
};

typedef void log_say(int fd, int level, const char *text);

static log_say say_bare, say_dated, say_to_journal, say_to_syslog;

static struct {
    atomic_int level;
    pthread_mutex_t lock; /* for everything below */
    log_say *say;
    int fd;
    bool echo;
} the_log = {
    .level = LOG_NOTICE, .lock = PTHREAD_MUTEX_INITIALIZER, .say = say_bare, .fd = STDERR_FILENO};

/* Bytes that may stand in a line as they are: printable ASCII but the backslash,
 * which introduces the others. */
static bool is_plain(unsigned char byte)
{
    return byte >= ' ' && byte <= '~' && byte != '\\';
}

static char *escape_byte(char *to, unsigned char byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char letters[] = "\\\\\nn\rr\tt";

    *to++ = '\\';
    for (const char *pair = letters; *pair != '\0'; pair += 2) {
        if ((unsigned char)pair[0] == byte) {
            *to++ = pair[1];
            return to;
        }
    }
    *to++ = 'x';
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

static void escape(char *to, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (is_plain(byte)) {
            *to++ = *text;
        } else {
            to = escape_byte(to, byte);
        }
    }
    *to = '\0';
}

static const char *level_name(int level)
{
    static const char *const names[] = {
        [LOG_ERR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
    };
    return level >= LOG_ERR && level <= LOG_DEBUG ? names[level] : names[LOG_ERR];
}

static void write_line(int fd, const char *prefix, const char *text)
{
    char line[LOG_LINE_MAX];
    int length = snprintf(line, sizeof line, "%s%s\n", prefix, text);
    ssize_t ignored = write(fd, line, (size_t)length);
    (void)ignored;
}

/* systemd names the stream that it connected stderr to; a stderr that somebody
 * redirected since is another one. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat found;
    char name[64];

    if (stream == NULL || fstat(STDERR_FILENO, &found) != 0) {
        return false;
    }
    snprintf(name, sizeof name, "%ju:%ju", (uintmax_t)found.st_dev, (uintmax_t)found.st_ino);
    return strcmp(stream, name) == 0;
}

static void say_bare(int fd, int level, const char *text)
{
    if (stderr_is_journal()) {
        say_to_journal(fd, level, text);
    } else {
        write_line(fd, "", text);
    }
}

static void say_to_journal(int fd, int level, const char *text)
{
    char prefix[16];
    snprintf(prefix, sizeof prefix, "<%d>", level);
    write_line(fd, prefix, text);
}

static void say_dated(int fd, int level, const char *text)
{
    struct timespec now;
    struct tm local;
    char date[32] = "", prefix[64];

    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &local) != NULL) {
        strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
    }
    snprintf(prefix, sizeof prefix, "%s.%03ld %s: ", date, now.tv_nsec / 1000000,
             level_name(level));
    write_line(fd, prefix, text);
}

static void say_to_syslog(int fd, int level, const char *text)
{
    (void)fd;
    syslog(level, "%s", text);
}

bool log_wants(int level)
{
    return level <= atomic_load_explicit(&the_log.level, memory_order_relaxed);
}

void log_line(int level, const char *format, ...)
{
    char text[LOG_TEXT_MAX], escaped[4 * LOG_TEXT_MAX];
    int saved = errno;
    va_list arguments;

    if (!log_wants(level)) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    escape(escaped, text);

    pthread_mutex_lock(&the_log.lock);
    the_log.say(the_log.fd, level, escaped);
    if (the_log.echo && level <= LOG_WARNING &&
        (the_log.fd != STDERR_FILENO || the_log.say == say_to_syslog)) {
        say_bare(STDERR_FILENO, level, escaped);
    }
    pthread_mutex_unlock(&the_log.lock);
    errno = saved;
}

/* The lock is held. */
static void turn_to(log_say *say, int fd)
{
    if (the_log.fd != STDERR_FILENO) {
        close(the_log.fd);
    }
    if (the_log.say == say_to_syslog && say != say_to_syslog) {
        closelog();
    }
    the_log.say = say;
    the_log.fd = fd;
}

/* --- a line from a handler of a signal --------------------------------------------- */

static struct {
    int level;
    char text[4 * LOG_TEXT_MAX];       /* escaped */
    char dated[4 * LOG_TEXT_MAX + 16]; /* with what stands before and behind it */
    char journal[4 * LOG_TEXT_MAX + 16];
} prepared;

void log_prepare(int level, const char *format, ...)
{
    char text[LOG_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    prepared.level = level;
    escape(prepared.text, text);
    snprintf(prepared.dated, sizeof prepared.dated, "%s: %s\n", level_name(level), prepared.text);
    snprintf(prepared.journal, sizeof prepared.journal, "<%d>%s\n", level, prepared.text);
}

/* Without the lock: its owner may be any thread. What it guards is read as it is. */
void log_prepared(void)
{
    enum { SYSLOG_SECONDS = 5 };
    if (the_log.say == say_to_syslog) {
        signal(SIGALRM, SIG_DFL);
        alarm(SYSLOG_SECONDS);
        syslog(prepared.level, "%s", prepared.text);
        return;
    }
    const char *line = the_log.say == say_to_journal ? prepared.journal : prepared.dated;
    ssize_t ignored = write(the_log.fd, line, strlen(line));
    (void)ignored;
}

/* --- where lines go ------------------------------------------------------------------ */

bool log_open(const char *to, int level)
{
    log_say *say = say_dated;
    int fd = STDERR_FILENO;

    if (strcmp(to, "stderr") == 0) {
        say = stderr_is_journal() ? say_to_journal : say_dated;
    } else if (strcmp(to, "syslog") == 0) {
        say = say_to_syslog;
        openlog("kvcached", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    } else {
        fd = open(to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
        if (fd < 0) {
            return false;
        }
    }
    pthread_mutex_lock(&the_log.lock);
    turn_to(say, fd);
    pthread_mutex_unlock(&the_log.lock);
    atomic_store_explicit(&the_log.level, level, memory_order_relaxed);
    return true;
}

void log_echo(bool on)
{
    pthread_mutex_lock(&the_log.lock);
    the_log.echo = on;
    pthread_mutex_unlock(&the_log.lock);
}

void log_give(uid_t uid, gid_t gid)
{
    pthread_mutex_lock(&the_log.lock);
    if (the_log.fd != STDERR_FILENO && fchown(the_log.fd, uid, gid) != 0) {
        say_bare(STDERR_FILENO, LOG_WARNING, "the log file could not be given to the user");
    }
    pthread_mutex_unlock(&the_log.lock);
}

void log_close(void)
{
    pthread_mutex_lock(&the_log.lock);
    turn_to(say_bare, STDERR_FILENO);
    the_log.echo = false;
    pthread_mutex_unlock(&the_log.lock);
    atomic_store_explicit(&the_log.level, LOG_NOTICE, memory_order_relaxed);
}
