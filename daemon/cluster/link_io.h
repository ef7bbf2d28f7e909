/*
 * link_io.h - bytes of a link that has a transport, and its end.
 */
#ifndef KVCACHED_DAEMON_CLUSTER_LINK_IO_H
#define KVCACHED_DAEMON_CLUSTER_LINK_IO_H

#include "daemon/cluster/link_state.h"

/* Sets the timer. */
void link_io_wake_at(struct link *link, uint64_t now, uint64_t at);
/* When the link is overdue, if nothing comes until then; UINT64_MAX: it owes nothing. */
uint64_t link_io_due(const struct link *link);

/* Sends what is unsent, as far as the socket takes it. May break the link. */
void link_io_write(struct link *link, uint64_t now);
/* Reads what is there, and has it answered. May break the link. */
void link_io_read(struct link *link);

/* Logs the reason, unless it is that of the last time, closes the link, loses its requests, and
 * sets the timer to connect again. */
void link_io_break(struct link *link, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Parts of that. */
void link_io_close(struct link *link);
void link_io_lose(struct link *link);

#endif
