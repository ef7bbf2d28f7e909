/*
 * memcache_inspect.c - events and connections in memcached's words: the lines of its watch and of
 * its stats conns.
 *
 * An event's line ends in a line feed without CR, and its microseconds have no leading zeros, as
 * memcached's.
 */
#include <inttypes.h>
#include <stdio.h>

#include "protocol/memcache.h"

#define TEXT(words) ((struct slice){words, sizeof(words) - 1})

static char *add_pair(char *to, struct slice name, uint64_t value)
{
    return memcache_add_number(memcache_add(to, name), value);
}

static char *add_word(char *to, const char *word)
{
    return memcache_add(to, slice_of(word));
}

/* --- events ---------------------------------------------------------------------- */

static char *add_item(char *to, struct slice type, const struct watch_event *event)
{
    to = memcache_add(memcache_add(to, TEXT("type=")), type);
    return memcache_add_uri(memcache_add(to, TEXT(" key=")), event->key);
}

static char *add_place(char *to, const struct watch_event *event)
{
    bool found = event->status == EVENT_FOUND || event->status == EVENT_STORED;
    to = add_pair(to, TEXT(" clsid="), found ? event->number : 0);
    to = add_pair(to, TEXT(" cfd="), (uint64_t)event->fd);
    return add_pair(to, TEXT(" size="), found ? event->bytes : 0);
}

static char *add_fetch(char *to, const struct watch_event *event)
{
    to = add_item(to, TEXT("item_get"), event);
    to = memcache_add(to, TEXT(" status="));
    to = add_word(to, event->status == EVENT_FOUND ? "found" : "not_found");
    return add_place(to, event);
}

static const char *command_word(const struct watch_event *event)
{
    switch (event->verb) {
    case VERB_ADD:
        return "add";
    case VERB_REPLACE:
        return "replace";
    case VERB_APPEND:
        return "append";
    case VERB_PREPEND:
        return "prepend";
    case VERB_INCR:
        return "incr";
    case VERB_DECR:
        return "decr";
    default:
        return event->compares ? "cas" : "set";
    }
}

static const char *status_word(const struct watch_event *event)
{
    switch (event->status) {
    case EVENT_STORED:
    case EVENT_FOUND:
        return "stored";
    case EVENT_CHANGED:
        return "exists";
    case EVENT_NOT_FOUND:
        return event->compares ? "not_found" : "not_stored";
    case EVENT_TOO_LARGE:
        return "too_large";
    case EVENT_NO_MEMORY:
        return "no_memory";
    case EVENT_NOT_STORED:
    case EVENT_REFUSED:
        break;
    }
    return "not_stored";
}

static char *add_mutation(char *to, const struct watch_event *event)
{
    to = add_item(to, TEXT("item_store"), event);
    to = add_word(memcache_add(to, TEXT(" status=")), status_word(event));
    to = add_word(memcache_add(to, TEXT(" cmd=")), command_word(event));
    to = add_pair(to, TEXT(" ttl="), event->ttl);
    to = add_pair(to, TEXT(" clsid="), event->number);
    to = add_pair(to, TEXT(" cfd="), (uint64_t)event->fd);
    return add_pair(to, TEXT(" size="), event->bytes);
}

static char *add_deletion(char *to, const struct watch_event *event)
{
    to = add_item(to, TEXT("deleted"), event);
    to = memcache_add(to, TEXT(" cmd=delete"));
    to = add_pair(to, TEXT(" clsid="), event->number);
    return add_pair(to, TEXT(" size="), event->bytes);
}

static char *add_eviction(char *to, const struct watch_event *event)
{
    to = add_item(to, TEXT("eviction"), event);
    to = memcache_add(to, event->was_read ? TEXT(" fetch=yes") : TEXT(" fetch=no"));
    to = memcache_add(to, TEXT(" ttl="));
    to = event->left == UINT64_MAX ? memcache_add(to, TEXT("-1"))
                                   : memcache_add_number(to, event->left / 1000);
    to = memcache_add(to, TEXT(" la=0")); /* when it was last read is not kept for each record */
    to = add_pair(to, TEXT(" clsid="), event->number);
    return add_pair(to, TEXT(" size="), event->bytes);
}

