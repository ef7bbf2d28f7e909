/*
 * listing.c - calls with a row for each key or figure.
 */
#include "scripts/clients/c/call.h"

/* Gives rows to the function up to the end. `appended` as of call_first. */
static enum kvc_result read_rows(struct kvc *kvc, enum kvc_result appended, kvc_row_function *row,
                                 void *context)
{
    struct kvc_reply reply;
    enum kvc_result result = call_first(kvc, appended, &reply);
    while (result == KVC_OK && reply.is_last == 0) {
        if (row(context, reply.key, reply.value) != 0) {
            kvc_disconnect(kvc);
            return KVC_OK;
        }
        result = call_end(kvc, kvc_next(kvc, &reply));
    }
    return result;
}

enum kvc_result kvc_list(struct kvc *kvc, const char *ns, const char *pattern,
                         kvc_row_function *row, void *context)
{
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_list(kvc, ns, pattern);
    }
    return read_rows(kvc, result, row, context);
}

enum kvc_result kvc_all(struct kvc *kvc, const char *ns, const char *pattern, kvc_row_function *row,
                        void *context)
{
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_all(kvc, ns, pattern);
    }
    return read_rows(kvc, result, row, context);
}

enum kvc_result kvc_stats(struct kvc *kvc, const char *ns, kvc_row_function *row, void *context)
{
    enum kvc_result result = call_begin(kvc);
    if (result == KVC_OK) {
        result = kvc_append_stats(kvc, ns);
    }
    return read_rows(kvc, result, row, context);
}
