/*
 * verdict.c - errors begin with a word in capitals, which says what they are.
 */
#include "daemon/cluster/verdict.h"

#include "daemon/cluster/reply.h"
#include "daemon/cluster/slots_reply.h"

static const struct {
    const char *word;
    enum verdict verdict;
} words[] = {
    {"MOVED ", VERDICT_MOVED},      {"ASK ", VERDICT_ASK},           {"TRYAGAIN", VERDICT_AGAIN},
    {"CLUSTERDOWN", VERDICT_LATER}, {"LOADING", VERDICT_LATER},      {"MASTERDOWN", VERDICT_LATER},
    {"READONLY", VERDICT_LATER},    {"NOSCRIPT", VERDICT_NO_SCRIPT},
};

/* A number of at most five digits, and the byte that ends it. */
static bool take_number(struct slice *text, char end, unsigned *number)
{
    size_t at = 0;
    *number = 0;
    while (at < text->length && at < 5 && text->bytes[at] >= '0' && text->bytes[at] <= '9') {
        *number = *number * 10 + (unsigned)(text->bytes[at++] - '0');
    }
    if (at == 0 ||
        (end == '\0' ? at != text->length : at == text->length || text->bytes[at] != end)) {
        return false;
    }
    at += end != '\0';
    *text = (struct slice){text->bytes + at, text->length - at};
    return true;
}

/* "3999 127.0.0.1:6381"; an IPv6 address has no brackets. */
static bool read_redirection(struct slice text, struct redirection *to)
{
    unsigned port;
    if (!take_number(&text, ' ', &to->slot) || to->slot >= CLUSTER_SLOTS) {
        return false;
    }
    const char *colon = text.length == 0 ? NULL : memrchr(text.bytes, ':', text.length);
    if (colon == NULL) {
        return false;
    }
    to->host = (struct slice){text.bytes, (size_t)(colon - text.bytes)};
    text = (struct slice){colon + 1, text.length - to->host.length - 1};
    if (!take_number(&text, '\0', &port) || port == 0 || port > UINT16_MAX) {
        return false;
    }
    to->port = (uint16_t)port;
    return slots_is_host(to->host) && !slice_equal(to->host, slice_of("?"));
}

enum verdict verdict_of(const struct cluster_reply *reply, struct redirection *redirection)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!reply_begins(reply, CLUSTER_ERROR, words[i].word)) {
            continue;
        }
        size_t length = strlen(words[i].word);
        struct slice rest = {reply->text.bytes + length, reply->text.length - length};
        bool redirects = words[i].verdict == VERDICT_MOVED || words[i].verdict == VERDICT_ASK;
        /* The node refuses, but where to turn is not to be read: the topology may tell. */
        return redirects && !read_redirection(rest, redirection) ? VERDICT_LATER : words[i].verdict;
    }
    return VERDICT_REPLY;
}
