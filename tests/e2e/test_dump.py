"""DUMP and SURVEY: a namespace as the requests that make it again, and what its values are like."""

import random
import re
import time
import unittest

from harness import Case, seconds, wait_for
from memcache import Memcache
from nodes import in_memory

CONF = """
memory = "128M"; max_value = "2M";
namespaces = ( { name = "sessions"; } );
"""
MILLISECONDS = {"never": None, "w": 604800000, "d": 86400000, "h": 3600000, "m": 60000,
                "s": 1000, "ms": 1}


def escaped(key):
    """A key of any bytes as a word."""
    word = re.sub(rb"\\(?=x[0-9a-fA-F]{2})", b"\\\\x5c", key)
    return re.sub(rb"[\x00-\x20\x7f]", lambda byte: b"\\x%02x" % byte.group()[0], word)


def milliseconds(ttl):
    """Of a ttl as requests have it; None: it does not expire."""
    if ttl == b"never":
        return None
    number, unit = re.fullmatch(rb"(\d+)([a-z]*)", ttl).groups()
    return int(number) * MILLISECONDS[unit.decode() or "s"]


class Dumping(Case):
    def setUp(self):
        self.daemon = self.started()
        self.client = self.connect(self.daemon)
        self.random = random.Random(7)

    def started(self):
        daemon = Memcache(CONF)
        self.addCleanup(self._end, daemon)
        return daemon

    @staticmethod
    def dump(client, request="DUMP n"):
        """The bytes before END, and of each record (namespace, key): (ttl, value, flags)."""
        client.send(request + "\r\n")
        data, records = [], {}
        while True:
            line = client.line().encode("utf-8", "surrogateescape")
            if line == b"END":
                return b"".join(data), records
            word, ns, key, ttl, length, *flags = line.split(b" ")
            assert word == b"PUT" and len(flags) < 2, line
            value = client.value(int(length))
            data += [line, b"\r\n", value, b"\r\n"]
            assert (ns, key) not in records, key
            records[ns, key] = ttl, value, b"".join(flags)

    @staticmethod
    def request(ns, key, ttl, value, flags=b""):
        head = b" ".join((b"PUT", ns, key, ttl, b"%d" % len(value), flags)).rstrip()
        return head + b"\r\n" + value + b"\r\n"

    def write(self, records):
        data = b"".join(self.request(*where, *what) for where, what in records.items())
        self.assertEqual(set(self.client.pipelined(data, len(records))), {"STORED"})

    def by_chance(self, count):
        """Records of all kinds: what was written, by where it was."""
        some = self.random
        records = {}
        for byte in range(256):
            for key in (bytes([byte]), b"a%bz" % bytes([byte]), b"\\x%02x" % byte):
                records[b"n", escaped(key)] = b"never", key, b""
        records[b"n", b"k" * 1024] = b"1h", b"", b"1"
        records[b"n", escaped(b" " * 256)] = b"2w", b"END\r\n", b"4294967295"
        records[b"n", b"large"] = b"7d", some.randbytes(1 << 20), b"5"
        records[b"n", b"larger"] = b"never", some.randbytes(2 << 20), b""
        for number in range(count):
            ttl = some.choice([b"never", b"%d" % some.randrange(600, 90000), b"36500d",
                               b"%dms" % some.randrange(600000, 10**9), b"%dw" % some.randrange(1, 99)])
            length = some.choice([0, 1, some.randrange(300), some.randrange(300),
                                  some.randrange(9000)])
            flags = some.choice([b"", b"", b"%d" % some.randrange(1, 1 << 32)])
            records[b"n", b"key%d" % number] = ttl, some.randbytes(length), flags
        return records

    def assert_same(self, found, wanted, age):
        """But for the ttl, of which no more than `age` milliseconds may be gone."""
        self.assertEqual(set(found), set(wanted))
        for where, (ttl, value, flags) in wanted.items():
            self.assertEqual(found[where][1:], (value, flags), where)
            before, after = milliseconds(ttl), milliseconds(found[where][0])
            self.assertEqual(after is None, before is None, where)
            if before is not None:
                self.assertLessEqual(after, before, where)
                self.assertGreaterEqual(after, before - age, where)


