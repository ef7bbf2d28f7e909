/*
 * service_manager.h - the service manager: what it is told, what it hands over.
 *
 * Two files implement this, and the build takes one of them: service_manager_systemd.c
 * speaks sd_notify's protocol and takes the sockets of a .socket unit,
 * service_manager_none.c does nothing. Without a manager that listens both do nothing.
 * All calls are for the main thread.
 */
#ifndef KVCACHED_DAEMON_OS_SERVICE_MANAGER_H
#define KVCACHED_DAEMON_OS_SERVICE_MANAGER_H

#include <stddef.h>
#include <stdint.h>

/* The daemon serves: after its start, and after a reload. */
void notify_ready(void);
/* A reload begins; notify_ready ends it, whether it was applied or refused. */
void notify_reloading(void);
void notify_stopping(void);

/* A start or a stop takes longer: so many milliseconds from now on are wanted, at least. */
void notify_extend(uint64_t milliseconds);

/* One line for people, shown by `systemctl status`. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* How often the manager wants to hear notify_alive at the least, in
 * milliseconds; 0: it does not listen for that. */
uint64_t notify_watchdog(void);
void notify_alive(void);

/* A listening socket that was opened before the daemon was started. */
struct notify_socket {
    int fd;
    char *name; /* FileDescriptorName= */
};

/* The sockets handed over; 0 where there are none. Asked once: it takes them out
 * of the environment. The caller owns the descriptors, and frees each name and
 * the array. */
size_t notify_sockets(struct notify_socket **sockets);

#endif
