/*
 * conf_secret.h - whether crypt(3) could make a hash of any secret.
 *
 * A text may have the form of a hash and be none: its method is unknown to crypt(3), its end is
 * missing, or its cost is out of range. Without this check such a user could be configured and
 * never log in, and only the log of denied logins would show it.
 */
#ifndef KVCACHED_CONF_CONF_SECRET_H
#define KVCACHED_CONF_CONF_SECRET_H

#include <stdbool.h>

/* False: *why is a constant text that says what is wrong, without any part of the hash. Takes
 * less than a millisecond for most hashes, whatever their cost, and caches the good ones. One
 * thread at a time. */
bool conf_secret_usable(const char *hash, const char **why);

#endif
