/*
 * check_memcache.c - lines of memcached's protocol: requests, errors and their texts, and that a
 * value is never executed as commands, however the input is split.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base64.h"
#include "protocol/memcache.h"
#include "tests/protocol/transcript.h"
#include "tests/support/suite.h"

enum { MAX_VALUE = 1 << 20, TIMEOUT = 120 };

static const struct feed at_once = {.max_value = MAX_VALUE, .window = REQUEST_LINE_MAX};

struct told {
    const char *wire;
    const char *understood;
};

static void expect(const char *wire, const char *understood)
{
    char *text = transcript(&protocol_memcache, slice_of(wire), &at_once);
    ck_assert_msg(strcmp(text, understood) == 0, "%s\nwas understood as\n%s\nnot\n%s", wire, text,
                  understood);
    free(text);
}

/* --- what is understood ----------------------------------------------------- */

static const struct told good[] = {
    {"get a\r\n", "GET keys=a\n"},
    {"get a bb  ccc \n", "GET keys=a bb  ccc\n"},
    {"gets a b\r\n", "LOOK keys=a b ttl=keep version\n"},
    {"gat 10 a b\r\n", "LOOK keys=a b ttl=10000\n"},
    {"gats 0 a\r\n", "LOOK keys=a version\n"},
    {"gat -1 a\r\n", "LOOK keys=a ttl=gone\n"},
    {"set k 5 60 3\r\nabc\r\n", "PUT keys=k ttl=60000 noted clear flags=5 value=3:abc\n"},
    {"set k 0 0 0\r\n\r\n", "PUT keys=k ttl=default noted clear value=0:\n"},
    {"set k 1234567 1234567 0000005\r\nabcde\r\nset k 12345678 12345678 00000005\r\nabcde\r\n",
     "PUT keys=k ttl=1234567000 noted clear flags=1234567 value=5:abcde\n"
     "PUT keys=k ttl=until:12345678000 noted clear flags=12345678 value=5:abcde\n"},
    {"set k 0 60 5\nabcde\nset k 0 60 5 noreply\r\nabcde\r\nset  k  0  60  5 \r\nabcde\r\n",
     "PUT keys=k ttl=60000 noted clear value=5:abcde\n"
     "PUT keys=k ttl=60000 quiet noted clear value=5:abcde\n"
     "PUT keys=k ttl=60000 noted clear value=5:abcde\n"},
    {"set k 0 0 5\r\nab\r\ne\r\nset k 0 0 12\r\nset k 0 0 5\r\r\nmn\r\n",
     "PUT keys=k ttl=default noted clear value=5:ab\\x0d\\x0ae\n"
     "PUT keys=k ttl=default noted clear value=12:set k 0 0 5\\x0d\n"
     "PING\n"},
    {"set k 0 2592000 1\r\na\r\n", "PUT keys=k ttl=2592000000 noted clear value=1:a\n"},
    {"set k 0 2592001 1\r\na\r\n", "PUT keys=k ttl=until:2592001000 noted clear value=1:a\n"},
    {"add k 0 -5 1 noreply\r\na\r\n", "ADD keys=k ttl=gone quiet noted value=1:a\n"},
    {"replace k 0 0 2\r\n\r\n\r\n", "REPLACE keys=k ttl=default noted value=2:\\x0d\\x0a\n"},
    {"append k 1 2 1\r\na\r\n", "APPEND keys=k ttl=2000 noted flags=1 value=1:a\n"},
    {"prepend k 0 0 1\r\na\r\n", "PREPEND keys=k ttl=default noted value=1:a\n"},
    {"cas k 1 0 1 77\r\na\r\n", "PUT keys=k ttl=default noted compare=77 flags=1 value=1:a\n"},
    {"cas k 0 0 1 77 noreply\r\na\r\n",
     "PUT keys=k ttl=default quiet noted compare=77 value=1:a\n"},
    {"delete k\r\ndelete k 0\r\ndelete k noreply\r\ndelete k 0 noreply\r\n",
     "DEL keys=k\nDEL keys=k\nDEL keys=k quiet\nDEL keys=k quiet\n"},
    {"incr k 5\r\ndecr k 18446744073709551615 noreply\r\n",
     "INCR keys=k ttl=keep wrap number=5\n"
     "DECR keys=k ttl=keep quiet wrap number=18446744073709551615\n"},
    {"touch k 0\r\ntouch k 9 noreply\r\n",
     "TOUCH keys=k ttl=default\nTOUCH keys=k ttl=9000 quiet\n"},
    {"flush_all\r\nflush_all noreply\r\nflush_all 10\r\nflush_all 10 noreply\r\n",
     "FLUSH\nFLUSH quiet\nFLUSH ttl=10000\nFLUSH ttl=10000 quiet\n"},
    /* more words than a command has */
    {"delete k 10\r\ndelete k 10 noreply\r\ndelete k noreplY\r\n",
     "DEL keys=k\nDEL keys=k quiet\nDEL keys=k\n"},
    {"set k 0 0 1 noreplY\r\na\r\nset k 0 0 1 x noreply\r\na\r\ncas k 0 0 1 7 x\r\na\r\n",
     "PUT keys=k ttl=default noted clear value=1:a\n"
     "PUT keys=k ttl=default quiet noted clear value=1:a\n"
     "PUT keys=k ttl=default noted compare=7 value=1:a\n"},
    {"incr k 1 a b c d e f g h i noreply \r\ntouch k 1 x\r\n",
     "INCR keys=k ttl=keep quiet wrap number=1\nTOUCH keys=k ttl=1000\n"},
    /* in a list of keys, noreply is a key, and so is the end of an HTTP request */
    {"get a noreply\r\nget HTTP/1.1\r\nget / HTTP/1.0\r\ndelete HTTP/1.1\r\n",
     "GET keys=a noreply\nGET keys=HTTP/1.1\nGET keys=/ HTTP/1.0\nDEL keys=HTTP/1.1\n"},
    /* keys of any bytes */
    {"get a\tb \x01\x7f\xff a\rb\r\r\nset \x02 0 0 1\r\na\r\n",
     "GET keys=a\\x09b \\x01\\x7f\\xff a\\x0db\\x0d\n"
     "PUT keys=\\x02 ttl=default noted clear value=1:a\n"},
    /* signed numbers of 32 bits, and what clients print for a negative one */
    {"set k 0 2147483647 1\r\na\r\nset k 0 2147483648 1\r\na\r\nset k 0 4294967295 1\r\na\r\n",
     "PUT keys=k ttl=until:2147483647000 noted clear value=1:a\n"
     "PUT keys=k ttl=gone noted clear value=1:a\nPUT keys=k ttl=gone noted clear value=1:a\n"},
    {"add k 0 9223372036854775807 1\r\na\r\ncas k 0 -9223372036854775808 1 1\r\na\r\n",
     "ADD keys=k ttl=gone noted value=1:a\nPUT keys=k ttl=gone noted compare=1 value=1:a\n"},
    {"touch k 2147483647\r\ntouch k -2147483648\r\n",
     "TOUCH keys=k ttl=until:2147483647000\nTOUCH keys=k ttl=gone\n"},
    {"version\r\nquit\r\n", "VERSION\nQUIT\n"},
    {"cache_memlimit 64\r\ncache_memlimit 064 noreply\r\ncache_memlimit 0 x\r\n",
     "MEMORY number=64\nMEMORY quiet number=64\nMEMORY number=0\n"},
    {"cache_memlimit  4294967295  noreply x \r\n", "MEMORY number=4294967295\n"},
    /* meta */
    {"mn\r\nmg k\r\n", "PING\nLOOK keys=k ttl=keep novalue contend\n"},
    {"mg k v c T30 R5 N60 O12 q u\r\n", "LOOK keys=k ttl=30000 quiet version peek make contend "
                                        "make=60000 refresh=5000 words=v c T30 R5 N60 "
                                        "O12 q u\n"},
    {"mg k C7 v R-1\r\n",
     "LOOK keys=k ttl=keep version compare contend=7 refresh=gone words=C7 v R-1\n"},
    {"mg YSBi b k\r\n", "LOOK keys=a b ttl=keep novalue base64 contend words=b k\n"},
    {"ms k 2\r\nab\r\n", "PUT keys=k ttl=default noted clear value=2:ab\n"},
    {"ms k 2 T5 F9 c q E44\r\nab\r\n",
     "PUT keys=k ttl=5000 quiet version noted clear flags=9 becomes=44 words=T5 F9 c q E44 "
     "value=2:ab\n"},
    {"ms k 1 ME\r\na\r\nms k 1 MA N5\r\na\r\nms k 1 MP s\r\na\r\nms k 1 MSet\r\na\r\n",
     "ADD keys=k ttl=default noted words=ME value=1:a\n"
     "APPEND keys=k ttl=default noted make make=5000 words=MA N5 value=1:a\n"
     "PREPEND keys=k ttl=default noted length words=MP s value=1:a\n"
     "PUT keys=k ttl=default noted clear words=MSet value=1:a\n"},
    {"ms k 1 C5 I\r\na\r\n",
     "PUT keys=k ttl=default noted compare or-stale clear=5 words=C5 I value=1:a\n"},
    {"md k\r\nmd k C3 q\r\nmd k I T9\r\n",
     "DEL keys=k ttl=keep\nDEL keys=k ttl=keep quiet compare=3 words=C3 q\n"
     "STALE keys=k ttl=9000 words=I T9\n"},
    {"md k x\r\nmd k x I T9 F5 E7\r\n",
     "EMPTY keys=k words=x\nEMPTY keys=k ttl=9000 mark flags=5 becomes=7 words=x I T9 F5 E7\n"},
    {"ma k\r\nma k MD D9 N0 J7 v\r\n",
     "INCR keys=k ttl=keep novalue noted wrap number=1\n"
     "DECR keys=k ttl=keep noted make wrap make=default initial=7 words=MD D9 N0 J7 v number=9\n"},
    {"me k\r\nme k q v T0 N0 R9\r\n",
     "LOOK keys=k ttl=keep novalue peek uncounted\n"
     "LOOK keys=k ttl=keep novalue peek uncounted words=q v T0 N0 R9\n"},
};

