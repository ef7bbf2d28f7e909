"""LIST, ALL, NAMESPACES and STATS: what there is, told while it changes."""

import random
import threading
import time
import unittest

from harness import SANITIZER, Case, SharedCase, seconds, wait_for
from nodes import in_memory


def keys_of(replies):
    return sorted(line.split(" ", 1)[1] for line in replies)


class Patterns(SharedCase):
    KEYS = ["user:1", "user:2", "user:10", "user:", "session-a", "session-b", "Session-a",
            "a*b", "a?b", "axb", "axxb", "[x]", "x", "y", "ü", "user/1"]

    def setUp(self):
        super().setUp()
        for key in self.KEYS:
            self.client.put(self.ns, key, f"<{key}>")

    def listed(self, pattern):
        return keys_of(self.client.ask_all(f"LIST {self.ns} {pattern}".rstrip()))

    def test_list_all_keys(self):
        self.assertEqual(self.listed(""), sorted(self.KEYS))
        self.assertEqual(self.listed("*"), sorted(self.KEYS))
        self.assertEqual(self.listed("**"), sorted(self.KEYS))

    def test_stars_and_marks(self):
        for pattern, wanted in (
                ("user:*", ["user:", "user:1", "user:10", "user:2"]),
                ("user:?", ["user:1", "user:2"]),
                ("user:??", ["user:10"]),
                ("*-a", ["Session-a", "session-a"]),
                ("*ss*-*", ["Session-a", "session-a", "session-b"]),
                ("?", ["x", "y"]),
                ("user*1*", ["user/1", "user:1", "user:10"]),
                ("nothing*", []),
                ("user", []),
                ("x", ["x"]),
                ("a*b", ["a*b", "a?b", "axb", "axxb"])):
            self.assertEqual([k for k in self.listed(pattern) if k != "ü"], wanted, pattern)

    def test_sets(self):
        for pattern, wanted in (
                ("user:[12]", ["user:1", "user:2"]),
                ("user:[0-9]*", ["user:1", "user:10", "user:2"]),
                ("[sS]ession-a", ["Session-a", "session-a"]),
                ("[xy]", ["x", "y"]),
                ("[a-c]?b", ["a*b", "a?b", "axb"]),
                ("session-[!a]", ["session-b"])):
            self.assertEqual(self.listed(pattern), wanted, pattern)

    def test_all_with_a_pattern(self):
        found = self.client.ask_all(f"ALL {self.ns} user:*")
        self.assertEqual(sorted(found), sorted(
            (f"RECORD {k} {len(k) + 2}", f"<{k}>".encode())
            for k in self.KEYS if k.startswith("user:")))

    def test_hostile_patterns_end(self):
        self.client.put(self.ns, "a" * 1000, "v")
        started = time.monotonic()
        self.client.ask_all(f"LIST {self.ns} {'a*' * 100}b")
        self.client.ask_all(f"LIST {self.ns} {'*a' * 300}*b")
        self.assertLess(time.monotonic() - started, seconds(2))

    def test_long_patterns_and_keys(self):
        self.client.pipelined("".join(f"PUT {self.ns} {'a' * 1000}{i:03} 1h\nv\n"
                                      for i in range(300)), 300)
        for pattern, wanted in (
                ("*" + "a" * 500 + "007", ["007"]),
                ("*" + "[a-z0]" * 150 + "?09", ["009", "109", "209"]),
                ("*" + "?" * 500 + "b", []),
                ("*a" * 500 + "2[0-9]5", [f"2{i}5" for i in range(10)]),
                ("a" * 1000 + "1?[!0-8]", [f"1{i}9" for i in range(10)]),
                ("a" * 1000 + "299" + "*" * 21, ["299"]),
                ("?" * 1024, [])):
            self.assertEqual([key[1000:] for key in self.listed(pattern) if len(key) > 1000],
                             wanted, pattern)

    def test_broken_sets_are_answered(self):
        for pattern in ("[", "[a", "[]", "[!", "a[", "[z-a]", "\\", "a\\"):
            self.client.send(f"LIST {self.ns} {pattern}\r\nPING\r\n")
            reply = self.client.reply()
            while reply.startswith("KEY "):
                reply = self.client.reply()
            self.assertRegex(reply, "^(END$|CLIENT_ERROR .)", pattern)
            self.assertEqual(self.client.reply(), "PONG")

    def test_an_empty_namespace(self):
        self.client.send("LIST nowhere\r\nALL nowhere x*\r\n")
        self.client.expect("END\r\nEND\r\n")

    def test_no_expired_no_deleted(self):
        self.client.ask(f"FLUSH {self.ns}")
        self.client.put(self.ns, "a", "1", "20ms")
        self.client.put(self.ns, "b", "2")
        self.client.put(self.ns, "c", "3")
        self.client.put(self.ns, "c", "33")
        self.client.ask(f"DEL {self.ns} b")
        wait_for(lambda: self.client.get(self.ns, "a") is None)
        self.client.send(f"ALL {self.ns}\r\n")
        self.client.expect("RECORD c 2\r\n33\r\nEND\r\n")


