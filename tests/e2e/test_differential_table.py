"""Tables of requests to kvcached and to memcached: the same answer, and the same record behind it.

Every flag of the meta commands with every one of them, with and without a token; every number
that a line may hold at its edges; every spelling of a key in base64. Most is compared with the
newest memcached alone (MEMCACHED names it). What differs is meant, and listed beside each table
with the reason.
"""

import base64
import re
import string
import unittest

from harness import Case
from memcache import Memcache
from reference import MEMCACHED, NEWEST, Peer, start_memcached

NUMBERS = [0, 1, -1, 2592000, 2592001, 2147483647, 2147483648, 4294967295, 4294967296,
           9223372036854775807, 9223372036854775808, 18446744073709551615, 18446744073709551616,
           -2147483648, -2147483649, -9223372036854775808, -9223372036854775809]


class Table(Case):
    def setUp(self):
        theirs = start_memcached(self)
        daemon = Memcache()
        self.addCleanup(self._end, daemon)
        ours = Peer(daemon.memcache)
        self.addCleanup(ours.close)
        self.peers = theirs, ours
        self.wrong = []

    def answers(self, text):
        """What each of the two says, after which it is there for the next."""
        said = []
        for peer in self.peers:
            try:
                said.append(self.comparable(peer.say(text)))
            except OSError:
                said.append(b"closed\r\n")
            if not said[-1] or b"closed" in said[-1]:
                peer.begin()
        return said

    def comparable(self, answer):
        """What is known of a record is a matter of each server's own."""
        return re.sub(rb"(?m)^(ME \S+) .*", rb"\1 ...", answer)

    MEANT = {}  # a pattern of names, and the reason

    def compare(self, name, text):
        if any(re.fullmatch(pattern, name) for pattern in self.MEANT):
            return
        for _ in range(3):  # memcached's seconds begin when they like
            theirs, ours = self.answers(text)
            if theirs == ours:
                return
        self.wrong.append(f"{name}: {text!r}\n    memcached says {theirs!r}\n"
                          f"    kvcached says  {ours!r}")

    def tearDown(self):
        if self.wrong:
            self.fail(f"{len(self.wrong)} differences\n" + "\n".join(self.wrong[:20]))