START_TEST(lines_are_understood)
{
    expect(good[_i].wire, good[_i].understood);
}
END_TEST

/* --- what is refused -------------------------------------------------------- */

#define LONG_KEY                                                                                   \
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
    "kkkkkkkk"                                                                                     \
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk" \
    "kkkkkkkk"                                                                                     \
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define BAD_FORMAT "CLIENT_ERROR bad command line format\n"

static const struct told bad[] = {
    {"\r\nx\r\n", BAD_FORMAT BAD_FORMAT},
    {"foo\r\nGET a\r\n", "ERROR \nERROR \n"},
    {"get\r\ngets \r\ngat 0\r\ndelete\r\nincr k\r\n",
     BAD_FORMAT BAD_FORMAT BAD_FORMAT BAD_FORMAT BAD_FORMAT},
    {"get " LONG_KEY "\r\nget a\r\n", BAD_FORMAT "GET keys=a\n"},
    {"gat x k\r\ngat 2147483648 k\r\n",
     "CLIENT_ERROR invalid exptime argument\nCLIENT_ERROR invalid exptime argument\n"},
    {"set k 0 9223372036854775808 3\r\nget\r\nmn\r\n", BAD_FORMAT "PING\n"},
    {"set k x 0 3\r\nget\r\nmn\r\n", BAD_FORMAT "PING\n"},
    {"set k 0 x 3\r\nget\r\nmn\r\n", BAD_FORMAT "PING\n"},
    {"set k 4294967296 0 3\r\nget\r\nmn\r\n", BAD_FORMAT "PING\n"},
    {"set " LONG_KEY " 0 0 3\r\nget\r\nmn\r\n", BAD_FORMAT "PING\n"},
    {"cas k 0 0 3\r\nget\r\nmn\r\n", BAD_FORMAT "PING\n"},
    {"cas k 0 0 3 x\r\nget\r\nmn\r\n", BAD_FORMAT "PING\n"},
    {"set k 0 0 2000000000\r\n", "SERVER_ERROR object too large for cache\n"},
    {"set k 0 0 x\r\nmn\r\n", "FATAL " BAD_FORMAT},
    {"set k 0 0 -1\r\nmn\r\n", "FATAL " BAD_FORMAT},
    {"set k 0 0\r\nmn\r\n", "FATAL " BAD_FORMAT},
    /* a blank inside the key: another word was meant as the count */
    {"set k 1 0 0 3\r\nmn\r\n", "FATAL " BAD_FORMAT},
    {"set k k 0 0 3\r\nmn\r\n", "FATAL " BAD_FORMAT},
    {"set k 0 0 3 a b c d e\r\nmn\r\n", "FATAL " BAD_FORMAT},
    {"set k 0 0 1\r\nabc\r\nmn\r\n", "FATAL CLIENT_ERROR bad data chunk\n"},
    {"delete a b c\r\ndelete a b noreply\r\ndelete a 1 b c\r\n",
     "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\n"
     "silent CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\n"
     "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]\n"},
    {"incr k x\r\nincr k -1\r\n", "CLIENT_ERROR invalid numeric delta argument\n"
                                  "CLIENT_ERROR invalid numeric delta argument\n"},
    {"touch k x\r\ntouch k 4294967295\r\ntouch k\r\n",
     "CLIENT_ERROR invalid exptime argument\nCLIENT_ERROR invalid exptime argument\n" BAD_FORMAT},
    {"flush_all x\r\n", "CLIENT_ERROR invalid exptime argument\n"},
    {"cache_memlimit\r\ncache_memlimit x\r\ncache_memlimit -1\r\ncache_memlimit +1\r\n",
     "ERROR \nERROR \nERROR \nERROR \n"},
    {"cache_memlimit 4294967296\r\ncache_memlimit 64x\r\ncache_memlimit 0x40 64\r\n",
     "ERROR \nERROR \nERROR \n"},
    {"cache_memlimit noreply\r\ncache_memlimit x noreply\r\n", "silent ERROR \nsilent ERROR \n"},
    {"mg\r\nmg k X\r\nmg k v v\r\n",
     BAD_FORMAT "CLIENT_ERROR invalid flag\nCLIENT_ERROR duplicate flag\n"},
    {"mg k Tx\r\nmg k O123456789012345678901234567890123\r\n",
     "CLIENT_ERROR bad token in command line format\nCLIENT_ERROR opaque token too long\n"},
    {"mg Y!! b\r\nmg Y b\r\n",
     "CLIENT_ERROR error decoding key\nCLIENT_ERROR error decoding key\n"},
    {"ms k 3 Z\r\nget\r\nmn\r\n", "CLIENT_ERROR invalid flag\nPING\n"},
    {"ms k 3 MX\r\nget\r\nms k 3 M\r\nget\r\nms k 3 Me\r\nget\r\nmn\r\n",
     "CLIENT_ERROR invalid mode for ms M token\nCLIENT_ERROR invalid mode for ms M token\n"
     "CLIENT_ERROR invalid mode for ms M token\nPING\n"},
    {"ms k 3 b\r\nget\r\nmn\r\n", "CLIENT_ERROR error decoding key\nPING\n"},
    {"ms k\r\nget\r\n", "FATAL " BAD_FORMAT},
    {"ms k S2\r\nget\r\n", "FATAL " BAD_FORMAT},
    {"md k Tx\r\nmd k X\r\nmd k J\r\nma k Dx\r\nma k X\r\nma k Mx\r\n",
     "CLIENT_ERROR bad token in command line format\nCLIENT_ERROR invalid flag\n"
     "CLIENT_ERROR invalid numeric initial value\nCLIENT_ERROR invalid or duplicate flag\n"
     "CLIENT_ERROR invalid or duplicate flag\nCLIENT_ERROR invalid mode for ma M token\n"},
    {"ma " LONG_KEY "\r\nma Y b\r\n", "CLIENT_ERROR invalid or duplicate flag\n"
                                      "CLIENT_ERROR invalid or duplicate flag\n"},
    {"me\r\nme k b\r\n", BAD_FORMAT BAD_FORMAT},
    /* a line whose last word is noreply is not answered, whatever becomes of it */
    {"foo noreply\r\n", "silent ERROR \n"},
    {"set k x 0 3 noreply\r\nget\r\nmn\r\n", "silent " BAD_FORMAT "PING\n"},
    {"set k 0 x 3 noreply\r\nget\r\nmn\r\n", "silent " BAD_FORMAT "PING\n"},
    {"set " LONG_KEY " 0 0 3 noreply\r\nget\r\nmn\r\n", "silent " BAD_FORMAT "PING\n"},
    {"cas k 0 0 3 noreply\r\nget\r\nmn\r\n", "silent " BAD_FORMAT "PING\n"},
    {"set k 0 0 2000000000 noreply\r\n", "silent SERVER_ERROR object too large for cache\n"},
    {"delete " LONG_KEY " noreply\r\nincr " LONG_KEY " 1 noreply\r\n",
     "silent " BAD_FORMAT "silent " BAD_FORMAT},
    {"incr k x noreply\r\nincr k noreply\r\n",
     "silent CLIENT_ERROR invalid numeric delta argument\n"
     "silent CLIENT_ERROR invalid numeric delta argument\n"},
    {"touch k x noreply\r\nflush_all x noreply\r\nverbosity noreply\r\n",
     "silent CLIENT_ERROR invalid exptime argument\n"
     "silent CLIENT_ERROR invalid exptime argument\nsilent " BAD_FORMAT},
    /* unless the connection ends */
    {"set k 0 0 x noreply\r\nmn\r\n", "FATAL " BAD_FORMAT},
    /* in a list of keys it is a key, and the meta commands have q, which hides no error */
    {"get " LONG_KEY " noreply\r\ngat x noreply\r\nmg k X q\r\nget a\r\n",
     BAD_FORMAT "CLIENT_ERROR invalid exptime argument\nCLIENT_ERROR invalid flag\nGET keys=a\n"},
    {"\x80\x01",
     "FATAL CLIENT_ERROR the binary protocol is not spoken here: use the text or the meta "
     "commands\n"},
    {"cas k x 0 1 7\r\ny\r\n\x80\x01", /* behind a value that was dropped */
     "CLIENT_ERROR bad command line format\n"
     "FATAL CLIENT_ERROR the binary protocol is not spoken here: use the text or the meta "
     "commands\n"},
    {"POST / HTTP/1.1\r\n", "HANGUP\n"},
    {"GET / HTTP/1.1\r\n", "HANGUP\n"},
};

