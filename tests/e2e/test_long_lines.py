"""A line with keys is as long as it likes, and is answered as it comes.

get, gets, gat and gats of memcached's protocol, GET and DEL of the native one: what they ask
for is never held as a whole, and a connection with such a line takes turns with the others.
"""

import contextlib
import select
import time

from encryption import NOT_NOW
from harness import SANITIZER, Case, Client, seconds, wait_for
from memcache import Memcache
from test_abuse import Good

LIMIT = 65536  # what other lines may have
MIB = 1 << 20
NATIVE, MEMCACHE = 0, 1


def key(number):
    return b"%030d" % number


class LineCase(Case):
    """There are the records with even numbers up to RECORDS; their value is the number."""

    RECORDS = 200

    def setUp(self):
        self.daemon = Memcache('memory = "64M"; namespaces = ( { name = "good"; memory = "8M"; } );')
        self.addCleanup(self._end, self.daemon)
        self.memcache = self.talk(MEMCACHE)
        self.native = self.talk(NATIVE)
        self.memcache.send(b"".join(b"set %s 0 0 %d noreply\r\n%d\r\n" % (
            key(number), len(str(number)), number) for number in range(0, self.RECORDS, 2)))
        self.assertEqual(self.memcache.ask("mn"), "MN")  # other connections see them now

    def talk(self, which):
        return self.kept(Client(self.daemon.addresses()[which]))

    def value(self, number):
        """What get says of it."""
        if number >= self.RECORDS or number % 2:
            return b""
        return b"VALUE %s 0 %d\r\n%d\r\n" % (key(number), len(str(number)), number)

    def line(self, verb, count):
        return verb + b" " + b" ".join(key(number) for number in range(count)) + b"\r\n"

    def expected(self, count):
        return b"".join(self.value(number) for number in range(count)) + b"END\r\n"

    def said(self, client, text):
        """Sends it while reading, and a mn behind it; what is said up to MN."""
        client.pipelined(text + b"mn\r\n", 0)
        answer = b""
        while not answer.endswith(b"MN\r\n"):
            answer += client.exact(1) if not client.buffer else client.exact(len(client.buffer))
        return answer[:-4]

    def check(self, verb, count):
        answer = self.said(self.memcache, self.line(verb, count))
        lines = answer.split(b"\r\n")
        if verb in (b"gets", b"gats 100"):  # with a version each
            lines = [b" ".join(line.split(b" ")[:4]) for line in lines]
        self.assertEqual(b"\r\n".join(lines), self.expected(count))


