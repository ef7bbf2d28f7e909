/*
 * question.c - encodes a command once, and composes what goes out each time.
 */
#include "daemon/cluster/question.h"

#include <stdlib.h>

#include "daemon/cluster/reply.h"
#include "daemon/cluster/resp.h"
#include "daemon/cluster/script.h"
#include "daemon/cluster/topology.h"

/* --- encoding --------------------------------------------------------------- */

static size_t size_of(const struct cluster_command *command)
{
    size_t size = RESP_COUNT_MAX;
    if (command->guard.length > 0) {
        size += RESP_COUNT_MAX + resp_frame_size(6) + 6 + resp_frame_size(command->guard.length) +
                command->guard.length;
    }
    for (unsigned i = 0; i < command->count; i++) {
        size_t length = command->arguments[i].length;
        size += resp_frame_size(length) + ((int)i == command->owned ? 0 : length);
    }
    return size;
}

static void encode(struct question *question, const struct cluster_command *command)
{
    char *to = question->bytes;
    if (command->guard.length > 0) {
        to = resp_put_count(to, 2);
        to = resp_put_argument(to, slice_of("EXISTS"));
        to = resp_put_argument(to, command->guard);
    }
    question->guard_end = (size_t)(to - question->bytes);
    to = resp_put_count(to, command->count + (command->script == NULL ? 0 : SCRIPT_ARGUMENTS));
    question->count_end = (size_t)(to - question->bytes);
    for (unsigned i = 0; i < command->count; i++) {
        if ((int)i == command->owned) {
            to = resp_put_length(to, command->arguments[i].length);
            question->split = (size_t)(to - question->bytes);
            to = resp_put_end(to);
        } else {
            to = resp_put_argument(to, command->arguments[i]);
        }
    }
    question->length = (size_t)(to - question->bytes);
    if (command->owned < 0) {
        question->split = question->length;
    }
}

struct question *question_create(const struct cluster_command *command)
{
    char *owned = command->owned < 0 ? NULL : (char *)command->arguments[command->owned].bytes;
    size_t size = size_of(command);
    struct question *question = malloc(sizeof *question + size);
    if (question == NULL) {
        free(owned);
        return NULL;
    }
    memset(question, 0, sizeof *question);
    question->slot = (uint16_t)command->slot;
    question->target = TOPOLOGY_NO_NODE;
    question->writes = command->writes;
    question->importing = command->importing && command->guard.length > 0;
    question->guarded = command->guard.length > 0;
    question->script = command->script;
    question->owned = owned;
    question->owned_length = owned == NULL ? 0 : command->arguments[command->owned].length;
    encode(question, command);
    return question;
}

void question_destroy(struct question **place)
{
    struct question *question = *place;
    *place = NULL;
    if (question != NULL) {
        reply_free(&question->is.reply);
        reply_free(&question->guard_reply);
        free(question->owned);
        free(question);
    }
}

/* --- composing -------------------------------------------------------------- */

static void add(struct link_request *request, const char *bytes, size_t length)
{
    if (length > 0) {
        request->pieces[request->count++] = (struct iovec){(char *)bytes, length};
    }
}

static void add_asking(struct link_request *request)
{
    static const char asking[] = "*1\r\n$6\r\nASKING\r\n";
    add(request, asking, sizeof asking - 1);
    request->replies++;
}

static void add_command(struct question *question)
{
    struct link_request *request = &question->request;
    const char *bytes = question->bytes;
    add(request, bytes + question->guard_end, question->count_end - question->guard_end);
    if (question->script != NULL) {
        struct slice script = question->with_text ? script_by_text(question->script)
                                                  : script_by_digest(question->script);
        add(request, script.bytes, script.length);
    }
    add(request, bytes + question->count_end, question->split - question->count_end);
    add(request, question->owned, question->owned_length);
    add(request, bytes + question->split, question->length - question->split);
    request->replies++;
}

void question_compose(struct question *question)
{
    struct link_request *request = &question->request;
    request->count = request->replies = 0;
    question->came = 0;
    question->guard_said = VERDICT_REPLY;
    reply_free(&question->guard_reply);
    if (question->guarded) {
        if (question->asks) {
            add_asking(request);
        }
        add(request, question->bytes, question->guard_end);
        request->replies++;
    }
    if (question->asks) {
        add_asking(request);
    }
    add_command(question);
}

bool question_is_guard(const struct question *question, unsigned number)
{
    return question->guarded && number == (question->asks ? 1U : 0U);
}
