"""Time: never served late, never dropped early, and gone from memory soon after.

The proofs use two instants only, when a request left and when its answer came:
a value must not come to a GET that left after its end, and a NOT_FOUND must
not come before it, however slow the machine is.
"""

import random
import time
import unittest

from harness import Case, SharedCase, seconds, wait_for
from nodes import in_memory

TICK = 0.001  # seconds: the daemon's clock counts milliseconds, and is rounded down
FLOAT = 1e-6   # what is lost in one


class Timed:
    """A record with a time to live, and when that ends at the earliest and latest."""

    def __init__(self, client, ns, key, milliseconds, write=None):
        self.client, self.ns, self.key = client, ns, key
        before = time.monotonic()
        reply = write() if write else client.put(ns, key, "v", f"{milliseconds}ms")
        after = time.monotonic()
        assert reply in ("STORED", "TOUCHED"), reply
        self.earliest = before + milliseconds / 1000 - FLOAT
        self.latest = after + milliseconds / 1000 + TICK + FLOAT

    def look(self):
        """True while it lives. Fails when that is too early or too late."""
        sent = time.monotonic()
        value = self.client.get(self.ns, self.key)
        answered = time.monotonic()
        if value is None:
            assert answered >= self.earliest, f"gone {self.earliest - answered:.4f} s early"
            return False
        assert sent <= self.latest, f"served {sent - self.latest:.4f} s late"
        return True

    def watch(self):
        wait_for(lambda: not self.look(), timeout=5, what="a record's end")


class Expiry(SharedCase):
    def test_exactly_in_time(self):
        for milliseconds in (1, 2, 10, 50, 333, 1001):
            Timed(self.client, self.ns, "k", milliseconds).watch()

    def test_many_at_once(self):
        chance = random.Random(1)
        records = [Timed(self.client, self.ns, f"k{i}", chance.randrange(1, 700))
                   for i in range(300)]
        deadline = time.monotonic() + seconds(5)
        while records and time.monotonic() < deadline:
            records = [record for record in records if record.look()]
        self.assertEqual(records, [])

    def test_every_verb_sees_the_end(self):
        self.client.put(self.ns, "k", "1", "30ms")
        wait_for(lambda: self.client.get(self.ns, "k") is None)
        self.client.send(f"GET {self.ns} k\r\nDEL {self.ns} k\r\nTTL {self.ns} k\r\n"
                         f"TOUCH {self.ns} k 5\r\nINCR {self.ns} k\r\nLIST {self.ns}\r\n"
                         f"ALL {self.ns}\r\n")
        self.client.expect("NOT_FOUND\r\n" * 5 + "END\r\n" * 2)
        self.assertEqual(self.client.put(self.ns, "k", "new", verb="ADD"), "STORED")

    def test_touch_moves_the_end(self):
        self.client.put(self.ns, "k", "v", "1h")
        Timed(self.client, self.ns, "k", 80,
              lambda: self.client.ask(f"TOUCH {self.ns} k 80ms")).watch()
        self.client.put(self.ns, "k", "v", "50ms")
        Timed(self.client, self.ns, "k", 250,
              lambda: self.client.ask(f"TOUCH {self.ns} k 250ms")).watch()

    def test_put_moves_the_end(self):
        self.client.put(self.ns, "k", "v", "40ms")
        Timed(self.client, self.ns, "k", 200).watch()
        self.client.put(self.ns, "k", "v", "1h")
        Timed(self.client, self.ns, "k", 40).watch()

    def test_incr_does_not_move_the_end(self):
        record = Timed(self.client, self.ns, "k", 150, lambda: self.client.put(
            self.ns, "k", "1", "150ms"))
        while self.client.ask(f"INCR {self.ns} k 99999").startswith("NUMBER"):
            self.assertLess(time.monotonic(), record.latest + seconds(2))
        record.look()

    def test_a_large_value_lives_from_its_last_byte(self):
        value = b"v" * 900000
        self.client.send(f"PUT {self.ns} k 100ms {len(value)}\r\n".encode() + value[:1000])
        other = self.connect(self.daemon)
        Timed(other, self.ns, "meanwhile", 120).watch()

        def write():
            self.client.send(value[1000:] + b"\r\n")
            return self.client.reply()
        Timed(self.client, self.ns, "k", 100, write).watch()

    def test_two_namespaces_two_ends(self):
        first = Timed(self.client, self.ns, "k", 60)
        self.client.put(self.ns + "2", "k", "v", "1h")
        first.watch()
        self.assertEqual(self.client.get(self.ns + "2", "k"), b"v")


class Spelling(SharedCase):
    """What a time to live may look like, and what TTL then says."""

    def left(self, key):
        reply = self.client.ask(f"TTL {self.ns} {key}")
        self.assertRegex(reply, r"^TTL (never|\d+\.\d{3})$")
        word = reply.split()[1]
        return None if word == "never" else float(word)

    def test_units(self):
        for ttl, wanted in (("90", 90), ("1.5", 1.5), ("0.5", 0.5), ("5000ms", 5), ("45s", 45),
                            ("30m", 1800), ("2h", 7200), ("1.5h", 5400), ("7d", 604800),
                            ("2w", 1209600), ("90.25s", 90.25), ("31536000", 31536000),
                            ("520w", 314496000)):
            before = time.monotonic()
            self.assertEqual(self.client.put(self.ns, "k", "v", ttl), "STORED", ttl)
            left = self.left("k")
            passed = time.monotonic() - before
            self.assertLessEqual(left, wanted, ttl)
            self.assertGreaterEqual(left, wanted - passed - TICK - FLOAT, ttl)

    def test_never(self):
        for ttl in ("0", "never"):
            self.client.put(self.ns, "k", "v", ttl)
            self.assertIsNone(self.left("k"), ttl)

    def test_left_out(self):
        self.client.put(self.ns, "a", "v", "-")
        self.client.send(f"PUT {self.ns} b\r\nv\r\nPUT {self.ns} c -\r\nv\r\n")
        self.client.expect("STORED\r\nSTORED\r\n")
        self.assertEqual({self.left(k) is None for k in "abc"}, {self.left("a") is None})

    def test_ttl_counts_down(self):
        self.client.put(self.ns, "k", "v", "10m")
        first = self.left("k")
        wait_for(lambda: self.left("k") < first - 0.01)


