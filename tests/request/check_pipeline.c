/*
 * check_pipeline.c - bytes in, replies out, without a socket.
 *
 * Whole conversations are held with a pipeline, which parses and executes them
 * against a store. What is answered must not depend on how the bytes were cut,
 * nor on how little of the replies the peer takes at a time.
 */
#include "daemon/request/pipeline.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/base/clock.h"
#include "tests/request/fake_transport.h"
#include "tests/request/workspace_fixture.h"
#include "tests/support/instance.h"
#include "tests/support/suite.h"

enum { MEMORY = 32 << 20, MAX_VALUE = 300000, CASE_TIMEOUT = 300 };

static struct instance instance;
static struct metrics metrics[INSTANCE_SETS];
static struct workspace_fixture fixture;
static struct identity identity; /* there are no users */
static const struct endpoint native_door = {.protocol = &protocol_native, .name = "test"};
static const struct endpoint *endpoint = &native_door; /* what pipelines are made for */

static void set_up(void)
{
    struct store_options options = {.memory = MEMORY, .max_value = MAX_VALUE};
    facts_of_one(&instance, metrics);
    workspace_open(&fixture, &options, &instance);
    workspace_configure(&fixture, MAX_VALUE, "main");
    struct store_namespace_options strict = {.name = slice_of("strict"), .require_ttl = true};
    struct store_policy policy = {.declared = &strict, .declared_count = 1, .max_value = MAX_VALUE};
    store_enter(fixture.store_thread);
    ck_assert(store_set_policy(fixture.store, fixture.store_thread, &policy, clock_now()));
    store_leave(fixture.store_thread);
}

static void tear_down(void)
{
    workspace_close(&fixture);
}

static void flush(struct pipeline *pipeline, struct wire *wire)
{
    size_t moved;
    if (!reply_queue_is_empty(&pipeline->replies)) {
        ck_assert_int_eq(reply_queue_send(&pipeline->replies, &wire->transport, SIZE_MAX, &moved),
                         TRANSPORT_OK);
    }
}

static unsigned turns;

/* What a connection does in a turn, with and without preparing it. True at the end of
 * what the peer says. */
static bool turn(struct pipeline *pipeline, struct wire *wire, enum pipeline_state *state)
{
    size_t moved = 0;
    bool ended = false;
    fixture.workspace.ctx.now = 0;
    store_enter(fixture.store_thread);
    if (*state == PIPELINE_NEEDS_INPUT) {
        ended = pipeline_receive(pipeline, &fixture.workspace, &wire->transport, &moved) ==
                TRANSPORT_EOF;
    }
    if (*state != PIPELINE_OUTPUT_FULL || reply_queue_has_drained(&pipeline->replies)) {
        if (turns++ % 3 != 0 && pipeline_prepare(pipeline, &fixture.workspace) > 0) {
            pipeline_fetch(pipeline, &fixture.workspace);
        }
        *state = pipeline_work(pipeline, &fixture.workspace);
    }
    store_leave(fixture.store_thread);
    return ended;
}

/* As a connection does, until the pipeline has nothing more to do. */
static enum pipeline_state hold(struct wire *wire)
{
    struct pipeline *pipeline = pipeline_create(&fixture.workspace, endpoint, &identity);
    ck_assert_ptr_nonnull(pipeline);
    enum pipeline_state state = PIPELINE_NEEDS_INPUT;
    bool ended = false;
    while (state <= PIPELINE_OUTPUT_FULL && !(ended && state == PIPELINE_NEEDS_INPUT)) {
        ended = turn(pipeline, wire, &state) || ended;
        flush(pipeline, wire);
        if (pipeline_is_idle(pipeline)) { /* as if it had been idle in between */
            pipeline_destroy(&pipeline, &fixture.workspace);
            pipeline = pipeline_create(&fixture.workspace, endpoint, &identity);
        }
    }
    while (!reply_queue_is_empty(&pipeline->replies)) {
        flush(pipeline, wire);
    }
    pipeline_destroy(&pipeline, &fixture.workspace);
    return state;
}