START_TEST(lines_are_refused)
{
    expect(bad[_i].wire, bad[_i].understood);
}
END_TEST

/* --- every flag of the meta commands ------------------------------------------ */

static const char with_number[] = "CDEFJNRT";
static const char without[] = "bcfhklqstuvxILPO";

/* The line, and the value of a set. */
static char *meta_line(const char *command, const char *flag)
{
    char *wire = NULL;
    bool sets = strcmp(command, "ms") == 0;
    ck_assert_int_gt(
        asprintf(&wire, "%s YWJj%s %s\r\n%s", command, sets ? " 1" : "", flag, sets ? "a\r\n" : ""),
        0);
    return wire;
}

static bool is_refused(const char *command, const char *flag)
{
    char *wire = meta_line(command, flag);
    char *text = transcript(&protocol_memcache, slice_of(wire), &at_once);
    bool refused = strncmp(text, "CLIENT_ERROR", 12) == 0;
    free(text);
    free(wire);
    return refused;
}

START_TEST(every_meta_command_takes_every_flag)
{
    static const char *const commands[] = {"mg", "ms", "md", "ma", "me"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        for (const char *letter = with_number; *letter != '\0'; letter++) {
            char good_flag[] = {*letter, '5', '\0'};
            char bad_flag[] = {*letter, 'x', '\0'};
            char bare[] = {*letter, '\0'};
            ck_assert_msg(!is_refused(commands[i], good_flag), "%s %s", commands[i], good_flag);
            ck_assert_msg(is_refused(commands[i], bad_flag), "%s %s", commands[i], bad_flag);
            ck_assert_msg(is_refused(commands[i], bare), "%s %s", commands[i], bare);
        }
        for (const char *letter = without; *letter != '\0'; letter++) {
            char bare[] = {*letter, '\0'};
            char with_token[] = {*letter, 't', 'o', 'k', '\0'};
            ck_assert_msg(!is_refused(commands[i], bare), "%s %s", commands[i], bare);
            ck_assert_msg(!is_refused(commands[i], with_token), "%s %s", commands[i], with_token);
        }
        ck_assert_msg(is_refused(commands[i], "Z"), "%s Z", commands[i]);
    }
}
END_TEST

