/*
 * remote_list.c - LIST, ALL, SURVEY and DUMP of a namespace in the cluster.
 *
 * The buckets are walked over, and the keys of each are told chunk by chunk. Nodes list keys whose
 * records have expired and were not removed yet, so each chunk is asked about first: LIST counts
 * with one command how many of its keys have a record, and looks at each where some have none; the
 * others ask for what they tell of each record.
 */
#include "daemon/request/remote_list.h"

#include <stdlib.h>

#include "daemon/request/remote_failure.h"
#include "daemon/request/remote_value.h"
#include "daemon/request/remote_walk.h"
#include "daemon/request/survey.h"

enum {
    CHUNK = 200,           /* keys */
    COMPARISONS = 1 << 14, /* steps of comparing keys with the pattern between two readings of the
                              clock; see glob_steps */
};

#define TEXT(literal) ((struct slice){literal, sizeof literal - 1})

/* A key of the chunk, which points into the bucket's reply. */
struct listed {
    struct slice key;
    struct cluster_question *value; /* GET or STRLEN; NULL: not asked */
    struct cluster_question *left;  /* PTTL; NULL: not asked */
};

struct remote_list {
    struct remote_work work;
    struct remote_walk walk;
    struct glob *glob;               /* NULL: everything */
    struct survey *survey;           /* SURVEY, else NULL */
    size_t next;                     /* number of the bucket's key that comes after the chunk */
    unsigned count, told;            /* keys of the chunk */
    unsigned pending;                /* questions about it */
    size_t held;                     /* bytes of their answers, of the work's */
    struct cluster_question *living; /* LIST: how many keys of the chunk have a record */
    bool looked;                     /* each of them was asked about */
    bool paused;                     /* before its end, since keys were compared for long */
    struct listed keys[CHUNK];
};

static struct remote_list *list_of(const struct command *cmd)
{
    return (struct remote_list *)cmd->remote;
}

/* --- beginning and end --------------------------------------------------------------- */

static void forget(struct cluster_question **question)
{
    if (*question != NULL) {
        cluster_question_free(question);
    }
}

static void end_chunk(struct remote_list *list)
{
    forget(&list->living);
    for (unsigned i = 0; i < list->count; i++) {
        forget(&list->keys[i].value);
        forget(&list->keys[i].left);
    }
    list->work.held -= list->held;
    list->held = 0;
    list->count = list->told = list->pending = 0;
    list->looked = false;
}

static void destroy(struct remote_work *work)
{
    struct remote_list *list = (struct remote_list *)work;
    end_chunk(list);
    remote_walk_end(&list->walk);
    free(list->glob);
    survey_destroy(&list->survey);
    free(list);
}

static bool compile(struct remote_list *list, struct slice pattern)
{
    if (pattern.length == 0) {
        return true;
    }
    void *memory = malloc(glob_size(pattern.length));
    list->glob = memory != NULL ? glob_compile(memory, pattern) : NULL;
    return memory != NULL;
}

static bool begin(struct command_context *ctx, struct command *cmd)
{
    struct remote_list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        return false;
    }
    list->work = remote_begin(ctx, sizeof *list, destroy);
    cmd->remote = &list->work;
    if (cmd->request.verb == VERB_SURVEY && (list->survey = survey_create()) == NULL) {
        return false;
    }
    if (!compile(list, cmd->request.pattern)) {
        return false;
    }
    remote_walk_begin(&list->walk, &list->work, command_namespace(ctx, &cmd->request), false);
    return true;
}

static enum outcome fail(struct command_context *ctx, struct command *cmd,
                         const struct cluster_question *failed)
{
    remote_answer_failure(ctx, &cmd->request, command_namespace(ctx, &cmd->request), failed, false,
                          REMOTE_OF_LISTING);
    remote_end(&cmd->remote);
    return OUTCOME_DONE;
}

static enum outcome end(struct command_context *ctx, struct command *cmd)
{
    struct remote_list *list = list_of(cmd);
    if (list->survey != NULL) {
        survey_tell(list->survey, ctx->replies, &cmd->request);
    }
    reply_queue_status(ctx->replies, &cmd->request, REPLY_END);
    remote_end(&cmd->remote);
    return OUTCOME_DONE;
}

/* --- asking ------------------------------------------------------------------------------ */

static void on_answered(struct cluster_question *question, void *context)
{
    struct remote_list *list = context;
    list->held += remote_hold(&list->work, question);
    list->pending--;
    if (list->pending == 0 && list->work.awaited == list) {
        remote_wake(&list->work);
    }
}

/* NULL: no memory. */
static struct cluster_question *ask(struct remote_list *list, const struct slice *arguments,
                                    unsigned count)
{
    const struct cluster_command command = {.slot = remote_walk_bucket(&list->walk)->slot,
                                            .count = count,
                                            .arguments = arguments,
                                            .owned = -1};
    struct cluster_question *question =
        cluster_ask(list->work.remote->cluster, &command, on_answered, list);
    list->pending += question != NULL;
    return question;
}

