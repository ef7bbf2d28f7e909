/*
 * calls.c - calls of vectors.txt.
 */
#include "tests/clients/c/calls.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 16 };

/* A call, read: `put "ns" "key" "value" ttl=5`. */
struct call {
    char verb[32];
    struct text words[WORDS_MAX]; /* the strings */
    struct kvc_bytes of[WORDS_MAX];
    size_t count;
    int64_t ttl;
    uint32_t flags;
    uint64_t by;
};

static void read_setting(struct call *call, const char *setting)
{
    if (strncmp(setting, "ttl=", 4) == 0) {
        call->ttl = strcmp(setting + 4, "never") == 0 ? KVC_TTL_NEVER : atoll(setting + 4);
    } else if (strncmp(setting, "flags=", 6) == 0) {
        call->flags = (uint32_t)strtoul(setting + 6, NULL, 10);
    } else if (strncmp(setting, "by=", 3) == 0) {
        call->by = strtoull(setting + 3, NULL, 10);
    } else {
        errx(1, "%s: not known", setting);
    }
}

static void read_call(const char *text, struct call *call)
{
    size_t length = strcspn(text, " ");
    *call = (struct call){.ttl = KVC_TTL_DEFAULT, .by = 1};
    memcpy(call->verb, text, length < sizeof call->verb ? length : sizeof call->verb - 1);
    for (text += length; *text == ' ';) {
        char setting[64] = "";
        text++;
        if (*text == '"') {
            if (call->count == WORDS_MAX || !text_read_quoted(&text, &call->words[call->count])) {
                errx(1, "%s: not understood", text);
            }
            struct text *word = &call->words[call->count];
            call->of[call->count++] = (struct kvc_bytes){word->at, word->length};
        } else {
            length = strcspn(text, " ");
            memcpy(setting, text, length < sizeof setting ? length : sizeof setting - 1);
            read_setting(call, setting);
            text += length;
        }
    }
}

static void free_call(struct call *call)
{
    for (size_t i = 0; i < call->count; i++) {
        text_deinit(&call->words[i]);
    }
}

static bool is(const struct call *call, const char *verb)
{
    return strcmp(call->verb, verb) == 0;
}

/* The string, or NULL where there is none. */
static const char *word(const struct call *call, size_t number)
{
    return number < call->count ? call->words[number].at : NULL;
}

/* --- results ---------------------------------------------------------------------- */

void calls_add_error(const struct kvc *kvc, enum kvc_result result, struct text *text)
{
    static const char *const kinds[] = {
        [KVC_ERROR_ARGUMENT] = "argument", [KVC_ERROR_CLIENT] = "client",
        [KVC_ERROR_SERVER] = "server",     [KVC_ERROR_UNKNOWN] = "unknown",
        [KVC_ERROR_DENIED] = "denied",     [KVC_ERROR_MEMORY] = "memory",
        [KVC_ERROR_STOPPED] = "stopped",   [KVC_ERROR_UNREACHABLE] = "unreachable",
        [KVC_ERROR_CLOSED] = "closed",     [KVC_ERROR_TIMEOUT] = "timeout",
        [KVC_ERROR_PROTOCOL] = "protocol"};
    const struct kvc_error *error = kvc_last_error(kvc);
    text_print(text, "error %s", error->code == result ? kinds[result] : "of another code");
    if (result >= KVC_ERROR_CLIENT && result <= KVC_ERROR_UNKNOWN) {
        text_print(text, " ");
        text_add_quoted(text, kvc_text(error->text));
    }
}

/* How a verb's result is written. */
enum shape { SHAPE_OK, SHAPE_BOOL, SHAPE_VALUE, SHAPE_NUMBER, SHAPE_TTL };

static enum shape shape_of(const struct call *call)
{
    if (is(call, "put") || is(call, "ping") || is(call, "auth")) {
        return SHAPE_OK;
    }
    if (is(call, "get")) {
        return SHAPE_VALUE;
    }
    if (is(call, "ttl")) {
        return SHAPE_TTL;
    }
    return is(call, "incr") || is(call, "decr") || is(call, "flush") ? SHAPE_NUMBER : SHAPE_BOOL;
}