/* --- login ---------------------------------------------------------------------- */

static const struct told logins[] = {
    {"set auth 0 0 3\r\na b\r\n", "PUT keys=auth ttl=default noted clear login value=3:a b\n"},
    {"set _ _ _ 3\r\na b\r\n", "PUT ttl=default noted clear login only-login value=3:a b\n"},
    {"set " LONG_KEY " 0 0 3 noreply\r\na b\r\n",
     "PUT ttl=default quiet noted clear login only-login value=3:a b\n"},
    {"set _ _ _ x\r\n", "FATAL " BAD_FORMAT},
    {"add _ _ _ 3\r\na b\r\n", BAD_FORMAT},
    {"cas _ _ _ 3 1\r\na b\r\n", BAD_FORMAT},
    {"ms k 3\r\na b\r\n", "PUT keys=k ttl=default noted clear value=3:a b\n"},
};

START_TEST(the_words_of_a_login_are_no_matter)
{
    struct feed feed = at_once;
    feed.login = true;
    char *text = transcript(&protocol_memcache, slice_of(logins[_i].wire), &feed);
    ck_assert_str_eq(text, logins[_i].understood);
    free(text);
}
END_TEST

static void must_be_the_same(struct slice wire, const char *whole, struct feed feed)
{
    char *pieces = transcript(&protocol_memcache, wire, &feed);
    ck_assert_msg(strcmp(whole, pieces) == 0, "step %zu first %zu window %zu:\n%s\nnot\n%s",
                  feed.step, feed.first, feed.window, pieces, whole);
    free(pieces);
}

