"""The daemon's memory while it runs: larger and smaller, by a reload of its configuration and
by memcached's cache_memlimit; under load, with the records in a file, and with users.
"""

import os
import signal
import threading
import time

from harness import SANITIZER, Case, Client, seconds, wait_for
from persistence import Lasting
from memcache import Memcache
from test_users import user, users

MIB = 1 << 20

TOO_SMALL = "MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m"
BYTES = "MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes"


def put_many(client, ns, first, count, length):
    """Records of that many bytes each; all must be stored."""
    step = max(1, 500000 // (length + 40))
    for start in range(first, first + count, step):
        keys = range(start, min(start + step, first + count))
        data = "".join(f"PUT {ns} k{i} - {length}\r\n{i % 10}" + "v" * (length - 1) + "\r\n"
                       for i in keys)
        if set(client.pipelined(data, len(keys))) != {"STORED"}:
            raise AssertionError("a record was not stored")


def held(client, ns, first, count, length):
    """How many of these are there; those that are must be right."""
    found = 0
    for start in range(first, first + count, 2000):
        keys = range(start, min(start + 2000, first + count))
        for key, reply in zip(keys, client.pipelined(
                "".join(f"GET {ns} k{i}\r\n" for i in keys), len(keys))):
            if reply != "NOT_FOUND":
                found += 1
                if reply[1] != f"{key % 10}".encode() + b"v" * (length - 1):
                    raise AssertionError(f"k{key} is wrong")
    return found


class MemoryCase(Case):
    def limit(self, client):
        return client.stat("limit_maxbytes")

    def wait_within(self, client):
        """Until no more is used than may be."""
        wait_for(lambda: client.stat("memory_used") <= self.limit(client), 30,
                 "the memory to be given back")

    def held_at_rest(self, client, *which):
        """How many of these are there, counted while none was evicted: what comes free ahead of
        writers is made free after the memory is within its limit."""
        def count():
            before = client.stat("evictions")
            counted = held(client, *which), client.stat("curr_items")
            return counted if client.stat("evictions") == before else None
        return wait_for(count, 30, "evictions to end")

    def reload(self, daemon, conf, wanted="reloaded the configuration"):
        daemon.configure(conf)
        return daemon.reload(wanted)


class Reload(MemoryCase):
    def test_larger(self):
        daemon = self.start('memory = "16M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 10000, 1000)
        self.assertEqual(client.stat("evictions"), 0)
        said = self.reload(daemon, 'memory = "64M";')
        self.assertIn("memory: 64 MiB, was 16 MiB", said)
        self.assertNotIn("restart", said)
        self.assertEqual(self.limit(client), 64 * MIB)
        put_many(client, "n", 10000, 40000, 1000)
        self.assertEqual(client.stat("evictions"), 0)
        self.assertEqual(held(client, "n", 0, 50000, 1000), 50000)

    def test_smaller(self):
        daemon = self.start('memory = "128M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 100000, 1000)
        before, full = daemon.resident(), client.stat("memory_used")
        self.reload(daemon, 'memory = "16M";')
        self.assertEqual(self.limit(client), 16 * MIB)
        self.wait_within(client)
        left, items = self.held_at_rest(client, "n", 0, 100000, 1000)
        self.assertGreater(left, 12000)
        self.assertEqual(left, items)
        if not SANITIZER and not daemon.ARENA:
            wait_for(lambda: before - daemon.resident() > (full - 16 * MIB) * 0.9, 5,
                     "the system to have it back")
        put_many(client, "n", 200000, 20000, 1000)
        self.assertLessEqual(client.stat("memory_used"), 16 * MIB)

    def test_quotas_come_with_it(self):
        """Both larger and both smaller at once: neither order of the two alone would do."""
        small = 'memory = "16M"; namespaces = ( { name = "q"; memory = "12M"; } ); max_value = "4M";'
        large = 'memory = "64M"; namespaces = ( { name = "q"; memory = "60M"; } ); max_value = "16M";'
        daemon = self.start(small)
        client = self.connect(daemon)
        for _ in range(3):
            self.reload(daemon, large)
            self.assertEqual((self.limit(client), client.stat("quota", "q")), (64 * MIB, 60 * MIB))
            put_many(client, "q", 0, 30000, 1000)
            self.reload(daemon, small)
            self.assertEqual((self.limit(client), client.stat("quota", "q")), (16 * MIB, 12 * MIB))
            self.wait_within(client)
            self.assertGreater(held(client, "q", 0, 30000, 1000), 4000)

    def test_too_small_for_what_is_promised(self):
        daemon = self.start('memory = "64M"; namespaces = ( { name = "q"; memory = "32M"; } );')
        client = self.connect(daemon)
        client.put("q", "k", "v")
        for conf in ('memory = "16M"; namespaces = ( { name = "q"; memory = "32M"; } );',
                     'memory = "3M";', 'memory = "8M"; max_value = "4M";'):
            said = self.reload(daemon, conf, "reload refused")
            self.assertRegex(said, r"kvcached\.conf:\d+: ")
            self.assertEqual(self.limit(client), 64 * MIB)
        self.assertEqual(client.get("q", "k"), b"v")

    def test_more_than_can_be_had(self):
        """The old memory stays, all else of the file holds; but not what only more could hold."""
        daemon = self.start('memory = "64M";')
        client = self.connect(daemon)
        client.put("a", "k", "v")
        said = self.reload(daemon, 'memory = "5G"; ttl = "1h";')
        self.assertRegex(said, r"memory: .*5\.0 GiB.*left at 64 MiB.*4\.0 GiB.*restart")
        self.assertEqual(self.limit(client), 64 * MIB)
        self.assertIn("3600", client.stats("a")["ttl"])
        said = self.reload(daemon, 'memory = "5G"; ttl = "2h"; namespaces = ( { name = "a"; '
                                   'memory = "1G"; } );', "reload refused")
        self.assertIn("quotas", said)
        self.assertIn("3600", client.stats("a")["ttl"])
        self.assertEqual(self.limit(client), 64 * MIB)
        self.reload(daemon, 'memory = "4G";')
        self.assertEqual(self.limit(client), 4096 * MIB)
        self.assertEqual(client.get("a", "k"), b"v")

    def test_a_reload_that_fails_leaves_it(self):
        daemon = self.start('memory = "16M";')
        client = self.connect(daemon)
        said = self.reload(daemon, 'memory = "64M"; log = "/nonexistent/log";', "reload refused")
        self.assertIn("/nonexistent/log", said)
        self.assertEqual(self.limit(client), 16 * MIB)
        put_many(client, "n", 0, 40000, 1000)
        self.assertLessEqual(client.stat("memory_used"), 16 * MIB)

    def test_other_clients_do_not_wait(self):
        """Half a million records go while others read and write."""
        daemon = self.start('memory = "512M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 400000, 1000)
        put_many(client, "kept", 0, 1000, 100)
        waits = []
        done = threading.Event()

        def ask():
            with Client(daemon.address) as other:
                number = 0
                while not done.is_set():
                    begun = time.monotonic()
                    other.send(f"GET kept k{number % 1000}\r\nPUT new k{number} - 100\r\n"
                               + "v" * 100 + "\r\n")
                    other.reply()
                    if other.reply() != "STORED":
                        raise AssertionError("not stored")
                    waits.append(time.monotonic() - begun)
                    number += 1
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            wait_for(lambda: len(waits) > 100, 10, "answers")
            begun = time.monotonic()
            self.reload(daemon, 'memory = "16M";')
            self.wait_within(client)
            took = time.monotonic() - begun
        finally:
            done.set()
            asking.join()
        waits.sort()
        # The whole of it takes half a second and more; a request waits for a slice of it.
        self.assertLess(waits[len(waits) * 99 // 100], max(seconds(0.02), took / 10), f"of {took} s")
        self.assertLess(waits[-1], max(seconds(0.3), took / 2), f"of {took} s")
        self.assertLessEqual(client.stat("memory_used"), 16 * MIB)

    def test_up_and_down_under_load(self):
        daemon = self.start('memory = "16M"; max_value = "1M";')
        client = self.connect(daemon)
        done = threading.Event()
        wrong = []

        def write(name):
            try:
                with Client(daemon.address) as other:
                    start = 0
                    while not done.is_set():
                        put_many(other, name, start, 1000, 1 + start % 3000)
                        put_many(other, name, 1000000 + start, 2, 200000)
                        start += 1000
            except Exception as error:  # told by the test's own thread
                wrong.append(error)
        writers = [threading.Thread(target=write, args=(f"w{i}",)) for i in range(3)]
        for writer in writers:
            writer.start()
        try:
            for memory in (64, 8, 32, 4, 128, 16, 4, 64, 8):
                self.reload(daemon, f'memory = "{memory}M"; max_value = "1M";')
                self.assertEqual(self.limit(client), memory * MIB)
                self.wait_within(client)
        finally:
            done.set()
            for writer in writers:
                writer.join()
        self.assertEqual(wrong, [])


class File(MemoryCase):
    def lasting(self, conf):
        daemon = Lasting(conf)
        self.addCleanup(self._end, daemon)
        return daemon

    def blocks(self, daemon):
        return os.stat(daemon.arena).st_blocks * 512

    def test_up_and_down_and_again(self):
        daemon = self.lasting('memory = "16M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 10000, 1000)
        self.reload(daemon, 'memory = "64M";')
        put_many(client, "n", 10000, 40000, 1000)
        self.assertEqual(client.stat("evictions"), 0)
        daemon.again(signal.SIGKILL)
        client = self.connect(daemon)
        self.assertEqual(self.limit(client), 64 * MIB)
        self.assertEqual(held(client, "n", 0, 50000, 1000), 50000)
        self.reload(daemon, 'memory = "16M";')
        self.wait_within(client)
        self.assertLess(self.blocks(daemon), 18 * MIB)
        left, _ = self.held_at_rest(client, "n", 0, 50000, 1000)
        self.assertGreater(left, 10000)
        for number in (signal.SIGKILL, signal.SIGTERM):
            daemon.again(number)
            client = self.connect(daemon)
            self.assertEqual(held(client, "n", 0, 50000, 1000), left)
            self.assertLessEqual(client.stat("memory_used"), 16 * MIB)

    def test_killed_while_it_shrinks(self):
        daemon = self.lasting('memory = "256M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 200000, 1000)
        self.reload(daemon, 'memory = "16M";')
        daemon.again(signal.SIGKILL)
        client = self.connect(daemon)
        self.wait_within(client)
        self.assertGreater(held(client, "n", 0, 200000, 1000), 10000)

    def test_no_room_for_it(self):
        daemon = self.lasting('memory = "16M";')
        client = self.connect(daemon)
        client.put("a", "k", "v")
        system = os.statvfs(daemon.arena_folder)
        room = system.f_bavail * system.f_frsize
        if room == 0 or room >= 4096 * MIB:
            self.skipTest("the file system has room for more than there may be")
        said = self.reload(daemon, 'memory = "4G";')
        self.assertIn("the file system has room for", said)
        self.assertEqual(self.limit(client), 16 * MIB)
        self.assertEqual(client.get("a", "k"), b"v")


class Command(MemoryCase):
    """cache_memlimit, in memcached's words."""

    def begin(self, conf=""):
        daemon = Memcache(conf)
        self.addCleanup(self._end, daemon)
        wire = daemon.talk()
        self.addCleanup(wire.close)
        return daemon, wire

    def limit_of(self, wire):
        return int(wire.stats()["limit_maxbytes"])

    def test_what_is_said(self):
        _, wire = self.begin()
        for request, answer, limit in (
                ("cache_memlimit 128", "OK", 128), ("cache_memlimit 32 x", "OK", 32),
                ("cache_memlimit 8", "OK", 8), ("cache_memlimit 064", "OK", 64),
                ("cache_memlimit", "ERROR", 64), ("cache_memlimit x", "ERROR", 64),
                ("cache_memlimit -1", "ERROR", 64), ("cache_memlimit 4294967296", "ERROR", 64),
                ("cache_memlimit 7", TOO_SMALL, 64), ("cache_memlimit 0", TOO_SMALL, 64),
                ("cache_memlimit 1000000001", BYTES, 64), ("cache_memlimit 4294967295", BYTES, 64)):
            self.assertEqual(wire.ask(request), answer, request)
            self.assertEqual(self.limit_of(wire), limit * MIB, request)
        for request in ("cache_memlimit 4097", "cache_memlimit 1000000000"):
            self.assertEqual(wire.ask(request), "MEMLIMIT_ADJUST_FAILED at most 4096 megabytes can "
                                                "be had without a restart")
        self.assertEqual(wire.stats("settings")["maxbytes"], str(64 * MIB))

    def test_noreply(self):
        _, wire = self.begin()
        for request, limit in (("cache_memlimit 32 noreply", 32), ("cache_memlimit 7 noreply", 32),
                               ("cache_memlimit x noreply", 32), ("cache_memlimit noreply", 32),
                               ("cache_memlimit 5000 noreply", 32)):
            self.assertEqual(wire.ask(request + "\nmn"), "MN", request)
            self.assertEqual(self.limit_of(wire), limit * MIB)

    def test_promises_are_kept(self):
        _, wire = self.begin('memory = "64M"; max_value = "4M"; '
                             'namespaces = ( { name = "q"; memory = "32M"; } );')
        self.assertRegex(wire.ask("cache_memlimit 31"), "^MEMLIMIT_ADJUST_FAILED .*quotas")
        self.assertEqual(wire.ask("cache_memlimit 32"), "OK")

    def test_it_is_done(self):
        daemon, wire = self.begin('memory = "128M";')
        client = self.connect(daemon)
        put_many(client, "n", 0, 100000, 1000)
        self.assertEqual(wire.ask("cache_memlimit 16"), "OK")
        self.wait_within(client)
        self.assertGreater(held(client, "n", 0, 100000, 1000), 10000)
        self.assertEqual(wire.ask("cache_memlimit 128"), "OK")
        put_many(client, "m", 0, 80000, 1000)
        self.assertEqual(held(client, "m", 0, 80000, 1000), 80000)
        daemon.wait_log("memory: 16 MiB, was 128 MiB: a client set it")

    def test_a_reload_sets_what_the_file_says(self):
        daemon, wire = self.begin('memory = "32M";')
        self.assertEqual(wire.ask("cache_memlimit 64"), "OK")
        self.reload(daemon, 'memory = "32M"; ttl = "1h";')
        self.assertEqual(self.limit_of(wire), 32 * MIB)
        self.assertEqual(wire.ask("cache_memlimit 8"), "OK")
        self.reload(daemon, 'memory = "32M"; ttl = "2h";')
        self.assertEqual(self.limit_of(wire), 32 * MIB)

    def test_users(self):
        daemon, stranger = self.begin(users(
            user("root", "top", admin="*"), user("some", "part", read="*", write="*", admin="a*")))
        self.assertEqual(stranger.ask("cache_memlimit 128"), "CLIENT_ERROR unauthenticated")
        for name, secret, may in (("some", "part", False), ("root", "top", True)):
            wire = daemon.talk()
            self.addCleanup(wire.close)
            said = f"{name} {secret}"
            self.assertEqual(wire.ask(f"set auth 0 0 {len(said)}\n{said}"), "STORED")
            answer = wire.ask("cache_memlimit 128")
            if may:
                self.assertEqual(answer, "OK")
                self.assertEqual(self.limit_of(wire), 128 * MIB)
            else:
                self.assertRegex(answer, 'CLIENT_ERROR not allowed: .*"admin" everywhere')
        daemon.wait_log('user "root" set it')


if __name__ == "__main__":
    import unittest
    unittest.main()
