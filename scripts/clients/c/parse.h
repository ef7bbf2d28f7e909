/*
 * parse.h - the words of a reply.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_PARSE_H
#define KVCACHED_SCRIPTS_CLIENTS_C_PARSE_H

#include <stdbool.h>

#include "protocol/slice.h"
#include "scripts/clients/c/kvcached.h"

/* The longest line of a reply, with its end. */
enum { PARSE_LINE_MAX = 1 << 20 };

/* Whether the first word is this. */
bool parse_is(const struct kvc_reply *reply, const char *word);

/* The first word of a text whose words are separated by single blanks; *rest: what follows it,
 * without the blank. */
struct kvc_bytes parse_word(struct kvc_bytes text, struct kvc_bytes *rest);

/* Whether the text is one number of 64 bits. */
bool parse_number(struct kvc_bytes text, uint64_t *number);

/* Of `NUMBER.ddd`, which are seconds, or `never`. */
bool parse_ttl(struct kvc_bytes text, int64_t *ttl);

#endif