class Streams(Case):
    COUNT = 20000

    def setUp(self):
        self.daemon = self.start('memory = "64M";')
        self.client = self.connect(self.daemon)
        self.names = [f"key{i:05}" for i in range(self.COUNT)]
        data = "".join(f"PUT n {k} 1h\nvalue of {k}\n" for k in self.names)
        self.client.pipelined(data, self.COUNT)

    def test_whole(self):
        self.assertEqual(keys_of(self.client.ask_all("LIST n")), self.names)
        found = self.client.ask_all("ALL n")
        self.assertEqual(sorted(found), [(f"RECORD {k} {len(k) + 9}", f"value of {k}".encode())
                                         for k in self.names])

    def test_others_are_served_meanwhile(self):
        slow = self.kept(self.daemon.connect(receive_buffer=4096))
        slow.send("ALL n\r\nALL n\r\nPING\r\n")
        for i in range(200):
            self.assertEqual(self.client.put("other", f"k{i}", "v"), "STORED")
        self.assertEqual(len(slow.until_end()), self.COUNT)
        self.assertEqual(len(slow.until_end()), self.COUNT)
        self.assertEqual(slow.reply(), "PONG")

    def test_who_goes_in_the_middle_takes_the_pattern_along(self):
        letters = "".join(chr(c) for c in range(0x21, 0x7f, 2) if chr(c) not in "*?[\\")
        key = (letters * 30)[:1000]
        for i in range(40):  # more than the sockets hold
            self.client.put("long", f"{key}{i}", "v" * 200000)
        connections = self.client.stats()["curr_connections"]
        resident = []
        for i in range(350):
            with self.daemon.connect(receive_buffer=4096) as gone:
                gone.send(f"ALL long {key}*\r\n")
                self.assertIn(key, gone.line())
            if i in (50, 349):
                wait_for(lambda: self.client.stats()["curr_connections"] == connections)
                resident.append(self.daemon.resident())
        if not SANITIZER:  # which keeps what is freed for a while, and finds leaks itself
            self.assertLess(resident[1] - resident[0], 2 << 20)

    def test_requests_behind_a_listing_wait_for_it(self):
        self.client.send("LIST n key0000*\r\nPING\r\nLIST n nothing\r\nGET n key00001\r\n")
        self.assertEqual(keys_of(self.client.until_end()), [f"key0000{i}" for i in range(10)])
        self.client.expect("PONG\r\nEND\r\nVALUE 17\r\nvalue of key00001\r\n")

    def test_what_lives_throughout_is_listed(self):
        stop = threading.Event()
        errors = []

        def write():
            try:
                with self.daemon.connect() as writer:
                    turn = 0
                    while not stop.is_set():
                        turn += 1
                        writer.pipelined("".join(
                            f"PUT n key{(turn * 37 + i) % 5000:05} 1h\nnew value\n"
                            f"PUT n more{turn}x{i} 1h\nx\nDEL n more{turn - 3}x{i}\n"
                            for i in range(100)), 300)
            except Exception as error:  # told by the main thread
                errors.append(error)

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for small in (None, 4096, None, 4096):
                with self.daemon.connect(receive_buffer=small) as reader:
                    found = {}
                    for line, value in reader.ask_all("ALL n"):
                        _, key, length = line.split(" ")
                        self.assertEqual(len(value), int(length))
                        found[key] = found.get(key, 0) + 1
                        if key.startswith("key"):
                            self.assertIn(value, (b"new value", b"value of " + key.encode()))
                self.assertEqual([k for k in self.names if k not in found], [])
                self.assertEqual([k for k, times in found.items() if times > 2], [])
                with self.daemon.connect(receive_buffer=small) as reader:
                    listed = set(keys_of(reader.ask_all("LIST n key*")))
                self.assertEqual(listed, set(self.names))
        finally:
            stop.set()
            writer.join()
        self.assertEqual(errors, [])

    def test_left_in_the_middle(self):
        for _ in range(50):
            with self.daemon.connect(receive_buffer=4096) as reader:
                reader.send("ALL n\r\n" * 5)
                reader.reply()
        self.assertEqual(self.client.ask("FLUSH n"), f"FLUSHED {self.COUNT}")
        wait_for(lambda: self.client.stat("curr_items") == 0)

    def test_flushed_in_the_middle(self):
        slow = self.kept(self.daemon.connect(receive_buffer=4096))
        slow.send("ALL n\r\nPING\r\n")
        self.assertEqual(slow.reply()[0][:6], "RECORD")
        self.client.ask("FLUSH n")
        self.client.put("n", "new", "v")
        for line, value in slow.until_end():
            key = line.split(" ")[1]
            self.assertIn(value, (f"value of {key}".encode(), b"v"))
        self.assertEqual(slow.reply(), "PONG")

    def test_large_values(self):
        for i in range(20):
            self.client.put("large", f"k{i}", bytes([65 + i]) * 700000)
        found = self.client.ask_all("ALL large")
        self.assertEqual(len(found), 20)
        for line, value in found:
            number = int(line.split(" ")[1][1:])
            self.assertTrue(value == bytes([65 + number]) * 700000)

    def test_many_listings_at_once(self):
        readers = [self.kept(self.daemon.connect(receive_buffer=4096)) for _ in range(30)]
        for reader in readers:
            reader.send("LIST n key00*\r\n")
        for reader in readers:
            self.assertEqual(len(reader.until_end()), 1000)


