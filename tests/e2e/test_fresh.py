"""What was just stored is there, and what lives stays while memory suffices: a value is asked
for after each that is put, with memory full, of every size, at once and in pieces, with a quota
and without, in memory and in a file.
"""

import time

from harness import Case
from test_memory import held, put_many

MIB = 1 << 20


class FreshCase(Case):
    def expect(self, client, ns, key, value):
        self.assertTrue(client.get(ns, key) == value,
                        f"{key} of {len(value)} bytes is not there")

    def put_and_get(self, client, ns, lengths):
        """Each is stored, and is there."""
        for number, length in enumerate(lengths):
            value = bytes([97 + number % 26]) * length
            self.assertEqual(client.put(ns, f"k{number}", value), "STORED")
            self.expect(client, ns, f"k{number}", value)

    def send_slowly(self, client, ns, key, value, pieces):
        client.send(f"PUT {ns} {key} - {len(value)}\r\n")
        step = len(value) // pieces + 1
        for start in range(0, len(value), step):
            client.send(value[start:start + step])
            time.sleep(0.002)  # so that they come apart
        client.send("\r\n")
        return client.reply()

    def arenas(self):
        """With the records in memory, and in a file."""
        yield ""
        yield 'arena = { file = "@/arena"; };'


class Stored(FreshCase):
    def test_large_in_48_mib(self):
        for arena in self.arenas():
            daemon = self.start(f'memory = "48M"; {arena}')
            client = self.connect(daemon)
            self.put_and_get(client, "n", [573440] * 300)
            self.assertGreater(client.stat("evictions"), 0)

    def test_50000_bytes_in_4_mib(self):
        for arena in self.arenas():
            daemon = self.start(f'memory = "4M"; {arena}')
            client = self.connect(daemon)
            self.put_and_get(client, "n", [50000] * 1500)
            self.assertGreater(client.stat("evictions"), 0)

    def test_small_in_4_mib(self):
        daemon = self.start('memory = "4M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 10000, 400)
        self.put_and_get(client, "n", [number % 900 + 1 for number in range(4000)])
        self.assertGreater(client.stat("evictions"), 0)

    def test_every_size_up_to_the_largest(self):
        daemon = self.start('memory = "16M"; max_value = "4M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 20000, 1000)
        sizes = [1 << order for order in range(23)]
        self.put_and_get(client, "n", [size - less for size in sizes for less in (1, 0)] * 3)
        self.assertGreater(client.stat("evictions"), 0)

    def test_with_a_quota(self):
        daemon = self.start('memory = "64M"; max_value = "4M";'
                            'namespaces = ( { name = "n"; memory = "4M"; } );')
        client = self.connect(daemon)
        self.put_and_get(client, "n", [200000 + number * 7919 % 800000 for number in range(200)])
        self.put_and_get(client, "n", [number % 3000 + 1 for number in range(3000)])
        self.put_and_get(client, "n", [3 * MIB - 8192] * 5)
        self.assertGreater(client.stat("evictions"), 0)

    def test_in_pieces(self):
        for arena in self.arenas():
            daemon = self.start(f'memory = "16M"; {arena}'
                                'namespaces = ( { name = "own"; memory = "4M"; } );')
            client, other = self.connect(daemon), self.connect(daemon)
            put_many(other, "n", 0, 20000, 1000)
            for number in range(30):
                for ns in ("n", "own"):
                    value = bytes([97 + number % 26]) * (100000 + number * 30000)
                    key = f"slow{number}"
                    self.assertEqual(self.send_slowly(client, ns, key, value, 6), "STORED")
                    self.expect(other, ns, key, value)
            self.assertGreater(client.stat("evictions"), 0)


class Refused(FreshCase):
    """With SERVER_ERROR, and all that was there is there still."""

    def test_more_than_a_quota_can_keep(self):
        daemon = self.start('memory = "64M"; max_value = "4M";'
                            'namespaces = ( { name = "n"; memory = "2M"; } );')
        client = self.connect(daemon)
        put_many(client, "n", 0, 1000, 1000)
        self.assertEqual(client.put("n", "key", b"old"), "STORED")
        for slowly in (False, True):
            value = b"v" * 2050000
            reply = (self.send_slowly(client, "n", "key", value, 5) if slowly
                     else client.put("n", "key", value))
            self.assertRegex(reply, "^SERVER_ERROR")
            self.expect(client, "n", "key", b"old")
            self.assertEqual(held(client, "n", 0, 1000, 1000), 1000)
        self.assertEqual(client.stat("evictions"), 0)

    def test_more_than_quotas_leave(self):
        daemon = self.start('memory = "16M"; max_value = "4M";'
                            'namespaces = ( { name = "kept"; memory = "12M"; } );')
        client = self.connect(daemon)
        put_many(client, "kept", 0, 14000, 1000)
        put_many(client, "n", 0, 6000, 500)
        self.assertEqual(client.put("n", "key", b"old"), "STORED")
        before = client.stat("evictions")
        self.assertRegex(client.put("n", "key", b"v" * (4 * MIB)), "^SERVER_ERROR")
        self.expect(client, "n", "key", b"old")
        self.assertEqual(client.stat("evictions"), before)


class Lives(FreshCase):
    def test_what_is_not_overwritten_stays(self):
        """70,000 records of 400 bytes are less than half of the default of 64 MiB."""
        daemon = self.start('memory = "64M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 70000, 400)
        for _ in range(8):
            put_many(client, "n", 0, 35000, 400)
        self.assertEqual(client.stat("evictions"), 0)
        self.assertEqual(held(client, "n", 0, 70000, 400), 70000)

    def test_three_quarters_live(self):
        daemon = self.start('memory = "16M";')
        client = self.connect(daemon)
        count = 0
        while client.stat("bytes") + client.stat("index_bytes") < 12 * MIB:
            put_many(client, "n", count, 100, 1000)
            count += 100
        for _ in range(10):
            put_many(client, "n", 0, count // 2, 1000)
        self.assertEqual(client.stat("evictions"), 0)
        self.assertEqual(held(client, "n", 0, count, 1000), count)
