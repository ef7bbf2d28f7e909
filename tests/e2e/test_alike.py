"""A namespace in the cluster and one in memory are told the same, and answer the same.

Random pipelines of both protocols go to two daemons; every reply is compared. Left out is what
nodes do not have: versions of their own, notes of reads, quotas.
"""

import os
import random
import unittest

from harness import Case
from memcache import Memcache
from nodes import WANTED, Nodes, server_program

SEED = int(os.environ.get("ALIKE_SEED") or 1)
ROUNDS = int(os.environ.get("ALIKE_ROUNDS") or 60)
SPACES = ('namespaces = ( { name = "a"; ttl = "1h"; max_ttl = "2h"; %s },'
          ' { name = "b"; require_ttl = true; %s }, { name = "cache"; %s }, { name = "here"; } );\n')


def value(chance):
    kind = chance.randrange(8)
    if kind < 2:
        return str(chance.choice((0, 7, 99, 2**53 + 1, 2**64 - 1, 2**64, chance.randrange(10**10)))).encode()
    if kind == 2:
        return b"\xf8\x01" + bytes(chance.randrange(256) for _ in range(chance.randrange(9)))
    if kind == 3:
        return b"\xf8"
    if kind == 4:
        return bytes(chance.randrange(256) for _ in range(chance.choice((20000, 70000, 200000))))
    return bytes(chance.randrange(256) for _ in range(chance.randrange(40)))


class Native:
    """Requests of the native protocol, and how a reply is made comparable."""

    @staticmethod
    def make(chance):
        ns = chance.choice("aaab")
        key = f"k{chance.randrange(8)}"
        ttl = chance.choice(("-", "60", "90m", "3h", "never"))
        verb = chance.choice(("PUT", "PUT", "ADD", "GET", "GET", "GETS", "DEL", "TTL", "TOUCH", "INCR",
                              "DECR", "LIST", "ALL", "DUMP", "FLUSH", "PING"))
        if verb in ("PUT", "ADD"):
            data = value(chance)
            flags = chance.choice((b"", b"", b" 7", b" 4294967295"))
            return f"{verb} {ns} {key} {ttl} {len(data)}".encode() + flags + b"\r\n" + data + b"\r\n"
        if verb == "GETS":
            return f"GET {ns} {key} k1 k2 none {key}\r\n".encode()
        if verb == "TOUCH":
            return f"TOUCH {ns} {key} {ttl}\r\n".encode()
        if verb in ("INCR", "DECR"):
            return f"{verb} {ns} {key} {chance.choice((1, 35, 2**63, 2**64 - 1))}\r\n".encode()
        if verb in ("LIST", "ALL", "DUMP"):
            return f"{verb} {ns}{chance.choice(('', ' k[0-3]', ' x*'))}\r\n".encode()
        if verb == "FLUSH":
            return f"FLUSH {ns}\r\n".encode() if chance.random() < 0.2 else b"PING\r\n"
        return b"PING\r\n" if verb == "PING" else f"{verb} {ns} {key}\r\n".encode()

    @staticmethod
    def read(wire, request):
        verb = request.split(b" ", 1)[0].strip()
        if verb in (b"LIST", b"ALL", b"DUMP"):
            replies = []
            while (line := wire.line()) != "END":
                words = line.split(" ")
                data = b""
                if words[0] == "RECORD":
                    data = wire.value(int(words[2]))
                elif words[0] == "PUT":
                    data = wire.value(int(words[4]))
                    words[3] = Native.about(words[3])
                elif words[0] != "KEY":
                    return line
                replies.append((words, data))
            return sorted(replies)
        count = len(request.split()) - 2 if verb == b"GET" else 1
        return [Native.reply(wire) for _ in range(count)]

    @staticmethod
    def about(ttl):
        """A time to live, to ten seconds."""
        for unit, size in (("ms", 0.001), ("s", 1), ("m", 60), ("h", 3600)):
            if ttl.endswith(unit) and ttl[:-len(unit)].replace(".", "").isdigit():
                return f"{round(float(ttl[:-len(unit)]) * size, -1)} s"
        return f"{round(float(ttl), -1)} s" if ttl.replace(".", "").isdigit() else ttl

    @staticmethod
    def reply(wire):
        reply = wire.reply()
        if isinstance(reply, str) and reply.startswith("TTL "):
            return "TTL " + Native.about(reply[4:])
        return reply


