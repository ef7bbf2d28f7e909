/*
 * expect.h - what is said about the text of a kvcached.conf, which is taken for
 * that of a file called "f".
 */
#ifndef KVCACHED_TESTS_CONF_EXPECT_H
#define KVCACHED_TESTS_CONF_EXPECT_H

#include "conf/conf.h"

/* The text is taken. To be freed with conf_destroy. */
struct conf *verdict_good(const char *text);

/* The text is refused with exactly these lines. */
void verdict_bad(const char *text, const char *expected);

/* One line is all, and this is what stands behind "f:1: ". */
void verdict_refused(const char *text, const char *message);

/* Everything is as it is without a file. */
void verdict_defaults(const struct conf *conf);

#endif
