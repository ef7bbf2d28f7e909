/*
 * conf_secret.h - whether any secret can have a hash.
 *
 * What has the form of a hash may be none all the same: of a method that crypt(3) does not
 * know, cut short, or with a cost that is none. With such a hash a user is configured and
 * nothing opens, and only the log of denied logins would tell.
 */
#ifndef KVCACHED_CONF_CONF_SECRET_H
#define KVCACHED_CONF_CONF_SECRET_H

#include <stdbool.h>

/* False: *why says what is wrong, without a word of the hash. Takes less than a millisecond
 * of most hashes, whatever they cost, and remembers the good ones. One thread at a time. */
bool conf_secret_usable(const char *hash, const char **why);

#endif
