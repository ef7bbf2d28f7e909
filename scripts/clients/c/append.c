/*
 * append.c - requests that are appended to what is sent, and their replies one by one.
 *
 * A request is checked and written first, and the connection made after that: what is refused
 * costs no connection, and leaves no byte behind.
 */
#include "scripts/clients/c/append.h"

#include <inttypes.h>
#include <stdio.h>

#include "protocol/token.h"
#include "scripts/clients/c/clock.h"
#include "scripts/clients/c/connection.h"
#include "scripts/clients/c/handle.h"

enum { NAMESPACE_MAX = 64, KEY_MAX = 1024 };

/* A request that is being written. */
struct draft {
    struct kvc *kvc;
    size_t from; /* where it begins in what is to be sent */
    enum kvc_result result;
};

static void refuse(struct draft *draft, const char *why)
{
    if (draft->result == KVC_OK) {
        draft->result = handle_fail(draft->kvc, KVC_ERROR_ARGUMENT, "%s", why);
    }
}

static void begin(struct draft *draft, struct kvc *kvc, const char *verb)
{
    if (kvc->out_sent == kvc->out.length) {
        buffer_reset(&kvc->out);
        kvc->out_sent = 0;
    }
    *draft = (struct draft){.kvc = kvc, .from = kvc->out.length};
    buffer_append_text(&kvc->out, verb);
}

/* Takes the request away again. */
static enum kvc_result withdraw(struct draft *draft, enum kvc_result result)
{
    draft->kvc->out.length = draft->from;
    draft->kvc->out.failed = false;
    return result;
}

/* The first request that is awaited needs a connection. */
static enum kvc_result connect_for(struct draft *draft)
{
    struct kvc *kvc = draft->kvc;
    if (kvc->awaited.count > 1 || kvc_is_good(kvc)) {
        return KVC_OK;
    }
    enum kvc_result result = connection_open(kvc);
    if (result != KVC_OK) {
        expect_pop_last(&kvc->awaited);
    }
    return result;
}

static enum kvc_result end(struct draft *draft, enum expect_kind kind, size_t replies)
{
    struct kvc *kvc = draft->kvc;
    buffer_append_text(&kvc->out, "\r\n");
    if (draft->result != KVC_OK) {
        return withdraw(draft, draft->result);
    }
    if (kvc->out.failed || !expect_push(&kvc->awaited, kind, replies)) {
        return withdraw(draft, handle_fail(kvc, KVC_ERROR_MEMORY, "no memory"));
    }
    enum kvc_result result = connect_for(draft);
    return result == KVC_OK ? KVC_OK : withdraw(draft, result);
}

/* --- words ------------------------------------------------------------------------ */

static void add_namespace(struct draft *draft, const char *ns)
{
    size_t length = strnlen(ns, NAMESPACE_MAX + 1);
    if (length == 0 || length > NAMESPACE_MAX ||
        token_span(ns, ns + length, TOKEN_NAME) != ns + length) {
        refuse(draft, "a namespace has 1 to 64 of A-Z a-z 0-9 _ . -");
    }
    buffer_append_text(&draft->kvc->out, " ");
    buffer_append_text(&draft->kvc->out, ns);
}

static void add_key(struct draft *draft, struct kvc_bytes key)
{
    struct buffer *out = &draft->kvc->out;
    if (key.length == 0 || key.length > KEY_MAX) {
        refuse(draft, "a key has 1 to 1024 bytes");
        return;
    }
    buffer_append_text(out, " ");
    size_t from = out->length;
    buffer_append_key(out, (struct slice){key.bytes, key.length});
    if (out->length - from > KEY_MAX) {
        refuse(draft, "a key has 1 to 1024 bytes, as it is sent");
    }
}

static void add_number(struct draft *draft, uint64_t number)
{
    buffer_append_text(&draft->kvc->out, " ");
    buffer_append_number(&draft->kvc->out, number);
}

