/*
 * users.c - the users of a configuration, sorted so that they are found by name and by uid.
 *
 * Everything that a configuration says of users lies in a few blocks, made at once and never
 * changed: the users, sorted by name, their rules, and one block of text that names, hashes and
 * patterns are slices of. Only the cache of verified secrets is written later, each entry once.
 */
#include "daemon/auth/users.h"

#include <errno.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "conf/conf.h"
#include "daemon/auth/acl.h"
#include "daemon/base/siphash.h"

/*
 * The secret of a user that was verified first. It goes from NONE through WRITING to KEPT, and
 * stays: so no thread ever reads half of it, and it needs no lock. Another secret with the same
 * hash (bcrypt takes 72 bytes only) that is verified later is not kept, and is checked in full each
 * time.
 */
enum { VERIFIED_NONE, VERIFIED_WRITING, VERIFIED_KEPT };
struct verified {
    atomic_uint state;
    struct siphash_hash hash; /* once KEPT */
};

struct user {
    struct slice name;
    const char *hash;
    bool has_uid;
    uid_t uid;
    struct acl acl;
    struct verified *verified;
    const struct siphash_key *key;
};

struct users {
    atomic_uint references;
    size_t count;
    struct user *list; /* by name */
    size_t unix_count;
    const struct user **unix_list; /* by uid */
    struct acl_rule *rules;
    char *globs;               /* memory of the rules */
    struct verified *verified; /* one for each of list */
    char *text;
    size_t text_size;
    struct siphash_key key; /* of `verified`; a reload keeps it */
};

/* --- order ---------------------------------------------------------------- */

/* The shorter name first. */
static int compare_users(const void *a, const void *b)
{
    struct slice left = ((const struct user *)a)->name;
    struct slice right = ((const struct user *)b)->name;
    if (left.length != right.length) {
        return left.length < right.length ? -1 : 1;
    }
    return left.length == 0 ? 0 : memcmp(left.bytes, right.bytes, left.length);
}

/* Of several with the same uid, always the same one is found. */
static int compare_uids(const void *a, const void *b)
{
    const struct user *left = *(const struct user *const *)a;
    const struct user *right = *(const struct user *const *)b;
    if (left->uid != right->uid) {
        return left->uid < right->uid ? -1 : 1;
    }
    return left < right ? -1 : left > right;
}

/* --- making ---------------------------------------------------------------- */

/* The memory that all users take. */
struct need {
    size_t text; /* bytes */
    size_t rules;
    size_t globs; /* bytes */
};

static void measure_patterns(const struct conf_patterns *patterns, struct need *need)
{
    for (size_t i = 0; i < patterns->count; i++) {
        struct slice pattern = slice_of(patterns->of[i]);
        need->text += pattern.length;
        need->globs += acl_rule_size(pattern);
    }
    need->rules += patterns->count;
}

static struct need measure(const struct conf *conf)
{
    struct need need = {0};
    for (size_t i = 0; i < conf->user_count; i++) {
        const struct conf_user *user = &conf->users[i];
        need.text += strlen(user->name) + (user->secret != NULL ? strlen(user->secret) + 1 : 0);
        measure_patterns(&user->read, &need);
        measure_patterns(&user->write, &need);
        measure_patterns(&user->watch, &need);
        measure_patterns(&user->admin, &need);
    }
    return need;
}