/* --- lines of keys that are longer than REQUEST_LINE_MAX ------------------------ */

/* `command` and keys until they are too long, then `ending`. */
static char *long_line(const char *command, const char *ending, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    ck_assert_ptr_nonnull(out);
    fputs(command, out);
    for (unsigned i = 0; i < 3 * REQUEST_LINE_MAX / 12; i++) {
        fprintf(out, "%s key%08u", i % 100 == 7 ? " " : "", i);
    }
    fprintf(out, "%s", ending);
    fclose(out);
    return text;
}

static const struct {
    const char *command, *ending, *understood_first, *understood_last;
} longs[] = {
    {"get", "\r\nmn\r\n", "GET in pieces ns= ttl=default key=key00000000 ",
     " key=key00016383\nPING\n"},
    {"gets", "  \nmn\n", "LOOK in pieces ns= ttl=keep version key=key00000000 ",
     " key=key00016383\nPING\n"},
    {"gat 60", " \r\nmn\n", "LOOK in pieces ns= ttl=60000 key=key00000000 ",
     " key=key00016383\nPING\n"},
    {"get", " " LONG_KEY " more\r\nmn\n", "GET in pieces ns= ttl=default key=key00000000 ",
     " key=key00016383 but\n" BAD_FORMAT "PING\n"},
    {"delete", "\r\n", "FATAL CLIENT_ERROR line too long\n", "line too long\n"},
    {"gat x", "\r\n", "FATAL CLIENT_ERROR line too long\n", "line too long\n"},
};

