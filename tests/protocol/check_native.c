/*
 * check_native.c - the native protocol: each request and each error, cut at
 * every byte, in single bytes, and all of them in one buffer.
 */
#include "tests/protocol/native_fixture.h"
#include "tests/protocol/transcript.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

struct exchange {
    const char *wire;
    const char *understood;
};

/* The connection goes on after each of these. */
static const struct exchange exchanges[] = {
    /* values on a line */
    {"PUT ns k\r\nhello\r\n", "PUT ns=ns keys=k ttl=default value=5:hello\n"},
    {"PUT ns k 30m\nhello\n", "PUT ns=ns keys=k ttl=1800000 value=5:hello\n"},
    {"PUT ns k 1.5\r\n\r\n", "PUT ns=ns keys=k ttl=1500 value=0:\n"},
    {"PUT ns k -\r\n\n", "PUT ns=ns keys=k ttl=default value=0:\n"},
    {"PUT ns k 0\n a\rb \r\r\n", "PUT ns=ns keys=k ttl=never value=6: a\\x0db \\x0d\n"},
    {"PUT ns k never\nPING\n", "PUT ns=ns keys=k ttl=never value=4:PING\n"},
    {"PUT ns k\r\nPOST / HTTP/1.1\r\n", "PUT ns=ns keys=k ttl=default value=15:POST / HTTP/1.1\n"},
    /* a line that begins with a verb is not HTTP */
    {"GET ns HTTP/1.1\r\n", "GET ns=ns keys=HTTP/1.1\n"},
    {"DEL ns HTTP/1.0\n", "DEL ns=ns keys=HTTP/1.0\n"},
    {"PUT ns k HTTP/1.1\r\nv\r\n",
     "CLIENT_ERROR bad ttl \"HTTP/1.1\": " RIGHT_TTL NEXT_LINE THEN_LINE "\n"},
    /* keys of any bytes */
    {"PUT ns a\\x20b\\x0A 1m\r\nv\r\n", "PUT ns=ns keys=a b\\x0a ttl=60000 value=1:v\n"},
    {"PUT ns \\x00\\x7f - 1\r\nv\r\n", "PUT ns=ns keys=\\x00\\x7f ttl=default value=1:v\n"},
    {"GET ns a b\\x20c d\r\n", "GET in pieces ns=ns ttl=default key=a key=b c key=d\n"},
    {"GET ns \\x20 \\x41\n", "GET in pieces ns=ns ttl=default key=  key=A\n"},
    {"TTL ns \\x20\n", "TTL ns=ns keys= \n"},
    /* several blanks, and blanks at the end */
    {"GET  ns k\n", "GET ns=ns keys=k\n"},
    {"GET ns   k\n", "GET ns=ns keys=  k\n"},
    {"GET ns k  \r\n", "GET ns=ns keys=k\n"},
    {"GET ns  k  l\n", "GET ns=ns keys= k  l\n"},
    {"GET   ns  a\\x20b   c \r\n", "GET in pieces ns=ns ttl=default key=a b key=c\n"},
    {"DEL ns a\\x20b \n", "DEL in pieces ns=ns ttl=default key=a b\n"},
    {"GET ns \r\n", "CLIENT_ERROR key missing: write GET <ns> <key> [<key> ...]\n"},
    {"GET  ns a\tb\n", "CLIENT_ERROR bad key \"a\\x09b\": " RIGHT_KEY "\n"},
    {"TTL  ns  \\x20 \n", "TTL ns=ns keys= \n"},
    {"TTL ns k  l\n", "CLIENT_ERROR too many words: write TTL <ns> <key>\n"},
    {"TOUCH ns k \n", "TOUCH ns=ns keys=k ttl=default\n"},
    {"TOUCH  ns  k  1m \n", "TOUCH ns=ns keys=k ttl=60000\n"},
    {"INCR ns k  5\n", "INCR ns=ns keys=k number=5\n"},
    {"LIST ns  a* \n", "LIST ns=ns pattern=a*\n"},
    {"STATS \n", "STATS\n"},
    {"AUTH  web  s \n", "AUTH ns=web secret=s\n"},
    {"PING \n", "PING\n"},
    {"HELP  put \n", "HELP\n"},
    {"PUT  ns k\nv\n", "PUT ns=ns keys=k ttl=default value=1:v\n"},
    {"PUT ns k \nv\n", "PUT ns=ns keys=k ttl=default value=1:v\n"},
    {"PUT  ns   k 1  5 \r\nhello\r\n", "PUT ns=ns keys=k ttl=1000 value=5:hello\n"},
    {"ADD ns  a\\x20b - 1\nv\n", "ADD ns=ns keys=a b ttl=default value=1:v\n"},
    {"PUT  n/s k 1s 8 \nFLUSH ns\n",
     "CLIENT_ERROR bad namespace \"n/s\": " RIGHT_NS THEN_BYTES("8") "\n"},
    {"PUT  ns k soon 8\nFLUSH ns\n",
     "CLIENT_ERROR bad ttl \"soon\": " RIGHT_TTL NEXT_LINE THEN_BYTES("8") "\n"},
    {"PUT  ns\nFLUSH ns\n", "CLIENT_ERROR key missing: write " USAGE_PUT THEN_LINE "\n"},
    {"DEL ns \\x5cx41 App\\User \\xyz\n",
     "DEL in pieces ns=ns ttl=default key=\\x41 key=App\\User key=\\xyz\n"},
    {"GET ns App\\User \\x4 \\xg0 \\\n", "GET ns=ns keys=App\\User \\x4 \\xg0 \\\n"},
    {"GET ns a\\x20b a\tb\n", "CLIENT_ERROR bad key \"a\\x09b\": " RIGHT_KEY "\n"},
    {"INCR ns \\x20 5\n", "INCR ns=ns keys=  ttl=keep number=5\n"},
    {"TOUCH ns a\\x20b 1s\n", "TOUCH ns=ns keys=a b ttl=1000\n"},
    {"PUT ns k\r\nHost: a\r\n", "PUT ns=ns keys=k ttl=default value=7:Host: a\n"},
    {"ADD ns k 1w\nx\n", "ADD ns=ns keys=k ttl=604800000 value=1:x\n"},
    /* values with their length */
    {"PUT ns k 1 5\r\nhello\r\n", "PUT ns=ns keys=k ttl=1000 value=5:hello\n"},
    {"put ns k 1 0000005\r\nhello\r\n", "PUT ns=ns keys=k ttl=1000 value=5:hello\n"},
    {"PUT ns k - 00000005\nhello\n", "PUT ns=ns keys=k ttl=default value=5:hello\n"},
    {"pUt ns k never 5\nhello\r\n", "PUT ns=ns keys=k ttl=never value=5:hello\n"},
    {"PUT ns k 1 12\nPUT ns k 1 5\n", "PUT ns=ns keys=k ttl=1000 value=12:PUT ns k 1 5\n"},
    {"PUT ns k - 7\nwo\r\nrld\n", "PUT ns=ns keys=k ttl=default value=7:wo\\x0d\\x0arld\n"},
    {"PUT ns k 500ms 0\r\n\r\n", "PUT ns=ns keys=k ttl=500 value=0:\n"},
    {"PUT ns k 0 1\n\r\r\n", "PUT ns=ns keys=k ttl=never value=1:\\x0d\n"},
    {"PUT ns k 0 2\n\r\n\r\n", "PUT ns=ns keys=k ttl=never value=2:\\x0d\\x0a\n"},
    {"aDd ns k 7d 6\nPING\r\n\n", "ADD ns=ns keys=k ttl=604800000 value=6:PING\\x0d\\x0a\n"},
    {"PUT ns k 2h 00000000000000000003\nabc\n", "PUT ns=ns keys=k ttl=7200000 value=3:abc\n"},
    /* and with flags */
    {"PUT ns k 1 5 7\r\nhello\r\n", "PUT ns=ns keys=k ttl=1000 flags=7 value=5:hello\n"},
    {"put ns k - 0 4294967295\n\n", "PUT ns=ns keys=k ttl=default flags=4294967295 value=0:\n"},
    {"ADD ns k never 6 0\r\nPING\r\n\r\n", "ADD ns=ns keys=k ttl=never value=6:PING\\x0d\\x0a\n"},
    {"PUT ns a\\x20b 0 1 00000000000000000007\nv\n",
     "PUT ns=ns keys=a b ttl=never flags=7 value=1:v\n"},
    {"PUT ns k 90 8 7 \nFLUSH ns\n", "PUT ns=ns keys=k ttl=90000 flags=7 value=8:FLUSH ns\n"},
    {"PUT ns  k 90 8 7\nFLUSH ns\n", "PUT ns=ns keys=k ttl=90000 flags=7 value=8:FLUSH ns\n"},
    {"PUT  ns  k 90  8 7 \nFLUSH ns\n", "PUT ns=ns keys=k ttl=90000 flags=7 value=8:FLUSH ns\n"},
    {"PUT ns k 90 8 \nFLUSH ns\n", "PUT ns=ns keys=k ttl=90000 value=8:FLUSH ns\n"},
    {"PUT ns  8 90s 8\nFLUSH ns\n", "PUT ns=ns keys=8 ttl=90000 value=8:FLUSH ns\n"},
    {"PUT ns k 1 8 x\nFLUSH ns\n",
     "CLIENT_ERROR bad flags \"x\": " RIGHT_FLAGS THEN_BYTES("8") "\n"},
    {"PUT ns k 1 8 -1\nFLUSH ns\n",
     "CLIENT_ERROR bad flags \"-1\": " RIGHT_FLAGS THEN_BYTES("8") "\n"},
    {"ADD ns k 1 8 4294967296\nFLUSH ns\n",
     "CLIENT_ERROR bad flags \"4294967296\": " RIGHT_FLAGS THEN_BYTES("8") "\n"},
    {"PUT n/s k 1 8 7\nFLUSH ns\n",
     "CLIENT_ERROR bad namespace \"n/s\": " RIGHT_NS THEN_BYTES("8") "\n"},
    {"PUT ns k soon 8 7\nFLUSH ns\n",
     "CLIENT_ERROR bad ttl \"soon\": " RIGHT_TTL NEXT_LINE THEN_BYTES("8") "\n"},
    {"PUT ns  k  soon 8 \nFLUSH ns\n",
     "CLIENT_ERROR bad ttl \"soon\": " RIGHT_TTL NEXT_LINE THEN_BYTES("8") "\n"},
    /* the other requests */
    {"GET ns k\r\n", "GET ns=ns keys=k\n"},
    {"get A-Z_0.9 a b c\n", "GET ns=A-Z_0.9 keys=a b c\n"},
    {"GeT - \xd0\xba!*\xff\n", "GET ns=- keys=\\xd0\\xba!*\\xff\n"},
    {"DEL ns k\r\n", "DEL ns=ns keys=k\n"},
    {"DEL ns k2 k1\n", "DEL ns=ns keys=k2 k1\n"},
    {"TTL ns k\r\n", "TTL ns=ns keys=k\n"},
    {"TOUCH ns k\n", "TOUCH ns=ns keys=k ttl=default\n"},
    {"TOUCH ns k 1.5h\r\n", "TOUCH ns=ns keys=k ttl=5400000\n"},
    {"TOUCH ns k never\r\n", "TOUCH ns=ns keys=k ttl=never\n"},
    {"INCR ns k\r\n", "INCR ns=ns keys=k number=1\n"},
    {"INCR ns k 0\n", "INCR ns=ns keys=k number=0\n"},
    {"DECR ns k 18446744073709551615\n", "DECR ns=ns keys=k number=18446744073709551615\n"},
    {"LIST ns\r\n", "LIST ns=ns\n"},
    {"LIST ns a*[b-d]\\?\n", "LIST ns=ns pattern=a*[b-d]\\?\n"},
    {"ALL ns\n", "ALL ns=ns\n"},
    {"ALL ns ?\r\n", "ALL ns=ns pattern=?\n"},
    {"SURVEY ns\r\n", "SURVEY ns=ns\n"},
    {"survey  ns a* \n", "SURVEY ns=ns pattern=a*\n"},
    {"DUMP ns\r\n", "DUMP ns=ns\n"},
    {"dump - [a-c]?\n", "DUMP ns=- pattern=[a-c]?\n"},
    {"FLUSH ns\r\n", "FLUSH ns=ns\n"},
    {"NAMESPACES\r\n", "NAMESPACES\n"},
    {"namespaces\n", "NAMESPACES\n"},
    {"STATS\r\n", "STATS\n"},
    {"STATS ns\r\n", "STATS ns=ns\n"},
    {"SETTINGS\r\n", "SETTINGS\n"},
    {"RELOAD\r\n", "RELOAD\n"},
    {"settings \n", "SETTINGS\n"},
    {"AUTH web s3cret/+=\r\n", "AUTH ns=web secret=s3cret/+=\n"},
    {"auth a.b-c \xc3\xa4\n", "AUTH ns=a.b-c secret=\\xc3\\xa4\n"},
    {"PING\r\n", "PING\n"},
    {"VERSION\n", "VERSION\n"},
    {"Help\r\n", "HELP\n"},
    {"SLOW\r\n", "SLOW 0\n"},
    {"slow 10\n", "SLOW 10\n"},
    {"SLOW  reset \n", "SLOW topic=1 0\n"},
    {"SLOW 0\n", "CLIENT_ERROR bad number \"0\": write reset, or a number of requests from 1 on\n"},
    {"SLOW 1 2\n", "CLIENT_ERROR too many words: write SLOW [<n>|reset]\n"},
    {"CLIENTS\n", "CLIENTS\n"},
    {"KILL 17\n", "KILL 17\n"},
    {"KILL\n", "CLIENT_ERROR id missing: write KILL <id>\n"},
    {"KILL x\n", "CLIENT_ERROR bad id \"x\": write a number that CLIENTS lists\n"},
    {"WATCH ns\n", "WATCH ns=ns events=3f sample=1\n"},
    {"WATCH * READS 1/16\n", "WATCH ns=* events=1 sample=16\n"},
    {"WATCH - writes evictions expirations\n", "WATCH ns=- events=3e sample=1\n"},
    {"WATCH connections\n", "WATCH ns=* events=c0 sample=1\n"},
    {"WATCH connections reads\n", "WATCH ns=connections events=1 sample=1\n"},
    {"WATCH **\n",
     "CLIENT_ERROR bad namespace \"**\": write 1 to 64 of A-Z a-z 0-9 _ . -, or * for all\n"},
    {"WATCH ns 1/0\n",
     "CLIENT_ERROR bad kind of event \"1/0\": write reads, writes, evictions, expirations, or "
     "1/<n> up to 1/1000000\n"},
    {"quit\n", "QUIT\n"},
    /* unknown verbs */
    {"\r\n", "ERROR the line is empty, try HELP\n"},
    {"\n", "ERROR the line is empty, try HELP\n"},
    {"FETCH a b\r\n", "ERROR unknown verb \"FETCH\", try HELP\n"},
    {"PUTT ns k\n", "ERROR unknown verb \"PUTT\", did you mean PUT? try HELP\n"},
    {"GE\n", "ERROR unknown verb \"GE\", did you mean GET? try HELP\n"},
    {"PUTS ns k\n", "ERROR unknown verb \"PUTS\", did you mean PUT? try HELP\n"},
    {"namespace\n", "ERROR unknown verb \"namespace\", did you mean NAMESPACES? try HELP\n"},
    {"hello\n", "ERROR unknown verb \"hello\", try HELP\n"},
    {"SET a b\n", "ERROR unknown verb \"SET\", did you mean PUT? try HELP\n"},
    {"set a 0 0 x\n", "ERROR unknown verb \"set\", did you mean PUT? try HELP\n"},
    {"DELETE a\n", "ERROR unknown verb \"DELETE\", did you mean DEL? try HELP\n"},
    {"keys *\n", "ERROR unknown verb \"keys\", did you mean LIST? try HELP\n"},
    {"flush_all\n", "ERROR unknown verb \"flush_all\", did you mean FLUSH? try HELP\n"},
    {"exit \n", "ERROR unknown verb \"exit\", did you mean QUIT? try HELP\n"},
    {"set k 0 0 5\n", "ERROR " MEMCACHED ", and reads the next line as a request\n"},
    {"cas k 0 -1 5 77 noreply\n", "ERROR " MEMCACHED ", and reads the next line as a request\n"},
    {"ms k 5\n", "ERROR " MEMCACHED ", and reads the next line as a request\n"},
    {"mg k v\n", "ERROR " MEMCACHED "\n"},
    {"* 1\n", "ERROR unknown verb \"*\", try HELP\n"},
    {"*1x\n", "ERROR unknown verb \"*1x\", try HELP\n"},
    {"*\n", "ERROR unknown verb \"*\", try HELP\n"},
    {"POSTS a\n", "ERROR unknown verb \"POSTS\", try HELP\n"},
    {"HOST\n", "ERROR unknown verb \"HOST\", try HELP\n"},
    {"get\ta b\n", "ERROR unknown verb \"get\\x09a\", try HELP\n"},
    {"\x1b[31m\xff\r\n", "ERROR unknown verb \"\\x1b[31m\\xff\", try HELP\n"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b\n",
     "ERROR unknown verb \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\", try HELP\n"},
    {" PING\r\n",
     "CLIENT_ERROR empty word: write the verb at the line's beginning, without spaces\n"},
    /* missing words, and too many */
    {"GET\r\n", "CLIENT_ERROR namespace missing: write GET <ns> <key> [<key> ...]\n"},
    {"GET ns\r\n", "CLIENT_ERROR key missing: write GET <ns> <key> [<key> ...]\n"},
    {"DEL ns\n", "CLIENT_ERROR key missing: write DEL <ns> <key> [<key> ...]\n"},
    {"TTL ns\n", "CLIENT_ERROR key missing: write TTL <ns> <key>\n"},
    {"TTL ns a b\n", "CLIENT_ERROR too many words: write TTL <ns> <key>\n"},
    {"TOUCH ns\n", "CLIENT_ERROR key missing: write TOUCH <ns> <key> [<ttl>]\n"},
    {"TOUCH ns a 1 2\n", "CLIENT_ERROR too many words: write TOUCH <ns> <key> [<ttl>]\n"},
    {"INCR\n", "CLIENT_ERROR namespace missing: write INCR <ns> <key> [<n>]\n"},
    {"DECR ns k 1 2\n", "CLIENT_ERROR too many words: write DECR <ns> <key> [<n>]\n"},
    {"LIST\n", "CLIENT_ERROR namespace missing: write LIST <ns> [<pattern>]\n"},
    {"ALL ns a b\n", "CLIENT_ERROR too many words: write ALL <ns> [<pattern>]\n"},
    {"SURVEY\n", "CLIENT_ERROR namespace missing: write SURVEY <ns> [<pattern>]\n"},
    {"SURVEY ns a b\n", "CLIENT_ERROR too many words: write SURVEY <ns> [<pattern>]\n"},
    {"SURVEY n/s\n", "CLIENT_ERROR bad namespace \"n/s\": " RIGHT_NS "\n"},
    {"SURVEY ns [a\n", "CLIENT_ERROR bad pattern \"[a\": " RIGHT_PATTERN "\n"},
    {"DUMP\n", "CLIENT_ERROR namespace missing: write DUMP <ns> [<pattern>]\n"},
    {"DUMP ns a b\n", "CLIENT_ERROR too many words: write DUMP <ns> [<pattern>]\n"},
    {"DUMP *\n", "CLIENT_ERROR bad namespace \"*\": " RIGHT_NS "\n"},
    {"DUMP ns a\\\n", "CLIENT_ERROR bad pattern \"a\\\": " RIGHT_PATTERN "\n"},
    {"FLUSH\n", "CLIENT_ERROR namespace missing: write FLUSH <ns>\n"},
    {"FLUSH a b\n", "CLIENT_ERROR too many words: write FLUSH <ns>\n"},
    {"NAMESPACES a\n", "CLIENT_ERROR too many words: write NAMESPACES\n"},
    {"RELOAD a\n", "CLIENT_ERROR too many words: write RELOAD\n"},
    {"SETTINGS a\n", "CLIENT_ERROR too many words: write SETTINGS\n"},
    {"STATS a b\n", "CLIENT_ERROR too many words: write STATS [<ns>]\n"},
    {"AUTH\n", "CLIENT_ERROR user missing: write AUTH <user> <secret>\n"},
    {"AUTH web\n", "CLIENT_ERROR secret missing: write AUTH <user> <secret>\n"},
    {"AUTH web a b\n", "CLIENT_ERROR too many words: write AUTH <user> <secret>\n"},
    {"AUTH w/b a\n", "CLIENT_ERROR bad user \"w/b\": " RIGHT_NS "\n"},
    {"AUTH web a\tb\n", "CLIENT_ERROR bad secret: " RIGHT_SECRET "\n"}, /* not repeated */
    {"PING a\n", "CLIENT_ERROR too many words: write PING\n"},
    {"VERSION a\n", "CLIENT_ERROR too many words: write VERSION\n"},
    {"HELP a\n", "CLIENT_ERROR bad verb \"a\": write one that HELP lists\n"},
    {"HELP set\n", "CLIENT_ERROR bad verb \"set\": write one that HELP lists, did you mean PUT?\n"},
    {"HELP get put\n", "CLIENT_ERROR too many words: write HELP [<verb>]\n"},
    {"HELP \x7f\n", "CLIENT_ERROR bad verb \"\\x7f\": write one that HELP lists\n"},
    {"QUIT a\n", "CLIENT_ERROR too many words: write QUIT\n"},
    /* wrong words */
    {"GET a/b k\n", "CLIENT_ERROR bad namespace \"a/b\": " RIGHT_NS "\n"},
    {"LIST \xc3\xa4\n", "CLIENT_ERROR bad namespace \"\\xc3\\xa4\": " RIGHT_NS "\n"},
    {"STATS *\n", "CLIENT_ERROR bad namespace \"*\": " RIGHT_NS "\n"},
    {"GET ns a\tb\n", "CLIENT_ERROR bad key \"a\\x09b\": " RIGHT_KEY "\n"},
    {"DEL ns ok a\x7f\n", "CLIENT_ERROR bad key \"a\\x7f\": " RIGHT_KEY "\n"},
    {"TTL ns a\rb\n", "CLIENT_ERROR bad key \"a\\x0db\": " RIGHT_KEY "\n"},
    {"GET ns k\r\r\n", "CLIENT_ERROR bad key \"k\\x0d\": " RIGHT_KEY "\n"},
    {"TOUCH ns k 1e3\n", "CLIENT_ERROR bad ttl \"1e3\": " RIGHT_TTL "\n"},
    {"TOUCH ns k -5\n", "CLIENT_ERROR bad ttl \"-5\": " RIGHT_TTL "\n"},
    {"TOUCH ns k 101w 2\n", "CLIENT_ERROR too many words: write TOUCH <ns> <key> [<ttl>]\n"},
    {"TOUCH ns k 36501d\n",
     "CLIENT_ERROR ttl is longer than 36500d: write never for what is not to expire\n"},
    {"INCR ns k x\n", "CLIENT_ERROR bad number \"x\": " RIGHT_NUMBER "\n"},
    {"INCR ns k -1\n", "CLIENT_ERROR bad number \"-1\": " RIGHT_NUMBER "\n"},
    {"DECR ns k 18446744073709551616\n",
     "CLIENT_ERROR bad number \"18446744073709551616\": " RIGHT_NUMBER "\n"},
    {"LIST ns [a\n", "CLIENT_ERROR bad pattern \"[a\": " RIGHT_PATTERN "\n"},
    {"ALL ns a\\\n", "CLIENT_ERROR bad pattern \"a\\\": " RIGHT_PATTERN "\n"},
    /* refused values are dropped, whatever they look like */
    {"PUT\nFLUSH ns\n", "CLIENT_ERROR namespace missing: write " USAGE_PUT THEN_LINE "\n"},
    {"PUT ns\nFLUSH ns\r\n", "CLIENT_ERROR key missing: write " USAGE_PUT THEN_LINE "\n"},
    {"ADD ns\n\n",
     "CLIENT_ERROR key missing: write ADD <ns> <key> [<ttl> [<bytes> [<flags>]]]" THEN_LINE "\n"},
    {"PUT n/s k\nFLUSH ns\n", "CLIENT_ERROR bad namespace \"n/s\": " RIGHT_NS THEN_LINE "\n"},
    {"PUT ns k\x01 1m\nFLUSH ns\n", "CLIENT_ERROR bad key \"k\\x01\": " RIGHT_KEY THEN_LINE "\n"},
    {"PUT ns k soon\r\nPOST / HTTP/1.1\r\n",
     "CLIENT_ERROR bad ttl \"soon\": " RIGHT_TTL NEXT_LINE THEN_LINE "\n"},
    {"PUT n/s k 1 8\r\nFLUSH ns\r\n",
     "CLIENT_ERROR bad namespace \"n/s\": " RIGHT_NS THEN_BYTES("8") "\n"},
    {"PUT ns a\tb 1s 8\nFLUSH ns\n",
     "CLIENT_ERROR bad key \"a\\x09b\": " RIGHT_KEY THEN_BYTES("8") "\n"},
    {"PUT ns k soon 10\nFLUSH ns\r\n\r\n",
     "CLIENT_ERROR bad ttl \"soon\": " RIGHT_TTL NEXT_LINE THEN_BYTES("10") "\n"},
    {"PUT ns k 200y 0\n\n",
     "CLIENT_ERROR bad ttl \"200y\": " RIGHT_TTL NEXT_LINE THEN_BYTES("0") "\n"},
    {"PUT ns k 99999999w 1\nx\n",
     "CLIENT_ERROR ttl is longer than 36500d: write never for what is not to expire" THEN_BYTES(
         "1") "\n"},
    {"PUT ns k  8\nFLUSH ns\n", "CLIENT_ERROR empty word: " RIGHT_SPACES THEN_BYTES("8") "\n"},
    /* values that are too large: MAX_VALUE is 64 */
    {"PUT ns k 1 65\r\n"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.\r\n",
     "CLIENT_ERROR value of 65 bytes is larger than max_value, 64 bytes\n"},
    {"PUT ns k 1\r\n"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.\r\n",
     "CLIENT_ERROR value is larger than max_value, 64 bytes\n"},
    {"PUT ns k 1\n"
     "FLUSH 789abcdef0123456789abcdef0123456789abcdef0123456789abcdef...FLUSH ns\n",
     "CLIENT_ERROR value is larger than max_value, 64 bytes\n"},
    {"PUT ns k 1 64\r\n"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
     "PUT ns=ns keys=k ttl=1000 "
     "value=64:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"},
    {"PUT ns k 1\r\n"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
     "PUT ns=ns keys=k ttl=1000 "
     "value=64:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"},
};

