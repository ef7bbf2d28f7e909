"""All of a ttl passes before its record goes, however it was given: by this machine's most
exact clock, from before the request was sent. And it goes within the millisecond that the
daemon's clock counts.

What is found, or not, at which moments around, is all that is looked at: how slow the machine
is makes no difference.
"""

import time
import unittest

from harness import Case
from memcache import Memcache

MS = 1000000  # nanoseconds
SECOND = 1000 * MS
CONF = """
memory = "32M"; max_value = "1M"; ttl = "never";
namespaces = ( { name = "default1"; ttl = "1ms"; }, { name = "bound2"; max_ttl = "2ms"; },
               { name = "second"; ttl = "1s"; } );
"""


class Told:
    """A write of a ttl, or of a date by the wall clock, and between which moments that has
    passed; nanoseconds."""

    def __init__(self, write, ttl=None, clock=time.monotonic_ns, until=None):
        self.clock = clock
        sent = clock()
        write()
        answered = clock()
        self.first = until if until is not None else sent + ttl
        # The daemon looks at one clock and then at the other, and may rest in between.
        self.last = answered + ttl + MS if until is None else None

    def outlive(self, find):
        """Looks until it is gone. Returns what is wrong, or None."""
        found = True
        while found:
            asked = self.clock()
            found = find()
            told = self.clock()
            if found and self.last is not None and asked > self.last:
                return f"{(asked - self.last) / MS:.3f} ms late"
        return f"{(self.first - told) / MS:.3f} ms early" if told < self.first else None


class PreciseCase(Case):
    def setUp(self):
        self.daemon = Memcache(CONF)
        self.addCleanup(self._end, self.daemon)
        self.client = self.connect(self.daemon)
        self.wire = self.daemon.talk()
        self.addCleanup(self.wire.close)

    def is_there(self, ns, key):
        return self.client.get(ns, key) is not None

    def expect_none(self, wrongs, tries):
        wrongs = [wrong for wrong in wrongs if wrong]
        self.assertEqual(wrongs, [], f"{len(wrongs)} of {tries}")


class Milliseconds(PreciseCase):
    TRIES = 100

    def try_often(self, write, ttl, ns="n", before=None):
        wrongs = []
        for i in range(self.TRIES):
            if before:
                before()
            time.sleep(i % 10 * 0.0001)  # at all times of a millisecond
            wrongs.append(Told(write, ttl * MS).outlive(lambda: self.is_there(ns, "k")))
        self.expect_none(wrongs, self.TRIES)

    def asks(self, line, answer):
        return lambda: self.assertEqual(self.client.ask(line), answer)

    def puts(self, ns, ttl, value="1", verb="PUT"):
        return lambda: self.assertEqual(self.client.put(ns, "k", value, ttl, verb), "STORED")

    def test_put(self):
        for ttl in (1, 2, 7):
            self.try_often(self.puts("n", f"{ttl}ms"), ttl)

    def test_add(self):
        self.try_often(self.puts("n", "1ms", verb="ADD"), 1)

    def test_the_namespaces(self):
        self.try_often(self.puts("default1", "-"), 1, "default1")

    def test_the_namespaces_bound(self):
        for ttl in ("never", "3ms", "1h"):
            self.try_often(self.puts("bound2", ttl), 2, "bound2")

    def test_touch(self):
        self.try_often(self.asks("TOUCH n k 2ms", "TOUCHED"), 2, before=self.puts("n", "1h"))

    def test_touch_of_a_large_one(self):
        self.try_often(self.asks("TOUCH n k 2ms", "TOUCHED"), 2,
                       before=self.puts("n", "1h", "v" * 100000))

    def test_a_large_value(self):
        self.try_often(self.puts("n", "2ms", "v" * 300000), 2)

    def test_in_a_long_pipeline(self):
        """Of many that came together the last is not held to when the first was begun with."""
        many = "".join(f"PUT n m{i} 1h\nvalue\n" for i in range(300))

        def write():
            self.client.send(many + "PUT n k 1ms\nvalue\n")
            for _ in range(301):
                self.assertEqual(self.client.line(), "STORED")
        self.try_often(write, 1)

    def test_what_is_told(self):
        """Who counts from before asking finds it there as long as was told."""
        wrongs = []
        for _ in range(self.TRIES):
            self.client.put("n", "k", "v", "4ms")
            sent = time.monotonic_ns()
            answer = self.client.ask("TTL n k").split()
            if answer[0] == "TTL":
                self.assertLessEqual(float(answer[1]), 0.004)
                until = sent + round(float(answer[1]) * SECOND)
                there = True
                while there:
                    there = self.is_there("n", "k")
                    told = time.monotonic_ns()
                wrongs.append(f"{(until - told) / MS:.3f} ms early" if told < until else None)
        self.assertGreater(len(wrongs), 0)
        self.expect_none(wrongs, len(wrongs))