/* From "127.0.0.1:4711", "[::1]:4711" or "unix". */
static char *add_peer(char *to, struct slice peer)
{
    const char *end = peer.bytes + peer.length;
    const char *colon = peer.length == 0 ? NULL : memrchr(peer.bytes, ':', peer.length);
    struct slice address = {peer.bytes, (size_t)((colon == NULL ? end : colon) - peer.bytes)};
    if (address.length > 1 && address.bytes[0] == '[') {
        address = (struct slice){address.bytes + 1, address.length - 2};
    }
    to = memcache_add(memcache_add(to, TEXT(" rip=")), address);
    to = memcache_add(to, TEXT(" rport="));
    if (colon == NULL) {
        return memcache_add(to, TEXT("0 transport=local"));
    }
    to = memcache_add(to, (struct slice){colon + 1, (size_t)(end - colon - 1)});
    return memcache_add(to, TEXT(" transport=tcp"));
}

static const char *reason_word(struct slice reason)
{
    if (slice_equal(reason, TEXT("quit")) || slice_equal(reason, TEXT("peer"))) {
        return "normal";
    }
    return slice_equal(reason, TEXT("idle")) ? "idle_timeout" : "error";
}

static char *add_connection(char *to, const struct watch_event *event)
{
    bool opened = event->kind == EVENT_OPENED;
    to = memcache_add(to, opened ? TEXT("type=conn_new") : TEXT("type=conn_close"));
    to = add_peer(to, event->peer);
    if (!opened) {
        to = add_word(memcache_add(to, TEXT(" reason=")), reason_word(event->reason));
    }
    return add_pair(to, TEXT(" cfd="), (uint64_t)event->fd);
}

static char *add_event(char *to, const struct watch_event *event)
{
    switch (event->kind) {
    case EVENT_READ:
    case EVENT_TOUCH:
        return add_fetch(to, event);
    case EVENT_WRITE:
        return add_mutation(to, event);
    case EVENT_DELETE:
        return add_deletion(to, event);
    case EVENT_EVICTION:
        return add_eviction(to, event);
    case EVENT_OPENED:
    case EVENT_CLOSED:
        return add_connection(to, event);
    case EVENT_EXPIRATION: /* memcached has no such line */
        break;
    }
    return to;
}

size_t memcache_event(const struct watch_event *event, uint64_t number, char *to)
{
    char *start = add_pair(to, TEXT("ts="), event->us / 1000000);
    *start++ = '.';
    start = memcache_add_number(start, event->us % 1000000);
    start = add_pair(start, TEXT(" gid="), number + 1);
    *start++ = ' ';
    char *end = add_event(start, event);
    if (end == start || (event->kind == EVENT_DELETE && event->status != EVENT_FOUND)) {
        return 0;
    }
    *end++ = '\n';
    return (size_t)(end - to);
}

size_t memcache_skipped(uint64_t events, char *to)
{
    return (size_t)sprintf(to, "skipped=%" PRIu64 "\n", events);
}

/* --- connections ------------------------------------------------------------------- */

static const char *state_word(enum client_state state)
{
    static const char *const words[] = {
        [CLIENT_IDLE] = "conn_read",
        [CLIENT_WORKING] = "conn_parse_cmd",
        [CLIENT_READING] = "conn_waiting",
        [CLIENT_UPLOADING] = "conn_nread",
        [CLIENT_STALLED] = "conn_mwrite",
        [CLIENT_AWAITS_AUTH] = "conn_waiting",
        [CLIENT_AWAITS_MEMORY] = "conn_waiting",
        [CLIENT_WATCHING] = "conn_watch",
        [CLIENT_LINGERING] = "conn_closing",
    };
    return words[state];
}

/* An address as memcached writes it: tcp:127.0.0.1:4711, tcp6:[::1]:4711, unix:/a/path. */
static char *add_address(char *to, bool is_local, const char *address)
{
    const char *kind = is_local ? "unix:" : address[0] == '[' ? "tcp6:" : "tcp:";
    return add_word(add_word(to, kind), address);
}

static char *begin_line(char *to, const struct client *client, struct slice name)
{
    to = add_pair(to, TEXT("STAT "), (uint64_t)client->fd);
    *to++ = ':';
    to = memcache_add(to, name);
    *to++ = ' ';
    return to;
}

size_t memcache_client(const struct client *client, char *to)
{
    char *at = to;
    bool is_local = strchr(client->peer, ':') == NULL;
    at = begin_line(at, client, TEXT("addr"));
    at = add_address(at, is_local, is_local ? client->listener : client->peer);
    at = begin_line(memcache_add(at, TEXT("\r\n")), client, TEXT("listen_addr"));
    at = add_address(at, is_local, client->listener);
    at = begin_line(memcache_add(at, TEXT("\r\n")), client, TEXT("state"));
    at = add_word(at, state_word(client->state));
    at = begin_line(memcache_add(at, TEXT("\r\n")), client, TEXT("secs_since_last_cmd"));
    at = memcache_add_number(at, client->idle / 1000);
    return (size_t)(memcache_add(at, TEXT("\r\n")) - to);
}