/* The connection is closed after these. */
static const struct exchange endings[] = {
    /* the value's length is unknown */
    {"PUT ns k 1 x\n", "FATAL CLIENT_ERROR bad byte count \"x\": " RIGHT_BYTES UNFRAMED "\n"},
    {"PUT ns k 1 -1\n", "FATAL CLIENT_ERROR bad byte count \"-1\": " RIGHT_BYTES UNFRAMED "\n"},
    {"PUT ns k 1 1.5\n", "FATAL CLIENT_ERROR bad byte count \"1.5\": " RIGHT_BYTES UNFRAMED "\n"},
    {"ADD ns k 1 +5\n", "FATAL CLIENT_ERROR bad byte count \"+5\": " RIGHT_BYTES UNFRAMED "\n"},
    {"PUT ns k 1 18446744073709551616\n",
     "FATAL CLIENT_ERROR bad byte count \"18446744073709551616\": " RIGHT_BYTES UNFRAMED "\n"},
    {"PUT n/s k 1 99999999999999999999999999\n",
     "FATAL CLIENT_ERROR bad byte count \"99999999999999999999999999\": " RIGHT_BYTES UNFRAMED
     "\n"},
    {"PUT ns k 1 \n", "FATAL CLIENT_ERROR bad byte count \"\": " RIGHT_BYTES UNFRAMED "\n"},
    {"PUT ns k soon x\n",
     "FATAL CLIENT_ERROR bad byte count \"x\": " RIGHT_BYTES NEXT_LINE UNFRAMED "\n"},
    {"PUT ns k 1 5 6 7\n", "FATAL CLIENT_ERROR too many words: write " USAGE_PUT UNFRAMED "\n"},
    {"PUT ns k 1 x 7\n", "FATAL CLIENT_ERROR bad byte count \"x\": " RIGHT_BYTES UNFRAMED "\n"},
    /* five words, or six of which one is empty */
    {"PUT ns  1h 8 0\n", "FATAL CLIENT_ERROR empty word: " RIGHT_SPACES UNFRAMED "\n"},
    {"PUT  k 1h 8 0\n", "FATAL CLIENT_ERROR empty word: " RIGHT_SPACES UNFRAMED "\n"},
    {"PUT ns k  8 0\n", "FATAL CLIENT_ERROR empty word: " RIGHT_SPACES UNFRAMED "\n"},
    {"PUT ns  1h 8 0 \n", "FATAL CLIENT_ERROR empty word: " RIGHT_SPACES UNFRAMED "\n"},
    {"PUT  ns k 90 8\n", "FATAL CLIENT_ERROR empty word: " RIGHT_SPACES UNFRAMED "\n"},
    /* or six of which two have a tab between */
    {"PUT ns k\t1 8 0\n", "FATAL CLIENT_ERROR bad key \"k\\x091\": " RIGHT_KEY UNFRAMED "\n"},
    {"PUT ns k 1\t8 0\n",
     "FATAL CLIENT_ERROR bad ttl \"1\\x098\": " RIGHT_TTL NEXT_LINE UNFRAMED "\n"},
    {"PUT ns a\tb 1 8\n", "FATAL CLIENT_ERROR bad key \"a\\x09b\": " RIGHT_KEY UNFRAMED "\n"},
    {"PUT  ns k  5\n", "FATAL CLIENT_ERROR empty word: " RIGHT_SPACES UNFRAMED "\n"},
    {"PUT ns k  5 \n", "FATAL CLIENT_ERROR empty word: " RIGHT_SPACES UNFRAMED "\n"},
    {"PUT ns k one two three\n",
     "FATAL CLIENT_ERROR bad ttl \"one\": " RIGHT_TTL NEXT_LINE UNFRAMED "\n"},
    {"PUT ns k\t1 5\n", "FATAL CLIENT_ERROR bad key \"k\\x091\": " RIGHT_KEY UNFRAMED "\n"},
    {"PUT\tns k\n",
     "FATAL CLIENT_ERROR no blank goes before the verb, and a space behind it: write " USAGE_PUT
         UNFRAMED "\n"},
    {" \tadd ns k\n",
     "FATAL CLIENT_ERROR no blank goes before the verb, and a space behind it: write " USAGE_PUT
         UNFRAMED "\n"},
    /* no line end follows the value */
    {"PUT ns k 1 3\nhello\r\n", "FATAL CLIENT_ERROR " NO_LINE_END "\n"},
    {"PUT ns k 1 0\r\nx\r\n", "FATAL CLIENT_ERROR " NO_LINE_END "\n"},
    {"PUT ns k 1 3\r\nabc\rx", "FATAL CLIENT_ERROR " NO_LINE_END "\n"},
    {"PUT ns k 1 3\r\nabc\r\r\n", "FATAL CLIENT_ERROR " NO_LINE_END "\n"},
    {"PUT ns k soon 3\nhello\n", "CLIENT_ERROR bad ttl \"soon\": " RIGHT_TTL NEXT_LINE THEN_BYTES(
                                     "3") "\nFATAL CLIENT_ERROR " NO_LINE_END "\n"},
    /* HTTP */
    {"POST / HTTP/1.1\r\n", "HANGUP\n"},
    {"POST ", "HANGUP\n"},
    {"POST x\n", "HANGUP\n"},
    {"\x16\x03\x01\x02\x00", "HANGUP\n"},
    {"\x16\x03\x01\x02\n\x01", "HANGUP\n"},
    {"*1\r\n$4\r\nPING\r\n", "HANGUP\n"},
    {"$4\n", "HANGUP\n"},
    {"Host:", "HANGUP\n"},
    {"Host: localhost\r\n", "HANGUP\n"},
    {"host: localhost\n", "HANGUP\n"},
    {"GET / HTTP/1.1\r\n", "HANGUP\n"},
    {"GET / HTTP/1.0\n", "HANGUP\n"},
    {"PUT / HTTP/1.1\r\n", "HANGUP\n"},
    {"OPTIONS * HTTP/1.1\r\n", "HANGUP\n"},
};