static void add_ttl(struct draft *draft, int64_t ttl)
{
    char text[32];
    if (ttl == KVC_TTL_DEFAULT || ttl == KVC_TTL_NEVER) {
        buffer_append_text(&draft->kvc->out, ttl == KVC_TTL_NEVER ? " never" : " -");
        return;
    }
    if (ttl <= 0) {
        refuse(draft, "a time to live is 1 ms or more");
    }
    snprintf(text, sizeof text, " %" PRId64 "ms", ttl);
    buffer_append_text(&draft->kvc->out, text);
}

static void add_pattern(struct draft *draft, const char *pattern)
{
    if (pattern == NULL) {
        return;
    }
    if (!settings_is_word(kvc_text(pattern))) {
        refuse(draft, "a pattern is not empty, and has no blank and no control character");
    }
    buffer_append_text(&draft->kvc->out, " ");
    buffer_append_text(&draft->kvc->out, pattern);
}

/* --- requests --------------------------------------------------------------------- */

static enum kvc_result append_value(struct kvc *kvc, const char *verb, enum expect_kind kind,
                                    const char *ns, const struct kvc_record *record)
{
    struct draft draft;
    begin(&draft, kvc, verb);
    add_namespace(&draft, ns);
    add_key(&draft, record->key);
    add_ttl(&draft, record->ttl);
    add_number(&draft, record->value.length);
    if (record->flags != 0) {
        add_number(&draft, record->flags);
    }
    buffer_append_text(&kvc->out, "\r\n");
    buffer_append(&kvc->out, (struct slice){record->value.bytes, record->value.length});
    return end(&draft, kind, 1);
}

enum kvc_result kvc_append_put(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                               struct kvc_bytes value, int64_t ttl, uint32_t flags)
{
    struct kvc_record record = {key, value, ttl, flags};
    return append_value(kvc, "PUT", EXPECT_PUT, ns, &record);
}

enum kvc_result kvc_append_add(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                               struct kvc_bytes value, int64_t ttl, uint32_t flags)
{
    struct kvc_record record = {key, value, ttl, flags};
    return append_value(kvc, "ADD", EXPECT_ADD, ns, &record);
}

static enum kvc_result append_keys(struct kvc *kvc, const char *verb, enum expect_kind kind,
                                   const char *ns, const struct kvc_bytes *keys, size_t count)
{
    struct draft draft;
    begin(&draft, kvc, verb);
    add_namespace(&draft, ns);
    if (count == 0) {
        refuse(&draft, "there is no key");
    }
    for (size_t i = 0; i < count; i++) {
        add_key(&draft, keys[i]);
    }
    return end(&draft, kind, count);
}

enum kvc_result kvc_append_get(struct kvc *kvc, const char *ns, const struct kvc_bytes *keys,
                               size_t count)
{
    return append_keys(kvc, "GET", EXPECT_GET, ns, keys, count);
}

enum kvc_result kvc_append_delete(struct kvc *kvc, const char *ns, const struct kvc_bytes *keys,
                                  size_t count)
{
    return append_keys(kvc, "DEL", EXPECT_DELETE, ns, keys, count);
}

enum kvc_result kvc_append_ttl(struct kvc *kvc, const char *ns, struct kvc_bytes key)
{
    return append_keys(kvc, "TTL", EXPECT_TTL, ns, &key, 1);
}

enum kvc_result kvc_append_touch(struct kvc *kvc, const char *ns, struct kvc_bytes key, int64_t ttl)
{
    struct draft draft;
    begin(&draft, kvc, "TOUCH");
    add_namespace(&draft, ns);
    add_key(&draft, key);
    add_ttl(&draft, ttl);
    return end(&draft, EXPECT_TOUCH, 1);
}

static enum kvc_result append_count(struct kvc *kvc, const char *verb, const char *ns,
                                    struct kvc_bytes key, uint64_t by)
{
    struct draft draft;
    begin(&draft, kvc, verb);
    add_namespace(&draft, ns);
    add_key(&draft, key);
    add_number(&draft, by);
    return end(&draft, EXPECT_NUMBER, 1);
}

