/*
 * verbs.h - the functions that carry out verbs, and what they share. For the
 * files execute*.c only.
 *
 * A function here knows what a request means and says what became of it; how that
 * is spelled is the protocol's affair, where records are is the store's.
 */
#ifndef KVCACHED_DAEMON_REQUEST_VERBS_H
#define KVCACHED_DAEMON_REQUEST_VERBS_H

#include "daemon/request/command.h"

/* get.c */
enum outcome verb_get(struct command_context *ctx, struct command *cmd);
enum outcome verb_look(struct command_context *ctx, struct command *cmd);
enum outcome verb_ttl(struct command_context *ctx, struct command *cmd);

/* set.c */
enum outcome verb_put(struct command_context *ctx, struct command *cmd);
enum outcome verb_join(struct command_context *ctx, struct command *cmd);
enum outcome verb_delete(struct command_context *ctx, struct command *cmd);
enum outcome verb_make_stale(struct command_context *ctx, struct command *cmd);
enum outcome verb_empty(struct command_context *ctx, struct command *cmd);
enum outcome verb_touch(struct command_context *ctx, struct command *cmd);
enum outcome verb_add_number(struct command_context *ctx, struct command *cmd);

/* list.c */
enum outcome verb_list(struct command_context *ctx, struct command *cmd);
enum outcome verb_namespaces(struct command_context *ctx, struct command *cmd);
enum outcome verb_flush(struct command_context *ctx, struct command *cmd);

/* command.c: where its key is for who asks, now that this is known. */
void command_locate_own(struct command_context *ctx, struct command *cmd);

/* Whether a listener reaches that namespace: it is `own`, the listener's, or declared, and its
 * name may stand before a key. */
bool command_reaches(const struct command_context *ctx, struct slice own, struct slice name,
                     bool declared);
/* Whether who asks may do it in all declared namespaces that a listener reaches. If not, that
 * is answered. */
bool authorize_may_behind_endpoint(struct command_context *ctx, const struct request *request);

/* dump.c */
enum outcome verb_dump(struct command_context *ctx, struct command *cmd);
/* Ends it, wherever it stands. */
void dump_end(struct command *cmd);
/* memory_limit.c */
enum outcome verb_memory_limit(struct command_context *ctx, struct command *cmd);

/* authorize.c */
enum outcome verb_auth(struct command_context *ctx, struct command *cmd);
/* Where there are users: whether the request is to be carried out. If not, it is answered,
 * or waits: *outcome says so. */
bool authorize_admits(struct command_context *ctx, struct command *cmd, enum outcome *outcome);
/* A login of a client that has authenticated, or need not: its words are those of no write. */
void authorize_refuse_login(struct command_context *ctx, const struct request *request);
/* The bits of enum right that who asks has. */
unsigned authorize_rights(const struct command_context *ctx, struct slice name);

/* Whether who asks has the rights that a request takes, without a word. */
bool authorize_may(const struct command_context *ctx, const struct request *request,
                   struct slice name);
/* The same in all namespaces that there could be. */
bool authorize_may_everywhere(const struct command_context *ctx, const struct request *request);
/* Answers that admin is wanted in all declared namespaces, and names none. */
void authorize_refuse_declared(struct command_context *ctx, const struct request *request);

/* Answers what the store refused, with `name` of the namespace. */
void command_refuse(struct command_context *ctx, const struct request *request, struct slice name,
                    enum store_status status);
/* The same where it may also be that there is no such record, or another version, which is no
 * refusal. False: it was refused. */
bool command_answer(struct command_context *ctx, const struct request *request, struct slice name,
                    enum store_status status);

/* The namespace that a request names; of memcached's requests, the endpoint's. */
struct slice command_namespace(const struct command_context *ctx, const struct request *request);

/* Whether a key that comes without a namespace begins with one, which is taken off. */
bool command_split_key(const struct command_context *ctx, struct slice *name, struct slice *key);

/* The version that clients of this protocol are told. */
static inline const char *command_version(const struct command_context *ctx)
{
    const char *version = ctx->replies->protocol->version;
    return version != NULL ? version : ctx->instance->version;
}

/* Answers each key in turn with `one`, until there is none left, one is refused (`one` is
 * false: an error is the last that is said), or the peer has to read first, or `one` is false and
 * the context crowded. Where the request
 * `reads`, the end of its keys is said. */
typedef bool answers_key(struct command_context *ctx, const struct command *cmd,
                         struct store_key *at);
enum outcome each_key(struct command_context *ctx, struct command *cmd, answers_key *one,
                      bool reads);

/* Whether a walk over namespaces goes on at once; `seen` counts them, from 1 in each turn. */
static inline bool command_may_see_next(const struct command_context *ctx, unsigned seen)
{
    enum { TIMED = 32 };
    return !reply_queue_is_full(ctx->replies) && (seen % TIMED != 0 || command_has_time(ctx));
}

/* How long a record that ends then has left, as replies say it. */
static inline uint64_t command_left(uint64_t expires, uint64_t now)
{
    if (expires == STORE_NEVER) {
        return REPLY_NEVER;
    }
    return store_left(expires, now);
}

#endif