enum {
    EXCHANGES = sizeof exchanges / sizeof exchanges[0],
    ENDINGS = sizeof endings / sizeof endings[0],
};

/* However it is split, streamed or buffered. */
static void expect_in_pieces(struct slice wire, const char *understood)
{
    for (size_t first = 0; first <= wire.length; first++) {
        struct feed feed = native_at_once;
        feed.first = first;
        native_expect_bytes(wire, &feed, understood);
    }
    for (size_t step = 1; step < 4; step++) {
        struct feed feed = native_at_once;
        feed.step = step;
        native_expect_bytes(wire, &feed, understood);
        feed.patient = true;
        native_expect_bytes(wire, &feed, understood);
        feed.window = 0; /* each value with a length is streamed */
        native_expect_bytes(wire, &feed, understood);
    }
}

START_TEST(each_exchange)
{
    for (size_t i = 0; i < EXCHANGES; i++) {
        native_expect(exchanges[i].wire, &native_at_once, exchanges[i].understood);
        expect_in_pieces(slice_of(exchanges[i].wire), exchanges[i].understood);
    }
}
END_TEST

START_TEST(each_ending)
{
    for (size_t i = 0; i < ENDINGS; i++) {
        char wire[256];
        snprintf(wire, sizeof wire, "%sFLUSH ns\r\n", endings[i].wire);
        native_expect(wire, &native_at_once, endings[i].understood);
        expect_in_pieces(slice_of(wire), endings[i].understood);
    }
}
END_TEST

