/*
 * log_target.c - formats lines, and writes them without blocking for longer than is allowed.
 *
 * stderr is shared with the shell or the service manager, so it must not be made non-blocking:
 * poll() is asked first. A pipe that is ready takes PIPE_BUF bytes at once. The daemon speaks
 * syslog's protocol itself, because syslog(3) blocks as long as the daemon of syslog does not
 * read.
 */
#include "daemon/base/log_target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <paths.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/safe_open.h"
#include "protocol/escape.h"

enum {
    PREFIX_MAX = 96,
    ESCAPED_MAX = ESCAPE_MAX * LOG_TEXT_MAX,
    LINE_MAX_BYTES = PIPE_BUF,
};

_Static_assert(ESCAPED_MAX + 64 <= LINE_MAX_BYTES, "a line is written in one piece");

/* --- escaping ------------------------------------------------------------------- */

/* Bytes that are written as they are: printable ASCII without the backslash, which introduces all
 * others. */
static bool is_plain(unsigned char byte)
{
    return byte >= ' ' && byte <= '~' && byte != '\\';
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

/* --- forms ---------------------------------------------------------------------- */

static const char *level_name(int level)
{
    static const char *const names[] = {
        [LOG_ERR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice",
        [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
    };
    return level >= LOG_ERR && level <= LOG_DEBUG ? names[level] : names[LOG_ERR];
}

/* systemd names the device and inode of the stream that it has connected to stderr; a stderr that
 * was redirected since has others. */
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

static void prefix_journal(char *prefix, const struct log_entry *entry)
{
    snprintf(prefix, PREFIX_MAX, "<%d>", entry->level);
}

static void prefix_dated(char *prefix, const struct log_entry *entry)
{
    struct tm local;
    char text[32] = "";
    if (localtime_r(&entry->time.tv_sec, &local) != NULL) {
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    }
    snprintf(prefix, PREFIX_MAX, "%s.%03ld %s: ", text, entry->time.tv_nsec / 1000000,
             level_name(entry->level));
}

/* RFC 3164, without the name of the host, which is left out on a local socket. */
static void prefix_syslog(char *prefix, const struct log_entry *entry)
{
    struct tm local;
    char text[32] = "";
    if (localtime_r(&entry->time.tv_sec, &local) != NULL) {
        strftime(text, sizeof text, "%b %e %H:%M:%S", &local);
    }
    snprintf(prefix, PREFIX_MAX, "<%d>%s kvcached[%d]: ", LOG_DAEMON | entry->level, text,
             (int)getpid());
}

static size_t compose(const struct log_target *target, const struct log_entry *entry,
                      char line[LINE_MAX_BYTES])
{
    char prefix[PREFIX_MAX] = "", escaped[ESCAPED_MAX];
    switch (target->form) {
    case LOG_FORM_BARE:
        if (stderr_is_journal()) {
            prefix_journal(prefix, entry);
        }
        break;
    case LOG_FORM_JOURNAL:
        prefix_journal(prefix, entry);
        break;
    case LOG_FORM_DATED:
        prefix_dated(prefix, entry);
        break;
    case LOG_FORM_SYSLOG:
        prefix_syslog(prefix, entry);
        break;
    }
    escape(escaped, entry->text);
    const char *end = target->form == LOG_FORM_SYSLOG ? "" : "\n";
    int length = snprintf(line, LINE_MAX_BYTES, "%s%s%s", prefix, escaped, end);
    return length < LINE_MAX_BYTES ? (size_t)length : LINE_MAX_BYTES - 1;
}

/* --- opening ---------------------------------------------------------------------- */

struct log_target log_target_bare(void)
{
    return (struct log_target){.form = LOG_FORM_BARE, .fd = STDERR_FILENO};
}

struct log_target log_target_syslog(const char *socket)
{
    return (struct log_target){.form = LOG_FORM_SYSLOG, .fd = -1, .socket = socket};
}

static bool open_file(struct log_target *target, const char *path, uid_t user, const char **why)
{
    const struct safe_terms terms = {
        .path = path, .flags = O_WRONLY | O_CREAT | O_APPEND, .mode = 0640, .user = user};
    *target = (struct log_target){.form = LOG_FORM_DATED};
    target->fd = safe_open(&terms, &target->made, why);
    if (target->fd < 0 && errno == EINVAL) {
        *why = "not a regular file: write \"stderr\", \"syslog\" or the path of a regular file";
    }
    return target->fd >= 0;
}

bool log_target_open(struct log_target *target, const char *to, uid_t user, const char **why)
{
    if (strcmp(to, "stderr") == 0) {
        *target = log_target_bare();
        target->form = stderr_is_journal() ? LOG_FORM_JOURNAL : LOG_FORM_DATED;
        return true;
    }
    if (strcmp(to, "syslog") == 0) {
        *target = log_target_syslog(_PATH_LOG);
        return true;
    }
    return open_file(target, to, user, why);
}

void log_target_close(struct log_target *target)
{
    if (target->fd > STDERR_FILENO) {
        close(target->fd);
    }
    target->fd = -1;
}

/* --- writing ---------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    return clock_precise() / 1000000;
}

/* Waits for room until a time by now_ms, UINT64_MAX: without limit. A time in the past: looks once.
 */
static bool has_room(int fd, uint64_t until)
{
    struct pollfd asked = {.fd = fd, .events = POLLOUT};
    int ready;
    do {
        uint64_t now = now_ms();
        int wait = until == UINT64_MAX ? -1 : until > now ? (int)(until - now) : 0;
        ready = poll(&asked, 1, wait);
    } while (ready < 0 && errno == EINTR);
    return ready != 0;
}

static enum log_written write_all(int fd, const char *line, size_t length, uint64_t until)
{
    size_t done = 0;
    while (done < length) {
        if (!has_room(fd, until)) {
            return done == 0 ? LOG_STUCK : LOG_FAILED;
        }
        ssize_t written = write(fd, line + done, length - done);
        if (written < 0 && errno != EAGAIN && errno != EINTR) {
            return LOG_FAILED;
        }
        done += written > 0 ? (size_t)written : 0;
    }
    return LOG_WRITTEN;
}

/* Syslog usually listens for datagrams; on a stream a NUL ends each line. */
static void connect_syslog(struct log_target *target)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", target->socket);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0) {
            target->fd = fd;
            target->stream = types[i] == SOCK_STREAM;
            return;
        }
        int why = errno;
        if (fd >= 0) {
            close(fd);
        }
        if (why != EPROTOTYPE) {
            return;
        }
    }
}

