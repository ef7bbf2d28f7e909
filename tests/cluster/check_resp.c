/*
 * check_resp.c - replies cut at every byte, and what is none; and what errors and CLUSTER SLOTS
 * mean.
 */
#include "daemon/cluster/resp.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cluster/reply.h"
#include "daemon/cluster/slots_reply.h"
#include "daemon/cluster/verdict.h"
#include "tests/support/suite.h"

enum { REPLY_MAX = 4096, TEXT_MAX = 4096 };

/* --- replies ---------------------------------------------------------------- */

static size_t print(char *to, size_t size, const struct cluster_reply *reply)
{
    size_t at = 0;
    switch (reply->type) {
    case CLUSTER_NIL:
        return (size_t)snprintf(to, size, "nil");
    case CLUSTER_INTEGER:
        return (size_t)snprintf(to, size, "%lld", (long long)reply->integer);
    case CLUSTER_ARRAY:
        at = (size_t)snprintf(to, size, "[");
        for (size_t i = 0; i < reply->count; i++) {
            at += (size_t)snprintf(to + at, size - at, i == 0 ? "" : ",");
            at += print(to + at, size - at, reply->elements[i]);
        }
        return at + (size_t)snprintf(to + at, size - at, "]");
    default:
        ck_assert_uint_eq(strlen(reply->text.bytes), reply->text.length);
        return (size_t)snprintf(to, size, "%c%s",
                                reply->type == CLUSTER_ERROR    ? '-'
                                : reply->type == CLUSTER_STATUS ? '+'
                                                                : '$',
                                reply->text.bytes);
    }
}

/* Feeds the bytes in parts; prints all replies. */
static enum resp_status read_all(const char *bytes, size_t length, size_t part, char *to)
{
    struct resp_reader *reader = resp_reader_create(REPLY_MAX);
    enum resp_status status = RESP_MORE;
    size_t at = 0;
    to[0] = '\0';
    ck_assert_ptr_nonnull(reader);
    for (size_t done = 0; done < length && status != RESP_BROKEN; done += part) {
        struct cluster_reply *reply;
        size_t now = part < length - done ? part : length - done;
        if (!resp_reader_feed(reader, (struct slice){bytes + done, now})) {
            status = RESP_BROKEN;
            break;
        }
        while ((status = resp_reader_next(reader, &reply)) == RESP_REPLY) {
            at += print(to + at, TEXT_MAX - at, reply);
            at += (size_t)snprintf(to + at, TEXT_MAX - at, " ");
            reply_free(&reply);
        }
    }
    resp_reader_destroy(&reader);
    return status;
}

START_TEST(cut_at_every_byte)
{
    static const char bytes[] =
        "+OK\r\n$-1\r\n:-12\r\n$5\r\na\r\nbc\r\n*0\r\n*-1\r\n-MOVED 1 [::1]:2\r\n$0\r\n\r\n"
        "*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*1\r\n+y\r\n$-1\r\n:9223372036854775807\r\n+\r\n";
    static const char expected[] = "+OK nil -12 $a\r\nbc [] nil -MOVED 1 [::1]:2 $ "
                                   "[1,[$x,[+y]],nil] 9223372036854775807 + ";
    char got[TEXT_MAX];
    for (size_t part = 1; part < sizeof bytes; part++) {
        ck_assert_int_eq(read_all(bytes, sizeof bytes - 1, part, got), RESP_MORE);
        ck_assert_str_eq(got, expected);
    }
}
END_TEST

static const char *const nonsense[] = {
    "x",
    "\r\n",
    "HTTP/1.1 200 OK\r\n",
    "+OK\r\nnonsense\r\n",
    "$-2\r\n",
    "$99999999999999999999\r\n",
    "$x\r\n",
    "*-2\r\n",
    "*5000\r\n",       /* more than there is room for */
    "*2147483647\r\n", /* likewise */
    "*99999999999999\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", /* too deep */
    "*2\r\n$1\r\na\r\n!",
};

START_TEST(nonsense_is_found)
{
    char got[TEXT_MAX];
    const char *bytes = nonsense[_i];
    for (size_t part = 1; part <= strlen(bytes); part++) {
        ck_assert_int_eq(read_all(bytes, strlen(bytes), part, got), RESP_BROKEN);
    }
}
END_TEST

static enum resp_status read_long(const char *head, char fill, size_t length, size_t part,
                                  uint64_t reply_max)
{
    char *bytes = malloc(length);
    struct resp_reader *reader = resp_reader_create(reply_max);
    struct cluster_reply *reply;
    enum resp_status status = RESP_MORE;
    ck_assert(bytes != NULL && reader != NULL);
    memset(bytes, fill, length);
    memcpy(bytes, head, strlen(head));
    for (size_t at = 0; at < length && status == RESP_MORE; at += part) {
        size_t now = part < length - at ? part : length - at;
        ck_assert(resp_reader_feed(reader, (struct slice){bytes + at, now}));
        status = resp_reader_next(reader, &reply);
    }
    if (status == RESP_BROKEN) {
        ck_assert_str_ne(resp_failure(reader), "nothing is wrong");
    }
    resp_reader_destroy(&reader);
    free(bytes);
    return status;
}

