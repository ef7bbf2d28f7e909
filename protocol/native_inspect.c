/*
 * native_inspect.c - events and connections in the native protocol's words.
 */
#include "protocol/logfmt.h"
#include "protocol/native.h"

static size_t end_line(char *to, size_t length)
{
    memcpy(to + length, "\r\n", 2);
    return length + 2;
}

size_t native_event(const struct watch_event *event, uint64_t number, char *to)
{
    static const char word[] = "EVENT ";
    (void)number;
    memcpy(to, word, sizeof word - 1);
    return end_line(to, sizeof word - 1 + inspect_event(event, to + sizeof word - 1));
}

size_t native_skipped(uint64_t events, char *to)
{
    static const char word[] = "EVENT ";
    memcpy(to, word, sizeof word - 1);
    struct logfmt line = logfmt_begin(to + sizeof word - 1);
    logfmt_number(&line, "skipped", events);
    return end_line(to, sizeof word - 1 + logfmt_length(&line));
}

size_t native_client(const struct client *client, char *to)
{
    static const char word[] = "CLIENT ";
    memcpy(to, word, sizeof word - 1);
    return end_line(to, sizeof word - 1 + inspect_client(client, to + sizeof word - 1));
}