static enum pipeline_state talk(struct slice said, size_t read_step, size_t write_step,
                                struct wire *wire)
{
    wire_init(wire, said);
    wire->read_step = read_step;
    wire->write_step = write_step;
    return hold(wire);
}

static void forget_all(void)
{
    uint64_t records;
    static const char *const names[] = {"main", "n", "strict", "other"};
    store_enter(fixture.store_thread);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        store_flush(fixture.store_thread, slice_of(names[i]), clock_now(), &records);
    }
    store_leave(fixture.store_thread);
}

/* Holds the conversation at once, byte by byte, and in between; the answer must
 * be this each time. */
static void expect(struct slice said, struct slice answer, enum pipeline_state last)
{
    static const struct {
        size_t read, write;
    } ways[] = {{0, 0}, {1, 0}, {0, 1}, {2, 3}, {7, 1000}, {1000, 7}, {16384, 16384}, {65536, 1}};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct wire wire;
        enum pipeline_state state = talk(said, ways[i].read, ways[i].write, &wire);
        bool same = wire.out_length == answer.length &&
                    (answer.length == 0 || memcmp(wire.out, answer.bytes, answer.length) == 0);
        ck_assert_msg(same, "read %zu, write %zu: %zu bytes: %.*s", ways[i].read, ways[i].write,
                      wire.out_length, wire.out_length < 500 ? (int)wire.out_length : 500,
                      wire.out);
        ck_assert_int_eq(state, last);
        wire_deinit(&wire);
        forget_all();
    }
}

/* --- conversations -------------------------------------------------------- */

