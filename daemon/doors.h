/*
 * doors.h - all the listeners of the daemon together.
 */
#ifndef KVCACHED_DOORS_H
#define KVCACHED_DOORS_H

#include <stddef.h>

#include "conf/conf.h"
#include "daemon/listener.h"

struct privilege_user;

struct doors {
    struct listener *listeners;
    size_t count;
};

/*
 * Takes the sockets that the service manager hands over; without any, opens
 * those of the configuration. `user`: see listener_open. EX_OK, or what to exit
 * with: then the log has said why. What is open is to be closed in either case.
 */
int doors_open(struct doors *doors, const struct conf *conf, const struct privilege_user *user);

/* Nobody comes in any more. The listeners' names stay readable. */
void doors_close(struct doors *doors);

/* Closes and frees. Good for a zeroed one. */
void doors_deinit(struct doors *doors);

#endif