class Namespaces(Case):
    CONF = """
        ttl = "20m";
        namespaces = (
            { name = "short"; ttl = "100ms"; },
            { name = "plain"; },
            { name = "bounded"; ttl = "10m"; max_ttl = "1h"; },
            { name = "capped"; max_ttl = "5m"; },
            { name = "strict"; require_ttl = true; },
            { name = "eternal"; ttl = "never"; }
        );
    """

    def setUp(self):
        self.client = self.connect(self.start(self.CONF))

    def near(self, ns, key, wanted):
        reply = self.client.ask(f"TTL {ns} {key}").split()
        self.assertEqual(reply[0], "TTL")
        self.assertLessEqual(float(reply[1]), wanted)
        self.assertGreater(float(reply[1]), wanted - seconds(5))

    def test_own_ttl(self):
        Timed(self.client, "short", "k", 100,
              lambda: self.client.put("short", "k", "v")).watch()
        self.client.put("short", "k", "v", "1m")
        self.near("short", "k", 60)
        self.client.put("short", "k", "v", "never")
        self.assertEqual(self.client.ask("TTL short k"), "TTL never")

    def test_the_daemons_ttl(self):
        for ns in ("plain", "undeclared"):
            self.client.put(ns, "k", "v")
            self.near(ns, "k", 1200)
        self.client.put("eternal", "k", "v")
        self.assertEqual(self.client.ask("TTL eternal k"), "TTL never")

    def test_touch_without_ttl(self):
        self.client.put("bounded", "k", "v", "5s")
        self.assertEqual(self.client.ask("TOUCH bounded k"), "TOUCHED")
        self.near("bounded", "k", 600)

    def test_max_ttl_shortens(self):
        for ttl, wanted in (("2h", 3600), ("never", 3600), ("0", 3600), ("30m", 1800), ("-", 600)):
            self.client.put("bounded", "k", "v", ttl)
            self.near("bounded", "k", wanted)
        for ttl in ("-", "10m", "never"):
            self.client.put("capped", "k", "v", ttl)
            self.near("capped", "k", 300)
        self.client.ask("TOUCH bounded k never")
        self.near("bounded", "k", 3600)

    def test_require_ttl(self):
        for request in ("PUT strict k\r\nPING\r\n", "PUT strict k - 4\r\nPING\r\n",
                        "ADD strict k\r\nPING\r\n", "PUT strict k -\r\nPING\r\n"):
            self.client.send(request + "PING\r\n")
            self.assertRegex(self.client.line(), "^CLIENT_ERROR .")
            self.client.expect("PONG\r\n")
        self.assertIsNone(self.client.get("strict", "k"))
        self.client.send(b"PUT strict k - 300000\r\n" + b"x" * 300000 + b"\r\nPING\r\n")
        self.assertRegex(self.client.line(), "^CLIENT_ERROR .")
        self.client.expect("PONG\r\n")
        self.assertEqual(self.client.put("strict", "k", "v", "1m"), "STORED")


class Purge(Case):
    @in_memory("nodes purge")
    def test_items_go_to_zero_by_themselves(self):
        client = self.connect(self.start())
        for start in range(0, 20000, 1000):
            data = "".join(f"PUT n k{i} {200 + i % 300}ms\nvalue {i}\n"
                           for i in range(start, start + 1000))
            self.assertEqual(set(client.pipelined(data, 1000)), {"STORED"})
        for i in range(100):
            client.put("n", f"stays{i}", "v", "1h")
        wait_for(lambda: client.stat("curr_items") == 100, 0.5 + 1.0, "the purge")
        self.assertGreater(client.stat("expirations", "n"), 0)
        self.assertEqual(client.stat("items", "n"), 100)
        client.ask("FLUSH n")
        wait_for(lambda: client.stat("curr_items") == 0, what="nothing to be left")
        wait_for(lambda: client.stat("bytes") == 0, what="no bytes to be left")

    @in_memory("nodes purge")
    def test_expired_namespaces_go_away(self):
        client = self.connect(self.start())
        client.put("passing", "k", "v", "20ms")
        self.assertIn("passing", " ".join(client.ask_all("NAMESPACES")))
        wait_for(lambda: "passing" not in " ".join(client.ask_all("NAMESPACES")),
                 what="an empty undeclared namespace to go")

    def test_purge_interval_is_obeyed(self):
        client = self.connect(self.start('purge_interval = "50ms";'))
        for _ in range(3):
            for i in range(500):
                client.put("n", f"k{i}", "v", "20ms")
            wait_for(lambda: client.stat("curr_items") == 0, 0.5, "the purge")


if __name__ == "__main__":
    unittest.main()