/* What a call with one reply came to; of the rest the shape says what is set. */
static void add_result(const struct kvc *kvc, enum shape shape, enum kvc_result result,
                       const struct kvc_reply *reply, struct text *text)
{
    if (result > KVC_EXISTS) {
        calls_add_error(kvc, result, text);
    } else if (result != KVC_OK) {
        text_print(text, shape == SHAPE_BOOL ? "false" : "not_found");
    } else if (shape == SHAPE_VALUE) {
        text_print(text, "value ");
        text_add_quoted(text, reply->value);
    } else if (shape == SHAPE_NUMBER) {
        text_print(text, "number %" PRIu64, reply->number);
    } else if (shape == SHAPE_TTL && reply->ttl != KVC_TTL_NEVER) {
        text_print(text, "ttl %" PRId64, reply->ttl);
    } else {
        text_print(text, shape == SHAPE_OK ? "ok" : shape == SHAPE_BOOL ? "true" : "ttl never");
    }
}

/* --- calls ------------------------------------------------------------------------ */

/* Those with one reply. False: it is none of them. */
static bool make_simple(struct kvc *kvc, const struct call *call, struct text *text)
{
    struct kvc_reply reply = {.number = 0};
    enum kvc_result result;
    const char *ns = word(call, 0);
    const struct kvc_bytes *of = call->of;
    if (is(call, "put")) {
        result = kvc_put(kvc, ns, of[1], of[2], call->ttl, call->flags);
    } else if (is(call, "add")) {
        result = kvc_add(kvc, ns, of[1], of[2], call->ttl, call->flags);
    } else if (is(call, "get")) {
        result = kvc_get(kvc, ns, of[1], &reply.value);
    } else if (is(call, "delete")) {
        result = kvc_delete(kvc, ns, of[1]);
    } else if (is(call, "touch")) {
        result = kvc_touch(kvc, ns, of[1], call->ttl);
    } else if (is(call, "ttl")) {
        result = kvc_ttl(kvc, ns, of[1], &reply.ttl);
    } else if (is(call, "incr")) {
        result = kvc_incr(kvc, ns, of[1], call->by, &reply.number);
    } else if (is(call, "decr")) {
        result = kvc_decr(kvc, ns, of[1], call->by, &reply.number);
    } else if (is(call, "flush")) {
        result = kvc_flush_namespace(kvc, ns, &reply.number);
    } else if (is(call, "ping")) {
        result = kvc_ping(kvc);
    } else if (is(call, "auth")) {
        result = kvc_auth(kvc, ns, of[1]);
    } else {
        return false;
    }
    add_result(kvc, shape_of(call), result, &reply, text);
    return true;
}

static void make_version(struct kvc *kvc, struct text *text)
{
    struct kvc_bytes version;
    enum kvc_result result = kvc_server_version(kvc, &version);
    if (result == KVC_OK) {
        text_print(text, "text ");
        text_add_quoted(text, version);
    } else {
        calls_add_error(kvc, result, text);
    }
}

static void make_put_many(struct kvc *kvc, const struct call *call, struct text *text)
{
    struct kvc_record records[WORDS_MAX];
    enum kvc_result results[WORDS_MAX];
    size_t count = (call->count - 1) / 2;
    for (size_t i = 0; i < count; i++) {
        records[i] =
            (struct kvc_record){call->of[2 * i + 1], call->of[2 * i + 2], call->ttl, call->flags};
    }
    enum kvc_result result = kvc_mput(kvc, word(call, 0), records, count, results);
    for (size_t i = 0; result == KVC_OK && i < count; i++) {
        result = results[i];
    }
    add_result(kvc, SHAPE_OK, result, NULL, text);
}