class Text:
    """Of memcached's protocol."""

    @staticmethod
    def make(chance):
        key = f"k{chance.randrange(8)}"
        data, flags = value(chance), chance.choice((0, 0, 5, 2**32 - 1))
        time = chance.choice((0, 3600, -1))
        quiet = chance.choice(("", "", " noreply"))
        head = {
            0: f"set {key} {flags} {time} {len(data)}{quiet}", 1: f"add {key} {flags} {time} {len(data)}",
            2: f"replace {key} {flags} 0 {len(data)}", 3: f"append {key} {flags} 0 {len(data)}{quiet}",
            4: f"prepend {key} 0 0 {len(data)}", 5: f"ms {key} {len(data)} T90 F{flags} k O1",
            6: f"ms {key} {len(data)} MA N60 s", 7: f"ms {key} {len(data)} ME q",
            8: f"ms {key} {len(data)} MP", 9: f"cas {key} 0 0 {len(data)} 12345",
        }
        lines = [f"get {key} k1 here:x k2 {key}", f"get {key}", f"gat 100 {key} k3", f"touch {key} 100",
                 f"delete {key}{quiet}", f"incr {key} 7{quiet}", f"decr {key} 99999",
                 f"incr {key} 18446744073709551615", f"mg {key} v f k s Oab", f"mg {key} t", f"mg {key} T70 v",
                 f"mg {key} q v", f"md {key} q", f"md {key}", f"ma {key} v", f"ma {key} D5 MD t v",
                 f"ma {key} N60 J13 v", f"ma {key} C77", "mn", f"get here:{key}"]
        if chance.random() < 0.5:
            return head[chance.randrange(len(head))].encode() + b"\r\n" + data + b"\r\n"
        return chance.choice(lines).encode() + b"\r\n"

# The value of a line that ends it is made: so many bytes.
EDGES = [
    "set k0 0 0 1\r\nx", "set here:x 0 0 1\r\nx", "set a:x 0 60 1\r\nx", "get k0 none here:x a:x",
    "gat 100 k0", "gat 100 none", "gat 100 k0 here:x none", "gat 0 k0 b:k", "gat 0 b:k k0",
    "gat 10 b:k", "touch k0 100", "touch none 100", "touch b:k 0", "mg k0 T10 v", "mg none T10",
    "delete none", "delete k0", "incr none 1", "decr none 1", "set n 0 0 1\r\n5", "incr n 1",
    "decr n 9", "ma none", "ma n9 N0 J7", "ma n9 N0 J7", "ma n8 N0 J7 C5 v", "ma n9 N0 J7 C5 v",
    "ms c4 1 MA C5\r\nq", "ms c4 1 MA C5 N0\r\nq", "ms c5 1 MA N0\r\nq", "ms c5 1 MP N0 T5\r\nq",
    "ms c6 1 ME C5\r\nq", "ms c6 1 ME C5\r\nq", "ms c7 1 MR C5\r\nq", "ms c6 1 MR C5\r\nq",
    "ms c7 1 C5\r\nq", "ms c6 1 C5\r\nq", "ms c8 1 C5 N0\r\nq", "ms c8 1 C5 N0\r\nz",
    "ms c11 1 MR C5 N0\r\nq", "cas c6 0 0 1 5\r\nq", "cas c9 0 0 1 5\r\nq", "md c6 C5", "md c9 C5",
    "set b:k 0 0 1\r\nx", "add b:k 0 0 1\r\nx", "set b:1 0 90 1\r\n1", "ma b:1 N0", "ma b:2 N0",
    "ms b:1 1 MA N0\r\nx", "ms b:2 1 MA N0\r\nx", "gat 0 b:1", "set e 0 -1 1\r\nx",
    "add e 0 -1 1\r\nx", "set d 0 0 1\r\nx", "gat -1 d", "gat -1 none", "mg d T-1 v",
    "append large 0 0 5000001\r\n", "set large 0 0 5\r\nhello", "append large 0 0 5000001\r\n",
    "add large 0 0 5000001\r\n", "get large", "append large 0 0 5000000\r\n", "get large",
    "set large 0 0 5000001\r\n", "get large",
]
NUMBERS = (" 5", "5 ", "05", "5\0", "-1", "", "+5", "5 5", "0" * 19 + "5", "0" * 20 + "5", "1" * 20,
           str(2**64 - 1))
for digits in NUMBERS:
    EDGES += [f"set n 0 0 {len(digits)}\r\n{digits}", "incr n 1", "get n", "ma n MD D100 v", "get n"]
FIGURES = (
    "cmd_get cmd_set cmd_touch get_hits get_misses touch_hits touch_misses delete_hits delete_misses "
    "incr_hits incr_misses decr_hits decr_misses cas_hits cas_misses cas_badval requests_refused "
    "store_too_large total_items").split()


def value_of(wire, length):
    return wire.file.read(length + 2)[:-2]