/* Every exchange in one buffer, so many times. */
static void pipeline(char **wire, char **understood, size_t times)
{
    size_t wire_length;
    size_t understood_length;
    FILE *in = open_memstream(wire, &wire_length);
    FILE *out = open_memstream(understood, &understood_length);
    for (size_t i = 0; i < EXCHANGES * times; i++) {
        fputs(exchanges[i % EXCHANGES].wire, in);
        fputs(exchanges[i % EXCHANGES].understood, out);
    }
    fclose(in);
    fclose(out);
}

START_TEST(all_in_one_buffer)
{
    char *wire;
    char *understood;
    pipeline(&wire, &understood, 20);
    native_expect(wire, &native_at_once, understood);
    free(wire);
    free(understood);
}
END_TEST

START_TEST(all_in_pieces)
{
    char *wire;
    char *understood;
    pipeline(&wire, &understood, 1);
    expect_in_pieces(slice_of(wire), understood);
    free(wire);
    free(understood);
}
END_TEST

START_TEST(all_in_pieces_by_chance)
{
    char *wire;
    char *understood;
    pipeline(&wire, &understood, 2);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct feed feed = native_at_once;
        feed.seed = seed;
        feed.step = 1 + seed;
        feed.window = seed % 3 == 0 ? 0 : WINDOW;
        native_expect(wire, &feed, understood);
    }
    free(wire);
    free(understood);
}
END_TEST

static void expect_nothing_of_a_part(const char *wire)
{
    for (size_t length = 0; length < strlen(wire); length++) {
        char *text = transcript(&protocol_native, (struct slice){wire, length}, &native_at_once);
        bool refused = strncmp(text, "CLIENT_ERROR ", 13) == 0; /* said before the value came */
        ck_assert_msg(text[0] == '\0' || refused, "%.*s: %s", (int)length, wire, text);
        free(text);
    }
}

START_TEST(nothing_is_understood_of_a_part)
{
    for (size_t i = 0; i < EXCHANGES; i++) {
        expect_nothing_of_a_part(exchanges[i].wire);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("native");
    TCase *lines = tcase_create("lines");
    tcase_set_timeout(lines, 300);
    tcase_add_test(lines, each_exchange);
    tcase_add_test(lines, each_ending);
    tcase_add_test(lines, nothing_is_understood_of_a_part);
    tcase_add_test(lines, all_in_one_buffer);
    tcase_add_test(lines, all_in_pieces);
    tcase_add_test(lines, all_in_pieces_by_chance);
    suite_add_tcase(suite, lines);
    return suite_run(suite);
}
