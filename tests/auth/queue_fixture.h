/*
 * queue_fixture.h - a authenticator's queue on a clock of numbers, and what tests say of it.
 */
#ifndef KVCACHED_TESTS_AUTH_QUEUE_FIXTURE_H
#define KVCACHED_TESTS_AUTH_QUEUE_FIXTURE_H

#include "daemon/auth/login_queue.h"

enum { LINE_START = 1000000 /* milliseconds */ };

struct line {
    struct login_queue *queue;
    struct logins out; /* those that lost their places */
    uint64_t now;
};

extern struct line line;

/* For tcase_add_checked_fixture. */
void line_open(void);
void line_close(void);

bool line_add(struct login_request *login, uint64_t number);
void line_know(uint64_t number);
bool line_trusts(uint64_t number);

/* NULL where no login is due now. */
struct login_request *line_next(void);
/* It is not: when something is to be done. */
uint64_t line_due(void);
void line_settle(enum login_result end);
/* It is the turn of that one, and it ends so. */
void line_expect(const struct login_request *login, enum login_result end);

/* One of that address has a turn, and fails. */
void line_let_fail(uint64_t number);
/* How long the next one has to wait after the failure before. It fails. */
uint64_t line_delay_of(uint64_t number);

unsigned line_count_out(void);

#endif
