/*
 * check_inspect.c - the lines of events, connections and slow requests, in all protocols.
 */
#include "protocol/inspect.h"

#include <check.h>

#include "protocol/memcache.h"
#include "protocol/native.h"
#include "tests/support/suite.h"

static char line[EVENT_LINE_MAX + 1];

static const struct watch_event some = {
    .kind = EVENT_READ,
    .status = EVENT_FOUND,
    .verb = VERB_GET,
    .fd = 9,
    .number = 3,
    .us = 1700000000012345,
    .bytes = 5,
    .id = 17,
    .ns = {"sessions", 8},
    .key = {"alice", 5},
    .peer = {"192.0.2.1:4711", 14},
    .user = {"web", 3},
};

static void expect_native(const struct watch_event *event, const char *words)
{
    line[inspect_event(event, line)] = '\0';
    ck_assert_str_eq(line, words);
}

static void expect_memcached(const struct watch_event *event, const char *words)
{
    line[memcache_event(event, 6, line)] = '\0';
    ck_assert_str_eq(line, words);
}

START_TEST(a_read)
{
    struct watch_event event = some;
    expect_native(&event, "ts=1700000000.012 kind=read ns=sessions key=alice hit=1 bytes=5 "
                          "peer=192.0.2.1:4711 user=web");
    expect_memcached(&event, "ts=1700000000.12345 gid=7 type=item_get key=alice status=found "
                             "clsid=3 cfd=9 size=5\n");
    event.status = EVENT_NOT_FOUND;
    expect_memcached(&event, "ts=1700000000.12345 gid=7 type=item_get key=alice status=not_found "
                             "clsid=0 cfd=9 size=0\n");
}
END_TEST

START_TEST(a_write)
{
    struct watch_event event = some;
    event.kind = EVENT_WRITE;
    event.status = EVENT_STORED;
    event.verb = VERB_PUT;
    event.ttl = 60;
    event.user.length = 0;
    expect_native(&event, "ts=1700000000.012 kind=write ns=sessions key=alice bytes=5 verb=PUT "
                          "status=stored peer=192.0.2.1:4711 user=-");
    expect_memcached(&event, "ts=1700000000.12345 gid=7 type=item_store key=alice status=stored "
                             "cmd=set ttl=60 clsid=3 cfd=9 size=5\n");
    event.compares = true;
    event.status = EVENT_CHANGED;
    expect_memcached(&event, "ts=1700000000.12345 gid=7 type=item_store key=alice status=exists "
                             "cmd=cas ttl=60 clsid=3 cfd=9 size=5\n");
}
END_TEST

START_TEST(an_eviction)
{
    struct watch_event event = some;
    event.kind = EVENT_EVICTION;
    event.left = 9500;
    event.was_read = true;
    expect_native(&event, "ts=1700000000.012 kind=eviction ns=sessions key=alice bytes=5");
    expect_memcached(&event, "ts=1700000000.12345 gid=7 type=eviction key=alice fetch=yes ttl=9 "
                             "la=0 clsid=3 size=5\n");
    event.kind = EVENT_EXPIRATION;
    expect_native(&event, "ts=1700000000.012 kind=expiration ns=sessions key=alice bytes=5");
    expect_memcached(&event, "");
}
END_TEST

START_TEST(a_connection)
{
    struct watch_event event = some;
    event.kind = EVENT_CLOSED;
    event.listener = slice_of("[::1]:7171");
    event.reason = slice_of("idle");
    expect_native(&event, "ts=1700000000.012 kind=closed id=17 peer=192.0.2.1:4711 user=web "
                          "door=[::1]:7171 reason=idle");
    expect_memcached(&event, "ts=1700000000.12345 gid=7 type=conn_close rip=192.0.2.1 rport=4711 "
                             "transport=tcp reason=idle_timeout cfd=9\n");
    event.kind = EVENT_OPENED;
    event.peer = slice_of("[2001:db8::1]:80");
    expect_memcached(&event, "ts=1700000000.12345 gid=7 type=conn_new rip=2001:db8::1 rport=80 "
                             "transport=tcp cfd=9\n");
    event.peer = slice_of("unix");
    expect_memcached(
        &event, "ts=1700000000.12345 gid=7 type=conn_new rip=unix rport=0 transport=local cfd=9\n");
}
END_TEST