class Restoring(Dumping):
    def test_dump_restore_dump(self):
        started = time.monotonic()
        wanted = self.by_chance(5000)
        self.write(wanted)
        data, found = self.dump(self.client)
        age = (time.monotonic() - started) * 1000 + 1
        self.assert_same(found, wanted, age)
        other = self.connect(self.started())
        self.assertEqual(set(other.pipelined(data, len(found))), {"STORED"})
        again, restored = self.dump(other)
        self.assert_same(restored, found, (time.monotonic() - started) * 1000 + 1)
        ttl = re.compile(rb"^(PUT n \S+ )\S+", re.M)
        records = sorted(ttl.sub(rb"\1", self.request(*where, *what))
                         for where, what in found.items())
        self.assertEqual(records, sorted(ttl.sub(rb"\1", self.request(*where, *what))
                                         for where, what in restored.items()))
        self.assertEqual(len(ttl.sub(rb"\1", again)), len(ttl.sub(rb"\1", data)))

    def test_what_memcached_wrote(self):
        wire = self.kept(self.daemon.talk())
        self.assertEqual(wire.ask("set sessions:a 77 0 2\nhi"), "STORED")
        self.assertEqual(wire.ask("ms c29tZSBiaW5hcnk= 3 b F9 T600\nbin"), "HD")
        self.assertEqual(self.dump(self.client, "DUMP sessions")[1],
                         {(b"sessions", b"a"): (b"never", b"hi", b"77")})
        found = self.dump(self.client, "DUMP cache")[1]
        self.assertEqual(list(found), [(b"cache", b"some\\x20binary")])
        (ttl, value, flags), = found.values()
        self.assertEqual((value, flags), (b"bin", b"9"))
        self.assertLessEqual(milliseconds(ttl), 600000)
        self.assertGreater(milliseconds(ttl), 600000 - seconds(10) * 1000)

    def test_a_pattern_and_the_default_namespace(self):
        self.client.pipelined("".join(f"PUT default k{i} never\nv\n" for i in range(30)), 30)
        found = self.dump(self.client, "DUMP - k1?")[1]
        self.assertEqual(found, {(b"default", b"k%d" % i): (b"never", b"v", b"")
                                 for i in range(10, 20)})
        self.assertEqual(self.dump(self.client, "DUMP - nothing"), (b"", {}))
        self.assertEqual(self.dump(self.client, "DUMP nowhere"), (b"", {}))

    def test_the_ttl_is_exact(self):
        """To the millisecond: what TTL says before and after bounds it."""
        for ttl in (b"1500ms", b"90", b"36500d", b"59999ms"):
            self.write({(b"n", b"k"): (ttl, b"v")})
            before = float(self.client.ask("TTL n k").split()[1])
            (found, *_), = self.dump(self.client)[1].values()
            after = float(self.client.ask("TTL n k").split()[1])
            self.assertLessEqual(milliseconds(found), round(before * 1000))
            self.assertGreaterEqual(milliseconds(found), round(after * 1000))

    def test_a_reload_does_not_change_where_it_is(self):
        self.write({(b"default", b"k%05d" % i): (b"never", b"x" * 500) for i in range(3000)})
        slow = self.kept(self.daemon.connect(receive_buffer=4096))
        slow.send("DUMP -\r\n")
        self.assertEqual(slow.line()[:14], "PUT default k0")
        slow.value(500)
        self.daemon.configure(CONF + 'namespace = "other";')
        self.daemon.reload("reloaded the configuration")
        for _ in range(2999):
            self.assertEqual(slow.line()[:14], "PUT default k0")
            slow.value(500)
        self.assertEqual(slow.line(), "END")


class Meanwhile(Dumping):
    """A dump beside what else the daemon does."""

    def test_it_ends_however_much_is_written(self):
        count = 4000
        self.write({(b"n", b"k%05d" % i): (b"1h", b"x" * 1000) for i in range(count)})
        reader = self.connect(self.daemon, receive_buffer=4096)
        reader.send("DUMP n\r\n")
        found, turn = {}, 0
        while True:
            line = reader.line()
            if line == "END":
                break
            _, ns, key, _, length = line.split(" ")
            self.assertEqual((ns, length), ("n", "1000"))
            self.assertRegex(reader.value(1000), b"^(x+|y+)$")
            found[key] = found.get(key, 0) + 1
            if sum(found.values()) % 16 == 0:
                self.write({(b"n", b"k%05d" % ((turn + i) % count)): (b"1h", b"y" * 1000)
                            for i in range(100)})
                turn += 100
        self.assertEqual(len(found), count)
        self.assertLessEqual(max(found.values()), 2)
        self.assertGreater(turn, count)

    @in_memory("replies of nodes wait in memory")
    def test_the_reply_takes_no_memory(self):
        self.write({(b"n", b"k%d" % i): (b"never", bytes([i]) * (1 << 20)) for i in range(60)})
        self.dump(self.client)
        before = self.daemon.resident()
        readers = [self.kept(self.daemon.connect(receive_buffer=4096)) for _ in range(8)]
        for reader in readers:
            reader.send("DUMP n\r\nPING\r\n")
        for reader in readers:
            self.assertRegex(reader.line(), r"^PUT n k\d+ never 1048576$")
        self.assertLess(self.daemon.resident() - before, 8 << 20)
        for reader in readers:
            reader.value(1 << 20)
            self.assertEqual(len(self.dump(self.client)[1]), 60)

    def test_others_are_served_and_it_may_be_left(self):
        self.write({(b"n", b"k%05d" % i): (b"1h", b"x" * 3000) for i in range(4000)})
        for _ in range(20):
            with self.daemon.connect(receive_buffer=4096) as reader:
                reader.send("DUMP n\r\n" * 5)
                reader.line()
                self.assertEqual(self.client.ask("PING"), "PONG")
        self.assertEqual(self.client.ask("FLUSH n"), "FLUSHED 4000")
        wait_for(lambda: self.client.stat("curr_items") == 0)

    def test_a_reader_that_stalls_does_not_stop_writers(self):
        """It pins large values, and is closed when the memory is needed."""
        daemon = self.start('memory = "16M"; max_value = "2M";')
        client = self.connect(daemon)
        values = {(b"n", b"k%d" % i): (b"1h", bytes([i]) * (1 << 20)) for i in range(9)}
        client.pipelined(b"".join(self.request(*k, *v) for k, v in values.items()), len(values))
        stalled = [self.kept(daemon.connect(receive_buffer=4096)) for _ in range(4)]
        for reader in stalled:
            reader.send("DUMP n\r\n")
            self.assertRegex(reader.line(), r"^PUT n k\d ")
        for turn in range(10):
            data = b"".join(self.request(b"n", b"x%d" % i, b"1h", b"y" * (1 << 20))
                            for i in range(9))
            self.assertEqual(set(client.pipelined(data, 9)), {"STORED"}, turn)


