/*
 * inspect.c - the lines of events, connections and slow requests; see inspect.h.
 */
#include "protocol/inspect.h"

#include "protocol/logfmt.h"

const char *inspect_verb(enum verb verb)
{
    static const char *const words[VERB_UNUSED + 1] = {
#define VERB(id, word, ...) [VERB_##id] = word,
#include "protocol/verbs.def"
#undef VERB
        [VERB_REPLACE] = "REPLACE",   [VERB_APPEND] = "APPEND", [VERB_PREPEND] = "PREPEND",
        [VERB_LOOK] = "GET",          [VERB_STALE] = "DEL",     [VERB_EMPTY] = "DEL",
        [VERB_METADUMP] = "METADUMP", [VERB_MEMORY] = "MEMORY", [VERB_OK] = "OK",
        [VERB_UNUSED] = "-",
    };
    return words[verb];
}

/* --- events ---------------------------------------------------------------------- */

static const char *kind_word(enum event_kind kind)
{
    switch (kind) {
    case EVENT_READ:
        return "read";
    case EVENT_WRITE:
    case EVENT_TOUCH:
    case EVENT_DELETE:
        return "write";
    case EVENT_EVICTION:
        return "eviction";
    case EVENT_EXPIRATION:
        return "expiration";
    case EVENT_OPENED:
        return "opened";
    case EVENT_CLOSED:
        break;
    }
    return "closed";
}

static const char *status_word(enum event_status status)
{
    static const char *const words[] = {
        [EVENT_FOUND] = "found",         [EVENT_NOT_FOUND] = "not_found",
        [EVENT_STORED] = "stored",       [EVENT_NOT_STORED] = "not_stored",
        [EVENT_CHANGED] = "changed",     [EVENT_TOO_LARGE] = "too_large",
        [EVENT_NO_MEMORY] = "no_memory", [EVENT_REFUSED] = "refused",
    };
    return words[status];
}

static void add_connection(struct logfmt *line, const struct watch_event *event)
{
    logfmt_text(line, "peer", event->peer);
    logfmt_text(line, "user", event->user);
}

static void add_record(struct logfmt *line, const struct watch_event *event)
{
    logfmt_text(line, "ns", event->ns);
    logfmt_text(line, "key", event->key);
    if (event->kind == EVENT_READ) {
        logfmt_number(line, "hit", event->status == EVENT_FOUND);
    }
    logfmt_number(line, "bytes", event->bytes);
    if ((EVENT_BIT(event->kind) & EVENTS_WRITES) != 0) {
        logfmt_text(line, "verb", slice_of(inspect_verb(event->verb)));
        logfmt_text(line, "status", slice_of(status_word(event->status)));
    }
    if ((EVENT_BIT(event->kind) & (EVENTS_READS | EVENTS_WRITES)) != 0) {
        add_connection(line, event);
    }
}

size_t inspect_event(const struct watch_event *event, char to[EVENT_LINE_MAX])
{
    struct logfmt line = logfmt_begin(to);
    logfmt_decimal(&line, "ts", event->us / 1000, 3);
    logfmt_text(&line, "kind", slice_of(kind_word(event->kind)));
    if ((EVENT_BIT(event->kind) & EVENTS_CONNECTIONS) == 0) {
        add_record(&line, event);
        return logfmt_length(&line);
    }
    logfmt_number(&line, "id", event->id);
    add_connection(&line, event);
    logfmt_text(&line, "door", event->listener);
    if (event->kind == EVENT_CLOSED) {
        logfmt_text(&line, "reason", event->reason);
    }
    return logfmt_length(&line);
}

/* --- connections ------------------------------------------------------------------- */

static const char *state_word(enum client_state state)
{
    static const char *const words[] = {
        [CLIENT_IDLE] = "idle",
        [CLIENT_WORKING] = "working",
        [CLIENT_READING] = "reading",
        [CLIENT_UPLOADING] = "uploading",
        [CLIENT_STALLED] = "stalled",
        [CLIENT_AWAITS_AUTH] = "awaits_auth",
        [CLIENT_AWAITS_MEMORY] = "awaits_memory",
        [CLIENT_WATCHING] = "watching",
        [CLIENT_LINGERING] = "lingering",
    };
    return words[state];
}

size_t inspect_client(const struct client *client, char to[CLIENT_LINE_MAX])
{
    struct logfmt line = logfmt_begin(to);
    logfmt_number(&line, "id", client->id);
    logfmt_text(&line, "peer", slice_of(client->peer));
    logfmt_text(&line, "door", slice_of(client->listener));
    logfmt_text(&line, "protocol", slice_of(client->protocol));
    logfmt_text(&line, "user", slice_of(client->user));
    logfmt_text(&line, "tls", slice_of(client->tls));
    logfmt_decimal(&line, "age", client->age / 100, 1);
    logfmt_decimal(&line, "idle", client->idle / 100, 1);
    logfmt_text(&line, "last", slice_of(inspect_verb(client->last)));
    logfmt_number(&line, "in", client->in);
    logfmt_number(&line, "out", client->out);
    logfmt_number(&line, "owes", client->owes);
    logfmt_text(&line, "state", slice_of(state_word(client->state)));
    return logfmt_length(&line);
}

/* --- slow requests -------------------------------------------------------------------- */

size_t inspect_slow(const struct slow_request *slow, char to[SLOW_LINE_MAX])
{
    enum { NS_PER_UNIT = 100000 }; /* of 0.0001 seconds */
    struct logfmt line = logfmt_begin(to);
    logfmt_number(&line, "id", slow->id);
    logfmt_decimal(&line, "ts", slow->us / 1000, 3);
    logfmt_decimal(&line, "took", slow->took / NS_PER_UNIT, 4);
    logfmt_decimal(&line, "worked", slow->worked / NS_PER_UNIT, 4);
    logfmt_number(&line, "turns", slow->turns);
    logfmt_text(&line, "peer", slice_of(slow->peer));
    logfmt_text(&line, "user", slice_of(slow->user));
    logfmt_text(&line, "door", slice_of(slow->listener));
    logfmt_text(&line, "verb", slice_of(inspect_verb(slow->verb)));
    logfmt_text(&line, "ns", slice_of(slow->ns));
    logfmt_number(&line, "keys", slow->keys);
    if (slow->pattern_length > 0) {
        logfmt_text(&line, "pattern", (struct slice){slow->pattern, slow->pattern_length});
    }
    return logfmt_length(&line);
}
