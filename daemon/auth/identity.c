/*
 * identity.c - strangers, and how they become known.
 */
#include "daemon/auth/identity.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A petition on its way to the gate and back. Where its connection is gone it is withdrawn,
 * or if it is being checked belongs to nobody, and whoever gets it back frees it. */
struct errand {
    struct petition petition; /* first: one is the other's address */
    struct gate *gate;
    struct pass *pass; /* NULL: gone */
};

static struct errand *errand_of(struct petition *petition)
{
    return (struct errand *)petition;
}

static void errand_destroy(struct petition **petition)
{
    struct errand *errand = errand_of(*petition);
    *petition = NULL;
    users_put(&errand->petition.users);
    free(errand);
}

/* --- states ----------------------------------------------------------------- */

static void become_stranger(struct pass *pass, uint64_t now)
{
    pass->state = PASS_STRANGER;
    pass->user = NULL;
    pass->received = 0;
    pass->stranger_since = now;
}

static void become_known(struct pass *pass, const struct user *user, enum pass_way way)
{
    pass->state = PASS_KNOWN;
    pass->user = user;
    pass->way = way;
}

/* A process at the other end of a Unix socket is vouched for by the kernel. */
static void try_socket(struct pass *pass, const struct porter *porter)
{
    struct peer_address address = peer_address_of(pass->fd);
    if (address.family == AF_UNIX) {
        const struct user *user = users_find_unix(porter->users, (uid_t)address.number);
        if (user != NULL) {
            become_known(pass, user, PASS_BY_SOCKET);
        }
    }
}

void pass_init(struct pass *pass, const struct porter *porter, int fd, uint64_t now)
{
    *pass = (struct pass){.state = PASS_FREE, .fd = fd};
    if (!users_is_empty(porter->users)) {
        become_stranger(pass, now);
        try_socket(pass, porter);
    }
}

void pass_deinit(struct pass *pass)
{
    if (pass->petition == NULL) {
        return;
    }
    if (pass->answered || gate_withdraw(errand_of(pass->petition)->gate, pass->petition)) {
        errand_destroy(&pass->petition);
    } else {
        errand_of(pass->petition)->pass = NULL;
        pass->petition = NULL;
    }
}

/* --- reload ------------------------------------------------------------------- */

/* Whether it is still who it was. */
static bool goes_on(struct pass *pass, const struct porter *porter)
{
    const struct user *now = NULL;
    if (pass->way == PASS_BY_CERTIFICATE) {
        return false; /* its connection knows whether that is good, and says so again */
    }
    users_follow(porter->users, pass->user, pass->way == PASS_BY_SECRET, &now);
    pass->user = now;
    return now != NULL;
}

void pass_follow(struct pass *pass, const struct porter *porter, uint64_t now)
{
    if (users_is_empty(porter->users)) {
        pass->state = PASS_FREE;
        pass->user = NULL;
        return;
    }
    if (pass->state == PASS_KNOWN && goes_on(pass, porter)) {
        return;
    }
    if (pass->state != PASS_STRANGER) {
        become_stranger(pass, now);
    }
    try_socket(pass, porter);
}

/* --- certificates -------------------------------------------------------------- */

void pass_by_certificate(struct pass *pass, const struct porter *porter, struct slice name)
{
    const struct user *user = pass->state == PASS_STRANGER ? users_find(porter->users, name) : NULL;
    if (user != NULL) {
        become_known(pass, user, PASS_BY_CERTIFICATE);
    }
}

/* --- secrets -------------------------------------------------------------------- */

static void write_errand(struct errand *errand, struct pass *pass, const struct porter *porter,
                         struct slice name, struct slice secret)
{
    struct petition *petition = &errand->petition;
    petition->users = users_get(porter->users);
    petition->address = peer_address_of(pass->fd);
    memcpy(petition->name, name.bytes, name.length);
    petition->name_length = name.length;
    memcpy(petition->secret, secret.bytes, secret.length);
    petition->secret_length = secret.length;
    petition->answered = porter->answered;
    petition->context = porter->context;
    errand->gate = porter->gate;
    errand->pass = pass;
}

enum pass_verdict pass_ask(struct pass *pass, const struct porter *porter, uint64_t now,
                           struct slice name, struct slice secret)
{
    if (pass_is_overdue(pass, now)) {
        return PASS_DENIED;
    }
    struct errand *errand = calloc(1, sizeof *errand);
    if (errand == NULL) {
        return PASS_NO_MEMORY;
    }
    write_errand(errand, pass, porter, name, secret);
    pass->petition = &errand->petition;
    pass->answered = false;
    gate_ask(porter->gate, &errand->petition);
    return PASS_WAITS;
}

enum pass_verdict pass_take(struct pass *pass, const struct porter *porter, uint64_t now)
{
    const struct user *user = pass->petition->user;
    const struct user *current = NULL;
    bool granted = user != NULL && users_follow(porter->users, user, true, &current) == USER_SAME;
    if (granted) {
        become_known(pass, current, PASS_BY_SECRET);
    } else if (pass->state == PASS_KNOWN) {
        become_stranger(pass, now); /* who fails to become somebody else is nobody */
    }
    errand_destroy(&pass->petition);
    pass->answered = false;
    return granted ? PASS_GRANTED : PASS_DENIED;
}

struct pass *pass_answered(struct petition *petition)
{
    struct pass *pass = errand_of(petition)->pass;
    if (pass == NULL) {
        errand_destroy(&petition);
    } else {
        pass->answered = true;
    }
    return pass;
}