class LongLines(LineCase):
    def test_every_verb_with_many_keys(self):
        for verb in (b"get", b"gets", b"gat 0", b"gats 100", b"gat 100"):
            for count in (2113, 2114, 2115, 3000):  # 65,536 bytes are between the first of these
                self.check(verb, count)

    def test_a_hundred_thousand_keys(self):
        self.check(b"get", 100_000)
        self.check(b"gat 50", 100_000)

    def test_records_at_every_place(self):
        """All are there, so that much is answered to what comes."""
        self.RECORDS = 20_000
        self.memcache.send(b"".join(b"set %s 0 0 %d noreply\r\n%d\r\n" % (
            key(number), len(str(number)), number) for number in range(0, self.RECORDS, 2)))
        self.check(b"get", 20_000)
        self.check(b"gets", 20_000)

    def test_natively(self):
        for count in (2113, 3000, 100_000):
            replies = self.native.pipelined(self.line(b"GET cache", count), count)
            for number, reply in enumerate(replies):
                there = number < self.RECORDS and number % 2 == 0
                wanted = (f"VALUE {len(str(number))}", b"%d" % number) if there else "NOT_FOUND"
                self.assertEqual(reply, wanted)
            self.assertEqual(self.native.ask("PING"), "PONG")

    def test_native_deletion(self):
        count = 100_000
        replies = self.native.pipelined(self.line(b"DEL cache", count), count)
        there = self.RECORDS // 2
        self.assertEqual(replies[:self.RECORDS:2], ["DELETED"] * there)
        self.assertEqual(set(replies[1:self.RECORDS:2] + replies[self.RECORDS:]), {"NOT_FOUND"})
        self.assertEqual(self.native.ask("PING"), "PONG")
        self.assertEqual(self.said(self.memcache, self.line(b"get", 3000)), b"END\r\n")

    # --- how it comes ---

    def test_lines_that_end_just_there(self):
        """Of every length about the limit, with the last key cut at every place."""
        for size in range(LIMIT - 40, LIMIT + 5):
            line = self.line(b"get", 2200)[:size]
            numbers = range(len(line[4:].split(b" ")) - (len(line[4:]) % 31 < 30))
            self.assertEqual(self.said(self.memcache, line + b"\r\n"),
                             b"".join(self.value(number) for number in numbers) + b"END\r\n", size)

    def test_byte_by_byte_at_the_limit(self):
        for which, verb in ((MEMCACHE, b"get"), (NATIVE, b"GET cache")):
            client = self.talk(which)
            line = self.line(verb, 2200)
            client.send(line[:LIMIT - 20])
            for at in range(LIMIT - 20, LIMIT + 20):
                client.send(line[at:at + 1])
            if which == MEMCACHE:
                self.assertEqual(self.said(client, line[LIMIT + 20:]), self.expected(2200))
            else:
                replies = client.pipelined(line[LIMIT + 20:], 2200)
                self.assertEqual(len([reply for reply in replies if reply != "NOT_FOUND"]), 100)

    def test_odd_pieces(self):
        line, size, at = self.line(b"get", 6000), 1, 0
        while at < len(line):
            self.memcache.pipelined(line[at:at + size], 0)
            at += size
            size = size * 7 % 9973 + 1
        self.assertEqual(self.said(self.memcache, b""), self.expected(6000))

    def test_keys_are_answered_before_the_line_ends(self):
        for which, verb in ((MEMCACHE, b"get"), (MEMCACHE, b"gat 0"), (NATIVE, b"GET cache"),
                            (NATIVE, b"DEL cache")):
            client = self.talk(which)
            line = self.line(verb, 20_000)
            client.pipelined(line[:4 * LIMIT], 0)
            if which == MEMCACHE:
                client.expect(self.value(0) + self.value(2))
            elif verb.startswith(b"GET"):
                self.assertEqual([client.reply() for _ in range(2)], [("VALUE 1", b"0"), "NOT_FOUND"])
            else:
                self.assertEqual([client.reply() for _ in range(2)], ["DELETED", "NOT_FOUND"])

    def test_blanks_between_keys(self):
        """memcached takes several."""
        for blanks in (2, 1000, 60_000):
            self.assertEqual(self.said(self.memcache, b"get" + b" " * blanks + key(2) + b" " * blanks
                                       + key(4) + b" " * blanks + b"\r\n"),
                             self.value(2) + self.value(4) + b"END\r\n")

    # --- what is wrong with it ---

    def test_a_key_that_is_too_long_ends_the_reply(self):
        for number in (0, 5, 2500, 9000):
            words = [key(number) for number in range(10_000)]
            words[number] = b"k" * 251
            answer = self.said(self.memcache, b"get " + b" ".join(words) + b"\r\n")
            *values, error = answer.removesuffix(b"\r\n").rsplit(b"CLIENT_ERROR", 1)
            self.assertEqual(error, b" bad command line format")
            before = b"".join(self.value(at) for at in range(number))
            self.assertTrue(before.startswith(values[0]), values[0][-100:])

    def test_a_bad_key_natively_is_the_last_reply(self):
        words = [key(number) for number in range(10_000)]
        words[5000] = b"k" * 1025
        self.native.pipelined(b"GET cache " + b" ".join(words) + b"\r\n", 0)
        self.native.send(b"PING\r\n")
        replies = [self.native.reply()]
        while replies[-1] != "PONG":
            replies.append(self.native.reply())
        self.assertRegex(replies[-2], "^CLIENT_ERROR ")
        self.assertLessEqual(len(replies), 5002)
        self.assertEqual({reply for reply in replies[:-2] if isinstance(reply, str)},
                         {"NOT_FOUND"} if len(replies) > 2 else set())

    def test_a_key_without_end(self):
        """Whatever becomes of the connection, the error comes and no memory is held."""
        before = self.daemon.resident()
        for which, text in ((MEMCACHE, b"get "), (NATIVE, b"GET cache "), (MEMCACHE, b"gat 0 ")):
            client = self.talk(which)
            with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
                client.pipelined(text + b"k" * 8 * MIB, 0)
                client.send(b"\r\n")
            self.assertRegex(client.line(), "^CLIENT_ERROR ")
        if not SANITIZER:
            self.assertLess(self.daemon.resident() - before, 4 * MIB)

    def test_other_lines_have_their_limit(self):
        for which, text in ((MEMCACHE, b"set "), (MEMCACHE, b"incr "), (MEMCACHE, b"mg a "),
                            (MEMCACHE, b"stats "), (NATIVE, b"LIST "), (NATIVE, b"FOO "),
                            (NATIVE, b"INCR cache ")):
            client = self.talk(which)
            with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
                client.pipelined(text + b"kkkkk " * 100_000 + b"\r\n", 0)
            self.assertRegex(client.line(), "^(CLIENT_)?ERROR", text)
            client.expect_closed()

    def test_one_that_is_cut_off(self):
        for which, verb in ((MEMCACHE, b"get"), (NATIVE, b"GET cache")):
            client = self.talk(which)
            client.pipelined(self.line(verb, 5000)[:100_000], 0)
            client.close()
        wait_for(lambda: self.native.stat("curr_connections") == 2, 5, "them to be gone")
        self.assertEqual(self.said(self.memcache, b"get " + key(2) + b"\r\n"),
                         self.value(2) + b"END\r\n")


