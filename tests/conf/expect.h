/*
 * expect.h - expectations about the text of a kvcached.conf. The text counts as that of a file
 * named "f".
 */
#ifndef KVCACHED_TESTS_CONF_EXPECT_H
#define KVCACHED_TESTS_CONF_EXPECT_H

#include "conf/conf.h"

/* The text is accepted. To be freed with conf_destroy. */
struct conf *verdict_good(const char *text);

/* The text is refused with exactly these lines. */
void verdict_bad(const char *text, const char *expected);

/* There is one line of errors: "f:1: " and this text. */
void verdict_refused(const char *text, const char *message);

/* The configuration is the same as without a file. */
void verdict_defaults(const struct conf *conf);

#endif
