/*
 * stream.h - a connection's bytes, with TLS or without. One thread.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_STREAM_H
#define KVCACHED_SCRIPTS_CLIENTS_C_STREAM_H

#include "scripts/clients/c/link.h"

/* Connects within that many milliseconds, and shakes hands. False with link->error, and closed. */
bool stream_open(struct link *link, int timeout);
void stream_close(struct link *link);

enum link_result stream_read(struct link *link, char *to, size_t room, size_t *count);
enum link_result stream_write(struct link *link, struct slice bytes, size_t *count);

#endif