@unittest.skipUnless(NEWEST, "MEMCACHED names no newer memcached")
class MetaFlags(Table):
    TOKENS = ["", "0", "5", "5000", "x", "-1", "4294967296", "18446744073709551615",
              "18446744073709551616"]
    COMMANDS = {"mg": b"mg key1 %s", "ms": b"ms key1 1 %s\r\n8", "md": b"md key1 %s",
                "ma": b"ma key1 %s", "me": b"me key1 %s"}
    STATES = {"none": b"", "number": b"ms key1 1 q F3 T9000\r\n7\r\n",
              "stale": b"ms key1 1 q\r\n7\r\nmd key1 q I\r\n"}
    MEANT = {
        "me( (?![PLk]).*)?": "memcached looks at no flag of me, right or wrong, nor at b",
        "ma C0,.*": "0 stands for no version there; no record has it here",
        "ma D(5|5000|4294967296), stale": "a number that grows is a new record there",
    }

    def test_every_flag_with_every_command(self):
        for command, line in self.COMMANDS.items():
            for flag in string.ascii_letters:
                for token in self.TOKENS:
                    for state, before in self.STATES.items():
                        request = line % (flag + token).encode()
                        self.compare(f"{command} {flag}{token}, {state}",
                                     b"md key1 q\r\n" + before + request + b"\r\nmg key1 v f s t")

    def test_lines_without_words(self):
        """The same error, though kvcached goes on only where it knows how long a value is."""
        for command in ("get", "gets", "gat", "gat 0", "gats", "set", "add a", "replace a 0",
                        "append a 0 0", "cas", "cas a 0 0", "delete", "incr", "incr a", "decr",
                        "touch", "touch a", "mg", "ms", "ms a", "md", "ma", "me", "verbosity", ""):
            errors = []
            for peer in self.peers:
                peer.begin()
                peer.wire.send(command + "\r\n")
                errors.append(peer.wire.line())
            if errors[0] != errors[1]:
                self.wrong.append(f"{command!r}: memcached says {errors[0]}, kvcached {errors[1]}")

    def test_two_flags_of_one_letter(self):
        for command, line in self.COMMANDS.items():
            for flags in (b"k k", b"O1 O2", b"P P", b"L1 L2", b"q q", b"v k v", b"T5000 T6000"):
                self.compare(command, b"md key1 q\r\n" + line % flags)

    def test_words_of_the_newest(self):
        for text in (b"md key1 x T5000 F9", b"md key1 x I", b"md key1 x q", b"md key1 x C1",
                     b"mg key1 v C1", b"mg key1 v C1 T5000 t P L/a/b", b"mg key1 v x I MA J5 D5 F5",
                     b"ms key1 2 MA s\r\n89", b"ms key1 2 MP s k O1\r\n89", b"ms key1 2 s\r\n89",
                     b"ms key2 2 MA s N5000\r\n89", b"ms key1 0 S q\r\n", b"ms key1 0 s q\r\n",
                     b"ma key1 P L v", b"me key1 P L", b"mn P", b"ma key1 E77 c", b"md key1 I E77",
                     b"mg key2 N5000 E77 c", b"mg key1 k b O1", b"mg key1 k O1 q"):
            for state, before in self.STATES.items():
                self.compare(state, b"md key1 q\r\nmd key2 q\r\n" + before + text +
                             b"\r\nmg key1 v f s t\r\nmg key2 v s t")

    def test_quiet_hides_what_is_expected_and_no_more(self):
        for text in (b"mg %s q", b"mg %s v q", b"mg %s q k O1", b"mg %s q N5000", b"mg %s q Tx",
                     b"ms %s 1 q\r\n8", b"ms %s 1 q ME\r\n8", b"ms %s 1 q MR\r\n8",
                     b"ms %s 1 q MA\r\n8", b"ms %s 1 q C1\r\n8", b"ms %s 1 q MX\r\n8",
                     b"ms %s 2000000 q\r\n" + b"v" * 2000000, b"md %s q", b"md %s q C1",
                     b"md %s q x", b"md %s q I", b"md %s q b", b"ma %s q", b"ma %s q v",
                     b"ma %s q C1", b"ma %s q N0 v k", b"ma %s q MX", b"me %s q", b"mn q",
                     b"mg %s " + b"O" + b"1" * 33 + b" q"):
            for state, before in self.STATES.items():
                for key in (b"key1", b"k" * 251):
                    request = text % key if b"%s" in text else text
                    self.compare(state, b"md key1 q\r\n" + before + request + b"\r\nmg key1 v")


@unittest.skipUnless(NEWEST, "MEMCACHED names no newer memcached")
class Base64Keys(Table):
    MEANT = {
        "AB=C|=ABC|AB\r\tCD": "what is no base64 is refused; there = is A too, and other bytes nothing",
    }
    SPELLINGS = ["AQ==", "AQ=", "AQ", "AQ===", "AR==", "A", "AB", "ABC", "ABCD", "ABCDE", "ABC=",
                 "AB=C", "=ABC", "====", "A_-D", "A+/D", "AB\r\tCD", "YWJj", "!!!!"]

    def test_spellings(self):
        for spelling in self.SPELLINGS:
            key = spelling.encode()
            self.compare(spelling, b"ms %s 1 b\r\n7\r\nmg %s b v k\r\nms %s 1 b k c\r\n8\r\nma %s b v"
                         b"\r\nmd %s b k" % ((key,) * 5))

    def test_a_key_is_one_whether_it_came_in_base64_or_not(self):
        for key in (b"abc", b"\x01\x02", b"\xff" * 30, b"a:b"):
            coded = base64.b64encode(key)
            self.compare(repr(key), b"set %s 0 0 1\r\n5\r\nmg %s b v\r\nma %s b v\r\nget %s\r\n"
                         b"md %s b\r\nget %s" % (key, coded, coded, key, coded, key))

    def test_a_long_one(self):
        for size in (100, 180, 187, 188, 189, 250, 251):
            coded = base64.b64encode(b"x" * size)
            self.compare(f"{size}", b"ms %s 1 b\r\n7\r\nmg %s b v" % (coded, coded))


