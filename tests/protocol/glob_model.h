/*
 * glob_model.h - what a pattern means, found out byte by byte.
 *
 * Shares nothing with protocol/glob.c: it compiles nothing, and goes back to the last `*`
 * where it does not get on. For tests, which hold the two against each other.
 */
#ifndef KVCACHED_TESTS_PROTOCOL_GLOB_MODEL_H
#define KVCACHED_TESTS_PROTOCOL_GLOB_MODEL_H

#include "protocol/slice.h"

bool glob_model_valid(struct slice pattern);
/* Takes up to pattern.length * text.length steps. The pattern has to be valid. */
bool glob_model_match(struct slice pattern, struct slice text);

#endif
