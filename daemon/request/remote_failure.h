/*
 * remote_failure.h - answers what the cluster could not do.
 */
#ifndef KVCACHED_DAEMON_REQUEST_REMOTE_FAILURE_H
#define KVCACHED_DAEMON_REQUEST_REMOTE_FAILURE_H

#include "daemon/request/remote.h"

/* What a question was about, for the words of its failure. */
enum remote_subject {
    REMOTE_OF_KEY,    /* the record of a key */
    REMOTE_OF_LISTING /* some of a namespace's records */
};

/* Whether a question has failed. */
bool remote_has_failed(const struct cluster_question *question);

/* Answers a question that has failed, or was answered with nonsense; NULL: it could not be asked
 * for lack of memory. */
void remote_answer_failure(struct command_context *ctx, const struct request *request,
                           struct slice name, const struct cluster_question *question, bool writes,
                           enum remote_subject subject);

/* A node has answered with something that no such command is answered with. */
void remote_answer_nonsense(struct command_context *ctx, const struct request *request);

#endif
