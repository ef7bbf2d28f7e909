/*
 * queue_fixture.c - see queue_fixture.h.
 */
#include "tests/auth/queue_fixture.h"

#include <check.h>

struct line line;

void line_open(void)
{
    line.queue = login_queue_create();
    ck_assert_ptr_nonnull(line.queue);
    TAILQ_INIT(&line.out);
    line.now = LINE_START;
}

void line_close(void)
{
    login_queue_destroy(&line.queue);
    ck_assert_ptr_null(line.queue);
}

static struct peer_address address_of(uint64_t number)
{
    return (struct peer_address){1, number};
}

bool line_add(struct login_request *login, uint64_t number)
{
    *login = (struct login_request){.address = address_of(number)};
    return login_queue_add(line.queue, login, line.now, &line.out);
}

void line_know(uint64_t number)
{
    const struct peer_address address = address_of(number);
    login_queue_know(line.queue, &address, line.now);
}

bool line_trusts(uint64_t number)
{
    const struct peer_address address = address_of(number);
    return login_queue_may_recall(line.queue, &address, line.now);
}

/* NULL where no login is due now. */
struct login_request *line_next(void)
{
    uint64_t due;
    return login_queue_next(line.queue, line.now, &due);
}

uint64_t line_due(void)
{
    uint64_t due = 0;
    ck_assert_ptr_null(login_queue_next(line.queue, line.now, &due));
    return due;
}

void line_settle(enum login_result end)
{
    login_queue_settle(line.queue, end, line.now);
}

/* It is the turn of that one, and it ends so. */
void line_expect(const struct login_request *login, enum login_result end)
{
    ck_assert_ptr_eq(line_next(), login);
    line_settle(end);
}

/* A login of that address is checked, and is done. */
void line_let_fail(uint64_t number)
{
    static struct login_request login;
    ck_assert(line_add(&login, number));
    ck_assert_ptr_eq(line_next(), &login);
    line_settle(LOGIN_WRONG);
}

/* How long a login that is asked for now has to wait after the failure before. */
uint64_t line_delay_of(uint64_t number)
{
    static struct login_request login;
    ck_assert(line_add(&login, number));
    uint64_t from = line.now;
    line.now = line_due();
    ck_assert_ptr_eq(line_next(), &login);
    line_settle(LOGIN_WRONG);
    return line.now - from;
}

unsigned line_count_out(void)
{
    const struct login_request *login;
    unsigned count = 0;
    TAILQ_FOREACH(login, &line.out, next)
    {
        count++;
    }
    return count;
}