enum kvc_result kvc_append_incr(struct kvc *kvc, const char *ns, struct kvc_bytes key, uint64_t by)
{
    return append_count(kvc, "INCR", ns, key, by);
}

enum kvc_result kvc_append_decr(struct kvc *kvc, const char *ns, struct kvc_bytes key, uint64_t by)
{
    return append_count(kvc, "DECR", ns, key, by);
}

/* `ns` NULL: none. */
static enum kvc_result append_namespace(struct kvc *kvc, const char *verb, enum expect_kind kind,
                                        const char *ns, const char *pattern)
{
    struct draft draft;
    begin(&draft, kvc, verb);
    if (ns != NULL) {
        add_namespace(&draft, ns);
    }
    add_pattern(&draft, pattern);
    return end(&draft, kind, 1);
}

enum kvc_result kvc_append_list(struct kvc *kvc, const char *ns, const char *pattern)
{
    return append_namespace(kvc, "LIST", EXPECT_LIST, ns, pattern);
}

enum kvc_result kvc_append_all(struct kvc *kvc, const char *ns, const char *pattern)
{
    return append_namespace(kvc, "ALL", EXPECT_ALL, ns, pattern);
}

enum kvc_result kvc_append_stats(struct kvc *kvc, const char *ns)
{
    return append_namespace(kvc, "STATS", EXPECT_STATS, ns, NULL);
}

enum kvc_result kvc_append_flush(struct kvc *kvc, const char *ns)
{
    return append_namespace(kvc, "FLUSH", EXPECT_FLUSH, ns, NULL);
}

enum kvc_result kvc_append_ping(struct kvc *kvc)
{
    return append_namespace(kvc, "PING", EXPECT_PING, NULL, NULL);
}

enum kvc_result kvc_append_version(struct kvc *kvc)
{
    return append_namespace(kvc, "VERSION", EXPECT_VERSION, NULL, NULL);
}

enum kvc_result append_auth(struct kvc *kvc, const char *user, struct kvc_bytes secret)
{
    struct draft draft;
    begin(&draft, kvc, "AUTH ");
    if (!settings_is_word(kvc_text(user)) || !settings_is_word(secret)) {
        refuse(&draft, "a user or a secret is empty, or has a blank or a control character");
    }
    buffer_append_text(&kvc->out, user);
    buffer_append_text(&kvc->out, " ");
    buffer_append(&kvc->out, (struct slice){secret.bytes, secret.length});
    return end(&draft, EXPECT_AUTH, 1);
}

/* --- replies ---------------------------------------------------------------------- */

/* After this the connection is closed, and what was awaited never comes. */
static bool is_end(enum kvc_result result)
{
    return result >= KVC_ERROR_UNREACHABLE;
}

static enum kvc_result take(struct kvc *kvc, struct kvc_reply *reply)
{
    enum kvc_result result = expect_take(&kvc->awaited, reply, &kvc->key);
    if (result == KVC_ERROR_PROTOCOL) {
        return handle_lose(kvc, result, "the reply is none that this request can have");
    }
    if (result >= KVC_ERROR_CLIENT) {
        handle_fail(kvc, result, "%.*s", (int)reply->rest.length, reply->rest.bytes);
    }
    return result;
}

enum kvc_result kvc_next(struct kvc *kvc, struct kvc_reply *reply)
{
    if (kvc->awaited.count == 0) {
        return handle_fail(kvc, KVC_ERROR_ARGUMENT, "no reply is awaited");
    }
    bool writes = expect_any_writes(&kvc->awaited);
    kvc->until = kvc->timeout >= 0 ? clock_now() + kvc->timeout : 0;
    enum kvc_result result = kvc_read(kvc, KVC_VALUES, reply);
    kvc->until = 0;
    if (result == KVC_OK) {
        result = take(kvc, reply);
    }
    if (is_end(result)) {
        expect_clear(&kvc->awaited);
        kvc->error.in_doubt = writes;
    }
    return result;
}
