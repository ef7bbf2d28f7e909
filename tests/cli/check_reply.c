/*
 * check_reply.c - replies cut from bytes, in whatever pieces they come, and as JSON.
 */
#include "scripts/cli/reply.h"

#include <check.h>
#include <stdio.h>

#include "scripts/cli/endpoint.h"
#include "scripts/cli/json.h"
#include "scripts/cli/utf8.h"
#include "tests/support/suite.h"

/* --- cutting --------------------------------------------------------------------------- */

static const struct {
    const char *bytes;
    enum reply_values values;
    size_t taken;
    const char *value; /* NULL: none */
} replies[] = {
    {"STORED\r\nNOT_FOUND\r\n", REPLY_VALUES, 8, NULL},
    {"VALUE 5\r\nhello\r\nEND\r\n", REPLY_VALUES, 16, "hello"},
    {"VALUE 0\r\n\r\n", REPLY_VALUES, 11, ""},
    {"RECORD key 4\r\n\r\n\r\n\r\n", REPLY_VALUES, 20, "\r\n\r\n"},
    {"PUT s a 30 3\r\nabc\r\n", REPLY_DUMP, 19, "abc"},
    {"PUT s a never 3 42\r\nabc\r\n", REPLY_DUMP, 25, "abc"},
    {"PUT <ns> <key>: store\r\n", REPLY_NONE, 23, NULL},
    {"VALUE 5\r\n", REPLY_NONE, 9, NULL},
};
enum { REPLIES = sizeof replies / sizeof replies[0] };

/* The bytes are copied into a block of their own length, so that a sanitizer sees each read behind
 * them. */
static enum reply_result cut(const char *bytes, size_t length, enum reply_values values,
                             struct reply *reply, size_t *taken, char **copy)
{
    size_t wanted = 0;
    *copy = malloc(length > 0 ? length : 1);
    memcpy(*copy, bytes, length);
    enum reply_result result =
        reply_cut((struct slice){*copy, length}, values, reply, taken, &wanted);
    ck_assert(result != REPLY_PARTIAL || wanted > length);
    return result;
}

START_TEST(a_reply_is_cut)
{
    struct reply reply;
    size_t taken = 0;
    char *copy;
    for (size_t length = 0; length < replies[_i].taken; length++) {
        ck_assert_int_eq(cut(replies[_i].bytes, length, replies[_i].values, &reply, &taken, &copy),
                         REPLY_PARTIAL);
        free(copy);
    }
    ck_assert_int_eq(cut(replies[_i].bytes, strlen(replies[_i].bytes), replies[_i].values, &reply,
                         &taken, &copy),
                     REPLY_WHOLE);
    ck_assert_uint_eq(taken, replies[_i].taken);
    ck_assert_int_eq(reply.has_value, replies[_i].value != NULL);
    if (replies[_i].value != NULL) {
        ck_assert(slice_equal(reply.value, slice_of(replies[_i].value)));
    }
    free(copy);
}
END_TEST

static const char *const no_replies[] = {
    "HTTP/1.1 400 Bad Request\n",
    "\n",
    "VALUE x\r\n",
    "VALUE 5\r\nhelloxx",
    "VALUE -1\r\n",
    "VALUE 99999999999999999\r\n",
    "RECORD\r\n",
};
enum { NO_REPLIES = sizeof no_replies / sizeof no_replies[0] };

START_TEST(what_is_no_reply)
{
    struct reply reply;
    size_t taken;
    char *copy;
    ck_assert_int_eq(
        cut(no_replies[_i], strlen(no_replies[_i]), REPLY_VALUES, &reply, &taken, &copy),
        REPLY_BAD);
    free(copy);
}
END_TEST

START_TEST(words_of_a_reply)
{
    struct reply reply;
    size_t taken, wanted;
    reply_cut(slice_of("CLIENT_ERROR bad key \"x\"\r\n"), REPLY_VALUES, &reply, &taken, &wanted);
    ck_assert(reply_is_error(&reply));
    ck_assert(slice_equal(reply.rest, slice_of("bad key \"x\"")));
    ck_assert(slice_equal(reply_nth(reply.rest, 1), slice_of("key")));
    ck_assert(slice_equal(reply_nth(reply.rest, 9), slice_of("")));
    reply_cut(slice_of("PONG\r\n"), REPLY_VALUES, &reply, &taken, &wanted);
    ck_assert(!reply_is_error(&reply));
    ck_assert_uint_eq(reply.rest.length, 0);
}
END_TEST

/* --- JSON ------------------------------------------------------------------------------ */

