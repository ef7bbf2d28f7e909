/*
 * service_manager_systemd.c - the service manager is systemd.
 *
 * Failures to send a message are ignored: a daemon that was started by hand has no service manager.
 */
#include "daemon/os/service_manager.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

void notify_ready(void)
{
    sd_notify(0, "READY=1");
}

/* By the time systemd tells this reload from one that it requests later. */
void notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
               (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

void notify_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}

void notify_extend(uint64_t milliseconds)
{
    sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, milliseconds * 1000);
}

void notify_status(const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    sd_notifyf(0, "STATUS=%s", text);
}

uint64_t notify_watchdog(void)
{
    uint64_t us = 0;
    if (sd_watchdog_enabled(0, &us) <= 0) {
        return 0;
    }
    return us < 1000 ? 1 : us / 1000;
}

void notify_alive(void)
{
    sd_notify(0, "WATCHDOG=1");
}

static void free_names(char **names)
{
    for (char **name = names; name != NULL && *name != NULL; name++) {
        free(*name);
    }
    free(names);
}

size_t service_manager_sockets(struct service_manager_socket **sockets)
{
    char **names = NULL;
    int count = sd_listen_fds_with_names(1, &names);
    *sockets = NULL;
    if (count > 0) {
        *sockets = calloc((size_t)count, sizeof **sockets);
    }
    if (*sockets == NULL) {
        free_names(names);
        return 0;
    }
    for (int i = 0; i < count; i++) {
        (*sockets)[i] = (struct service_manager_socket){SD_LISTEN_FDS_START + i, names[i]};
    }
    free(names);
    return (size_t)count;
}
