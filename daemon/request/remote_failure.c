/*
 * remote_failure.c - see remote_failure.h.
 */
#include "daemon/request/remote_failure.h"

#include <stdio.h>

static void fail(struct command_context *ctx, const struct request *request, const char *text)
{
    command_fail_text(ctx, request, REASON_OTHER, slice_of(text));
}

/* A node has refused the command itself, as with NOPERM or OOM: its words are passed on. */
static void answer_error(struct command_context *ctx, const struct request *request,
                         struct slice error)
{
    enum { SHOWN = 180 };
    char text[SHOWN + 64];
    bool full = error.length >= 3 && memcmp(error.bytes, "OOM", 3) == 0;
    int length = snprintf(text, sizeof text, "the cluster has refused this: %.*s",
                          (int)(error.length < SHOWN ? error.length : SHOWN), error.bytes);
    command_fail_text(ctx, request, full ? REASON_NO_MEMORY : REASON_OTHER,
                      (struct slice){text, (size_t)length});
}

bool remote_has_failed(const struct cluster_question *question)
{
    return question->outcome != CLUSTER_ANSWERED || question->reply->type == CLUSTER_ERROR;
}

static const char *text_of(enum cluster_outcome outcome, bool writes, enum remote_subject subject)
{
    if (subject == REMOTE_OF_LISTING) {
        return outcome == CLUSTER_UNKNOWN ? "a part of the cluster broke off; how much was done is "
                                            "not known: send the request again"
                                          : "a part of the cluster does not answer: send the "
                                            "request again";
    }
    if (outcome == CLUSTER_UNKNOWN) {
        return "the part of the cluster that has this key broke off; whether it was done is not "
               "known";
    }
    return writes ? "the part of the cluster that has this key does not answer; nothing was changed"
                  : "the part of the cluster that has this key does not answer";
}

void remote_answer_failure(struct command_context *ctx, const struct request *request,
                           struct slice name, const struct cluster_question *question, bool writes,
                           enum remote_subject subject)
{
    if (question == NULL || question->outcome == CLUSTER_NO_MEMORY) {
        command_refuse(ctx, request, name, STORE_NO_MEMORY);
    } else if (question->outcome == CLUSTER_ANSWERED && question->reply->type == CLUSTER_ERROR) {
        answer_error(ctx, request, question->reply->text);
    } else if (question->outcome == CLUSTER_ANSWERED) {
        remote_answer_nonsense(ctx, request);
    } else {
        fail(ctx, request, text_of(question->outcome, writes, subject));
    }
}

void remote_answer_nonsense(struct command_context *ctx, const struct request *request)
{
    fail(ctx, request, "a node of the cluster has answered with something else than it should");
}