START_TEST(what_is_too_large_is_not_taken)
{
    enum { MIB = 1 << 20 };
    ck_assert_int_eq(read_long("$5000\r\n", 'x', 4500, 100, REPLY_MAX), RESP_BROKEN);
    ck_assert_int_eq(read_long("$2000\r\n", 'x', 1500, 100, REPLY_MAX), RESP_MORE);
    ck_assert_int_eq(read_long("$1000000\r\n", 'x', 900000, 1000, MIB), RESP_MORE);
    ck_assert_int_eq(read_long("+", 'x', 200000, 1000, MIB), RESP_BROKEN);
    ck_assert_int_eq(read_long("$1", '1', 200000, 1000, MIB), RESP_BROKEN);
    ck_assert_int_eq(read_long("*2\r\n$10\r\n", 'x', 200000, 1000, MIB), RESP_BROKEN);
}
END_TEST

START_TEST(elements_count_together)
{
    char bytes[TEXT_MAX * 4] = "*20\r\n", got[TEXT_MAX];
    for (int i = 0; i < 20; i++) {
        strcat(bytes, "$200\r\n");
        memset(bytes + strlen(bytes), 'x', 200);
        strcat(bytes, "\r\n");
    }
    ck_assert_int_eq(read_all(bytes, strlen(bytes), 10, got), RESP_BROKEN);
}
END_TEST

START_TEST(text_is_taken_out)
{
    struct cluster_reply *reply = reply_text(CLUSTER_STRING, (struct slice){"a\0b", 3});
    char *text = cluster_reply_take_text(reply);
    ck_assert_mem_eq(text, "a\0b", 4);
    ck_assert_ptr_null(reply->text.bytes);
    reply_free(&reply);
    free(text);
}
END_TEST

START_TEST(commands_are_written)
{
    char bytes[64];
    char *to = resp_put_count(bytes, 3);
    to = resp_put_argument(to, slice_of("SET"));
    to = resp_put_argument(to, (struct slice){NULL, 0});
    to = resp_put_argument(to, (struct slice){"0123456789", 10});
    static const char expected[] = "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$10\r\n0123456789\r\n";
    ck_assert_uint_eq((size_t)(to - bytes), sizeof expected - 1);
    ck_assert_mem_eq(bytes, expected, sizeof expected - 1);
    ck_assert_uint_eq(resp_frame_size(10) + 10, strlen("$10\r\n0123456789\r\n"));
}
END_TEST

/* --- errors ----------------------------------------------------------------- */

static const struct {
    const char *text;
    enum verdict verdict;
    const char *host;
    unsigned slot, port;
} errors[] = {
    {"ERR unknown command", VERDICT_REPLY, "", 0, 0},
    {"", VERDICT_REPLY, "", 0, 0},
    {"OOM command not allowed", VERDICT_REPLY, "", 0, 0},
    {"MOVED 3999 127.0.0.1:6381", VERDICT_MOVED, "127.0.0.1", 3999, 6381},
    {"MOVED 0 node-1.example:1", VERDICT_MOVED, "node-1.example", 0, 1},
    {"ASK 16383 2001:db8::1:65535", VERDICT_ASK, "2001:db8::1", 16383, 65535},
    {"MOVED 1 :7000", VERDICT_MOVED, "", 1, 7000},
    {"MOVED 1 ?:7000", VERDICT_LATER, "", 0, 0},
    {"MOVED 16384 127.0.0.1:6381", VERDICT_LATER, "", 0, 0},
    {"MOVED 1 127.0.0.1:0", VERDICT_LATER, "", 0, 0},
    {"MOVED 1 127.0.0.1:65536", VERDICT_LATER, "", 0, 0},
    {"MOVED 1 127.0.0.1:", VERDICT_LATER, "", 0, 0},
    {"MOVED 1 127.0.0.1", VERDICT_LATER, "", 0, 0},
    {"MOVED 1 ", VERDICT_LATER, "", 0, 0},
    {"MOVED 1", VERDICT_LATER, "", 0, 0},
    {"MOVED ", VERDICT_LATER, "", 0, 0},
    {"MOVED x 127.0.0.1:1", VERDICT_LATER, "", 0, 0},
    {"MOVED 1 a\x01host:1", VERDICT_LATER, "", 0, 0},
    {"MOVED 99999999999 127.0.0.1:1", VERDICT_LATER, "", 0, 0},
    {"TRYAGAIN Multiple keys request during rehashing of slot", VERDICT_AGAIN, "", 0, 0},
    {"CLUSTERDOWN The cluster is down", VERDICT_LATER, "", 0, 0},
    {"LOADING Redis is loading the dataset in memory", VERDICT_LATER, "", 0, 0},
    {"MASTERDOWN Link with MASTER is down", VERDICT_LATER, "", 0, 0},
    {"READONLY You can't write against a read only replica.", VERDICT_LATER, "", 0, 0},
    {"NOSCRIPT No matching script.", VERDICT_NO_SCRIPT, "", 0, 0},
};

