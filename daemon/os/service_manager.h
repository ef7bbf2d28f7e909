/*
 * service_manager.h - messages to the service manager, and sockets from it.
 *
 * The build takes one of two implementations: service_manager_systemd.c speaks the protocol of
 * sd_notify and takes the sockets of a .socket unit; service_manager_none.c does nothing. Without
 * a service manager both do nothing. Messages cannot fail: one that is not read is lost.
 * The main thread's.
 */
#ifndef KVCACHED_DAEMON_OS_SERVICE_MANAGER_H
#define KVCACHED_DAEMON_OS_SERVICE_MANAGER_H

#include <stddef.h>
#include <stdint.h>

/* The daemon serves: to be called after the start, and after each reload. */
void notify_ready(void);
/* A reload begins. notify_ready ends it, also if it was refused. */
void notify_reloading(void);
void notify_stopping(void);

/* A start or stop needs at least so many milliseconds from now on. */
void notify_extend(uint64_t milliseconds);

/* One line of text, shown by `systemctl status`. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The longest time, in milliseconds, between two calls of notify_alive that the service manager
 * accepts; 0: it does not watch. */
uint64_t notify_watchdog(void);
void notify_alive(void);

/* A listening socket that the service manager has opened. */
struct service_manager_socket {
    int fd;
    char *name; /* FileDescriptorName= */
};

/* Takes the sockets over, and removes them from the environment, so that a second call finds none.
 * Returns how many; 0: there are none. The caller owns the descriptors, and frees each name and the
 * array. */
size_t service_manager_sockets(struct service_manager_socket **sockets);

#endif
