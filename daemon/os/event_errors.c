/*
 * event_errors.c - callbacks for libevent; see event_errors.h.
 */
#include "daemon/os/event_errors.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/base/log.h"
#include "daemon/os/cleanup.h"

static void on_message(int severity, const char *message)
{
    static const int levels[] = {
        [EVENT_LOG_DEBUG] = LOG_DEBUG,
        [EVENT_LOG_MSG] = LOG_INFO,
        [EVENT_LOG_WARN] = LOG_WARNING,
        [EVENT_LOG_ERR] = LOG_ERR,
    };
    static struct log_limit limit = LOG_LIMIT("libevent");
    int level =
        severity >= EVENT_LOG_DEBUG && severity <= EVENT_LOG_ERR ? levels[severity] : LOG_ERR;
    if (log_admits(&limit, level)) {
        log_line(level, "libevent: %s", message);
    }
}

/* libevent calls it after an error that it cannot handle. Must not return. */
static void on_fatal(int error)
{
    (void)error;
    log_error("the process ends: libevent has reported a fatal error, see the line before");
    log_close();
    cleanup_remove_all();
    _exit(EX_OSERR);
}

void event_errors_to_log(void)
{
    event_set_log_callback(on_message);
    event_set_fatal_callback(on_fatal);
}
