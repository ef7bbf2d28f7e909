/*
 * glob_model.h - what a pattern means, found out byte by byte.
 *
 * Shares nothing with protocol/glob.c, neither how a pattern is read nor how it is matched. For
 * tests, which compare the two.
 */
#ifndef KVCACHED_TESTS_PROTOCOL_GLOB_MODEL_H
#define KVCACHED_TESTS_PROTOCOL_GLOB_MODEL_H

#include "protocol/slice.h"

/* Both abort when out of memory. */
bool glob_model_valid(struct slice pattern);
/* Takes up to pattern.length * text.length steps. The pattern has to be valid. */
bool glob_model_match(struct slice pattern, struct slice text);

#endif
