/*
 * check_memcache_admin.c - commands of memcached's protocol that are not about a record: requests,
 * errors and their texts, and the lines of listings.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/memcache.h"
#include "tests/protocol/transcript.h"
#include "tests/support/suite.h"

static const struct feed at_once = {.max_value = 1 << 20, .window = REQUEST_LINE_MAX};

/* --- lines ---------------------------------------------------------------------- */

static const struct told {
    const char *line;
    const char *understood;
} lines[] = {
    {"stats", "STATS"},
    {"stats ", "STATS"},
    {"stats reset", "STATS topic=1"},
    {"stats settings", "STATS topic=2"},
    {"stats items", "STATS topic=3"},
    {"stats slabs", "STATS topic=4"},
    {"stats slabs and more", "STATS topic=4"},
    {"stats detail dump", "STATS topic=5"},
    {"stats namespaces", "STATS topic=6"},
    {"stats conns", "STATS topic=7"},
    {"stats detail on", "OK"},
    {"stats detail off", "OK"},
    {"stats detail", "CLIENT_ERROR usage: stats detail on|off|dump"},
    {"stats detail x", "CLIENT_ERROR usage: stats detail on|off|dump"},
    {"stats sizes", "METADUMP sizes most=0"},
    {"stats cachedump 3 100", "METADUMP pattern=3 items most=100"},
    {"stats cachedump 65535 0", "METADUMP pattern=65535 items most=0"},
    {"stats cachedump 0 0", "METADUMP pattern=0 items most=0"},
    {"stats cachedump 65536 0", "CLIENT_ERROR Illegal slab id"},
    {"stats cachedump 3", "CLIENT_ERROR bad command line"},
    {"stats cachedump", "CLIENT_ERROR bad command line"},
    {"stats cachedump x 0", "CLIENT_ERROR bad command line format"},
    {"stats cachedump 3 x", "CLIENT_ERROR bad command line format"},
    {"stats cachedump 3 -1", "CLIENT_ERROR bad command line format"},
    {"stats cachedump 3 4294967296", "CLIENT_ERROR bad command line format"},
    {"stats malloc", "ERROR "},
    {"stats maps", "ERROR "},
    {"stats items2", "ERROR "},
    {"stats noreply", "ERROR "},

    {"verbosity 1", "OK"},
    {"verbosity 1 x", "OK"},
    {"verbosity 1 noreply", "OK quiet"},
    {"verbosity", "CLIENT_ERROR bad command line format"},
    {"verbosity x", "CLIENT_ERROR bad command line format"},
    {"verbosity -1", "CLIENT_ERROR bad command line format"},
    {"verbosity 4294967296", "CLIENT_ERROR bad command line format"},

    {"lru_crawler metadump all", "METADUMP details most=0"},
    {"lru_crawler metadump hash", "METADUMP details most=0"},
    {"lru_crawler metadump 1,20,65535", "METADUMP pattern=1,20,65535 details most=0"},
    {"lru_crawler metadump 1,", "METADUMP pattern=1, details most=0"},
    {"lru_crawler metadump 0", "CLIENT_ERROR "},
    {"lru_crawler metadump 1,,2", "CLIENT_ERROR "},
    {"lru_crawler metadump 1,65536", "CLIENT_ERROR "},
    {"lru_crawler metadump any", "CLIENT_ERROR "},
    {"lru_crawler metadump", "ERROR "},
    {"lru_crawler metadump 1 2", "ERROR "},
    {"lru_crawler mgdump all", "METADUMP requests most=0"},
    {"lru_crawler mgdump 7", "METADUMP pattern=7 requests most=0"},
    {"lru_crawler mgdump", "ERROR "},
    {"lru_crawler enable", "OK"},
    {"lru_crawler disable noreply", "OK quiet"},
    {"lru_crawler disable now", "ERROR "},
    {"lru_crawler crawl all", "OK"},
    {"lru_crawler crawl 1,2", "OK pattern=1,2"},
    {"lru_crawler crawl x", "CLIENT_ERROR "},
    {"lru_crawler sleep 1000000", "OK"},
    {"lru_crawler sleep 1000001", "CLIENT_ERROR sleep must be one second or less"},
    {"lru_crawler sleep x", "CLIENT_ERROR bad command line format"},
    {"lru_crawler sleep", "ERROR "},
    {"lru_crawler tocrawl 100", "OK"},
    {"lru_crawler tocrawl -1", "CLIENT_ERROR bad command line format"},
    {"lru_crawler rest 100", "ERROR "},
    {"lru_crawler", "ERROR "},

    {"help", "HELP"},
    {"version", "VERSION"},
};
enum { LINES = sizeof lines / sizeof lines[0] };

START_TEST(lines_are_read)
{
    char wire[128];
    char expected[128];
    snprintf(wire, sizeof wire, "%s\r\n", lines[_i].line);
    snprintf(expected, sizeof expected, "%s\n", lines[_i].understood);
    char *text = transcript(&protocol_memcache, slice_of(wire), &at_once);
    ck_assert_msg(strcmp(text, expected) == 0, "%s was understood as %s", lines[_i].line, text);
    free(text);
}
END_TEST

/* A list of numbers that is longer than REQUEST_WORDS_MAX. */
START_TEST(a_list_of_numbers_is_bounded)
{
    char wire[1024] = "lru_crawler metadump 1";
    for (size_t i = 0; i < REQUEST_WORDS_MAX / 2; i++) {
        strcat(wire, ",1");
    }
    char *bytes = strcat(wire, "\r\n");
    char *text = transcript(&protocol_memcache, slice_of(bytes), &at_once);
    ck_assert_str_eq(text, "CLIENT_ERROR \n");
    free(text);
}
END_TEST

