/*
 * remote_keys.c - asks for the keys of a request, a window of them ahead, and answers them in
 * order.
 *
 *     keys      a b c d e f g h
 *     answered  ^^^
 *     window          ^^^^^^^      asked: the first is answered next
 *     rest                    ^^   asked as the window moves on
 */
#include "daemon/request/remote_keys.h"

#include <stdlib.h>

#include "daemon/request/authorize.h"
#include "daemon/request/each_key.h"
#include "daemon/request/remote_key.h"
#include "daemon/request/remote_part.h"

struct remote_keys {
    struct remote_work work;
    struct slice rest; /* keys that were not asked for yet */
    unsigned first, count, capacity;
    struct remote_part parts[]; /* a ring */
};

static struct remote_keys *keys_of(const struct command *cmd)
{
    return (struct remote_keys *)cmd->remote;
}

static struct remote_part *part_at(struct remote_keys *keys, unsigned number)
{
    return &keys->parts[(keys->first + number) % keys->capacity];
}

static void destroy(struct remote_work *work)
{
    struct remote_keys *keys = (struct remote_keys *)work;
    for (unsigned i = 0; i < keys->count; i++) {
        remote_part_end(part_at(keys, i));
    }
    free(keys);
}

/* --- asking ------------------------------------------------------------------------ */

static void ask(struct command_context *ctx, struct remote_keys *keys,
                const struct request *request, const struct store_key *at)
{
    struct remote_part *part = part_at(keys, keys->count++);
    *part = (struct remote_part){.work = &keys->work};
    if (!authorize_may(ctx, request, at->name)) {
        part->kind = REMOTE_PART_FORBIDDEN;
    } else if (!store_is_remote(ctx->store_thread, at->name)) {
        part->kind = REMOTE_PART_LOCAL;
    } else {
        remote_part_ask(ctx, request, at, part);
    }
}

/* Asks for more of the rest, as far as the window goes. */
static void ask_rest(struct command_context *ctx, struct remote_keys *keys,
                     const struct request *request)
{
    struct slice key;
    struct store_key at;
    unsigned ahead =
        keys->work.remote->ahead < keys->capacity ? keys->work.remote->ahead : keys->capacity;
    while (keys->count < ahead && request_next_key(&keys->rest, &key)) {
        if (command_locate_key(ctx, request, key, SPLIT_OWN, &at) == STORE_OK) {
            ask(ctx, keys, request, &at);
        } else {
            struct remote_part *part = part_at(keys, keys->count++);
            *part = (struct remote_part){.work = &keys->work, .kind = REMOTE_PART_REFUSED};
            part->refused = STORE_UNDECLARED;
        }
    }
}

bool remote_keys_ask(struct command_context *ctx, struct command *cmd)
{
    unsigned capacity =
        cmd->request.keys.length > 0 && (cmd->request.options & REQUEST_WHOLE_KEY) == 0
            ? REMOTE_AHEAD
            : 1;
    struct remote_keys *keys;
    size_t size = sizeof *keys + capacity * sizeof keys->parts[0];
    keys = malloc(size);
    if (keys == NULL) {
        return false;
    }
    *keys = (struct remote_keys){
        .work = remote_begin(ctx, size, destroy), .rest = cmd->request.keys, .capacity = capacity};
    if (capacity == 1) {
        keys->rest.length = 0;
    }
    cmd->remote = &keys->work;
    ask(ctx, keys, &cmd->request, &cmd->at);
    ask_rest(ctx, keys, &cmd->request);
    return true;
}

unsigned remote_keys_asked(const struct command *cmd)
{
    return keys_of(cmd)->count;
}

static bool touches(struct remote_keys *keys, unsigned slot, bool writes)
{
    for (unsigned i = 0; i < keys->count; i++) {
        const struct remote_part *part = part_at(keys, i);
        if (part->kind == REMOTE_PART_ASKED && part->slot == slot && (writes || part->writes)) {
            return true;
        }
    }
    return false;
}

bool remote_keys_conflict(const struct command *first, const struct command *cmd)
{
    struct remote_key key;
    bool writes = remote_part_writes(&cmd->request);
    bool several = cmd->request.keys.length > 0;
    remote_key_make(&key, cmd->at.name, cmd->at.key);
    for (const struct command *earlier = first; earlier < cmd; earlier++) {
        if (earlier->remote == NULL) {
            continue;
        }
        struct remote_keys *keys = keys_of(earlier);
        bool unknown = keys->rest.length > 0 || several;
        if (unknown && (writes || remote_part_writes(&earlier->request))) {
            return true;
        }
        if (touches(keys, key.slot, writes)) {
            return true;
        }
    }
    return false;
}

/* --- answering --------------------------------------------------------------------- */

/* Answers a key of a namespace of the store, among keys that are in the cluster. */
static bool answer_local(struct command_context *ctx, struct command *cmd)
{
    switch (cmd->request.verb) {
    case VERB_GET:
        return answer_get_key(ctx, cmd, &cmd->at);
    case VERB_LOOK:
        return answer_look_key(ctx, cmd, &cmd->at);
    default:
        return answer_delete_key(ctx, cmd, &cmd->at);
    }
}

static bool answer(struct command_context *ctx, struct command *cmd, struct remote_part *part)
{
    if (ctx->identity->state != IDENTITY_NOT_REQUIRED &&
        !authorize_request(ctx, &cmd->request, cmd->at.name)) {
        return false;
    }
    return part->kind == REMOTE_PART_LOCAL ? answer_local(ctx, cmd)
                                           : remote_part_answer(ctx, &cmd->request, &cmd->at, part);
}

static enum outcome done(struct command *cmd)
{
    remote_end(&cmd->remote);
    return OUTCOME_DONE;
}

/* Removes the part that was answered. */
static void move_on(struct remote_keys *keys)
{
    remote_part_end(part_at(keys, 0));
    keys->first = (keys->first + 1) % keys->capacity;
    keys->count--;
}

enum outcome remote_keys(struct command_context *ctx, struct command *cmd)
{
    ctx->replies->refused = false;
    if (cmd->remote == NULL && !remote_keys_ask(ctx, cmd)) {
        command_refuse(ctx, &cmd->request, cmd->at.name, STORE_NO_MEMORY);
        return OUTCOME_DONE;
    }
    struct remote_keys *keys = keys_of(cmd);
    for (unsigned answered = 1;; answered++) {
        struct remote_part *part = part_at(keys, 0);
        if (part->kind == REMOTE_PART_LOCAL &&
            store_is_remote(ctx->store_thread, cmd->at.name)) { /* since a reload */
            remote_part_ask(ctx, &cmd->request, &cmd->at, part);
        }
        if (part->pending > 0) {
            return remote_wait(&keys->work, part);
        }
        if (reply_queue_is_full(ctx->replies)) {
            return OUTCOME_LATER;
        }
        if (!answer(ctx, cmd, part)) {
            return ctx->crowded ? OUTCOME_LATER : done(cmd);
        }
        move_on(keys);
        if ((cmd->request.options & REQUEST_WHOLE_KEY) != 0 ||
            !request_next_key(&cmd->request.keys, &cmd->request.key)) {
            if (cmd->request.verb == VERB_LOOK) { /* the last reply of a GET has the end with it */
                each_key_end(ctx, cmd);
            }
            return done(cmd);
        }
        command_locate_own(ctx, cmd);
        ask_rest(ctx, keys, &cmd->request);
        if (answered % REMOTE_AHEAD == 0 && !command_has_time(ctx)) {
            return OUTCOME_LATER;
        }
    }
}