static const struct conversation {
    const char *said, *answer;
    enum pipeline_state last;
} conversations[] = {
    {"", "", PIPELINE_NEEDS_INPUT},
    {"PING\r\nping\n", "PONG\r\nPONG\r\n", PIPELINE_NEEDS_INPUT},
    {"PUT n a 30m\nhello\nGET n a b\n", "STORED\r\nVALUE 5\r\nhello\r\nNOT_FOUND\r\n",
     PIPELINE_NEEDS_INPUT},
    {"PUT n a 30m 3\r\nxyz\r\nDEL n a a\r\n", "STORED\r\nDELETED\r\nNOT_FOUND\r\n",
     PIPELINE_NEEDS_INPUT},
    {"ADD n a\nx\nADD n a\ny\nGET n a\n", "STORED\r\nEXISTS\r\nVALUE 1\r\nx\r\n",
     PIPELINE_NEEDS_INPUT},
    /* effects are seen by what comes behind them, a new namespace too */
    {"GET other k\nPUT other k\n7\nGET other k\nINCR other k 3\nDECR other k 100\nGET other k\n",
     "NOT_FOUND\r\nSTORED\r\nVALUE 1\r\n7\r\nNUMBER 10\r\nNUMBER 0\r\nVALUE 1\r\n0\r\n",
     PIPELINE_NEEDS_INPUT},
    {"INCR n x\nTTL n x\nTOUCH n x 1m\nPUT n x never\n5\nTTL n x\nTOUCH n x 0\nTTL n x\n",
     "NOT_FOUND\r\nNOT_FOUND\r\nNOT_FOUND\r\nSTORED\r\nTTL never\r\nTOUCHED\r\nTTL never\r\n",
     PIPELINE_NEEDS_INPUT},
    /* `-` is the default namespace */
    {"PUT - k\nv\nGET main k\nGET - k\n", "STORED\r\nVALUE 1\r\nv\r\nVALUE 1\r\nv\r\n",
     PIPELINE_NEEDS_INPUT},
    {"PUT n a\n1\nFLUSH n\nGET n a\nLIST n\n", "STORED\r\nFLUSHED 1\r\nNOT_FOUND\r\nEND\r\n",
     PIPELINE_NEEDS_INPUT},
    {"PUT n ab\n1\nPUT n b\n22\nLIST n a*\nALL n ?\nLIST n *x\n",
     "STORED\r\nSTORED\r\nKEY ab\r\nEND\r\nRECORD b 2\r\n22\r\nEND\r\nEND\r\n",
     PIPELINE_NEEDS_INPUT},
    {"PUT n a\\x20b never 3 7\nx\ny\nDUMP n\nPUT main b 0\n22\nDUMP - ?\nDUMP n ?\n",
     "STORED\r\nPUT n a\\x20b never 3 7\r\nx\ny\r\nEND\r\nSTORED\r\nPUT main b never 2\r\n22\r\n"
     "END\r\nEND\r\n",
     PIPELINE_NEEDS_INPUT},
    {"PUT n a 5m 2\nab\nPUT n b never 0\n\nSURVEY n\nPING\n",
     "STORED\r\nSTORED\r\nSIZE 1 1 0\r\nSIZE 2 1 2\r\nTTL 1s 0\r\nTTL 10s 0\r\nTTL 1m 0\r\n"
     "TTL 10m 1\r\nTTL 1h 0\r\nTTL 6h 0\r\nTTL 1d 0\r\nTTL 7d 0\r\nTTL 30d 0\r\nTTL never 1\r\n"
     "LARGE 2 a\r\nLARGE 0 b\r\nEND\r\nPONG\r\n",
     PIPELINE_NEEDS_INPUT},
    {"VERSION\n", "VERSION kvcached 1.2.3\r\n", PIPELINE_NEEDS_INPUT},
    {"STATS nowhere\nPING\n", "NOT_FOUND\r\nPONG\r\n", PIPELINE_NEEDS_INPUT},
    /* what the store refuses */
    {"PUT strict k\nv\nPUT strict k 1m\nv\nPING\n",
     "CLIENT_ERROR namespace \"strict\" needs a ttl with every write, such as 30m\r\n"
     "STORED\r\nPONG\r\n",
     PIPELINE_NEEDS_INPUT},
    {"PUT n k\nword\nINCR n k\nPUT n k\n18446744073709551615\nINCR n k\n",
     "STORED\r\nCLIENT_ERROR the value is not a number from 0 to 18446744073709551615\r\n"
     "STORED\r\nCLIENT_ERROR the sum would be above 18446744073709551615\r\n",
     PIPELINE_NEEDS_INPUT},
    /* where it ends */
    {"PING\nQUIT\nPING\n", "PONG\r\n", PIPELINE_QUIT},
    {"PING\nPOST / HTTP/1.1\r\nHost: a\r\n\r\n",
     "PONG\r\nHTTP/1.1 400 Bad Request\r\n"
     "Content-Type: text/plain\r\nContent-Length: 120\r\nConnection: close\r\n\r\n"
     "this listener speaks kvcached's own protocol, not HTTP; the live page and "
     "/metrics need a listener with protocol = http\n",
     PIPELINE_HTTP},
    {"*1\r\n$4\r\nPING\r\n",
     "-ERR this listener speaks kvcached's own protocol, not Redis's; see kvcached-protocol(7)\r\n",
     PIPELINE_REDIS},
    {"\x16\x03\x01\x02\n\x01\xfc", "", PIPELINE_TLS_HELLO},
    {"set k 0 0 5\nPING\nmg k v\n",
     "ERROR this listener speaks kvcached's own protocol, and reads the next line as a request; "
     "memcached's is configured nowhere\r\nPONG\r\n"
     "ERROR this listener speaks kvcached's own protocol; memcached's is configured nowhere\r\n",
     PIPELINE_NEEDS_INPUT},
    {"HELP quit\nPING\n",
     "QUIT: close the connection\r\nReply: none\r\nExample: QUIT\r\nEND\r\nPONG\r\n",
     PIPELINE_NEEDS_INPUT},
    {"PUT n k 1m 5\nabc", "", PIPELINE_NEEDS_INPUT},
    {"GET n", "", PIPELINE_NEEDS_INPUT},
};

START_TEST(conversation)
{
    const struct conversation *c = &conversations[_i];
    expect(slice_of(c->said), slice_of(c->answer), c->last);
}
END_TEST

/* --- longer ones ---------------------------------------------------------- */

struct text {
    char *bytes;
    size_t length, capacity;
};