@unittest.skipIf(MEMCACHED is None, "Debian: memcached")
class Edges(Table):
    """What happens to a record "key1" of value 7 and no end, and to "key2", which is not there."""

    BEFORE = b"delete key2\r\nset key1 3 0 1\r\n7\r\n"
    BEFORE_NOW = b"delete key2\r\nms key1 1 F3 E77\r\n7\r\n"  # of version 77
    TIMES = {"set": b"set key1 5 %d 1\r\n8", "add": b"add key2 5 %d 1\r\n8",
             "replace": b"replace key1 5 %d 1\r\n8", "append": b"append key1 5 %d 1\r\n8"}
    TIMES_NOW = {"cas": b"cas key1 5 %d 1 77\r\n8", "touch": b"touch key1 %d",
                 "gat": b"gat %d key1", "gats": b"gats %d key1 key1",
                 "ms T": b"ms key1 1 T%d\r\n8", "ms N": b"ms key2 1 MA N%d\r\n8",
                 "mg T": b"mg key1 T%d v", "mg N": b"mg key2 N%d", "mg R": b"mg key1 R%d",
                 "ma T": b"ma key1 T%d v", "ma N": b"ma key2 N%d v", "md T": b"md key1 I T%d",
                 "md x T": b"md key1 x T%d"}
    NUMERIC = {"set flags": b"set key1 %d 0 1\r\n8", "incr": b"incr key1 %d",
               "decr": b"decr key1 %d"}
    NUMERIC_NOW = {"cas": b"cas key1 0 0 1 %d\r\n8", "ms F": b"ms key1 1 F%d\r\n8",
                   "ma D": b"ma key1 D%d v", "ma D down": b"ma key1 MD D%d v",
                   "ma J": b"ma key2 N0 J%d v", "ms C": b"ms key1 1 C%d\r\n8",
                   "mg C": b"mg key1 C%d v", "md C": b"md key1 C%d", "ma C": b"ma key1 C%d v",
                   "ms E": b"ms key1 1 E%d\r\n8", "verbosity": b"verbosity %d"}
    MEANT = {
        r"(set|add|replace|cas) (4294967296|-2147483649|-9223372036854775808)":
            "the upper half of the number is lost there, and with it what was meant",
        r"set flags (\d{10,}|-\d{19,})":
            "flags of more than 32 bits are refused; there a part of them is lost",
        "ma C 0": "0 stands for no version there; no record has it here",
    }
    if not NEWEST:
        MEANT[r"(set|add|replace|append) (9223372036854775808|\d{20}|-9223372036854775809)"
              r"|set flags -\d+"] = "1.6.18 takes the value of what it refused for a command"
        MEANT[r"(incr|decr) -9223372036854775809"] = "1.6.18 looks at the sign of what is left of it"

    def table(self, before, requests, after=b"\r\nmg key1 v f t\r\nmg key2 v f t"):
        for name, line in requests.items():
            for number in NUMBERS:
                self.compare(f"{name} {number}", before + line % number + after)

    def test_times(self):
        self.table(self.BEFORE, self.TIMES)

    def test_numbers(self):
        self.table(self.BEFORE, self.NUMERIC)

    @unittest.skipUnless(NEWEST, "MEMCACHED names no newer memcached")
    def test_times_of_the_newest(self):
        self.table(self.BEFORE_NOW, self.TIMES_NOW)

    @unittest.skipUnless(NEWEST, "MEMCACHED names no newer memcached")
    def test_numbers_of_the_newest(self):
        self.table(self.BEFORE_NOW, self.NUMERIC_NOW)
