/*
 * many.c - calls on many keys.
 */
#include "scripts/clients/c/call.h"
#include "scripts/clients/c/clock.h"
#include "scripts/clients/c/parse.h"
#include "scripts/clients/c/transfer.h"

/* --- put -------------------------------------------------------------------------- */

/* Forgets what was appended, of which nothing was sent. */
static enum kvc_result forget(struct kvc *kvc, enum kvc_result result)
{
    expect_clear(&kvc->awaited);
    kvc->out.length = kvc->out_sent = 0;
    return result;
}

static enum kvc_result append_all(struct kvc *kvc, const char *ns, const struct kvc_record *records,
                                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct kvc_record *record = &records[i];
        enum kvc_result result =
            kvc_append_put(kvc, ns, record->key, record->value, record->ttl, record->flags);
        if (result != KVC_OK) {
            return forget(kvc, result);
        }
    }
    return KVC_OK;
}

enum kvc_result kvc_mput(struct kvc *kvc, const char *ns, const struct kvc_record *records,
                         size_t count, enum kvc_result *results)
{
    struct kvc_error first = {.code = call_begin(kvc)};
    if (first.code != KVC_OK || (first.code = append_all(kvc, ns, records, count)) != KVC_OK) {
        return first.code;
    }
    for (size_t i = 0; i < count; i++) {
        struct kvc_reply reply;
        enum kvc_result result =
            kvc->awaited.count > 0 ? call_end(kvc, kvc_next(kvc, &reply)) : kvc->error.code;
        if (results != NULL) {
            results[i] = result;
        }
        if (result != KVC_OK && first.code == KVC_OK) {
            first = kvc->error;
        }
    }
    if (first.code != KVC_OK) {
        bool in_doubt = kvc->error.in_doubt != 0;
        kvc->error = first;
        kvc->error.in_doubt |= in_doubt;
    }
    return first.code;
}

/* --- get -------------------------------------------------------------------------- */

static bool is_value(const struct kvc_reply *reply)
{
    return parse_is(reply, "VALUE") || parse_is(reply, "NOT_FOUND");
}

/* Waits until all replies are there, and takes none, so that all values are in one place. What is
 * no value is the last reply, or none. */
static enum kvc_result await_values(struct kvc *kvc, size_t count)
{
    struct kvc_reply reply = {.number = 0};
    size_t length = 0;
    kvc->until = kvc->timeout >= 0 ? clock_now() + kvc->timeout : 0;
    enum kvc_result result = kvc_flush(kvc);
    for (size_t i = 0; result == KVC_OK && i < count && (i == 0 || is_value(&reply)); i++) {
        size_t taken = 0;
        result = transfer_cut(kvc, length, KVC_VALUES, &reply, &taken);
        length += taken;
    }
    kvc->until = 0;
    if (result >= KVC_ERROR_UNREACHABLE) {
        expect_clear(&kvc->awaited);
    }
    return result;
}

static enum kvc_result read_values(struct kvc *kvc, size_t count, struct kvc_bytes *values)
{
    enum kvc_result result = KVC_OK;
    for (size_t i = 0; result <= KVC_NOT_FOUND && i < count; i++) {
        struct kvc_reply reply;
        result = kvc_next(kvc, &reply);
        values[i] = result == KVC_OK ? reply.value : (struct kvc_bytes){NULL, 0};
    }
    return result == KVC_NOT_FOUND ? KVC_OK : result;
}

enum kvc_result kvc_mget(struct kvc *kvc, const char *ns, const struct kvc_bytes *keys,
                         size_t count, struct kvc_bytes *values)
{
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK && count > 0) {
        result = kvc_append_get(kvc, ns, keys, count);
    }
    if (result != KVC_OK || count == 0) {
        return result;
    }
    struct expected lost = *expect_first(&kvc->awaited);
    result = await_values(kvc, count);
    if (result == KVC_ERROR_CLOSED && call_again(kvc, lost)) {
        result = await_values(kvc, count);
    }
    if (result == KVC_OK) {
        result = read_values(kvc, count, values);
    }
    if (result != KVC_OK) {
        memset(values, 0, count * sizeof *values);
    }
    return call_end(kvc, result);
}

/* --- delete ----------------------------------------------------------------------- */

enum kvc_result kvc_mdelete(struct kvc *kvc, const char *ns, const struct kvc_bytes *keys,
                            size_t count, enum kvc_result *results)
{
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK && count > 0) {
        result = kvc_append_delete(kvc, ns, keys, count);
    }
    for (size_t i = 0; i < count; i++) {
        struct kvc_reply reply;
        if (result <= KVC_NOT_FOUND) {
            result = call_end(kvc, kvc_next(kvc, &reply));
        }
        if (results != NULL) {
            results[i] = result;
        }
    }
    return result == KVC_NOT_FOUND ? KVC_OK : result;
}