static void add_bytes(struct text *text, const char *bytes, size_t length)
{
    if (text->capacity - text->length < length) {
        text->capacity = 2 * (text->capacity + length);
        text->bytes = realloc(text->bytes, text->capacity);
        ck_assert_ptr_nonnull(text->bytes);
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    add_bytes(text, line, (size_t)length);
}

static struct slice slice_text(const struct text *text)
{
    return (struct slice){text->bytes, text->length};
}

static char value[MAX_VALUE + 1];

static void make_value(void)
{
    for (size_t i = 0; i < sizeof value; i++) {
        value[i] = (char)(i * 31 + i / 251);
    }
}

/* Around each boundary: copied or pinned, waited for or streamed. */
static const size_t lengths[] = {0,
                                 1,
                                 STORE_COPY_MAX - 1,
                                 STORE_COPY_MAX,
                                 STORE_COPY_MAX + 1,
                                 RECV_BUFFER_SMALL,
                                 REQUEST_LINE_MAX - 1,
                                 REQUEST_LINE_MAX,
                                 REQUEST_LINE_MAX + 1,
                                 RECV_BUFFER_LARGE - 30,
                                 RECV_BUFFER_LARGE - 20,
                                 RECV_BUFFER_LARGE,
                                 RECV_BUFFER_LARGE + 1,
                                 200000,
                                 MAX_VALUE};

START_TEST(a_value_of_every_size)
{
    struct text said = {0}, answer = {0};
    size_t length = lengths[_i];
    make_value();
    add(&said, "PUT n k never %zu 5\r\n", length);
    add_bytes(&said, value, length);
    add(&said, "\r\nGET n k\r\nDUMP n\r\nPING\r\n");
    add(&answer, "STORED\r\nVALUE %zu\r\n", length);
    add_bytes(&answer, value, length);
    add(&answer, "\r\nPUT n k never %zu 5\r\n", length);
    add_bytes(&answer, value, length);
    add(&answer, "\r\nEND\r\nPONG\r\n");
    expect(slice_text(&said), slice_text(&answer), PIPELINE_NEEDS_INPUT);
    free(said.bytes);
    free(answer.bytes);
}
END_TEST

/* Refused at first, and the value dropped, whether it was to be streamed or not. */
START_TEST(a_refused_value_of_every_size)
{
    struct text said = {0}, answer = {0};
    size_t length = lengths[_i];
    make_value();
    add(&said, "PUT strict k - %zu\r\n", length);
    add_bytes(&said, value, length);
    add(&said, "\r\nPUT n k 1h %d\r\n", MAX_VALUE + 1);
    add_bytes(&said, value, sizeof value);
    add(&said, "\r\nPING\r\n");
    add(&answer,
        "CLIENT_ERROR namespace \"strict\" needs a ttl with every write, such as 30m\r\n"
        "CLIENT_ERROR value of %d bytes is larger than max_value, %d bytes\r\nPONG\r\n",
        MAX_VALUE + 1, MAX_VALUE);
    expect(slice_text(&said), slice_text(&answer), PIPELINE_NEEDS_INPUT);
    free(said.bytes);
    free(answer.bytes);
}
END_TEST

START_TEST(a_value_without_its_line_end)
{
    struct text said = {0};
    size_t length = lengths[_i];
    make_value();
    add(&said, "PUT n k 1h %zu\r\n", length);
    add_bytes(&said, value, length);
    add(&said, "xxPING\r\n");
    struct wire wire;
    ck_assert_int_eq(talk(slice_text(&said), 0, 0, &wire), PIPELINE_DESYNCED);
    ck_assert_int_eq(strncmp(wire.out, "CLIENT_ERROR ", 13), 0);
    ck_assert_ptr_eq(memchr(wire.out, '\n', wire.out_length), wire.out + wire.out_length - 1);
    wire_deinit(&wire);
    struct slice get = slice_of("GET n k\r\n");
    talk(get, 0, 0, &wire);
    ck_assert_int_eq(strncmp(wire.out, "NOT_FOUND\r\n", wire.out_length), 0);
    wire_deinit(&wire);
    free(said.bytes);
}
END_TEST

/* Many requests at once: each is answered, in order, over many turns. */
START_TEST(a_long_pipeline)
{
    struct text said = {0}, answer = {0};
    for (int i = 0; i < 3000; i++) {
        add(&said, "PUT n key%d 1h\nvalue %d\n", i % 100, i);
        add(&said, "GET n key%d missing\n", i % 100);
        add(&answer, "STORED\r\nVALUE %d\r\nvalue %d\r\nNOT_FOUND\r\n",
            snprintf(NULL, 0, "value %d", i), i);
    }
    expect(slice_text(&said), slice_text(&answer), PIPELINE_NEEDS_INPUT);
    free(said.bytes);
    free(answer.bytes);
}
END_TEST

/* A GET of more than the reply queue holds stops and goes on, with large values and
 * small ones and none. */
START_TEST(a_get_of_many_keys)
{
    struct text said = {0}, answer = {0};
    make_value();
    add(&said, "PUT n big 1h 100000\n");
    add_bytes(&said, value, 100000);
    add(&said, "\nPUT n small 1h\nabc\nGET n");
    add(&answer, "STORED\r\nSTORED\r\n");
    for (int i = 0; i < 30; i++) {
        add(&said, " big missing small");
        add(&answer, "VALUE 100000\r\n");
        add_bytes(&answer, value, 100000);
        add(&answer, "\r\nNOT_FOUND\r\nVALUE 3\r\nabc\r\n");
    }
    add(&said, "\nPING\n");
    add(&answer, "PONG\r\n");
    struct wire wire;
    static const size_t steps[] = {0, 5000, 100001};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_int_eq(talk(slice_text(&said), 0, steps[i], &wire), PIPELINE_NEEDS_INPUT);
        ck_assert_uint_eq(wire.out_length, answer.length);
        ck_assert_int_eq(memcmp(wire.out, answer.bytes, answer.length), 0);
        wire_deinit(&wire);
    }
    free(said.bytes);
    free(answer.bytes);
}
END_TEST