static const struct {
    const char *verb, *bytes, *key, *json;
} jsons[] = {
    {"GET", "VALUE 5\r\nhello\r\n", "a", "{\"key\":\"a\",\"value\":\"hello\"}"},
    {"GET", "VALUE 2\r\n\xc3\xa9\r\n", "a", "{\"key\":\"a\",\"value\":\"\xc3\xa9\"}"},
    {"GET", "VALUE 2\r\n\xff\x01\r\n", "a",
     "{\"key\":\"a\",\"value\":\"/wE=\",\"value_encoding\":\"base64\"}"},
    {"GET", "VALUE 3\r\na\"\n\r\n", "a", "{\"key\":\"a\",\"value\":\"a\\\"\\n\"}"},
    {"GET", "NOT_FOUND\r\n", "a", "{\"key\":\"a\",\"reply\":\"NOT_FOUND\"}"},
    {"PUT", "STORED\r\n", "", "{\"reply\":\"STORED\"}"},
    {"INCR", "NUMBER 18446744073709551615\r\n", "",
     "{\"reply\":\"NUMBER\",\"number\":18446744073709551615}"},
    {"TTL", "TTL 1.500\r\n", "", "{\"reply\":\"TTL\",\"seconds\":1.500}"},
    {"TTL", "TTL never\r\n", "", "{\"reply\":\"TTL\",\"seconds\":\"never\"}"},
    {"LIST", "KEY a/b\r\n", "", "{\"key\":\"a/b\"}"},
    {"LIST", "KEY \xff\r\n", "", "{\"key\":\"/w==\",\"key_encoding\":\"base64\"}"},
    {"NAMESPACES", "NAMESPACE s 1 22\r\n", "", "{\"namespace\":\"s\",\"records\":1,\"bytes\":22}"},
    {"ALL", "RECORD a 1\r\nx\r\n", "", "{\"key\":\"a\",\"value\":\"x\"}"},
    {"VERSION", "VERSION kvcached 0.1.0\r\n", "",
     "{\"reply\":\"VERSION\",\"version\":\"kvcached 0.1.0\"}"},
    {"GET", "CLIENT_ERROR bad key\r\n", "a",
     "{\"key\":\"a\",\"error\":\"CLIENT_ERROR\",\"text\":\"bad key\"}"},
};
enum { JSONS = sizeof jsons / sizeof jsons[0] };

START_TEST(a_reply_is_this_json)
{
    struct typed_verb verb;
    struct reply reply;
    size_t taken, wanted;
    ck_assert(verb_find(slice_of(jsons[_i].verb), &verb));
    ck_assert_int_eq(reply_cut(slice_of(jsons[_i].bytes), verb.values, &reply, &taken, &wanted),
                     REPLY_WHOLE);
    struct json_object *object = json_reply(&verb, &reply, slice_of(jsons[_i].key));
    ck_assert_str_eq(json_text(object), jsons[_i].json);
    json_object_put(object);
}
END_TEST

static const struct {
    const char *bytes;
    bool valid;
} texts[] = {
    {"", true},
    {"plain", true},
    {"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", true},
    {"\x80", false},
    {"\xc1\xbf", false},         /* more bytes than it takes */
    {"\xe0\x9f\xbf", false},     /* likewise */
    {"\xf0\x8f\xbf\xbf", false}, /* likewise */
    {"\xed\xa0\x80", false},     /* a surrogate */
    {"\xf4\x90\x80\x80", false}, /* above the last */
    {"\xf5\x80\x80\x80", false},
    {"\xc3", false},
    {"\xe2\x82", false},
    {"\xe2\x82x", false},
};
enum { TEXTS = sizeof texts / sizeof texts[0] };

START_TEST(these_bytes_are_utf8)
{
    ck_assert_int_eq(utf8_is_valid(slice_of(texts[_i].bytes)), texts[_i].valid);
}
END_TEST

/* --- servers ---------------------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *name; /* NULL: it is refused */
} endpoints[] = {
    {"127.0.0.1", "127.0.0.1:7171"},
    {"cache.example:80", "cache.example:80"},
    {"[::1]:7", "[::1]:7"},
    {"::1", "[::1]:7171"},
    {"[::1]", "[::1]:7171"},
    {"/run/kvcached/socket", "/run/kvcached/socket"},
    {"", NULL},
    {"host:", NULL},
    {"host:0", NULL},
    {"host:65536", NULL},
    {":7171", NULL},
    {"[::1", NULL},
};
enum { ENDPOINTS = sizeof endpoints / sizeof endpoints[0] };

START_TEST(a_server_is_named)
{
    struct endpoint endpoint = {.host = NULL};
    char name[ENDPOINT_NAME_MAX];
    bool parsed = endpoint_parse(&endpoint, slice_of(endpoints[_i].text));
    ck_assert_int_eq(parsed, endpoints[_i].name != NULL);
    if (parsed) {
        endpoint_name(&endpoint, name);
        ck_assert_str_eq(name, endpoints[_i].name);
    }
    endpoint_deinit(&endpoint);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reply");
    TCase *cutting = tcase_create("cutting"), *json = tcase_create("json"),
          *servers = tcase_create("servers");
    tcase_add_loop_test(cutting, a_reply_is_cut, 0, REPLIES);
    tcase_add_loop_test(cutting, what_is_no_reply, 0, NO_REPLIES);
    tcase_add_test(cutting, words_of_a_reply);
    suite_add_tcase(suite, cutting);
    tcase_add_loop_test(json, a_reply_is_this_json, 0, JSONS);
    tcase_add_loop_test(json, these_bytes_are_utf8, 0, TEXTS);
    suite_add_tcase(suite, json);
    tcase_add_loop_test(servers, a_server_is_named, 0, ENDPOINTS);
    suite_add_tcase(suite, servers);
    return suite_run(suite);
}