/* --- replies -------------------------------------------------------------------- */

static void expect(const struct request *request, const struct reply *reply, const char *line)
{
    char to[REPLY_HEAD_MAX];
    size_t length = protocol_memcache.head(request, reply, to);
    ck_assert_msg(length == strlen(line) && memcmp(to, line, length) == 0, "%.*s", (int)length, to);
}

START_TEST(no_such_number)
{
    expect(NULL, &(struct reply){.kind = REPLY_CLIENT_ERROR, .reason = REASON_NO_SUCH_NUMBER},
           "BADCLASS invalid class id\r\n");
}
END_TEST

START_TEST(the_version_is_told_as_it_is)
{
    const struct request request = {.verb = VERB_VERSION, .form = MEMCACHE_VERSION};
    const char *version = protocol_memcache.version;
    expect(&request, &(struct reply){.kind = REPLY_VERSION, .text = slice_of("1.2.3")},
           "VERSION 1.2.3\r\n");
    ck_assert_uint_eq(strspn(version, "0123456789."), strlen(version));
}
END_TEST

static struct request dump(enum metadump_form form)
{
    return (struct request){.verb = VERB_METADUMP, .form = MEMCACHE_LRU_CRAWLER, .metadump = form};
}

static const struct reply entry = {.kind = REPLY_ENTRY,
                                   .name = {"user 1/\xc3\xa4", 9},
                                   .number = 3,
                                   .bytes = 77,
                                   .value_length = 5,
                                   .client_flags = 9,
                                   .notes = REPLY_READ_BEFORE,
                                   .version = 12,
                                   .left = 1800000000,
                                   .idle = 1700000000};

START_TEST(details_of_a_record)
{
    const struct request details = dump(METADUMP_DETAILS);
    struct reply unread = entry;
    expect(&details, &entry,
           "key=user%201%2F%C3%A4 exp=1800000000 la=1700000000 cas=12 fetch=yes cls=3 size=77 "
           "flags=9 \n");
    unread.name = slice_of("A-z.0_9~");
    unread.left = REPLY_NEVER;
    unread.notes = 0;
    expect(&details, &unread,
           "key=A-z.0_9~ exp=-1 la=1700000000 cas=12 fetch=no cls=3 size=77 flags=9 \n");
    expect(&details, &(struct reply){.kind = REPLY_OK}, "OK\r\n");
    expect(&details, &(struct reply){.kind = REPLY_END}, "END\r\n");
}
END_TEST

START_TEST(requests_for_records)
{
    const struct request requests = dump(METADUMP_REQUESTS);
    char longest[MEMCACHE_KEY_MAX];
    struct reply reply = entry;
    expect(&requests, &reply, "mg dXNlciAxL8Ok b\r\n");
    reply.name = slice_of("user:1%");
    expect(&requests, &reply, "mg user:1%\r\n");
    memset(longest, '\n', sizeof longest);
    reply.name = (struct slice){longest, sizeof longest}; /* longer in base64 than a key may be */
    expect(&requests, &reply, "");
    expect(&requests, &(struct reply){.kind = REPLY_END}, "EN\r\n");
}
END_TEST

START_TEST(items_with_size_and_expiry)
{
    const struct request items = dump(METADUMP_ITEMS);
    struct reply reply = entry;
    reply.name = slice_of("user:1");
    expect(&items, &reply, "ITEM user:1 [5 b; 1800000000 s]\r\n");
    reply.left = REPLY_NEVER;
    expect(&items, &reply, "ITEM user:1 [5 b; 0 s]\r\n");
    expect(&items, &(struct reply){.kind = REPLY_END}, "END\r\n");
}
END_TEST

/* Every byte of the longest key is encoded as 3, and every number is the largest. */
START_TEST(the_longest_line_has_room)
{
    char key[MEMCACHE_KEY_MAX];
    char to[REPLY_HEAD_MAX];
    memset(key, 1, sizeof key);
    const struct request details = dump(METADUMP_DETAILS);
    const struct reply longest = {.kind = REPLY_ENTRY,
                                  .name = {key, sizeof key},
                                  .number = UINT64_MAX,
                                  .bytes = UINT64_MAX,
                                  .client_flags = UINT32_MAX,
                                  .version = UINT64_MAX,
                                  .left = UINT64_MAX - 1,
                                  .idle = UINT64_MAX};
    ck_assert_uint_lt(protocol_memcache.head(&details, &longest, to), sizeof to);
}
END_TEST

START_TEST(help_has_every_command)
{
    static const char *const commands[] = {
#define COMMAND(id, word, reader, verb) word,
#include "protocol/memcache.def"
#undef COMMAND
    };
    struct slice help = protocol_memcache.help(NULL);
    char text[2048];
    snprintf(text, sizeof text, "\r\n%.*s", (int)help.length, help.bytes);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char line[64];
        snprintf(line, sizeof line, "\r\n%s\r\n", commands[i]);
        ck_assert_msg(strstr(text, line) != NULL, "%s", commands[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memcache admin");
    TCase *tcase = tcase_create("lines");
    tcase_add_loop_test(tcase, lines_are_read, 0, LINES);
    tcase_add_test(tcase, a_list_of_numbers_is_bounded);
    tcase_add_test(tcase, no_such_number);
    tcase_add_test(tcase, the_version_is_told_as_it_is);
    tcase_add_test(tcase, details_of_a_record);
    tcase_add_test(tcase, requests_for_records);
    tcase_add_test(tcase, items_with_size_and_expiry);
    tcase_add_test(tcase, the_longest_line_has_room);
    tcase_add_test(tcase, help_has_every_command);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