/* Counts the lines of the answer that begin with the word. */
static size_t count_lines(const struct wire *wire, const char *word)
{
    size_t count = 0, length = strlen(word);
    const char *at = wire->out, *end = wire->out + wire->out_length;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        count += (size_t)(end - at) >= length && memcmp(at, word, length) == 0;
        at = line_end == NULL ? end : line_end + 1;
    }
    return count;
}

START_TEST(a_long_listing)
{
    struct text said = {0};
    enum { RECORDS = 20000 };
    for (int i = 0; i < RECORDS; i++) {
        add(&said, "PUT n key%06d 1h\nv%d\n", i, i);
    }
    add(&said, "LIST n\nALL n\nLIST n key00001?\nNAMESPACES\nDUMP n\nSURVEY n\nPING\n");
    struct wire wire;
    static const size_t steps[] = {0, 3000};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(talk(slice_text(&said), 0, steps[i], &wire), PIPELINE_NEEDS_INPUT);
        ck_assert_uint_eq(count_lines(&wire, "STORED"), RECORDS);
        ck_assert_uint_eq(count_lines(&wire, "KEY "), RECORDS + 10);
        ck_assert_uint_eq(count_lines(&wire, "PUT n key"), RECORDS);
        ck_assert_uint_eq(count_lines(&wire, "TTL 1h 20000\r"), 1);
        ck_assert_uint_eq(count_lines(&wire, "LARGE 6 "), 10);
        ck_assert_uint_eq(count_lines(&wire, "RECORD "), RECORDS);
        ck_assert_uint_eq(count_lines(&wire, "NAMESPACE n 20000 "), 1);
        ck_assert_uint_eq(count_lines(&wire, "END"), 6);
        ck_assert_uint_eq(count_lines(&wire, "PONG"), 1);
        wire_deinit(&wire);
        forget_all();
    }
    free(said.bytes);
}
END_TEST

/* Patterns that take as long as patterns can share the thread with others: the longer
 * they take, the fewer records are looked at in a turn. */
