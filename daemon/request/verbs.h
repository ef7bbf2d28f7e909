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
enum outcome execute_get(struct executor *by, struct execution *of);
enum outcome execute_look(struct executor *by, struct execution *of);
enum outcome execute_ttl(struct executor *by, struct execution *of);

/* set.c */
enum outcome execute_put(struct executor *by, struct execution *of);
enum outcome execute_join(struct executor *by, struct execution *of);
enum outcome execute_delete(struct executor *by, struct execution *of);
enum outcome execute_make_stale(struct executor *by, struct execution *of);
enum outcome execute_empty(struct executor *by, struct execution *of);
enum outcome execute_touch(struct executor *by, struct execution *of);
enum outcome execute_add_number(struct executor *by, struct execution *of);

/* list.c */
enum outcome execute_list(struct executor *by, struct execution *of);
enum outcome execute_namespaces(struct executor *by, struct execution *of);
enum outcome execute_flush(struct executor *by, struct execution *of);

/* command.c: where its key is for who asks, now that this is known. */
void execute_locate_own(struct executor *by, struct execution *of);

/* Whether a listener reaches that namespace: it is `own`, the listener's, or declared, and its
 * name may stand before a key. */
bool execute_reaches(const struct executor *by, struct slice own, struct slice name, bool declared);
/* Whether who asks may do it in all declared namespaces that a listener reaches. If not, that
 * is answered. */
bool execute_may_behind_endpoint(struct executor *by, const struct request *request);

/* dump.c */
enum outcome execute_dump(struct executor *by, struct execution *of);
/* Ends it, wherever it stands. */
void execute_dump_end(struct execution *of);
/* memory_limit.c */
enum outcome execute_memory(struct executor *by, struct execution *of);

/* authorize.c */
enum outcome execute_auth(struct executor *by, struct execution *of);
/* Where there are users: whether the request is to be carried out. If not, it is answered,
 * or waits: *outcome says so. */
bool execute_admits(struct executor *by, struct execution *of, enum outcome *outcome);
/* A login of a client that has authenticated, or need not: its words are those of no write. */
void execute_refuse_login(struct executor *by, const struct request *request);
/* The bits of enum right that who asks has. */
unsigned execute_rights(const struct executor *by, struct slice name);

/* Whether who asks has the rights that a request takes, without a word. */
bool execute_may(const struct executor *by, const struct request *request, struct slice name);
/* The same in all namespaces that there could be. */
bool execute_may_everywhere(const struct executor *by, const struct request *request);
/* Answers that admin is wanted in all declared namespaces, and names none. */
void execute_refuse_declared(struct executor *by, const struct request *request);

/* Answers what the store refused, with `name` of the namespace. */
void execute_refuse(struct executor *by, const struct request *request, struct slice name,
                    enum store_status status);
/* The same where it may also be that there is no such record, or another version, which is no
 * refusal. False: it was refused. */
bool execute_answer(struct executor *by, const struct request *request, struct slice name,
                    enum store_status status);

/* The namespace that a request names; of memcached's requests, the endpoint's. */
struct slice execute_namespace(const struct executor *by, const struct request *request);

/* Whether a key that comes without a namespace begins with one, which is taken off. */
bool execute_split_key(const struct executor *by, struct slice *name, struct slice *key);

/* The version that clients of this protocol are told. */
static inline const char *execute_version(const struct executor *by)
{
    const char *version = by->outbox->protocol->version;
    return version != NULL ? version : by->instance->version;
}

/* Answers each key in turn with `one`, until there is none left, one is refused (`one` is
 * false: an error is the last that is said), or the peer has to read first, or `one` is false and
 * the executor crowded. Where the request
 * `reads`, the end of its keys is said. */
typedef bool answers_key(struct executor *by, const struct execution *of, struct store_key *at);
enum outcome execute_each_key(struct executor *by, struct execution *of, answers_key *one,
                              bool reads);

/* Whether a walk over namespaces goes on at once; `seen` counts them, from 1 in each turn. */
static inline bool execute_may_see_next(const struct executor *by, unsigned seen)
{
    enum { TIMED = 32 };
    return !outbox_is_full(by->outbox) && (seen % TIMED != 0 || executor_has_time(by));
}

/* How long a record that ends then has left, as replies say it. */
static inline uint64_t execute_left(uint64_t expires, uint64_t now)
{
    if (expires == STORE_NEVER) {
        return REPLY_NEVER;
    }
    return store_left(expires, now);
}

#endif
