"""Values of every size around each boundary: of buffers, segments and limits.

Each value is made from its size, so that a byte that moved is noticed.
"""

import hashlib
import random
import unittest

from harness import SANITIZER, Case, SharedCase, seconds, wait_for
from nodes import in_memory

KIB = 1024
MIB = 1024 * KIB

BOUNDARIES = sorted({size for middle in (127, 255, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB,
                                         128 * KIB, 256 * KIB, 512 * KIB)
                     for size in range(middle - 3, middle + 4)}
                    | set(range(0, 20)) | set(range(MIB - 3, MIB + 1)))


def value_of(size, seed=0):
    """`size` bytes that no other size or seed has, line ends and NULs among them."""
    if size == 0:
        return b""
    length = min(size, 64 * KIB - 7)
    block = random.Random(size * 31 + seed).getrandbits(8 * length).to_bytes(length, "little")
    return (block * (size // length + 1))[:size]


def put_bytes(ns, key, value, ttl="1h"):
    return f"PUT {ns} {key} {ttl} {len(value)}\r\n".encode() + value + b"\r\n"


class Sizes(SharedCase):
    CONF = 'memory = "128M"; max_value = "1M";'

    def test_every_boundary(self):
        for size in BOUNDARIES:
            value = value_of(size)
            self.assertEqual(self.client.put(self.ns, "k", value), "STORED", size)
            self.assertTrue(self.client.get(self.ns, "k") == value, size)

    def test_every_boundary_with_line_feeds(self):
        for size in BOUNDARIES[::3]:
            value = value_of(size, 1)
            self.client.send(f"PUT {self.ns} k 1h {size}\n".encode() + value + b"\n")
            self.assertEqual(self.client.reply(), "STORED", size)
            self.assertTrue(self.client.get(self.ns, "k") == value, size)

    def test_every_boundary_in_one_pipeline(self):
        data, wanted = [], []
        for size in BOUNDARIES:
            value = value_of(size, 2)
            data.append(put_bytes(self.ns, f"k{size}", value) + f"GET {self.ns} k{size}\r\n".encode())
            wanted += ["STORED", (f"VALUE {size}", value)]
        replies = self.client.pipelined(b"".join(data), len(wanted))
        self.assertEqual([r if isinstance(r, str) else r[0] for r in replies],
                         [w if isinstance(w, str) else w[0] for w in wanted])
        self.assertTrue(replies == wanted)
        with self.connect(self.daemon) as other:
            found = {}
            for line, value in other.ask_all(f"ALL {self.ns}"):
                found[line] = value
        self.assertEqual(set(found), {f"RECORD k{size} {size}" for size in BOUNDARIES})
        self.assertTrue(all(found[f"RECORD k{size} {size}"] == value_of(size, 2)
                            for size in BOUNDARIES))

    def test_one_get_of_every_size(self):
        for size in BOUNDARIES:
            self.client.put(self.ns, f"k{size}", value_of(size, 3))
        self.client.send(f"GET {self.ns} " + " ".join(f"k{size}" for size in BOUNDARIES) + "\r\n")
        for size in BOUNDARIES:
            reply = self.client.reply()
            self.assertEqual(reply[0], f"VALUE {size}")
            self.assertTrue(reply[1] == value_of(size, 3), size)

    def test_from_one_size_to_the_next(self):
        sizes = BOUNDARIES[:]
        random.Random(5).shuffle(sizes)
        for size in sizes:
            self.assertEqual(self.client.put(self.ns, "k", value_of(size, 4)), "STORED", size)
            self.assertTrue(self.client.get(self.ns, "k") == value_of(size, 4), size)
        self.assertEqual(self.client.ask(f"FLUSH {self.ns}"), "FLUSHED 1")

    def test_values_on_a_line(self):
        for size in (0, 1, 127, 128, 4096, 16383, 16384, 16385, 65000, 65533, 65534):
            value = b"y" * size
            self.client.send(f"PUT {self.ns} k 1h\r\n".encode() + value + b"\r\n")
            self.assertEqual(self.client.reply(), "STORED", size)
            self.assertTrue(self.client.get(self.ns, "k") == value, size)

    def test_a_value_cut_everywhere_that_matters(self):
        for size in (10, 16 * KIB, 64 * KIB, 300 * KIB):
            value = value_of(size, 6)
            data = put_bytes(self.ns, "k", value)
            head = len(data) - size - 2
            for cut in {head - 2, head - 1, head, head + 1, head + size // 2, len(data) - 3,
                        len(data) - 2, len(data) - 1}:
                self.client.send(b"PING\r\n" + data[:cut])
                self.client.expect("PONG\r\n")
                self.client.send(data[cut:] + f"GET {self.ns} k\r\n".encode())
                self.client.expect(f"STORED\r\nVALUE {size}\r\n")
                self.assertTrue(self.client.value(size) == value, (size, cut))

    def test_long_keys_with_large_values(self):
        for size in (0, 100, 16 * KIB, 64 * KIB, MIB):
            key = "k" * 1024
            self.assertEqual(self.client.put(self.ns, key, value_of(size, 7)), "STORED")
            self.assertTrue(self.client.get(self.ns, key) == value_of(size, 7), size)

    def test_add_does_not_replace_a_large_value(self):
        value = value_of(MIB)
        self.client.put(self.ns, "k", value)
        for size in (3, 70 * KIB, MIB):
            self.assertEqual(self.client.put(self.ns, "k", value_of(size, 8), verb="ADD"), "EXISTS")
        self.assertTrue(self.client.get(self.ns, "k") == value)

    def test_too_large_is_refused_in_step(self):
        self.client.put(self.ns, "k", "old")
        for size in (MIB + 1, MIB + 2, MIB + 70000, 3 * MIB):
            data = put_bytes(self.ns, "k", value_of(size)) + f"GET {self.ns} k\r\n".encode()
            reply, then = self.client.pipelined(data, 2)
            self.assertRegex(reply, "^(CLIENT|SERVER)_ERROR .", size)
            self.assertEqual(then, ("VALUE 3", b"old"))

    def test_far_too_large_is_refused_at_once(self):
        for size in (2**32, 2**40, 2**63 - 1, 2**64 - 1):
            with self.connect(self.daemon) as client:
                client.send(f"PUT {self.ns} k 1m {size}\r\n")
                self.assertRegex(client.line(), "^(CLIENT|SERVER)_ERROR .")
                client.send("DEL a b\r\nPING\r\n")
                client.finish()
                self.assertNotIn(b"PONG", client.rest())


class Unfinished(SharedCase):
    """Large values that never come whole, or that change while they are sent."""

    CONF = 'memory = "64M"; max_value = "8M";'

    def test_half_a_value_is_no_value(self):
        self.client.put(self.ns, "k", "old")
        for _ in range(30):
            with self.connect(self.daemon) as client:
                client.send(f"PUT {self.ns} k 1h {6 * MIB}\r\n")
                client.send(value_of(3 * MIB))
                self.assertEqual(self.client.get(self.ns, "k"), b"old")
        self.assertEqual(self.client.put(self.ns, "k", value_of(6 * MIB)), "STORED")
        self.assertTrue(self.client.get(self.ns, "k") == value_of(6 * MIB))
        self.assertEqual(self.client.ask(f"FLUSH {self.ns}"), "FLUSHED 1")

    def test_half_a_value_and_a_half_closed_connection(self):
        with self.connect(self.daemon) as client:
            client.send(f"PING\r\nPUT {self.ns} k 1h {6 * MIB}\r\n")
            client.send(value_of(MIB))
            client.finish()
            client.expect("PONG\r\n")
            client.expect_closed()
        self.assertIsNone(self.client.get(self.ns, "k"))

    def test_two_writers_of_one_key(self):
        first, second = self.connect(self.daemon), self.connect(self.daemon)
        one, two = put_bytes(self.ns, "k", value_of(MIB, 1)), put_bytes(self.ns, "k", value_of(MIB, 2))
        first.send(one[:600000])
        second.send(two[:400000])
        first.send(one[600000:])
        self.assertEqual(first.reply(), "STORED")
        self.assertTrue(self.client.get(self.ns, "k") == value_of(MIB, 1))
        second.send(two[400000:])
        self.assertEqual(second.reply(), "STORED")
        self.assertTrue(self.client.get(self.ns, "k") == value_of(MIB, 2))

    def changed_while_sent(self, change):
        value = value_of(8 * MIB)
        self.client.put(self.ns, "k", value)
        slow = self.kept(self.daemon.connect(receive_buffer=4096))
        slow.send(f"GET {self.ns} k\r\nPING\r\n")
        slow.expect(f"VALUE {8 * MIB}\r\n")
        change()
        self.assertTrue(slow.value(8 * MIB) == value)
        slow.expect("PONG\r\n")

    def test_replaced_while_it_is_sent(self):
        self.changed_while_sent(lambda: self.client.put(self.ns, "k", value_of(8 * MIB, 1)))
        self.assertTrue(self.client.get(self.ns, "k") == value_of(8 * MIB, 1))

    def test_deleted_while_it_is_sent(self):
        self.changed_while_sent(lambda: self.client.ask(f"DEL {self.ns} k"))
        self.assertIsNone(self.client.get(self.ns, "k"))

    def test_flushed_while_it_is_sent(self):
        self.changed_while_sent(lambda: self.client.ask(f"FLUSH {self.ns}"))
        self.assertIsNone(self.client.get(self.ns, "k"))

    def test_expired_while_it_is_sent(self):
        def expire():
            self.client.ask(f"TOUCH {self.ns} k 10ms")
            wait_for(lambda: self.client.get(self.ns, "k") is None, what="its end")
            wait_for(lambda: not [line for line in self.client.ask_all("NAMESPACES")
                                  if f" {self.ns} 1 " in line], what="the purge")
        self.changed_while_sent(expire)

    def test_evicted_while_it_is_sent(self):
        def crowd():
            for i in range(100):
                self.client.put(self.ns, f"other{i}", value_of(MIB, i))
        self.changed_while_sent(crowd)


class Largest(Case):
    def test_64_MiB(self):
        size = 64 * MIB if SANITIZER != "thread" else 16 * MIB
        daemon = self.start('memory = "256M"; max_value = "64M";')
        client = self.connect(daemon, timeout=30)
        value = value_of(size)
        for _ in range(2):
            self.assertEqual(client.put("big", "k", value), "STORED")
            found = client.get("big", "k")
            self.assertEqual(hashlib.sha256(found).digest(), hashlib.sha256(value).digest())
        self.assertEqual(client.ask("DEL big k"), "DELETED")
        self.assertEqual(client.ask("PING"), "PONG")
        client.socket.settimeout(seconds(30))
        data = f"PUT big k 1h {64 * MIB + 1}\r\n".encode()
        client.send(data)
        self.assertRegex(client.line(), "^(CLIENT|SERVER)_ERROR .")

    @in_memory("there are no quotas")
    def test_larger_than_a_quota(self):
        daemon = self.start('memory = "16M"; max_value = "4M";\n'
                            'namespaces = ( { name = "tiny"; memory = "1M"; } );')
        client = self.connect(daemon)
        client.put("tiny", "k", "kept")
        for size in (MIB, 4 * MIB):
            data = put_bytes("tiny", "k", value_of(size)) + b"GET tiny k\r\n"
            reply, then = client.pipelined(data, 2)
            self.assertRegex(reply, "^(CLIENT|SERVER)_ERROR .", size)
            self.assertEqual(then, ("VALUE 4", b"kept"))
        self.assertEqual(client.put("other", "k", value_of(4 * MIB)), "STORED")
        self.assertTrue(client.get("other", "k") == value_of(4 * MIB))


if __name__ == "__main__":
    unittest.main()
