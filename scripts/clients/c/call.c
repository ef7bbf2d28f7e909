/*
 * call.c - requests with one reply.
 */
#include "scripts/clients/c/call.h"

#include "scripts/clients/c/connection.h"

enum kvc_result call_begin(struct kvc *kvc)
{
    return kvc->awaited.count == 0
               ? KVC_OK
               : handle_fail(kvc, KVC_ERROR_ARGUMENT, "replies to appended requests are left");
}

/* What was sent is kept until the next request is appended. */
bool call_again(struct kvc *kvc, struct expected lost)
{
    if (!kvc->settings.retry || expect_writes(lost.kind) || lost.kind == EXPECT_AUTH ||
        connection_open(kvc) != KVC_OK) {
        return false;
    }
    kvc->out_sent = 0;
    return expect_push(&kvc->awaited, lost.kind, lost.left);
}

enum kvc_result call_first(struct kvc *kvc, enum kvc_result appended, struct kvc_reply *reply)
{
    if (appended != KVC_OK) {
        return appended;
    }
    struct expected lost = *expect_first(&kvc->awaited);
    enum kvc_result result = kvc_next(kvc, reply);
    if (result == KVC_ERROR_CLOSED && call_again(kvc, lost)) {
        result = kvc_next(kvc, reply);
    }
    return call_end(kvc, result);
}

enum kvc_result call_end(struct kvc *kvc, enum kvc_result result)
{
    if (result == KVC_ERROR_STOPPED || result == KVC_ERROR_MEMORY) {
        kvc->error.in_doubt = expect_any_writes(&kvc->awaited);
        kvc_disconnect(kvc);
    }
    return result;
}

/* --- writing ---------------------------------------------------------------------- */

enum kvc_result kvc_put(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                        struct kvc_bytes value, int64_t ttl, uint32_t flags)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_put(kvc, ns, key, value, ttl, flags);
    }
    return call_first(kvc, result, &reply);
}

enum kvc_result kvc_add(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                        struct kvc_bytes value, int64_t ttl, uint32_t flags)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_add(kvc, ns, key, value, ttl, flags);
    }
    return call_first(kvc, result, &reply);
}

enum kvc_result kvc_delete(struct kvc *kvc, const char *ns, struct kvc_bytes key)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_delete(kvc, ns, &key, 1);
    }
    return call_first(kvc, result, &reply);
}

enum kvc_result kvc_touch(struct kvc *kvc, const char *ns, struct kvc_bytes key, int64_t ttl)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_touch(kvc, ns, key, ttl);
    }
    return call_first(kvc, result, &reply);
}

/* The number of a reply. `appended` as of call_first. */
static enum kvc_result read_number(struct kvc *kvc, enum kvc_result appended, uint64_t *number)
{
    struct kvc_reply reply;
    enum kvc_result result = call_first(kvc, appended, &reply);
    if (result == KVC_OK && number != NULL) {
        *number = reply.number;
    }
    return result;
}

enum kvc_result kvc_incr(struct kvc *kvc, const char *ns, struct kvc_bytes key, uint64_t by,
                         uint64_t *number)
{
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_incr(kvc, ns, key, by);
    }
    return read_number(kvc, result, number);
}

enum kvc_result kvc_decr(struct kvc *kvc, const char *ns, struct kvc_bytes key, uint64_t by,
                         uint64_t *number)
{
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_decr(kvc, ns, key, by);
    }
    return read_number(kvc, result, number);
}

enum kvc_result kvc_flush_namespace(struct kvc *kvc, const char *ns, uint64_t *records)
{
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_flush(kvc, ns);
    }
    return read_number(kvc, result, records);
}

/* --- reading ---------------------------------------------------------------------- */

enum kvc_result kvc_get(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                        struct kvc_bytes *value)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_get(kvc, ns, &key, 1);
    }
    result = call_first(kvc, result, &reply);
    if (result == KVC_OK) {
        *value = reply.value;
    }
    return result;
}

enum kvc_result kvc_ttl(struct kvc *kvc, const char *ns, struct kvc_bytes key, int64_t *ttl)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_ttl(kvc, ns, key);
    }
    result = call_first(kvc, result, &reply);
    if (result == KVC_OK) {
        *ttl = reply.ttl;
    }
    return result;
}

enum kvc_result kvc_ping(struct kvc *kvc)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_ping(kvc);
    }
    return call_first(kvc, result, &reply);
}

enum kvc_result kvc_server_version(struct kvc *kvc, struct kvc_bytes *version)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_version(kvc);
    }
    result = call_first(kvc, result, &reply);
    if (result == KVC_OK) {
        *version = reply.value;
    }
    return result;
}

enum kvc_result kvc_auth(struct kvc *kvc, const char *user, struct kvc_bytes secret)
{
    struct kvc_reply reply;
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = append_auth(kvc, user, secret);
    }
    result = call_first(kvc, result, &reply);
    buffer_wipe(&kvc->out);
    return result;
}