class Bounded(LineCase):
    """A line of 50 MB, and what it does to the daemon and to others."""

    SIZE = 50 * MIB if not SANITIZER else 8 * MIB

    def push(self, client, data, during):
        """Sends as much as is taken and reads what there is, with something in between."""
        client.socket.setblocking(False)
        left, deadline, came = memoryview(data), time.monotonic() + seconds(30), 0
        while left:
            select.select([client.socket], [client.socket], [], 1.0)
            with contextlib.suppress(BlockingIOError, *NOT_NOW):
                left = left[client.socket.send(left[:1 << 18]):]
            with contextlib.suppress(BlockingIOError, *NOT_NOW):
                came += client._fill()
            self.assertLess(time.monotonic(), deadline, f"{len(left)} bytes were never taken")
            during()
        client.socket.settimeout(seconds(10))

    def bounded(self, which, verb, first, lines_each):
        """A line of blocks of keys, the first of which has that number; so many lines are
        answered to each block."""
        good = Good(self.talk(NATIVE))
        client = self.talk(which)
        block = b" " + b" ".join(key(number) for number in range(first, first + 2000))
        count = self.SIZE // len(block)
        before, most, lines = self.daemon.resident(), [0], 0

        def during():
            most[0] = max(most[0], self.daemon.resident())
            good.turn()
        self.push(client, verb, during)
        for _ in range(count):
            self.push(client, block, during)
            lines += client.buffer.count(b"\n")
            client.buffer.clear()
        self.push(client, b"\r\n" + (b"mn\r\n" if which == MEMCACHE else b"PING\r\n"), during)
        while not client.buffer.endswith((b"MN\r\n", b"PONG\r\n")):
            self.assertTrue(client._fill())
        lines += client.buffer.count(b"\n") - 1
        self.assertEqual(lines, count * lines_each + (which == MEMCACHE))
        if not SANITIZER:
            self.assertLess(most[0] - before, 6 * MIB)
            self.assertLess(good.slowest, seconds(1))
        self.assertEqual(good.missing(), [])

    def test_it_is_never_held_as_a_whole(self):
        self.bounded(MEMCACHE, b"get", 10_000, 0)

    def test_what_is_answered_is_not_either(self):
        self.bounded(MEMCACHE, b"get", 0, self.RECORDS)

    def test_natively(self):
        self.bounded(NATIVE, b"GET cache", 10_000, 2000)

    def test_a_client_that_reads_nothing_is_not_read_from(self):
        """What is to be sent is bounded too."""
        client = self.talk(MEMCACHE)
        before = self.daemon.resident()
        value = b"v" * 100_000
        self.memcache.send(b"set large 0 0 %d\r\n%s\r\n" % (len(value), value))
        self.assertEqual(self.memcache.line(), "STORED")
        client.socket.setblocking(False)
        line, sent = memoryview(b"get" + b" large" * 200_000), 0
        with contextlib.suppress(BlockingIOError, *NOT_NOW):
            while sent < len(line):
                sent += client.socket.send(line[sent:])
        good = Good(self.talk(NATIVE))
        for _ in range(50):
            good.turn()
        if not SANITIZER:
            self.assertLess(self.daemon.resident() - before, 16 * MIB)
