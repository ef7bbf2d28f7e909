/*
 * log_target.h - where a line goes, in which form, and for how long a write may wait.
 *
 * A line is written with one write of at most PIPE_BUF bytes, so that lines never mix, and only
 * when the target is ready for it: a pipe that is not read, a stopped terminal and a syslog that
 * does not read block no caller for longer than it allows. Only regular files are accepted, since
 * any other may wait for another process or a device.
 *
 * The text of a line is escaped: control characters, bytes above 126 and the backslash become \n,
 * \xNN and \\, so that no bytes from the network can forge a line or control a terminal.
 *
 * A target is used by one thread at a time.
 */
#ifndef KVCACHED_DAEMON_BASE_LOG_TARGET_H
#define KVCACHED_DAEMON_BASE_LOG_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/base/log_ring.h"

enum { LOG_PREPARED_MAX = 4 * LOG_TEXT_MAX + 32 };

enum log_form {
    LOG_FORM_BARE,    /* the text only; after its priority where stderr is the journal */
    LOG_FORM_DATED,   /* time and level, then the text */
    LOG_FORM_JOURNAL, /* "<priority>", then the text */
    LOG_FORM_SYSLOG   /* the protocol of /dev/log */
};

struct log_target {
    enum log_form form;
    int fd;             /* -1: syslog, and not connected */
    const char *socket; /* of syslog: its path */
    bool stream;        /* of syslog: it wants a stream instead of datagrams */
    bool made;          /* of a file: it did not exist before */
};

enum log_written {
    LOG_WRITTEN,
    LOG_STUCK, /* the target was not ready in time; nothing was written */
    LOG_FAILED /* the line was not written, or only in part */
};

/* stderr, with LOG_FORM_BARE. */
struct log_target log_target_bare(void);

/*
 * `to` is "stderr", "syslog" or the path of a regular file, which is made if it does not exist, and
 * else must be acceptable for `user` (safe_open.h). False with errno and *why, which is not to be
 * freed. Never waits.
 */
bool log_target_open(struct log_target *target, const char *to, uid_t user, const char **why);

/* A syslog at this socket, which need not exist yet. The string must outlive the target. */
struct log_target log_target_syslog(const char *socket);

/* Closes the descriptor, unless it is stderr. */
void log_target_close(struct log_target *target);

/* A line without a date, composed for every form in advance. */
struct log_prepared {
    char dated[LOG_PREPARED_MAX], journal[LOG_PREPARED_MAX], syslog[LOG_PREPARED_MAX];
};
void log_target_prepare(struct log_prepared *line, const struct log_entry *entry);
/* Async-signal-safe; never waits. A line for which the target is not ready is lost. */
void log_target_write_prepared(const struct log_target *target, const struct log_prepared *line);

/* Waits for the target for at most `wait_ms` milliseconds; below 0: without limit. */
enum log_written log_target_write(struct log_target *target, const struct log_entry *entry,
                                  int wait_ms);

#endif
