/*
 * service_manager_none.c - for builds without libsystemd: no messages, no sockets.
 */
#include "daemon/os/service_manager.h"

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_extend(uint64_t milliseconds)
{
    (void)milliseconds;
}

void notify_status(const char *format, ...)
{
    (void)format;
}

uint64_t notify_watchdog(void)
{
    return 0;
}

void notify_alive(void)
{
}

size_t service_manager_sockets(struct service_manager_socket **sockets)
{
    *sockets = NULL;
    return 0;
}
