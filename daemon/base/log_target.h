/*
 * log_target.h - where a line goes, and that writing it takes no longer than is allowed.
 *
 * A line leaves in one write of at most PIPE_BUF bytes, so that lines never mix, and is written
 * only when the target has room for it: a pipe that is not read, a terminal that was stopped
 * and a syslog that does not listen make no caller wait. Of files only regular ones are taken,
 * since nothing else can be written without waiting for another process or a device.
 *
 * What goes into a line is escaped as a whole: control characters, bytes above 126 and the
 * backslash itself come out as \n, \xNN and \\, so that nothing which came over a wire can
 * forge a line or speak to a terminal.
 */
#ifndef KVCACHED_DAEMON_BASE_LOG_TARGET_H
#define KVCACHED_DAEMON_BASE_LOG_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/base/log_ring.h"

enum { LOG_PREPARED_MAX = 4 * LOG_TEXT_MAX + 32 };

enum log_form {
    LOG_FORM_BARE,    /* as a command's messages; with priorities where stderr is the journal */
    LOG_FORM_DATED,   /* time and level, then the text */
    LOG_FORM_JOURNAL, /* the priority, as the journal reads it */
    LOG_FORM_SYSLOG   /* what is spoken at /dev/log */
};

struct log_target {
    enum log_form form;
    int fd;             /* -1: a syslog that is not connected */
    const char *socket; /* of a syslog */
    bool stream;        /* what it listens for there */
    bool made;          /* a file that was not there */
};

enum log_written {
    LOG_WRITTEN,
    LOG_STUCK, /* there was no room in time; nothing was written */
    LOG_FAILED /* it cannot be written, or only a part of it could */
};

/* stderr, in the form of a command's messages. */
struct log_target log_target_bare(void);

/*
 * `to` is "stderr", "syslog" or the path of a regular file, which is made if it is not there,
 * and else must be this user's as safe_open.h has it. False: it cannot be, and *why says why,
 * with errno. Never waits.
 */
bool log_target_open(struct log_target *target, const char *to, uid_t user, const char **why);

/* The syslog that listens, or will, at this socket. The name must last. */
struct log_target log_target_syslog(const char *socket);

/* stderr is left open. */
void log_target_close(struct log_target *target);

/* A line without a date, composed for every form beforehand. */
struct log_prepared {
    char dated[LOG_PREPARED_MAX], journal[LOG_PREPARED_MAX], syslog[LOG_PREPARED_MAX];
};
void log_target_prepare(struct log_prepared *line, const struct log_entry *entry);
/* Calls nothing that a handler of a signal may not call, and waits for nothing. */
void log_target_write_prepared(const struct log_target *target, const struct log_prepared *line);

/* Waits for room for so many milliseconds at most; below 0: as long as it takes. */
enum log_written log_target_write(struct log_target *target, const struct log_entry *entry,
                                  int wait_ms);

#endif
