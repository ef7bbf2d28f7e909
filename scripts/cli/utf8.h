/*
 * utf8.h - whether bytes are UTF-8.
 */
#ifndef KVCACHED_SCRIPTS_CLI_UTF8_H
#define KVCACHED_SCRIPTS_CLI_UTF8_H

#include "protocol/slice.h"

/* Well-formed as RFC 3629 says: no surrogates, nothing above U+10FFFF, in the fewest bytes. */
bool utf8_is_valid(struct slice bytes);

#endif