class Seconds(PreciseCase):
    """What memcached's clients can give: many at once, since each takes a second."""

    EACH = 8

    def say(self, words, answer="STORED|HD"):
        self.wire.send(words + "\r\n")
        self.assertRegex(self.wire.line(), answer, words)

    def cas(self, key):
        self.wire.send(f"gets {key}\r\n")
        version = self.wire.line().split()[-1]
        self.assertEqual([self.wire.line(), self.wire.line()], ["1", "END"])
        return version

    def prepare(self, key):
        self.say(f"set {key} 0 0 1\r\n1")

    def touch_and_get(self, key, when):
        self.wire.send(f"gat {when} {key}\r\n")
        self.assertEqual([self.wire.line()[:5], self.wire.line(), self.wire.line()],
                         ["VALUE", "1", "END"])

    def ways(self, when):
        """A key each, what comes first, and what gives the ttl."""
        prepare, say = self.prepare, self.say
        return (
            ("set", None, lambda k: say(f"set {k} 0 {when} 1\r\n1")),
            ("add", None, lambda k: say(f"add {k} 0 {when} 1\r\n1")),
            ("replace", prepare, lambda k: say(f"replace {k} 0 {when} 1\r\n1")),
            ("cas", prepare, lambda k: say(f"cas {k} 0 {when} 1 {self.cas(k)}\r\n1")),
            ("touch", prepare, lambda k: say(f"touch {k} {when}", "TOUCHED")),
            ("gat", prepare, lambda k: self.touch_and_get(k, when)),
            ("ms", None, lambda k: say(f"ms {k} 1 T{when}\r\n1")),
            ("append", None, lambda k: say(f"ms {k} 1 MA N{when}\r\n1")),
            ("prepend", None, lambda k: say(f"ms {k} 1 MP N{when}\r\n1")),
            ("ma", prepare, lambda k: say(f"ma {k} T{when}")),
            ("ma-N", None, lambda k: say(f"ma {k} N{when}")),
            ("mg", prepare, lambda k: say(f"mg {k} T{when}")),
            ("mg-N", None, lambda k: say(f"mg {k} N{when}", "EN|HD")),
            ("md", prepare, lambda k: say(f"md {k} I T{when}")),
            ("large", None, lambda k: say(f"set {k} 0 {when} 100000\r\n" + "v" * 100000)),
        )

    def is_known(self, key):
        self.wire.send(f"mg {key}\r\n")
        return self.wire.line()[:2] == "HD"  # with X, W or Z behind it where it is to be renewed

    def outlive_all(self, told):
        self.expect_none((f"{key}: {wrong}" for key, one in told
                          if (wrong := one.outlive(lambda: self.is_known(key)))), len(told))

    def test_seconds(self):
        told = []
        for i in range(self.EACH):
            for name, before, write in self.ways(1):
                key = f"{name}{i}"
                if before:
                    before(key)
                told.append((key, Told(lambda: write(key), SECOND)))
            key = f"second:{i}"
            told.append((key, Told(lambda: self.say(f"set {key} 0 0 1\r\n1"), SECOND)))
        self.outlive_all(told)

    def test_dates(self):
        for _ in range(3):
            told = []
            date = int(time.time()) + 2
            for name, before, write in self.ways(date):
                if before:
                    before(name)
                told.append((name, Told(lambda: write(name), clock=time.time_ns, until=date * SECOND)))
            self.outlive_all(told)

    def test_a_flush_to_come(self):
        for _ in range(2):
            self.prepare("k")
            told = Told(lambda: self.say("flush_all 1", "OK"), SECOND)
            self.assertIsNone(told.outlive(lambda: self.is_known("k")))


if __name__ == "__main__":
    unittest.main()