/* With its prefix, which lies before it. */
static struct slice whole_key(struct remote_list *list, struct slice key)
{
    size_t prefix = remote_walk_bucket(&list->walk)->prefix_length;
    return (struct slice){key.bytes - prefix, key.length + prefix};
}

static struct cluster_question *ask_of_key(struct remote_list *list, struct slice name,
                                           struct slice key)
{
    const struct slice arguments[] = {name, whole_key(list, key)};
    return ask(list, arguments, 2);
}

static bool ask_how_many_live(struct remote_list *list)
{
    struct slice arguments[1 + CHUNK] = {TEXT("EXISTS")};
    for (unsigned i = 0; i < list->count; i++) {
        arguments[1 + i] = whole_key(list, list->keys[i].key);
    }
    list->living = ask(list, arguments, 1 + list->count);
    return list->living != NULL;
}

static bool ask_of_each(struct remote_list *list, enum verb verb)
{
    bool asked = true;
    for (unsigned i = 0; i < list->count; i++) {
        struct listed *listed = &list->keys[i];
        if (verb != VERB_LIST) {
            listed->value =
                ask_of_key(list, verb == VERB_SURVEY ? TEXT("STRLEN") : TEXT("GET"), listed->key);
            asked = asked && listed->value != NULL;
        }
        if (verb != VERB_ALL) {
            listed->left = ask_of_key(list, TEXT("PTTL"), listed->key);
            asked = asked && listed->left != NULL;
        }
    }
    return asked;
}

/* Begins the next chunk of the bucket. It has no keys where there are no more, or where it has
 * paused. False: no memory. */
static bool begin_chunk(struct remote_list *list, enum verb verb)
{
    const struct remote_bucket *bucket = remote_walk_bucket(&list->walk);
    bool has_values = verb == VERB_ALL || verb == VERB_DUMP;
    unsigned most = has_values ? list->work.remote->ahead : CHUNK;
    struct slice key;
    size_t steps = list->glob == NULL ? 0 : glob_steps(list->glob), compared = 0;
    while (list->count < most && compared < COMPARISONS &&
           remote_bucket_key(bucket, list->next, &key)) {
        list->next++;
        compared += key.length * steps;
        if (key.length > 0 && (list->glob == NULL || glob_match(list->glob, key))) {
            list->keys[list->count++] = (struct listed){.key = key};
        }
    }
    list->paused = compared >= COMPARISONS;
    if (list->count == 0) {
        return true;
    }
    if (verb == VERB_LIST && !bucket->moves) { /* else they may be on two nodes */
        return ask_how_many_live(list);
    }
    list->looked = true;
    return ask_of_each(list, verb);
}

/* --- telling ------------------------------------------------------------------------------- */

enum telling {
    TELLING_DONE,
    TELLING_FULL, /* the reply queue */
    TELLING_FAILED,
};

static bool is_of_type(const struct cluster_question *question, enum cluster_reply_type type)
{
    return question == NULL ||
           (question->outcome == CLUSTER_ANSWERED && question->reply->type == type);
}

/* Milliseconds to live, REPLY_NEVER; false: there is no such record any more. */
static bool left_of(const struct listed *listed, uint64_t *left)
{
    enum { MISSING = -2, FOREVER = -1 };
    int64_t milliseconds = listed->left == NULL ? FOREVER : listed->left->reply->integer;
    *left = milliseconds < 0 ? REPLY_NEVER : (uint64_t)milliseconds;
    return milliseconds != MISSING;
}

static void survey_one(struct remote_list *list, const struct listed *listed, uint64_t left)
{
    uint64_t now = clock_now();
    struct store_entry entry = {
        .key = listed->key,
        .value_length = (uint64_t)listed->value->reply->integer,
        .expires = left == REPLY_NEVER ? STORE_NEVER : now + 1 + left,
    };
    survey_count(list->survey, &entry, now);
}

static void tell_value(struct command_context *ctx, const struct command *cmd,
                       const struct listed *listed, uint64_t left)
{
    struct reply reply = {
        .kind = cmd->request.verb == VERB_DUMP ? REPLY_REQUEST : REPLY_RECORD,
        .name = listed->key,
        .text = {list_of(cmd)->walk.ns, list_of(cmd)->walk.ns_length},
        .left = left,
    };
    struct cluster_reply *stored = listed->value->reply;
    struct slice value = remote_value_split(stored->text, &reply.client_flags);
    reply.value_length = value.length;
    remote_adapt_ahead(ctx->remote, value.length);
    remote_tell_value(ctx, &cmd->request, &reply, value, stored);
}