static void make_get_many(struct kvc *kvc, const struct call *call, struct text *text)
{
    struct kvc_bytes values[WORDS_MAX];
    size_t count = call->count - 1;
    enum kvc_result result = kvc_mget(kvc, word(call, 0), call->of + 1, count, values);
    if (result != KVC_OK) {
        calls_add_error(kvc, result, text);
        return;
    }
    text_print(text, "values");
    for (size_t i = 0; i < count; i++) {
        text_print(text, " ");
        if (values[i].bytes != NULL) {
            text_add_quoted(text, values[i]);
        } else {
            text_print(text, "not_found");
        }
    }
}

static void make_delete_many(struct kvc *kvc, const struct call *call, struct text *text)
{
    enum kvc_result results[WORDS_MAX];
    size_t count = call->count - 1;
    enum kvc_result result = kvc_mdelete(kvc, word(call, 0), call->of + 1, count, results);
    if (result != KVC_OK) {
        calls_add_error(kvc, result, text);
        return;
    }
    text_print(text, "flags");
    for (size_t i = 0; i < count; i++) {
        text_print(text, results[i] == KVC_OK ? " true" : " false");
    }
}

/* --- listings --------------------------------------------------------------------- */

static int add_key(void *context, struct kvc_bytes key, struct kvc_bytes value)
{
    (void)value;
    text_print(context, " ");
    text_add_quoted(context, key);
    return 0;
}

static int add_row(void *context, struct kvc_bytes key, struct kvc_bytes value)
{
    add_key(context, key, value);
    return add_key(context, value, value);
}

static void make_listing(struct kvc *kvc, const struct call *call, struct text *text)
{
    struct text rows = {.at = NULL};
    enum kvc_result result;
    const char *shape = "list";
    text_print(&rows, "%s", "");
    if (is(call, "list")) {
        result = kvc_list(kvc, word(call, 0), word(call, 1), add_key, &rows);
    } else if (is(call, "all")) {
        shape = "records";
        result = kvc_all(kvc, word(call, 0), word(call, 1), add_row, &rows);
    } else if (is(call, "stats")) {
        shape = "pairs";
        result = kvc_stats(kvc, word(call, 0), add_row, &rows);
    } else {
        errx(1, "%s: not known", call->verb);
    }
    if (result == KVC_OK) {
        text_print(text, "%s%s", shape, rows.at);
    } else {
        add_result(kvc, SHAPE_VALUE, result, NULL, text);
    }
    text_deinit(&rows);
}

void calls_make(struct kvc *kvc, const char *text, struct text *result)
{
    struct call call;
    read_call(text, &call);
    if (is(&call, "version")) {
        make_version(kvc, result);
    } else if (is(&call, "put_many")) {
        make_put_many(kvc, &call, result);
    } else if (is(&call, "get_many")) {
        make_get_many(kvc, &call, result);
    } else if (is(&call, "delete_many")) {
        make_delete_many(kvc, &call, result);
    } else if (!make_simple(kvc, &call, result)) {
        make_listing(kvc, &call, result);
    }
    free_call(&call);
}

/* --- pipelines -------------------------------------------------------------------- */

bool calls_can_be_appended(const char *text)
{
    struct call call;
    read_call(text, &call);
    bool can = !is(&call, "put_many") && !is(&call, "auth") &&
               !(call.count == 1 && strstr(call.verb, "_many") != NULL);
    free_call(&call);
    return can;
}

static enum kvc_result append(struct kvc *kvc, const struct call *call)
{
    const char *ns = word(call, 0);
    const struct kvc_bytes *of = call->of;
    if (is(call, "put")) {
        return kvc_append_put(kvc, ns, of[1], of[2], call->ttl, call->flags);
    }
    if (is(call, "add")) {
        return kvc_append_add(kvc, ns, of[1], of[2], call->ttl, call->flags);
    }
    if (is(call, "get") || is(call, "get_many")) {
        return kvc_append_get(kvc, ns, of + 1, call->count - 1);
    }
    if (is(call, "delete") || is(call, "delete_many")) {
        return kvc_append_delete(kvc, ns, of + 1, call->count - 1);
    }
    if (is(call, "touch")) {
        return kvc_append_touch(kvc, ns, of[1], call->ttl);
    }
    if (is(call, "ttl")) {
        return kvc_append_ttl(kvc, ns, of[1]);
    }
    if (is(call, "incr")) {
        return kvc_append_incr(kvc, ns, of[1], call->by);
    }
    if (is(call, "decr")) {
        return kvc_append_decr(kvc, ns, of[1], call->by);
    }
    if (is(call, "list")) {
        return kvc_append_list(kvc, ns, word(call, 1));
    }
    if (is(call, "all")) {
        return kvc_append_all(kvc, ns, word(call, 1));
    }
    if (is(call, "stats")) {
        return kvc_append_stats(kvc, ns);
    }
    if (is(call, "flush")) {
        return kvc_append_flush(kvc, ns);
    }
    return is(call, "ping") ? kvc_append_ping(kvc) : kvc_append_version(kvc);
}

