"""Running out: of memory, of a quota, of file descriptors, of address space.

None of it may end the daemon, and it must recover when there is enough again.
"""

import errno
import re
import resource
import time
import unittest

from harness import SANITIZER, Case, Client, wait_for

MIB = 1 << 20


def put_many(client, ns, count, size, ttl="1h", start=0):
    """Stores `count` values of that size; returns the replies' words."""
    value = "v" * size
    words = set()
    for at in range(start, start + count, 500):
        data = "".join(f"PUT {ns} k{i} {ttl} {size}\r\n{value}\r\n"
                       for i in range(at, min(at + 500, start + count)))
        words.update(client.pipelined(data, data.count("PUT ")))
    return words


class Memory(Case):
    def test_pressure_evicts_and_keeps_serving(self):
        daemon = self.start('memory = "8M";')
        client = self.connect(daemon)
        before = daemon.resident()
        self.assertEqual(put_many(client, "n", 40000, 1000), {"STORED"})
        self.assertEqual(client.get("n", "k39999"), b"v" * 1000)

        def adds_up():  # once the housekeeper, which evicts ahead of need, has done so
            self.stats = client.stats()
            items = int(self.stats["curr_items"])
            return (items + int(self.stats["evictions"]) == 40000 and
                    items == len(client.ask_all("LIST n")))

        wait_for(adds_up, what="the figures to add up")
        self.assertGreater(int(self.stats["evictions"]), 20000)
        self.assertGreater(int(self.stats["curr_items"]), 3000)
        self.assertLessEqual(int(self.stats["bytes"]), 8 * MIB)
        if not SANITIZER:
            self.assertLess(daemon.resident() - before, 12 * MIB)

    def press(self, client, hot):
        """Writes twice what memory holds, and reads the hot keys again and again;
        returns how many of them are left."""
        for start in range(10000, 26000, 500):
            put_many(client, "n", 500, 1000, start=start)
            client.send("GET n " + " ".join(hot) + "\r\n")
            for _ in hot:
                client.reply()
        return sum(client.get("n", key) is not None for key in hot)

    def test_what_is_read_often_stays(self):
        client = self.connect(self.start('memory = "8M";'))
        for i in range(0, 2000, 10):
            put_many(client, "n", 1, 100, start=i)
            put_many(client, "n", 9, 1000, start=i + 1)
        kept = self.press(client, [f"k{i}" for i in range(0, 2000, 10)])
        self.assertGreater(kept, 180)

    def test_neighbours_that_are_all_read_often(self):
        client = self.connect(self.start('memory = "8M";'))
        put_many(client, "n", 200, 100)
        kept = self.press(client, [f"k{i}" for i in range(200)])
        self.assertGreater(kept, 40)

    def test_overwriting_is_not_eviction(self):
        client = self.connect(self.start('memory = "8M";'))
        for _ in range(60):
            self.assertEqual(put_many(client, "n", 1000, 1000), {"STORED"})
        self.assertEqual(client.stat("evictions"), 0)
        self.assertEqual(client.stat("curr_items"), 1000)

    def test_no_size_calcifies(self):
        client = self.connect(self.start('memory = "8M";'))
        for size in (10, 1000, 100, 50000, 300, 500000, 10):
            count = min(16 * MIB // max(size, 200), 30000)
            self.assertEqual(put_many(client, "n", count, size), {"STORED"}, size)
            self.assertEqual(client.get("n", f"k{count - 1}"), b"v" * size)
            self.assertGreaterEqual(client.stat("bytes"), min(count * size, 3 * MIB), size)

    def test_a_quota_stays_inside(self):
        client = self.connect(self.start("""
            memory = "16M";
            namespaces = ( { name = "greedy"; memory = "2M"; } );
        """))
        self.assertEqual(put_many(client, "modest", 1000, 500), {"STORED"})
        self.assertEqual(put_many(client, "greedy", 20000, 500), {"STORED"})
        self.assertEqual(client.stat("items", "modest"), 1000)
        self.assertEqual(client.stat("evictions", "modest"), 0)
        self.assertGreater(client.stat("evictions", "greedy"), 1000)
        self.assertLessEqual(client.stat("bytes", "greedy"), 2 * MIB)
        self.assertGreater(client.stat("items", "greedy"), 1000)
        for i in range(1000):
            self.assertIsNotNone(client.get("modest", f"k{i}"))

    def test_a_quota_is_kept_for_its_owner(self):
        client = self.connect(self.start("""
            memory = "16M";
            namespaces = ( { name = "owner"; memory = "4M"; } );
        """))
        self.assertEqual(put_many(client, "owner", 2000, 1000), {"STORED"})
        self.assertEqual(put_many(client, "others", 40000, 1000), {"STORED"})
        self.assertEqual(client.stat("evictions", "owner"), 0)
        self.assertEqual(client.stat("items", "owner"), 2000)

    def test_ten_thousand_small_namespaces(self):
        client = self.connect(self.start('memory = "64M";'))
        for start in range(0, 10000, 500):
            data = "".join(f"PUT ns{n} k{i} 1h\nvalue {n} {i}\n"
                           for n in range(start, start + 500) for i in range(10))
            self.assertEqual(set(client.pipelined(data, 5000)), {"STORED"})
        self.assertEqual(client.stat("curr_items"), 100000)
        self.assertEqual(client.stat("evictions"), 0)
        for n in range(0, 10000, 97):
            self.assertEqual(client.get(f"ns{n}", "k7"), f"value {n} 7".encode())

    def test_when_large_values_are_held(self):
        # Large values are pinned while peers that do not read ask for them: those give way.
        daemon = self.start('memory = "16M"; max_value = "4M";',
                            listen='listen = ( { path = "@/socket"; } );\n')
        client = self.connect(daemon)
        value = b"v" * (4 * MIB)
        head = f"VALUE {4 * MIB}\r\n"
        for i in range(3):
            self.assertEqual(client.put("n", f"k{i}", value), "STORED")
            peer = self.kept(daemon.connect(timeout=30))
            peer.send(f"GET n k{i}\r\n")
            peer.expect(head)  # at once, or when the one before it has given way
        client.put("n", "small", "old")
        for i in range(20):
            old = client.get("n", "small")
            reply = client.put("n", "small" if i % 2 else f"large{i}", value)
            self.assertRegex(reply, "^STORED$|^SERVER_ERROR .")
            if reply != "STORED":
                self.assertIn(client.get("n", "small"), (old, None))
        self.assertGreaterEqual(client.stat("closed_slow_reader"), 2)
        client.put("n", "last", value)
        last = self.kept(daemon.connect(timeout=30))
        self.assertEqual(last.get("n", "last"), value)
        peer.close()
        wait_for(lambda: client.put("n", "k", value) == "STORED", what="memory to be there again")

    def test_a_flush_gives_memory_back(self):
        if SANITIZER:
            self.skipTest("a sanitizer keeps memory of its own")
        daemon = self.start('memory = "128M";')
        client = self.connect(daemon)
        before = daemon.resident()
        put_many(client, "n", 40000, 2000)
        grown = daemon.resident() - before
        self.assertGreater(grown, 70 * MIB)
        client.ask("FLUSH n")
        wait_for(lambda: daemon.resident() - before < grown * 0.2, 5, "memory to be given back")


class Declared(Case):
    def test_only_declared_namespaces(self):
        client = self.connect(self.start("""
            namespaces_policy = "declared";
            namespaces = ( { name = "mine"; } );
        """))
        self.assertEqual(client.put("mine", "k", "v"), "STORED")
        for request in ("GET other k", "DEL other k", "TTL other k", "TOUCH other k 5",
                        "INCR other k", "DECR other k", "LIST other", "ALL other", "FLUSH other",
                        "STATS other", "PUT other k 1m 4\r\nPING", "PUT other k 1m\r\nPING",
                        "ADD other k 1m 4\r\nPING"):
            client.send(request + "\r\nPING\r\n")
            self.assertRegex(client.line(), "^CLIENT_ERROR .", request)
            self.assertEqual(client.line(), "PONG", request)
        client.pipelined(b"PUT other k 1m 900000\r\n" + b"v" * 900000 + b"\r\nPING\r\n", 0)
        self.assertRegex(client.line(), "^CLIENT_ERROR .")
        self.assertEqual(client.line(), "PONG")
        self.assertEqual(client.get("mine", "k"), b"v")
        self.assertEqual([line.split(" ")[1] for line in client.ask_all("NAMESPACES")], ["mine"])


def limited(limit, value):
    """Sets both limits just before the daemon is started."""
    return lambda: resource.setrlimit(limit, (value, value))


class Descriptors(Case):
    def exhaust(self, daemon):
        """Connections until no more can be made or served."""
        clients = []
        for _ in range(120):
            client = self.kept(Client(daemon.address, timeout=5))
            client.send("PING\r\n")
            clients.append(client)
        return clients

    def test_it_survives_and_recovers(self):
        # A limit within which the daemon itself fits; it is lowered while it runs.
        daemon = self.start("max_connections = 1000;")
        first = self.connect(daemon)
        self.assertEqual(first.ask("PING"), "PONG")
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (64, 64))
        clients = self.exhaust(daemon)
        for i in range(200):
            self.assertEqual(first.put("n", f"k{i}", "v"), "STORED")
        started, busy = time.monotonic(), daemon.cpu_seconds()
        wait_for(lambda: first.ask("PING") and time.monotonic() - started > 0.5)
        used = (daemon.cpu_seconds() - busy) / (time.monotonic() - started)
        self.assertLess(used, 0.5, "it spins while it has no descriptors")
        self.assertLess(len(daemon.log()), 200000, "it floods its log")
        for client in clients:
            client.close()

        def served():
            with Client(daemon.address, timeout=1) as client:
                try:
                    return client.ask("PING") == "PONG"
                except (OSError, EOFError):
                    return False
        wait_for(served, 10, "new connections to be served again")

    def test_figures_say_that_none_can_be_accepted(self):
        daemon = self.start("max_connections = 1000;")
        first = self.connect(daemon)
        self.assertEqual((first.stat("accepting_conns"), first.stat("listen_disabled_num")), (1, 0))
        soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (3, hard))
        waiting = self.connect(daemon)
        wait_for(lambda: first.stat("accepting_conns") == 0, 10, "a pause")
        self.assertGreater(first.stat("listen_disabled_num"), 0)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (soft, hard))
        self.assertEqual(waiting.ask("PING"), "PONG")
        wait_for(lambda: first.stat("accepting_conns") == 1, 10, "the pause to be over")

    def test_started_with_few(self):
        daemon = self.start("max_connections = 1000;",
                            before_exec=limited(resource.RLIMIT_NOFILE, 40))
        first = self.connect(daemon)
        self.assertEqual(first.ask("PING"), "PONG")
        clients = self.exhaust(daemon)
        self.assertEqual(first.ask("PING"), "PONG")
        for client in clients:
            client.close()
        wait_for(lambda: first.stat("curr_connections") == 1, 10, "the others to be gone")