class Busy(Case):
    """A namespace that is written faster than it is listed."""

    COUNT = 8000
    LENGTH = 1000

    def begin(self, memory):
        self.daemon = self.start(f'memory = "{memory}";')
        self.client = self.connect(self.daemon)
        self.writes = 0
        self.write(self.COUNT)

    def write(self, count, chance=None):
        """All in turn; or by chance three of four, so that each segment keeps some that live."""
        data = []
        for _ in range(count):
            key = self.writes % self.COUNT
            if chance is not None:
                key = chance.randrange(self.COUNT // 4) * 4 + chance.randrange(3)
            self.writes += 1
            data.append(f"PUT n k{key:05} 1h\nk{key:05}{self.writes:0{self.LENGTH - 6}}\n")
        self.client.pipelined("".join(data), count)

    def listing(self, **options):
        reader = self.connect(self.daemon, receive_buffer=4096, **options)
        reader.send("ALL n\r\n")
        return reader

    def check(self, replies):
        found = {}
        for line, value in replies:
            _, key, length = line.split(" ")
            self.assertEqual((value[:6], len(value)), (key.encode(), self.LENGTH))
            self.assertEqual(int(length), self.LENGTH)
            found[key] = found.get(key, 0) + 1
        self.assertEqual(len(found), self.COUNT)
        self.assertLessEqual(max(found.values()), 2)

    def test_it_ends(self):
        self.begin("64M")
        reader = self.listing()
        replies = []
        while not replies or replies[-1] != "END":
            replies.extend(reader.reply() for _ in range(1 if reader.buffer else 16))
            self.assertLessEqual(len(replies), 2 * self.COUNT + 1)
            if len(replies) % 16 == 0:
                self.write(100)
        self.check(replies[:-1])
        self.assertGreater(self.writes, 3 * self.COUNT)

    @in_memory("it bounds memory itself")
    def test_nothing_that_lives_is_evicted_beside_it(self):
        self.begin("32M")
        chance = random.Random(1)
        reader = self.listing()
        self.assertEqual(reader.reply()[0][:7], "RECORD ")
        for _ in range(100):
            self.write(self.COUNT // 10, chance)
        self.assertEqual(self.client.stat("evictions"), 0)
        self.assertEqual(self.client.stat("items", "n"), self.COUNT)
        self.assertGreaterEqual(len(reader.until_end()), self.COUNT - 1)

    @in_memory("listings take no memory of the store")
    def test_too_many_of_them(self):
        self.begin("16M")
        readers = [self.listing(timeout=60) for _ in range(45)]
        for reader in readers:
            self.assertEqual(reader.reply()[0][:7], "RECORD ")
        self.write(self.COUNT)
        ended = []
        for reader in readers:
            reply = reader.reply()
            while not isinstance(reply, str):
                reply = reader.reply()
            ended.append(reply)
            self.assertEqual(reader.ask("PING"), "PONG")
        self.assertEqual(set(ended), {
            "END", "SERVER_ERROR the listing was read too slowly while memory was short; "
                   'list namespace "n" again, and read without pauses'})
        self.check(self.connect(self.daemon).ask_all("ALL n"))


class Figures(Case):
    def setUp(self):
        self.daemon = self.start("""
            memory = "32M";
            namespaces = ( { name = "declared"; memory = "4M"; ttl = "1h"; } );
        """)
        self.client = self.connect(self.daemon)

    @in_memory("undeclared namespaces are not listed")
    def test_namespaces(self):
        self.client.put("one", "k", "v")
        self.client.put("two", "k", "v" * 100)
        self.client.put("two", "l", "v" * 100)
        found = {}
        for line in self.client.ask_all("NAMESPACES"):
            word, name, records, size = line.split(" ")
            self.assertEqual(word, "NAMESPACE")
            found[name] = int(records), int(size)
        self.assertEqual({n: f[0] for n, f in found.items() if n != "declared" and f[0]},
                         {"one": 1, "two": 2})
        self.assertGreaterEqual(found["two"][1], 2 * 101)
        self.assertEqual(found.get("declared"), (0, 0))

    @in_memory("undeclared namespaces are not listed")
    def test_many_namespaces(self):
        names = [f"ns{i}" for i in range(3000)]
        data = "".join(f"PUT {n} k 1h\nv\n" for n in names)
        self.client.pipelined(data, 3000)
        found = [line.split(" ")[1] for line in self.client.ask_all("NAMESPACES")]
        self.assertEqual(len(found), len(set(found)))
        self.assertLessEqual(set(names), set(found))

    @in_memory("it has few figures")
    def test_stats_of_the_daemon(self):
        first = self.client.stats()
        for name in ("curr_items", "get_hits", "get_misses", "evictions", "bytes",
                     "limit_maxbytes", "curr_connections", "uptime", "threads"):
            self.assertRegex(first.get(name, "missing"), r"^\d+$", name)
        self.assertEqual(first["limit_maxbytes"], str(32 << 20))
        self.assertEqual(first["threads"], "2")
        self.assertEqual(first["curr_connections"], "1")
        self.assertEqual(first["curr_items"], "0")
        for i in range(10):
            self.client.put("n", f"k{i}", "v" * 100)
        for i in range(7):
            self.client.get("n", f"k{i}")
        self.client.send("GET n k0 none other\r\n")
        for _ in range(3):
            self.client.reply()
        then = self.client.stats()
        self.assertEqual(int(then["curr_items"]), 10)
        self.assertEqual(int(then["get_hits"]) - int(first["get_hits"]), 8)
        self.assertEqual(int(then["get_misses"]) - int(first["get_misses"]), 2)
        self.assertGreaterEqual(int(then["bytes"]), 1000)

    @in_memory("it has few figures")
    def test_stats_of_a_namespace(self):
        for i in range(10):
            self.client.put("n", f"k{i}", "v")
        self.client.put("n", "k0", "again")
        for i in range(4):
            self.client.get("n", f"k{i}")
        self.client.get("n", "none")
        self.client.ask("DEL n k9")
        self.client.ask("DEL n none")
        figures = self.client.stats("n")
        for name in ("items", "bytes", "hits", "misses", "sets", "deletes", "expirations",
                     "evictions", "quota"):
            self.assertIn(name, figures)
        self.assertEqual({k: figures[k] for k in ("items", "hits", "misses", "sets", "deletes",
                                                  "expirations", "evictions", "quota")},
                         {"items": "9", "hits": "4", "misses": "1", "sets": "11", "deletes": "1",
                          "expirations": "0", "evictions": "0", "quota": "0"})
        self.assertEqual(self.client.stats("declared")["quota"], str(4 << 20))

    @in_memory("it has few figures")
    def test_figures_of_one_do_not_touch_the_other(self):
        self.client.put("one", "k", "v")
        self.client.put("two", "k", "v")
        for _ in range(5):
            self.client.get("one", "k")
            self.client.get("two", "none")
        one, two = self.client.stats("one"), self.client.stats("two")
        self.assertEqual((one["hits"], one["misses"]), ("5", "0"))
        self.assertEqual((two["hits"], two["misses"]), ("0", "5"))

    def test_stats_of_nothing(self):
        self.client.send("STATS nowhere\r\nPING\r\n")
        reply = self.client.reply()
        while reply.startswith("STAT "):
            reply = self.client.reply()
        self.assertRegex(reply, "^(END|NOT_FOUND)$|^CLIENT_ERROR .")
        self.client.expect("PONG\r\n")

    @in_memory("it has few figures")
    def test_ttl_counts_neither_hit_nor_miss(self):
        self.client.put("n", "k", "v")
        self.client.ask("TTL n k")
        self.client.ask("TTL n none")
        figures = self.client.stats("n")
        self.assertEqual((figures["hits"], figures["misses"]), ("0", "0"))

    def test_uptime_goes_on(self):
        first = self.client.stat("uptime")
        wait_for(lambda: self.client.stat("uptime") > first, what="a second to pass")


if __name__ == "__main__":
    unittest.main()