/* One of several replies to a call. */
static void add_part(const struct call *call, enum kvc_result result, const struct kvc_reply *reply,
                     struct text *text)
{
    bool missing = result == KVC_NOT_FOUND;
    if (is(call, "get_many") && !missing) {
        text_print(text, " ");
        text_add_quoted(text, reply->value);
    } else if (is(call, "get_many")) {
        text_print(text, " not_found");
    } else if (is(call, "delete_many")) {
        text_print(text, missing ? " false" : " true");
    } else if (reply->is_last == 0) {
        add_key(text, reply->key, reply->key);
        if (!is(call, "list")) {
            add_key(text, reply->value, reply->value);
        }
    }
}

/* All replies to a call of which there are several. */
static void read_parts(struct kvc *kvc, const struct call *call, struct text *text)
{
    struct text parts = {.at = NULL};
    struct kvc_reply reply = {.is_last = 0};
    enum kvc_result result = KVC_OK;
    text_print(&parts, "%s", "");
    while (result <= KVC_NOT_FOUND && reply.is_last == 0) {
        result = kvc_next(kvc, &reply);
        if (result <= KVC_NOT_FOUND && !(is(call, "stats") && result == KVC_NOT_FOUND)) {
            add_part(call, result, &reply, &parts);
        }
    }
    if (result > KVC_NOT_FOUND || (is(call, "stats") && result != KVC_OK)) {
        add_result(kvc, SHAPE_VALUE, result, NULL, text);
    } else {
        text_print(text, "%s%s",
                   is(call, "get_many")      ? "values"
                   : is(call, "delete_many") ? "flags"
                   : is(call, "list")        ? "list"
                   : is(call, "all")         ? "records"
                                             : "pairs",
                   parts.at);
    }
    text_deinit(&parts);
}

static void read_result(struct kvc *kvc, const struct call *call, struct text *text)
{
    struct kvc_reply reply;
    if (strstr(call->verb, "_many") != NULL || is(call, "list") || is(call, "all") ||
        is(call, "stats")) {
        read_parts(kvc, call, text);
        return;
    }
    enum kvc_result result = kvc_next(kvc, &reply);
    if (result == KVC_OK && is(call, "version")) {
        text_print(text, "text ");
        text_add_quoted(text, reply.value);
    } else {
        add_result(kvc, shape_of(call), result, &reply, text);
    }
}

void calls_pipeline(struct kvc *kvc, char *const *texts, size_t count, struct text *results)
{
    struct call calls[WORDS_MAX];
    enum kvc_result appended[WORDS_MAX];
    struct text lost = {.at = NULL};
    for (size_t i = 0; i < count; i++) {
        read_call(texts[i], &calls[i]);
        appended[i] = append(kvc, &calls[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (appended[i] != KVC_OK) {
            calls_add_error(kvc, appended[i], &results[i]);
        } else if (lost.length > 0) {
            text_print(&results[i], "%s", lost.at);
        } else {
            read_result(kvc, &calls[i], &results[i]);
        }
        if (!kvc_is_connected(kvc) && kvc_awaited(kvc) == 0 && lost.length == 0 &&
            appended[i] == KVC_OK) {
            calls_add_error(kvc, kvc_last_error(kvc)->code, &lost);
        }
        free_call(&calls[i]);
    }
    text_deinit(&lost);
}