START_TEST(a_slow_pattern)
{
    enum { RECORDS = 200, LENGTH = 1000 };
    static const struct {
        const char *part; /* again and again, to half of LENGTH */
        unsigned a_turn_at_most;
    } patterns[] = {{"a", 4}, {"?", 4}, {"[0-9a]", 10}};
    struct text said = {0};
    struct wire wire;
    char key[LENGTH], pattern[LENGTH + 1];

    memset(key, 'a', LENGTH);
    for (int i = 0; i < RECORDS; i++) {
        add(&said, "PUT n ");
        add_bytes(&said, key, LENGTH);
        add(&said, "%d 1h\nv\n", i);
    }
    talk(slice_text(&said), 0, 0, &wire);
    wire_deinit(&wire);
    free(said.bytes);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        char line[LENGTH + 32];
        size_t length = 0;
        pattern[length++] = '*';
        while (length < LENGTH / 2) {
            length += (size_t)snprintf(pattern + length, LENGTH - length, "%s", patterns[i].part);
        }
        snprintf(line, sizeof line, "LIST n %sb\nLIST n *7\n", pattern);
        unsigned before = turns;
        ck_assert_int_eq(talk(slice_of(line), 0, 0, &wire), PIPELINE_NEEDS_INPUT);
        ck_assert_uint_eq(count_lines(&wire, "END\r\n"), 2);
        ck_assert_uint_eq(count_lines(&wire, "KEY "), RECORDS / 10);
        ck_assert_uint_ge(turns - before, RECORDS / patterns[i].a_turn_at_most);
        wire_deinit(&wire);
    }
}
END_TEST

/* A peer that goes in the middle of anything leaves nothing behind: tear_down
 * asks the store. */
START_TEST(cut_off_anywhere)
{
    struct text said = {0};
    make_value();
    add(&said, "PUT n k 1h 100000\n");
    add_bytes(&said, value, 100000);
    add(&said, "\nGET n k k k k k k\nALL n\nPUT n k 1h 90000\n");
    add_bytes(&said, value, 90000);
    add(&said, "\n");
    for (size_t length = 0; length < said.length; length += 997) {
        struct wire wire;
        wire_init(&wire, (struct slice){said.bytes, length});
        struct pipeline *pipeline = pipeline_create(&fixture.workspace, endpoint, &identity);
        size_t moved;
        store_enter(fixture.store_thread);
        while (pipeline_receive(pipeline, &fixture.workspace, &wire.transport, &moved) ==
               TRANSPORT_OK) {
            pipeline_work(pipeline, &fixture.workspace);
        }
        store_leave(fixture.store_thread);
        pipeline_destroy(&pipeline,
                         &fixture.workspace); /* with replies unsent, and a value half here */
        wire_deinit(&wire);
    }
    free(said.bytes);
}
END_TEST

START_TEST(figures)
{
    struct wire wire;
    talk(slice_of("PUT n k\nv\nGET n k k x\nSTATS\nSTATS n\n"), 0, 0, &wire);
    ck_assert_uint_eq(count_lines(&wire, "STAT get_hits 2\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "STAT get_misses 1\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "STAT cmd_get 3\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "STAT cmd_set 1\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "STAT curr_items 1\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "STAT version 1.2.3\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "STAT items 1\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "STAT hits 2\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "STAT ttl never\r\n"), 1);
    ck_assert_uint_eq(count_lines(&wire, "END\r\n"), 2);
    wire_deinit(&wire);
}
END_TEST

int main(void)
{
    enum { CONVERSATIONS = sizeof conversations / sizeof conversations[0] };
    enum { LENGTHS = sizeof lengths / sizeof lengths[0] };
    Suite *suite = suite_create("pipeline");
    TCase *all = tcase_create("all");
    tcase_set_timeout(all, CASE_TIMEOUT);
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_loop_test(all, conversation, 0, CONVERSATIONS);
    tcase_add_loop_test(all, a_value_of_every_size, 0, LENGTHS);
    tcase_add_loop_test(all, a_refused_value_of_every_size, 0, LENGTHS);
    tcase_add_loop_test(all, a_value_without_its_line_end, 0, LENGTHS);
    tcase_add_test(all, a_long_pipeline);
    tcase_add_test(all, a_get_of_many_keys);
    tcase_add_test(all, a_long_listing);
    tcase_add_test(all, a_slow_pattern);
    tcase_add_test(all, cut_off_anywhere);
    tcase_add_test(all, figures);
    suite_add_tcase(suite, all);

    return suite_run(suite);
}