START_TEST(long_lines_of_keys_come_in_pieces)
{
    size_t length = 0;
    char *bytes = long_line(longs[_i].command, longs[_i].ending, &length);
    struct slice wire = {bytes, length};
    char *whole = transcript(&protocol_memcache, wire, &at_once);
    const char *first = longs[_i].understood_first;
    const char *last = longs[_i].understood_last;
    ck_assert_msg(strncmp(whole, first, strlen(first)) == 0, "%.300s", whole);
    ck_assert_str_eq(whole + strlen(whole) - strlen(last), last);
    for (size_t i = 0; i < 40; i++) {
        struct feed feed = at_once;
        feed.first = i < 20 ? REQUEST_LINE_MAX - 10 + i : 0;
        feed.step = i < 20 ? 4096 + i : 1 + i * 331;
        feed.patient = i % 2 == 0;
        must_be_the_same(wire, whole, feed);
    }
    free(whole);
    free(bytes);
}
END_TEST

/* --- cuts ------------------------------------------------------------------- */

static char *all_wires(size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        fputs(good[i].wire, out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (strstr(bad[i].understood, "FATAL") == NULL &&
            strstr(bad[i].understood, "HANG") == NULL &&
            strstr(bad[i].wire, "2000000000") == NULL) {
            fputs(bad[i].wire, out);
        }
    }
    fclose(out);
    return text;
}