START_TEST(errors_mean_what_they_say)
{
    struct cluster_reply *reply = reply_text(CLUSTER_ERROR, slice_of(errors[_i].text));
    struct redirection to = {.slot = 0};
    enum verdict verdict = verdict_of(reply, &to);
    ck_assert_int_eq(verdict, errors[_i].verdict);
    if (verdict == VERDICT_MOVED || verdict == VERDICT_ASK) {
        ck_assert(slice_equal(to.host, slice_of(errors[_i].host)));
        ck_assert_uint_eq(to.slot, errors[_i].slot);
        ck_assert_uint_eq(to.port, errors[_i].port);
    }
    reply_free(&reply);
}
END_TEST

START_TEST(a_string_is_no_error)
{
    struct redirection to;
    struct cluster_reply *reply = reply_text(CLUSTER_STRING, slice_of("MOVED 1 127.0.0.1:1"));
    ck_assert_int_eq(verdict_of(reply, &to), VERDICT_REPLY);
    reply_free(&reply);
}
END_TEST

/* --- CLUSTER SLOTS ---------------------------------------------------------- */

static struct cluster_reply *parse(const char *bytes)
{
    struct cluster_reply *reply = NULL;
    struct resp_reader *reader = resp_reader_create(1 << 20);
    ck_assert(resp_reader_feed(reader, slice_of(bytes)));
    ck_assert_int_eq(resp_reader_next(reader, &reply), RESP_REPLY);
    resp_reader_destroy(&reader);
    return reply;
}

START_TEST(a_range_is_read)
{
    struct slots_range range;
    struct cluster_reply *reply =
        parse("*1\r\n*6\r\n:5\r\n:9\r\n*2\r\n$1\r\na\r\n:1\r\n*4\r\n$-1\r\n:2\r\n$2\r\nid\r\n*0\r\n"
              "*2\r\n$1\r\n?\r\n:3\r\n*2\r\n$0\r\n\r\n:4\r\n");
    ck_assert(slots_check(reply));
    ck_assert(slots_read(reply->elements[0], &range));
    ck_assert_uint_eq(range.first, 5);
    ck_assert_uint_eq(range.last, 9);
    ck_assert(slice_equal(range.master.host, slice_of("a")));
    ck_assert_uint_eq(range.master.port, 1);
    ck_assert_uint_eq(range.replica_count, 2); /* not the one without a name */
    ck_assert_uint_eq(range.replicas[0].host.length, 0);
    ck_assert_uint_eq(range.replicas[0].port, 2);
    ck_assert_uint_eq(range.replicas[1].port, 4);
    reply_free(&reply);
}
END_TEST

static const char *const no_slots[] = {
    "+OK\r\n",
    ":1\r\n",
    "*1\r\n:1\r\n",
    "*1\r\n*0\r\n",
    "*1\r\n*2\r\n:1\r\n:2\r\n",
    "*1\r\n*3\r\n:1\r\n:2\r\n:3\r\n",
    "*1\r\n*3\r\n:2\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",
    "*1\r\n*3\r\n:-1\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n",
    "*1\r\n*3\r\n:1\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
    "*1\r\n*3\r\n$1\r\n1\r\n:2\r\n*2\r\n$1\r\na\r\n:1\r\n",
    "*1\r\n*3\r\n:1\r\n:2\r\n*1\r\n$1\r\na\r\n",
    "*1\r\n*3\r\n:1\r\n:2\r\n*2\r\n$1\r\na\r\n:65536\r\n",
    "*1\r\n*3\r\n:1\r\n:2\r\n*2\r\n$1\r\na\r\n:-1\r\n",
    "*1\r\n*3\r\n:1\r\n:2\r\n*2\r\n:1\r\n:1\r\n",
    "*1\r\n*3\r\n:1\r\n:2\r\n*2\r\n$3\r\na b\r\n:1\r\n",
    "*1\r\n*4\r\n:1\r\n:2\r\n*2\r\n$1\r\na\r\n:1\r\n*0\r\n",
};

START_TEST(what_is_no_range_is_refused)
{
    struct cluster_reply *reply = parse(no_slots[_i]);
    ck_assert(!slots_check(reply));
    reply_free(&reply);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resp");
    TCase *tcase = tcase_create("replies");
    tcase_add_test(tcase, cut_at_every_byte);
    tcase_add_loop_test(tcase, nonsense_is_found, 0, sizeof nonsense / sizeof nonsense[0]);
    tcase_add_test(tcase, what_is_too_large_is_not_taken);
    tcase_add_test(tcase, elements_count_together);
    tcase_add_test(tcase, text_is_taken_out);
    tcase_add_test(tcase, commands_are_written);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("errors");
    tcase_add_loop_test(tcase, errors_mean_what_they_say, 0, sizeof errors / sizeof errors[0]);
    tcase_add_test(tcase, a_string_is_no_error);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("slots");
    tcase_add_test(tcase, a_range_is_read);
    tcase_add_loop_test(tcase, what_is_no_range_is_refused, 0,
                        sizeof no_slots / sizeof no_slots[0]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