@unittest.skipIf(SANITIZER, "a sanitizer needs terabytes of address space")
class AddressSpace(Case):
    def test_not_enough_to_start(self):
        daemon = self.start('memory = "2G";', before_exec=limited(resource.RLIMIT_AS, 512 * MIB),
                            ready=False)
        self.assertGreater(daemon.wait_exit(), 0)
        self.assertRegex(daemon.log(), r"(?i)memory")

    def test_none_left_while_it_runs(self):
        daemon = self.start('memory = "16M"; max_connections = 2000;')
        first = self.connect(daemon)
        first.put("n", "k", "v")
        with open(f"/proc/{daemon.pid}/status") as status:
            size = int(re.search(r"VmSize:\s+(\d+)", status.read()).group(1)) * 1024
        resource.prlimit(daemon.pid, resource.RLIMIT_AS, (size + MIB, resource.RLIM_INFINITY))
        clients = []
        for _ in range(300):
            try:
                client = self.kept(Client(daemon.address))
                client.send("GET n " + "x" * 60000)
                clients.append(client)
            except OSError as error:
                self.assertIn(error.errno, (errno.EPIPE, errno.ECONNRESET))
        self.assertTrue(daemon.running())
        for client in clients:
            client.close()
        resource.prlimit(daemon.pid, resource.RLIMIT_AS,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        def served():
            try:
                with Client(daemon.address, timeout=2) as client:
                    return client.get("n", "k") == b"v"
            except (OSError, EOFError):
                return False
        wait_for(served, 10, "connections to be served again")


if __name__ == "__main__":
    unittest.main()
