/*
 * cluster_fixture.c - see cluster_fixture.h.
 */
#include "tests/cluster/cluster_fixture.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/thread.h"

enum { ASKED_MAX = 512, SLOTS_TEXTS = 8, SLOTS_TEXT = 4096, WORDS_MAX = 16 };

struct fixture fixture;
static struct asked all[ASKED_MAX];
static size_t asked_count;
static char texts[SLOTS_TEXTS][SLOTS_TEXT];
static size_t text_count;
static const char *node_names[1];

void fixture_set_up(void)
{
    memset(&fixture, 0, sizeof fixture);
    memset(all, 0, sizeof all);
    asked_count = text_count = 0;
    fixture.base = thread_base(0);
    ck_assert_ptr_nonnull(fixture.base);
    for (int i = 0; i < FIXTURE_NODES; i++) {
        node_start(&fixture.nodes[i], fixture.base);
    }
    fixture_set_slots(fixture_slots(CLUSTER_SLOTS - 1, 0, -1, -1));
    node_names[0] = fixture.nodes[0].name;
    fixture.options = (struct cluster_options){
        .base = fixture.base,
        .metrics = &fixture.metrics,
        .nodes = node_names,
        .node_count = 1,
        .patience = FIXTURE_PATIENCE,
        .reply_max = 1 << 20,
    };
}

void fixture_tear_down(void)
{
    for (size_t i = 0; i < asked_count; i++) {
        cluster_question_free(&all[i].question);
    }
    if (fixture.cluster != NULL) {
        struct cluster_state state;
        cluster_read_state(fixture.cluster, &state);
        ck_assert_uint_eq(state.under_way, 0);
        cluster_destroy(&fixture.cluster);
    }
    for (int i = 0; i < FIXTURE_NODES; i++) {
        node_end(&fixture.nodes[i]);
    }
    event_base_free(fixture.base);
}

/* --- topology --------------------------------------------------------------- */

static size_t put_node(char *to, size_t size, int number)
{
    return (size_t)snprintf(to, size, "*3\r\n$9\r\n127.0.0.1\r\n:%u\r\n$1\r\n%d\r\n",
                            (unsigned)fixture.nodes[number].port, number);
}

char *fixture_slots(int last, ...)
{
    char body[SLOTS_TEXT];
    size_t at = 0;
    int ranges = 0, first = 0;
    va_list rest;
    va_start(rest, last);
    for (; last >= 0; last = va_arg(rest, int)) {
        int master = va_arg(rest, int), replica = va_arg(rest, int);
        at += (size_t)snprintf(body + at, sizeof body - at, "*%d\r\n:%d\r\n:%d\r\n",
                               replica < 0 ? 3 : 4, first, last);
        at += put_node(body + at, sizeof body - at, master);
        if (replica >= 0) {
            at += put_node(body + at, sizeof body - at, replica);
        }
        first = last + 1;
        ranges++;
    }
    va_end(rest);
    ck_assert_uint_lt(text_count, SLOTS_TEXTS);
    char *text = texts[text_count++];
    snprintf(text, SLOTS_TEXT, "*%d\r\n%.*s", ranges, (int)at, body);
    return text;
}

void fixture_set_slots(const char *slots)
{
    for (int i = 0; i < FIXTURE_NODES; i++) {
        fixture.nodes[i].slots = slots;
    }
}

static unsigned slots_known(void)
{
    struct cluster_state state;
    cluster_read_state(fixture.cluster, &state);
    return state.slots;
}

void fixture_connect(unsigned slots)
{
    fixture.cluster = cluster_create(&fixture.options);
    ck_assert_ptr_nonnull(fixture.cluster);
    fixture_until(slots_known() == slots);
}

void fixture_turn(void)
{
    fixture.round++;
    event_base_loop(fixture.base, EVLOOP_ONCE);
}

/* --- questions -------------------------------------------------------------- */

static void on_answered(struct cluster_question *question, void *context)
{
    struct asked *asked = context;
    ck_assert(!fixture.asking);
    ck_assert_ptr_eq(question, asked->question);
    ck_assert_int_ne(question->outcome, CLUSTER_PENDING);
    ck_assert((question->reply != NULL) == (question->outcome == CLUSTER_ANSWERED));
    asked->told++;
    asked->round = fixture.round;
    if (asked->frees != NULL) {
        cluster_question_free(&asked->frees->question);
    }
    if (asked->asks != NULL) {
        asked->another = fixture_read(asked->asks);
    }
}

struct asked *fixture_ask(const struct cluster_command *command)
{
    ck_assert_uint_lt(asked_count, ASKED_MAX);
    struct asked *asked = &all[asked_count++];
    fixture.asking = true;
    asked->question = cluster_ask(fixture.cluster, command, on_answered, asked);
    fixture.asking = false;
    ck_assert_ptr_nonnull(asked->question);
    ck_assert_int_eq(asked->question->outcome, CLUSTER_PENDING);
    return asked;
}

struct asked *fixture_ask_words(struct cluster_command command, const char *words)
{
    struct slice arguments[WORDS_MAX];
    command.count = 0;
    while (*words != '\0') {
        size_t length = strcspn(words, " ");
        arguments[command.count++] = (struct slice){words, length};
        words += length;
        words += *words == ' ';
    }
    command.arguments = arguments;
    command.owned = -1;
    return fixture_ask(&command);
}

struct asked *fixture_read(const char *words)
{
    return fixture_ask_words((struct cluster_command){.writes = false}, words);
}

struct asked *fixture_write(const char *words)
{
    return fixture_ask_words((struct cluster_command){.writes = true}, words);
}

void fixture_wait(const struct asked *asked)
{
    fixture_until(asked->told > 0);
    ck_assert_uint_eq(asked->told, 1);
}

void fixture_expect(struct asked *asked, enum cluster_outcome outcome)
{
    fixture_wait(asked);
    ck_assert_int_eq(asked->question->outcome, outcome);
}

void fixture_expect_text(struct asked *asked, enum cluster_reply_type type, const char *text)
{
    fixture_expect(asked, CLUSTER_ANSWERED);
    const struct cluster_reply *reply = asked->question->reply;
    ck_assert_int_eq(reply->type, type);
    ck_assert_uint_eq(reply->text.length, strlen(text));
    ck_assert_str_eq(reply->text.bytes, text); /* terminated */
}

uint64_t fixture_count(enum metric metric)
{
    return metrics_sum(&fixture.metrics, 1, metric);
}
