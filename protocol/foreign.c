/*
 * foreign.c - see foreign.h.
 *
 * Nothing but the beginning of a line is looked at, and its end for HTTP: values are not.
 */
#include "protocol/foreign.h"

#include <stdio.h>

static bool begins_with(struct slice line, const char *capitals, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((line.bytes[i] & ~('a' - 'A')) != capitals[i]) {
            return false;
        }
    }
    return true;
}

/* A TLS connection begins with the type of a handshake record and the version. A line feed may come
 * next, in the record's length. */
static bool is_tls_hello(struct slice start)
{
    return start.length >= 3 && start.bytes[0] == 0x16 && start.bytes[1] == 0x03;
}

enum foreign foreign_start(struct slice start)
{
    if (is_tls_hello(start)) {
        return FOREIGN_TLS;
    }
    if (start.length < 5) {
        return FOREIGN_NONE;
    }
    bool http = (start.bytes[4] == ' ' && begins_with(start, "POST", 4)) ||
                (start.bytes[4] == ':' && begins_with(start, "HOST", 4));
    return http ? FOREIGN_HTTP : FOREIGN_NONE;
}

static bool ends_like_http(struct slice line)
{
    static const char version[] = " HTTP/1.";
    enum { LENGTH = sizeof version - 1 };
    if (line.length < LENGTH + 1) {
        return false;
    }
    const char *end = line.bytes + line.length;
    return (end[-1] == '0' || end[-1] == '1') && memcmp(end - 1 - LENGTH, version, LENGTH) == 0;
}

enum foreign foreign_line(struct slice line)
{
    enum foreign start = foreign_start(line);
    return start == FOREIGN_NONE && ends_like_http(line) ? FOREIGN_HTTP : start;
}

bool foreign_has_http_path(struct slice line)
{
    const char *space = memchr(line.bytes, ' ', line.length);
    return space != NULL && ends_like_http(line) && space[1] == '/';
}

bool foreign_is_redis(struct slice line)
{
    enum { LONGEST = 11 };
    if (line.length < 2 || line.length > LONGEST ||
        (line.bytes[0] != '*' && line.bytes[0] != '$')) {
        return false;
    }
    for (size_t i = 1; i < line.length; i++) {
        if (line.bytes[i] < '0' || line.bytes[i] > '9') {
            return false;
        }
    }
    return true;
}

/* --- answers -------------------------------------------------------------- */

static size_t answer_http(const char *speaks, char *to)
{
    char text[160];
    int length = snprintf(text, sizeof text,
                          "this listener speaks %s, not HTTP; the live page and /metrics need a "
                          "listener with protocol = http\n",
                          speaks);
    int all = snprintf(to, FOREIGN_ANSWER_MAX,
                       "HTTP/1.1 400 Bad Request\r\n"
                       "Content-Type: text/plain\r\n"
                       "Content-Length: %d\r\n"
                       "Connection: close\r\n"
                       "\r\n"
                       "%s",
                       length, text);
    return (size_t)all;
}

static size_t answer_redis(const char *speaks, char *to)
{
    return (size_t)snprintf(to, FOREIGN_ANSWER_MAX,
                            "-ERR this listener speaks %s, not Redis's; "
                            "see kvcached-protocol(7)\r\n",
                            speaks);
}

size_t foreign_answer(enum foreign foreign, const char *speaks, char to[FOREIGN_ANSWER_MAX])
{
    switch (foreign) {
    case FOREIGN_HTTP:
        return answer_http(speaks, to);
    case FOREIGN_REDIS:
        return answer_redis(speaks, to);
    case FOREIGN_NONE:
    case FOREIGN_TLS:
        break;
    }
    return 0;
}