/* calloc(0) may return NULL. */
static void *array_of(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

static bool make_blocks(struct users *users, const struct conf *conf)
{
    struct need need = measure(conf);
    users->list = array_of(conf->user_count, sizeof *users->list);
    users->unix_list = array_of(conf->user_count, sizeof(struct user *));
    users->verified = array_of(conf->user_count, sizeof *users->verified);
    users->rules = array_of(need.rules, sizeof *users->rules);
    users->globs = array_of(need.globs, 1);
    users->text = array_of(need.text, 1);
    users->text_size = need.text;
    return users->list != NULL && users->unix_list != NULL && users->verified != NULL &&
           users->rules != NULL && users->globs != NULL && users->text != NULL;
}

/* Where the next bytes, the next rule and its memory go. */
struct writer {
    char *text;
    struct acl_rule *rule;
    char *glob;
};

static struct slice copy_text(struct writer *writer, const char *text, size_t length)
{
    struct slice copy = {writer->text, length};
    memcpy(writer->text, text, length);
    writer->text += length;
    return copy;
}

static void copy_patterns(struct writer *writer, const struct conf_patterns *patterns,
                          unsigned right)
{
    for (size_t i = 0; i < patterns->count; i++) {
        struct slice pattern = copy_text(writer, patterns->of[i], strlen(patterns->of[i]));
        *writer->rule++ = acl_rule_of(pattern, right, writer->glob);
        writer->glob += acl_rule_size(pattern);
    }
}

static bool find_uid(struct user *user, const char *name)
{
    errno = 0;
    const struct passwd *entry = getpwnam(name);
    if (entry == NULL) {
        errno = errno != 0 ? errno : ENOENT;
        return false;
    }
    user->uid = entry->pw_uid;
    user->has_uid = true;
    return true;
}

static bool make_user(struct user *user, struct writer *writer, const struct conf_user *from)
{
    struct acl_rule *rules = writer->rule;
    user->name = copy_text(writer, from->name, strlen(from->name));
    if (from->secret != NULL) {
        user->hash = copy_text(writer, from->secret, strlen(from->secret) + 1).bytes;
    }
    copy_patterns(writer, &from->read, RIGHT_READ);
    copy_patterns(writer, &from->write, RIGHT_WRITE);
    copy_patterns(writer, &from->watch, RIGHT_WATCH);
    copy_patterns(writer, &from->admin, RIGHT_ADMIN | RIGHT_WATCH);
    acl_init(&user->acl, rules, (size_t)(writer->rule - rules));
    return from->unix_user == NULL || find_uid(user, from->unix_user);
}

static bool make_list(struct users *users, const struct conf *conf)
{
    struct writer writer = {.text = users->text, .rule = users->rules, .glob = users->globs};
    for (users->count = 0; users->count < conf->user_count; users->count++) {
        if (!make_user(&users->list[users->count], &writer, &conf->users[users->count])) {
            return false;
        }
    }
    qsort(users->list, users->count, sizeof *users->list, compare_users);
    for (size_t i = 0; i < users->count; i++) {
        struct user *user = &users->list[i];
        user->verified = &users->verified[i];
        user->key = &users->key;
        if (user->has_uid) {
            users->unix_list[users->unix_count++] = user;
        }
    }
    qsort(users->unix_list, users->unix_count, sizeof(struct user *), compare_uids);
    return true;
}

static bool same_secret(const struct user *a, const struct user *b)
{
    return a->hash != NULL && b->hash != NULL && strcmp(a->hash, b->hash) == 0;
}

static void keep(struct verified *verified, struct siphash_hash hash)
{
    unsigned nothing = VERIFIED_NONE;
    if (atomic_compare_exchange_strong(&verified->state, &nothing, VERIFIED_WRITING)) {
        verified->hash = hash;
        atomic_store_explicit(&verified->state, VERIFIED_KEPT, memory_order_release);
    }
}

static bool is_kept(const struct verified *verified)
{
    return atomic_load_explicit(&verified->state, memory_order_acquire) == VERIFIED_KEPT;
}

/* A secret that is verified for `before` from now on is checked once more. */
static bool inherit(struct users *users, const struct users *before)
{
    if (before == NULL) {
        return getrandom(&users->key, sizeof users->key, 0) == sizeof users->key;
    }
    users->key = before->key;
    for (size_t i = 0; i < users->count; i++) {
        const struct user *now = &users->list[i];
        const struct user *then = users_find(before, now->name);
        if (then != NULL && same_secret(now, then) && is_kept(then->verified)) {
            keep(now->verified, then->verified->hash);
        }
    }
    return true;
}

static void wipe_and_free(void *block, size_t size)
{
    if (block != NULL) {
        explicit_bzero(block, size);
        free(block);
    }
}

static void users_free(struct users *users)
{
    wipe_and_free(users->verified, users->count * sizeof *users->verified);
    wipe_and_free(users->text, users->text_size);
    free(users->globs);
    free(users->rules);
    free(users->unix_list);
    free(users->list);
    wipe_and_free(users, sizeof *users);
}

struct users *users_create(const struct conf *conf, struct users *before)
{
    struct users *users = calloc(1, sizeof *users);
    if (users == NULL) {
        return NULL;
    }
    atomic_init(&users->references, 1);
    if (make_blocks(users, conf) && make_list(users, conf) && inherit(users, before)) {
        return users;
    }
    int why = errno;
    users_free(users);
    errno = why;
    return NULL;
}

struct users *users_get(struct users *users)
{
    if (users != NULL) {
        atomic_fetch_add_explicit(&users->references, 1, memory_order_relaxed);
    }
    return users;
}

void users_put(struct users **owned)
{
    struct users *users = *owned;
    *owned = NULL;
    if (users != NULL &&
        atomic_fetch_sub_explicit(&users->references, 1, memory_order_acq_rel) == 1) {
        users_free(users);
    }
}

/* --- asking ---------------------------------------------------------------- */

bool users_is_empty(const struct users *users)
{
    return users == NULL || users->count == 0;
}

const struct user *users_find(const struct users *users, struct slice name)
{
    const struct user wanted = {.name = name};
    return bsearch(&wanted, users->list, users->count, sizeof wanted, compare_users);
}

const struct user *users_find_unix(const struct users *users, uid_t uid)
{
    size_t low = 0, high = users->unix_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (users->unix_list[middle]->uid < uid) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < users->unix_count && users->unix_list[low]->uid == uid ? users->unix_list[low]
                                                                        : NULL;
}

enum user_change users_follow(const struct users *users, const struct user *before, bool by_secret,
                              const struct user **now)
{
    const struct user *user = users_find(users, before->name);
    *now = NULL;
    if (user == NULL) {
        return USER_GONE;
    }
    if (by_secret ? !same_secret(user, before)
                  : !user->has_uid || !before->has_uid || user->uid != before->uid) {
        return USER_CHANGED;
    }
    *now = user;
    return USER_SAME;
}

struct slice user_name(const struct user *user)
{
    return user->name;
}

/* FNV-1a (Fowler, Noll and Vo). The administrator chooses the names, and two with the same tag
 * would only share one limit of namespaces. */
uint64_t user_tag(const struct user *user)
{
    uint64_t tag = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < user->name.length; i++) {
        tag = (tag ^ (unsigned char)user->name.bytes[i]) * UINT64_C(1099511628211);
    }
    return tag != 0 ? tag : 1;
}

const char *user_hash(const struct user *user)
{
    return user->hash;
}

const char *users_decoy(const struct users *users, struct slice name)
{
    size_t first = (size_t)siphash24_128(&users->key, name).low;
    for (size_t i = 0; i < users->count; i++) {
        const struct user *user = &users->list[(first % users->count + i) % users->count];
        if (user->hash != NULL) {
            return user->hash;
        }
    }
    return NULL;
}

unsigned user_rights(const struct user *user, struct slice ns)
{
    return acl_in(&user->acl, ns);
}

unsigned user_rights_everywhere(const struct user *user)
{
    return user->acl.everywhere;
}

bool user_recalls(const struct user *user, struct slice secret)
{
    struct siphash_hash hash = siphash24_128(user->key, secret);
    return is_kept(user->verified) && siphash_equal(hash, user->verified->hash);
}

void user_prove(const struct user *user, struct slice secret)
{
    keep(user->verified, siphash24_128(user->key, secret));
}
