/*
 * logins_fixture.h - logins at an authenticator with the test's own clock and checks.
 *
 * A hash is `is ` and the secret, so a check takes no time; and a check can be held up, so
 * that what is asked meanwhile has to wait. What must not happen yet is told by another
 * login that comes later and is answered: see visitors_fence.
 */
#ifndef KVCACHED_TESTS_AUTH_LOGINS_FIXTURE_H
#define KVCACHED_TESTS_AUTH_LOGINS_FIXTURE_H

#include <pthread.h>

#include "daemon/auth/authenticator.h"

enum {
    VISITORS_MEMBERS = 10,        /* user0 with secret0 and so on; and mute, which has none */
    VISITORS_START = 1000000,     /* milliseconds */
    VISITORS_ELSEWHERE = 1000000, /* addresses from there on are those of fences */
    VISITORS_FENCE = 5,           /* checks of a fence */
};

struct visitors {
    struct authenticator *authenticator;
    struct users *users;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* lock; one of those below */
    uint64_t now;
    bool held;       /* checks do not end */
    bool checking;   /* one is going on */
    bool all_match;  /* whatever is said */
    unsigned checks; /* that have begun */
    char last_hash[SECRET_HASH_MAX];
    unsigned answers;
    bool left_secrets; /* one was not wiped */
};

extern struct visitors visitors;

struct visitor {
    struct login_request login;
    unsigned answered; /* visitors.lock; its number among all answers, from 1 on; 0: not yet */
};

/* For tcase_add_checked_fixture. */
void visitors_open(void);
void visitors_close(void);

void visitor_ask(struct visitor *visitor, uint64_t address, const char *name, const char *secret);
/* Zero: not yet. */
unsigned visitor_answer(struct visitor *visitor);
void visitor_wait(struct visitor *visitor);
/* Waits. The name of the user that it is, or NULL. */
const char *visitor_outcome(struct visitor *visitor);

/* A wrong secret; no two of them are the same. */
const char *visitors_guess(void);
/* Asks, and what came of it. */
const char *visitors_try(uint64_t address, const char *name, const char *secret);
unsigned visitors_checks(void);

/* So many turns of addresses that are fresh that each that was ready has had its own. */
void visitors_fence(void);
void visitors_pass_time(uint64_t milliseconds);

/* From here on one check goes on, which this visitor has asked for. */
void visitor_hold(struct visitor *visitor, uint64_t address, const char *name, const char *secret);
void visitors_let_go(void);

/* It is looked at when so much time has gone by, and not before. */
void visitor_expect_delay(struct visitor *visitor, uint64_t milliseconds);

#endif
