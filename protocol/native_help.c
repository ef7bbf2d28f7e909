/*
 * native_help.c - HELP's text: every verb with its words and what it does, made
 * from the same list as the parser's table.
 */
#include "protocol/native.h"

static const char text[] =
#define VERB(id, word, arguments, help) word arguments ": " help "\r\n"
#include "protocol/verbs.def"
#undef VERB
    ;

struct slice native_help(void)
{
    return (struct slice){text, sizeof text - 1};
}