static enum log_written send_to(int fd, const char *line, size_t length, uint64_t until)
{
    do {
        ssize_t sent = send(fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            return (size_t)sent == length ? LOG_WRITTEN : LOG_FAILED;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return LOG_FAILED;
        }
    } while (has_room(fd, until) && now_ms() < until);
    return LOG_STUCK;
}

/* A syslog that was restarted has another socket under the same name: one failure connects again.
 */
static enum log_written write_syslog(struct log_target *target, const char *line, size_t length,
                                     uint64_t until)
{
    enum log_written done = LOG_FAILED;
    for (int attempt = 0; attempt < 2 && done == LOG_FAILED; attempt++) {
        if (target->fd < 0) {
            connect_syslog(target);
            attempt = 1;
        }
        if (target->fd >= 0) {
            done = send_to(target->fd, line, length + target->stream, until);
        }
        if (done == LOG_FAILED) {
            log_target_close(target);
        }
    }
    return done;
}

enum log_written log_target_write(struct log_target *target, const struct log_entry *entry,
                                  int wait_ms)
{
    char line[LINE_MAX_BYTES];
    size_t length = compose(target, entry, line);
    uint64_t until = wait_ms < 0 ? UINT64_MAX : now_ms() + (uint64_t)wait_ms;
    return target->form == LOG_FORM_SYSLOG ? write_syslog(target, line, length, until)
                                           : write_all(target->fd, line, length, until);
}

/* --- a prepared line -------------------------------------------------------------- */

void log_target_prepare(struct log_prepared *line, const struct log_entry *entry)
{
    char escaped[ESCAPED_MAX];
    escape(escaped, entry->text);
    snprintf(line->dated, sizeof line->dated, "%s: %s\n", level_name(entry->level), escaped);
    snprintf(line->journal, sizeof line->journal, "<%d>%s\n", entry->level, escaped);
    snprintf(line->syslog, sizeof line->syslog, "<%d>kvcached: %s", LOG_DAEMON | entry->level,
             escaped);
}

void log_target_write_prepared(const struct log_target *target, const struct log_prepared *line)
{
    const char *text = target->form == LOG_FORM_JOURNAL  ? line->journal
                       : target->form == LOG_FORM_SYSLOG ? line->syslog
                                                         : line->dated;
    struct pollfd asked = {.fd = target->fd, .events = POLLOUT};
    if (poll(&asked, 1, 0) > 0) {
        ssize_t ignored = target->form == LOG_FORM_SYSLOG
                              ? send(target->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL)
                              : write(target->fd, text, strlen(text));
        (void)ignored;
    }
}