@unittest.skipUnless(server_program(), "there is no valkey-server and no redis-server")
@unittest.skipIf(WANTED, "it compares the two itself")
class Alike(Case):
    MORE = 'memory = "128M";\n'

    def begin(self):
        self.nodes = Nodes()
        self.addCleanup(self.nodes.close)
        remote = 'engine = "cluster";'
        conf = SPACES % (remote, remote, remote) + self.nodes.conf()
        pair = []
        for text in (SPACES % ("", "", ""), conf):
            daemon = Memcache(self.MORE + text, listen=self.LISTEN)
            self.addCleanup(self._end, daemon)
            pair.append(daemon)
        return pair

    LISTEN = ('listen = ( { address = "127.0.0.1"; port = 0; }, { address = "127.0.0.1"; port = 0; '
              'protocol = "memcache"; namespace = "cache"; prefix = ":"; } );\n')

    def test_native_requests(self):
        wires = [self.connect(daemon) for daemon in self.begin()]
        for number in range(ROUNDS):
            chance = random.Random(SEED * 1000 + number)
            requests = [Native.make(chance) for _ in range(chance.choice((1, 5, 40)))]
            for wire in wires:
                wire.send(b"".join(requests))
            for request in requests:
                memory, cluster = (Native.read(wire, request) for wire in wires)
                self.assertEqual(memory, cluster, f"ALIKE_SEED={SEED}, round {number}: "
                                                  f"{request[:100]!r}")

    def test_text_requests(self):
        wires = [self.kept(daemon.talk()) for daemon in self.begin()]
        for number in range(ROUNDS):
            chance = random.Random(SEED * 1000 + number)
            requests = [Text.make(chance) for _ in range(chance.choice((1, 5, 40)))]
            answers = []
            for wire in wires:
                replies = []
                for request in requests:  # each with a no-op behind it: its replies end there
                    wire.send(request + b"mn\r\n")
                for request in requests:
                    replies.append(self.until_noop(wire, twice=request == b"mn\r\n"))
                answers.append(replies)
            for request, memory, cluster in zip(requests, *answers):
                self.assertEqual(memory, cluster, f"ALIKE_SEED={SEED}, round {number}: "
                                                  f"{request[:100]!r}")

    def test_edges_and_figures(self):
        """Answers, and what STATS counts for each."""
        self.MORE = 'memory = "128M"; max_value = "5000000";\n'
        daemons = self.begin()
        wires = [self.kept(daemon.talk()) for daemon in daemons]
        natives = [self.connect(daemon) for daemon in daemons]
        for request in EDGES:
            words = request.split("\r\n", 1)[0].split(" ")
            if request.endswith("\r\n"):
                request += "y" * int(words[4])
            pair = []
            for wire, native in zip(wires, natives):
                before = self.figures(native)
                wire.send(request + "\r\nmn\r\n")
                replies = self.until_noop(wire, twice=False)
                after = self.figures(native)
                pair.append((replies, {name: after[name] - before[name] for name in FIGURES}))
            self.assertEqual(pair[0], pair[1], request[:80])

    def figures(self, client):
        figures = dict(line.split(" ")[1:3] for line in client.ask_all("STATS"))
        return {name: int(figures[name]) for name in FIGURES}

    def until_noop(self, wire, twice):
        """Lines and values up to MN."""
        replies, left = [], 2 if twice else 1
        while True:
            line = wire.line()
            words = line.split(" ")
            if line == "MN":
                left -= 1
                if left == 0:
                    return replies
            if words[0] == "VALUE":
                replies.append((line, value_of(wire, int(words[3]))))
            elif words[0] == "VA":
                replies.append((self.without_time(line), value_of(wire, int(words[1]))))
            else:
                replies.append(self.without_time(line))

    def without_time(self, line):
        return " ".join("t" if word[0] == "t" and word[1:].lstrip("-").isdigit() and word != "t-1"
                        else word for word in line.split(" ") if word)

    def test_a_version_that_is_expected(self):
        for daemon in self.begin():
            wire = self.kept(daemon.talk())
            for data in (b"1", b"x" * 100000):
                wire.send(b"set k 3 0 %d\r\n%s\r\ngets k\r\n" % (len(data), data))
                self.assertEqual(wire.line(), "STORED")
                version = wire.line().split(" ")[4]
                self.assertEqual(value_of(wire, len(data)), data)
                self.assertEqual(wire.line(), "END")
                for expected, reply in ((12345, "EXISTS"), (version, "STORED"), (version, "EXISTS")):
                    wire.send(f"cas k 3 0 5 {expected}\r\nother\r\n")
                    self.assertEqual(wire.line(), reply)
                wire.send("mg k c\r\n")
                version = wire.line().split(" c")[1]
                wire.send(f"md k C12345\r\nms k 1 C{version} c\r\nz\r\n")
                self.assertEqual(wire.line(), "EX")
                stored, version = wire.line().split(" c")
                self.assertEqual(stored, "HD")
                wire.send(f"md k C{version}\r\nmd k C{version}\r\ncas k 0 0 1 {version}\r\nz\r\n")
                self.assertEqual([wire.line() for _ in range(3)], ["HD", "NF", "NOT_FOUND"])

    def test_what_is_refused(self):
        daemon = self.begin()[1]
        wire = self.kept(daemon.talk())
        refused = 'CLIENT_ERROR not in namespace "cache": its records are in the cluster'
        for request in ("flush_all 10", "me k", "mg k N60", "mg k R60", "mg k h", "mg k l", "ma k E5",
                        "md k I", "md k x", "lru_crawler metadump all", "ms k 1 E77\r\nx",
                        "ms k 1 I C5\r\nx"):
            wire.send(request + "\r\nmn\r\n")
            self.assertEqual(wire.line(), refused.replace("cache", "a")
                             if "metadump" in request else refused, request)
            self.assertEqual(wire.line(), "MN", request)