static void tell_one(struct command_context *ctx, const struct command *cmd,
                     const struct listed *listed)
{
    struct remote_list *list = list_of(cmd);
    uint64_t left;
    if (!left_of(listed, &left)) {
        return;
    }
    if (list->survey != NULL) {
        survey_one(list, listed, left);
    } else if (cmd->request.verb == VERB_LIST) {
        reply_queue_reply(ctx->replies, &cmd->request,
                          &(struct reply){.kind = REPLY_KEY, .name = listed->key});
    } else if (listed->value->reply->type == CLUSTER_STRING) {
        tell_value(ctx, cmd, listed, left);
    }
}

/* A record that went since its key was listed has no value. */
static const struct cluster_question *failed_question(const struct command *cmd,
                                                      const struct listed *listed)
{
    enum cluster_reply_type type =
        cmd->request.verb == VERB_SURVEY ? CLUSTER_INTEGER : CLUSTER_STRING;
    if (!is_of_type(listed->value, type) && !is_of_type(listed->value, CLUSTER_NIL)) {
        return listed->value;
    }
    return is_of_type(listed->left, CLUSTER_INTEGER) ? NULL : listed->left;
}

static enum telling tell_chunk(struct command_context *ctx, const struct command *cmd,
                               const struct cluster_question **failed)
{
    struct remote_list *list = list_of(cmd);
    while (list->told < list->count) {
        const struct listed *listed = &list->keys[list->told];
        if (reply_queue_is_full(ctx->replies)) {
            return TELLING_FULL;
        }
        *failed = failed_question(cmd, listed);
        if (*failed != NULL) {
            return TELLING_FAILED;
        }
        tell_one(ctx, cmd, listed);
        list->told++;
    }
    return TELLING_DONE;
}

/* LIST: whether each key of the chunk has to be looked at, because some have no record any more, or
 * the slot began to move. False with *failed: it could not be asked. */
static bool must_look(const struct remote_list *list, const struct cluster_question **failed)
{
    if (list->looked) {
        return false;
    }
    if (list->living->outcome == CLUSTER_NOT_DONE) {
        return true;
    }
    if (!is_of_type(list->living, CLUSTER_INTEGER)) {
        *failed = list->living;
        return false;
    }
    return (uint64_t)list->living->reply->integer != list->count;
}

/* --- the whole ------------------------------------------------------------------------------- */

enum step { STEP_ON, STEP_WAITS, STEP_LATER, STEP_FAILED };

/* Tells what the chunk holds, as far as it was answered. */
static enum step step_chunk(struct command_context *ctx, struct command *cmd,
                            const struct cluster_question **failed)
{
    struct remote_list *list = list_of(cmd);
    if (list->pending > 0) {
        remote_wait(&list->work, list);
        return STEP_WAITS;
    }
    if (must_look(list, failed)) {
        list->looked = true;
        return ask_of_each(list, VERB_LIST) ? STEP_ON : STEP_FAILED;
    }
    if (*failed != NULL) {
        return STEP_FAILED;
    }
    switch (tell_chunk(ctx, cmd, failed)) {
    case TELLING_FULL:
        return STEP_LATER;
    case TELLING_FAILED:
        return STEP_FAILED;
    case TELLING_DONE:
        break;
    }
    end_chunk(list);
    return command_has_time(ctx) ? STEP_ON : STEP_LATER;
}

/* Goes on to the next chunk, or the next bucket. */
static enum step step_bucket(struct command_context *ctx, struct command *cmd,
                             struct remote_bucket *bucket, const struct cluster_question **failed)
{
    struct remote_list *list = list_of(cmd);
    if (bucket->state == REMOTE_BUCKET_FAILED) {
        *failed = remote_bucket_failure(bucket);
        return STEP_FAILED;
    }
    if (bucket->state != REMOTE_BUCKET_READY) {
        remote_wait(&list->work, bucket);
        return STEP_WAITS;
    }
    if (!begin_chunk(list, cmd->request.verb)) {
        return STEP_FAILED;
    }
    if (list->count > 0) {
        return STEP_ON;
    }
    if (!list->paused) {
        list->next = 0;
        remote_walk_step(&list->walk);
    }
    return list->paused && !command_has_time(ctx) ? STEP_LATER : STEP_ON;
}

enum outcome remote_list(struct command_context *ctx, struct command *cmd)
{
    const struct cluster_question *failed = NULL;
    struct remote_bucket *bucket;
    if (cmd->remote == NULL) {
        metrics_add(ctx->metrics, METRIC_CMD_LIST, 1);
        if (!begin(ctx, cmd)) {
            return fail(ctx, cmd, NULL);
        }
    }
    struct remote_list *list = list_of(cmd);
    while ((bucket = remote_walk_bucket(&list->walk)) != NULL) {
        enum step step = list->count > 0 ? step_chunk(ctx, cmd, &failed)
                                         : step_bucket(ctx, cmd, bucket, &failed);
        if (step == STEP_WAITS) {
            return OUTCOME_WAITS;
        }
        if (step == STEP_LATER) {
            return OUTCOME_LATER;
        }
        if (step == STEP_FAILED) {
            return fail(ctx, cmd, failed);
        }
    }
    return end(ctx, cmd);
}
