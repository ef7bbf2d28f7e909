/*
 * finder.h - finds the server of this machine in its configuration.
 */
#ifndef KVCACHED_SCRIPTS_CLI_FINDER_H
#define KVCACHED_SCRIPTS_CLI_FINDER_H

#include "scripts/cli/endpoint.h"

/*
 * Sets *endpoint, which is empty, to the first native listener of the file: a Unix socket, if one
 * of them is; 127.0.0.1 port 7171 where the file cannot be read, which is said when `named`, and
 * where it has no such listener. The certificate of a listener with TLS is the one that its server
 * has to show. False: the file has mistakes, which were printed.
 */
bool finder_find(const char *file, bool named, struct endpoint *endpoint);

#endif
