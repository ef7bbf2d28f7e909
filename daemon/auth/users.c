/*
 * users.c - users as a configuration has them, in an order in which they are found.
 *
 * All that a configuration says of users lies in a handful of blocks, made at once and
 * never changed: the users in the order of their names, their grants, and one block of text
 * that names, hashes and patterns are slices of. The one thing that is written later is
 * what somebody proved, and that once only: see struct memo.
 */
#include "daemon/auth/users.h"

#include <errno.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "daemon/auth/acl.h"
#include "daemon/base/siphash.h"

/*
 * A proof goes from NOTHING through WRITING to KEPT, and stays: so nobody ever reads half of
 * one, and what is kept needs no lock. A later proof of another secret with the same hash
 * (bcrypt looks at 72 bytes only) is dropped; that one is checked in full each time.
 */
enum { MEMO_NOTHING, MEMO_WRITING, MEMO_KEPT };
struct memo {
    atomic_uint state;
    struct siphash_hash hash; /* once KEPT */
};

struct user {
    struct slice name;
    const char *hash;
    bool has_uid;
    uid_t uid;
    struct acl grants;
    struct memo *memo;
    const struct siphash_key *key;
};

struct users {
    atomic_uint references;
    size_t count;
    struct user *list; /* by name */
    size_t unix_count;
    const struct user **unix_list; /* by uid */
    struct acl_rule *grants;
    char *globs;        /* memory of the grants */
    struct memo *memos; /* one for each of list */
    char *text;
    size_t text_size;
    struct siphash_key key; /* of the memos; the same in all users that follow one another */
};

/* --- order ---------------------------------------------------------------- */

/* The shorter name first: any order will do. */
static int compare_users(const void *a, const void *b)
{
    struct slice left = ((const struct user *)a)->name;
    struct slice right = ((const struct user *)b)->name;

    if (left.length != right.length) {
        return left.length < right.length ? -1 : 1;
    }
    return left.length == 0 ? 0 : memcmp(left.bytes, right.bytes, left.length);
}

/* Of several with one uid always the same is found. */
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

/* What all users take. */
struct need {
    size_t text; /* bytes */
    size_t grants;
    size_t globs; /* bytes */
};

static void measure_patterns(const struct conf_patterns *patterns, struct need *need)
{
    for (size_t i = 0; i < patterns->count; i++) {
        struct slice pattern = slice_of(patterns->of[i]);
        need->text += pattern.length;
        need->globs += acl_rule_size(pattern);
    }
    need->grants += patterns->count;
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

/* An array that has room for nothing is an array all the same. */
static void *array_of(size_t count, size_t size)
{
    return calloc(count > 0 ? count : 1, size);
}

static bool make_blocks(struct users *users, const struct conf *conf)
{
    struct need need = measure(conf);

    users->list = array_of(conf->user_count, sizeof *users->list);
    users->unix_list = array_of(conf->user_count, sizeof(struct user *));
    users->memos = array_of(conf->user_count, sizeof *users->memos);
    users->grants = array_of(need.grants, sizeof *users->grants);
    users->globs = array_of(need.globs, 1);
    users->text = array_of(need.text, 1);
    users->text_size = need.text;
    return users->list != NULL && users->unix_list != NULL && users->memos != NULL &&
           users->grants != NULL && users->globs != NULL && users->text != NULL;
}

/* Where the next bytes, the next grant and its memory go. */
struct pen {
    char *text;
    struct acl_rule *grant;
    char *glob;
};

static struct slice copy_text(struct pen *pen, const char *text, size_t length)
{
    struct slice copy = {pen->text, length};

    memcpy(pen->text, text, length);
    pen->text += length;
    return copy;
}

static void copy_patterns(struct pen *pen, const struct conf_patterns *patterns, unsigned right)
{
    for (size_t i = 0; i < patterns->count; i++) {
        struct slice pattern = copy_text(pen, patterns->of[i], strlen(patterns->of[i]));
        *pen->grant++ = acl_rule_of(pattern, right, pen->glob);
        pen->glob += acl_rule_size(pattern);
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

static bool make_user(struct user *user, struct pen *pen, const struct conf_user *from)
{
    struct acl_rule *grants = pen->grant;

    user->name = copy_text(pen, from->name, strlen(from->name));
    if (from->secret != NULL) {
        user->hash = copy_text(pen, from->secret, strlen(from->secret) + 1).bytes;
    }
    copy_patterns(pen, &from->read, RIGHT_READ);
    copy_patterns(pen, &from->write, RIGHT_WRITE);
    copy_patterns(pen, &from->watch, RIGHT_WATCH);
    copy_patterns(pen, &from->admin, RIGHT_ADMIN | RIGHT_WATCH);
    acl_init(&user->grants, grants, (size_t)(pen->grant - grants));
    return from->unix_user == NULL || find_uid(user, from->unix_user);
}

static bool make_list(struct users *users, const struct conf *conf)
{
    struct pen pen = {.text = users->text, .grant = users->grants, .glob = users->globs};

    for (users->count = 0; users->count < conf->user_count; users->count++) {
        if (!make_user(&users->list[users->count], &pen, &conf->users[users->count])) {
            return false;
        }
    }
    qsort(users->list, users->count, sizeof *users->list, compare_users);
    for (size_t i = 0; i < users->count; i++) {
        struct user *user = &users->list[i];
        user->memo = &users->memos[i];
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

static void keep(struct memo *memo, struct siphash_hash hash)
{
    unsigned nothing = MEMO_NOTHING;

    if (atomic_compare_exchange_strong(&memo->state, &nothing, MEMO_WRITING)) {
        memo->hash = hash;
        atomic_store_explicit(&memo->state, MEMO_KEPT, memory_order_release);
    }
}

static bool is_kept(const struct memo *memo)
{
    return atomic_load_explicit(&memo->state, memory_order_acquire) == MEMO_KEPT;
}

/* What is proved to `before` from now on is proved once more: seldom, and only a check. */
static bool inherit(struct users *users, const struct users *before)
{
    if (before == NULL) {
        return getrandom(&users->key, sizeof users->key, 0) == sizeof users->key;
    }
    users->key = before->key;
    for (size_t i = 0; i < users->count; i++) {
        const struct user *now = &users->list[i];
        const struct user *then = users_find(before, now->name);
        if (then != NULL && same_secret(now, then) && is_kept(then->memo)) {
            keep(now->memo, then->memo->hash);
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
    wipe_and_free(users->memos, users->count * sizeof *users->memos);
    wipe_and_free(users->text, users->text_size);
    free(users->globs);
    free(users->grants);
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

/* FNV-1a (Fowler, Noll and Vo). The administrator chooses the names, and two of one number
 * would only share what one may make. */
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
    size_t first = (size_t)siphash_of(&users->key, name).low;

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
    return acl_in(&user->grants, ns);
}

unsigned user_rights_everywhere(const struct user *user)
{
    return user->grants.everywhere;
}

bool user_recalls(const struct user *user, struct slice secret)
{
    struct siphash_hash hash = siphash_of(user->key, secret);

    return is_kept(user->memo) && siphash_equal(hash, user->memo->hash);
}

void user_prove(const struct user *user, struct slice secret)
{
    keep(user->memo, siphash_of(user->key, secret));
}
