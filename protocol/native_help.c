/*
 * native_help.c - HELP's texts, made from the same list as the parser's table: every verb with its
 * words and what it does, and a few lines about each.
 */
#include "protocol/native.h"

#define HELP_TIMES                                                                                 \
    "<ttl>: 90 or 1.5 (seconds), 500ms, 30m, 7d (units ms s m h d w), 0 or never, "                \
    "- for the default\r\n"

#define HELP_FLAGS                                                                                 \
    "<flags>: a number below 4294967296 that clients of memcached see; 0 if left out\r\n"

static const char list[] =
#define VERB(id, word, arguments, help, ...) word arguments ": " help "\r\n"
#include "protocol/verbs.def"
#undef VERB
    HELP_TIMES "Example: PUT sessions alice 30m, and on the next line: hello\r\n"
               "HELP <verb> says more about a verb\r\n";

static const char *const texts[] = {
#define VERB(id, word, arguments, help, more, reply, example)                                      \
    [VERB_##id] = word arguments ": " help "\r\n" more "Reply: " reply "\r\n"                      \
                                 "Example: " example "\r\n",
#include "protocol/verbs.def"
#undef VERB
};

struct slice native_help(const struct request *request)
{
    if (request->form > 0) {
        return slice_of(texts[request->form - 1]);
    }
    return (struct slice){list, sizeof list - 1};
}