class Surveying(Dumping):
    UP_TO = ["1s", "10s", "1m", "10m", "1h", "6h", "1d", "7d", "30d", "36500d"]

    def survey(self, client, request="SURVEY n"):
        sizes, times, large = {}, {}, []
        for line in client.ask_all(request):
            word, first, *rest = line.split(" ")
            if word == "SIZE":
                sizes[int(first)] = tuple(map(int, rest))
            elif word == "TTL":
                times[first] = int(*rest)
            else:
                self.assertEqual(word, "LARGE")
                large.append((int(first), *rest))
        return sizes, times, large

    def reckon(self, records):
        """The same from what was dumped."""
        sizes, times = {}, dict.fromkeys(self.UP_TO[:-1] + ["never"], 0)
        for ttl, value, _ in records.values():
            size = 1
            while size < len(value):
                size *= 2
            count, total = sizes.get(size, (0, 0))
            sizes[size] = count + 1, total + len(value)
            left = milliseconds(ttl)
            name = "never" if left is None else next(
                name for name in self.UP_TO if left <= milliseconds(name.encode()))
            times[name] = times.get(name, 0) + 1
        return sizes, times

    @in_memory("heads of flags are counted")
    def test_against_a_reckoning(self):
        records = self.by_chance(5000)
        ttls = ["500ms", "9s", "59s", "10m", "1h", "6h", "1d", "7d", "30d", "31d", "never"]
        for i, ttl in enumerate(ttls * 20):
            records[b"n", b"t%d" % i] = ttl.encode(), b"v" * 2**(i % 14), b""
        self.write(records)
        wait_for(lambda: self.client.ask("TTL n t0") == "NOT_FOUND")
        _, dumped = self.dump(self.client)
        sizes, times, large = self.survey(self.client)
        self.assertEqual((sizes, times), self.reckon(dumped))
        self.assertEqual(sum(times.values()), len(dumped))
        biggest = sorted((len(value) for _, value, _ in dumped.values()), reverse=True)[:10]
        self.assertEqual([size for size, _ in large], biggest)
        for size, key in large:
            self.assertEqual(len(dumped[b"n", key.encode()][1]), size)
        self.assertEqual([key for _, key in large[:2]], ["larger", "large"])

    def test_of_a_pattern_of_few_and_of_none(self):
        self.client.pipelined("PUT n a 30m\nx\nPUT n a\\x20b 30m\nxxx\nPUT n b never\nyy\n", 3)
        self.assertEqual(self.client.ask_all("SURVEY n a*"), [
            "SIZE 1 1 1", "SIZE 4 1 3", "TTL 1s 0", "TTL 10s 0", "TTL 1m 0", "TTL 10m 0",
            "TTL 1h 2", "TTL 6h 0", "TTL 1d 0", "TTL 7d 0", "TTL 30d 0", "TTL never 0",
            "LARGE 3 a\\x20b", "LARGE 1 a"])
        nothing = [f"TTL {name} 0" for name in self.UP_TO[:-1] + ["never"]]
        self.assertEqual(self.client.ask_all("SURVEY n nothing"), nothing)
        self.assertEqual(self.client.ask_all("SURVEY nowhere"), nothing)


if __name__ == "__main__":
    unittest.main()