START_TEST(cuts_change_nothing)
{
    size_t length = 0;
    char *bytes = all_wires(&length);
    struct slice wire = {bytes, length};
    char *whole = transcript(&protocol_memcache, wire, &at_once);
    for (size_t first = 1; first < length; first++) {
        struct feed feed = at_once;
        feed.first = first;
        must_be_the_same(wire, whole, feed);
    }
    for (size_t step = 1; step < 40; step++) {
        struct feed feed = at_once;
        feed.step = step;
        must_be_the_same(wire, whole, feed);
        feed.patient = true;
        must_be_the_same(wire, whole, feed);
        feed.window = 0; /* every value is streamed */
        must_be_the_same(wire, whole, feed);
    }
    free(whole);
    free(bytes);
}
END_TEST

/* --- base64 ----------------------------------------------------------------- */

START_TEST(base64_there_and_back)
{
    for (size_t length = 1; length <= 187; length++) {
        char bytes[188];
        char text[260];
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (char)(i * 37 + length);
        }
        size_t encoded = (size_t)(base64_encode(text, (struct slice){bytes, length}) - text);
        ck_assert_uint_eq(encoded, (length + 2) / 3 * 4);
        ck_assert(base64_decode(text, &encoded));
        ck_assert_uint_eq(encoded, length);
        ck_assert_mem_eq(text, bytes, length);
    }
}
END_TEST

START_TEST(what_is_no_base64_is_refused)
{
    static const char *const wrong[] = {
        "", "a", "ab", "abc", "====", "a===", "ab=c", "abc!", "ab c"};
    size_t length = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ck_assert_msg(!base64_check(slice_of(wrong[i]), &length), "%s", wrong[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memcache");
    TCase *tcase = tcase_create("lines");
    tcase_set_timeout(tcase, TIMEOUT);
    tcase_add_loop_test(tcase, lines_are_understood, 0, sizeof good / sizeof good[0]);
    tcase_add_loop_test(tcase, lines_are_refused, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(tcase, every_meta_command_takes_every_flag);
    tcase_add_loop_test(tcase, the_words_of_a_login_are_no_matter, 0,
                        sizeof logins / sizeof logins[0]);
    tcase_add_loop_test(tcase, long_lines_of_keys_come_in_pieces, 0,
                        sizeof longs / sizeof longs[0]);
    tcase_add_test(tcase, cuts_change_nothing);
    tcase_add_test(tcase, base64_there_and_back);
    tcase_add_test(tcase, what_is_no_base64_is_refused);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