START_TEST(any_bytes_are_one_word)
{
    struct watch_event event = some;
    event.key = slice_of("a b\n\r\t\x01\x7f\xff\\\"=%");
    event.kind = EVENT_EXPIRATION;
    expect_native(&event, "ts=1700000000.012 kind=expiration ns=sessions "
                          "key=a\\x20b\\n\\r\\t\\x01\\x7f\\xff\\\\\\x22=% bytes=5");
    event.kind = EVENT_READ;
    expect_memcached(&event, "ts=1700000000.12345 gid=7 type=item_get "
                             "key=a%20b%0A%0D%09%01%7F%FF%5C%22%3D%25 status=found clsid=3 cfd=9 "
                             "size=5\n");
}
END_TEST

START_TEST(the_longest_fits)
{
    char key[REQUEST_NAMESPACE_MAX + 1 + REQUEST_KEY_MAX], name[64];
    struct watch_event event = some;
    memset(key, 1, sizeof key);
    memset(name, 'n', sizeof name);
    event.key = (struct slice){key, REQUEST_KEY_MAX};
    event.ns = event.user = event.peer = (struct slice){name, sizeof name};
    event.kind = EVENT_WRITE;
    event.status = EVENT_NOT_STORED;
    event.us = event.bytes = UINT64_MAX;
    ck_assert_uint_le(native_event(&event, UINT64_MAX - 1, line), EVENT_LINE_MAX);
    event.key.length = 250;
    ck_assert_uint_le(memcache_event(&event, UINT64_MAX - 1, line), EVENT_LINE_MAX);
}
END_TEST

START_TEST(a_client)
{
    const struct client client = {.id = 17,
                                  .peer = "127.0.0.1:60188",
                                  .user = "web",
                                  .tls = "1.3",
                                  .listener = "127.0.0.1:7171",
                                  .protocol = "native",
                                  .state = CLIENT_STALLED,
                                  .last = VERB_GET,
                                  .fd = 9,
                                  .age = 12049,
                                  .idle = 2950,
                                  .in = 1234,
                                  .out = 99,
                                  .owes = 5};
    line[native_client(&client, line)] = '\0';
    ck_assert_str_eq(line, "CLIENT id=17 peer=127.0.0.1:60188 door=127.0.0.1:7171 protocol=native "
                           "user=web tls=1.3 age=12.0 idle=2.9 last=GET in=1234 out=99 owes=5 "
                           "state=stalled\r\n");
    line[memcache_client(&client, line)] = '\0';
    ck_assert_str_eq(line, "STAT 9:addr tcp:127.0.0.1:60188\r\n"
                           "STAT 9:listen_addr tcp:127.0.0.1:7171\r\n"
                           "STAT 9:state conn_mwrite\r\n"
                           "STAT 9:secs_since_last_cmd 2\r\n");
}
END_TEST

START_TEST(a_slow_request)
{
    struct slow_request slow = {.id = 7,
                                .us = 1700000000012345,
                                .took = 23449999,
                                .worked = 3100000,
                                .turns = 41,
                                .keys = 1,
                                .verb = VERB_LIST,
                                .peer = "unix",
                                .listener = "/run/kvcached",
                                .ns = "pages",
                                .pattern_length = 2,
                                .pattern = "a*"};
    line[inspect_slow(&slow, line)] = '\0';
    ck_assert_str_eq(line, "id=7 ts=1700000000.012 took=0.0234 worked=0.0031 turns=41 peer=unix "
                           "user=- door=/run/kvcached verb=LIST ns=pages keys=1 pattern=a*");
}
END_TEST

START_TEST(what_was_skipped)
{
    line[native_skipped(123, line)] = '\0';
    ck_assert_str_eq(line, "EVENT skipped=123\r\n");
    line[memcache_skipped(123, line)] = '\0';
    ck_assert_str_eq(line, "skipped=123\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inspect");
    TCase *lines = tcase_create("lines");
    tcase_add_test(lines, a_read);
    tcase_add_test(lines, a_write);
    tcase_add_test(lines, an_eviction);
    tcase_add_test(lines, a_connection);
    tcase_add_test(lines, any_bytes_are_one_word);
    tcase_add_test(lines, the_longest_fits);
    tcase_add_test(lines, a_client);
    tcase_add_test(lines, a_slow_request);
    tcase_add_test(lines, what_was_skipped);
    suite_add_tcase(suite, lines);
    return suite_run(suite);
}
