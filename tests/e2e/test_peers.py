"""Peers as they come: half-closed, deaf, slow, many, rude, idle.

Whatever one of them does, the others are served and the daemon's memory stays
within bounds.
"""

import random
import resource
import socket
import time
import unittest

from harness import SANITIZER, Case, Client, SharedCase, seconds, wait_for

MIB = 1 << 20


class HalfClosed(SharedCase):
    """All requests are sent, the sending side is closed, then all answers read."""

    def check(self, data, wanted):
        with self.connect(self.daemon) as client:
            client.send(data)
            client.finish()
            self.assertTrue(client.rest() == wanted)

    def test_one(self):
        self.check(b"PING\r\n", b"PONG\r\n")

    def test_none(self):
        self.check(b"", b"")

    def test_many(self):
        self.check(b"PING\r\n" * 5000, b"PONG\r\n" * 5000)

    def test_half_a_request(self):
        self.check(b"PING\r\nGET a", b"PONG\r\n")
        self.check(b"PING\r\nPUT a b 1m 5\r\nhel", b"PONG\r\n")

    def test_more_answers_than_buffers_hold(self):
        value = b"v" * 500000
        self.client.put(self.ns, "k", value)
        self.check(f"GET {self.ns} k\r\n".encode() * 40,
                   (b"VALUE 500000\r\n" + value + b"\r\n") * 40)

    def test_a_listing(self):
        for i in range(3000):
            self.client.send(f"PUT {self.ns} key{i} 1h\r\nv\r\n")
        for _ in range(3000):
            self.client.expect("STORED\r\n")
        with self.connect(self.daemon) as client:
            client.send(f"LIST {self.ns}\r\nPING\r\n")
            client.finish()
            lines = client.rest().split(b"\r\n")
        self.assertEqual(lines[-3:], [b"END", b"PONG", b""])
        self.assertEqual(len(set(lines[:-3])), 3000)


class Deaf(Case):
    """Peers that ask for much and never read."""

    def setUp(self):
        self.daemon = self.start('memory = "64M"; max_value = "4M"; max_connections = 200;')
        self.client = self.connect(self.daemon)
        for i in range(8):
            self.client.put("big", f"k{i}", bytes([65 + i]) * (4 * MIB))

    def flood(self, data, peers=20, enough=64 * MIB):
        """Peers that send until the daemon takes no more; returns how much it took."""
        flooded = []
        for _ in range(peers):
            peer = self.kept(self.daemon.connect(receive_buffer=4096))
            peer.socket.setblocking(False)
            flooded.append([peer, 0, 0])
        data = data * (1 + MIB // len(data))
        deadline = time.monotonic() + seconds(20)
        while time.monotonic() < deadline:
            progress = False
            for state in flooded:
                try:
                    at = state[1] % len(data)
                    state[1] += state[0].socket.send(data[at:at + 65536])
                    progress = True
                    state[2] = 0
                except BlockingIOError:
                    state[2] += 1
            if max(state[1] for state in flooded) > enough:
                self.fail("the daemon takes requests without end from a peer that never reads")
            if min(state[2] for state in flooded) > 20:
                break
            if not progress:
                self.assertEqual(self.client.ask("PING"), "PONG")
        return flooded

    def check(self, request, allowed=48 * MIB):
        before = self.daemon.resident()
        flooded = self.flood(request)
        started = time.monotonic()
        for i in range(100):
            self.assertEqual(self.client.put("small", f"k{i}", "v"), "STORED")
            self.assertEqual(self.client.get("small", f"k{i}"), b"v")
        self.assertLess(time.monotonic() - started, seconds(2))
        if not SANITIZER:
            grown = self.daemon.resident() - before
            self.assertLess(grown, allowed, f"grew by {grown >> 20} MiB")
        return flooded

    def test_large_values(self):
        self.check(b"GET big k1 k2 k3 k4\r\n")

    def test_pings(self):
        flooded = self.check(b"PING\r\n")
        peer, sent, _ = flooded[0]
        peer.socket.settimeout(seconds(10))
        peer.finish()
        answers = peer.rest()
        self.assertEqual(len(answers), sent // 6 * 6)
        self.assertEqual(answers.count(b"PONG\r\n"), sent // 6)

    def test_listings(self):
        for i in range(2000):
            self.client.put("list", f"key{i}" + "x" * 200, "v" * 1000)
        self.check(b"LIST list\r\nALL list\r\nALL big\r\n")

    def test_many_keys(self):
        self.client.put("m", "k", "v" * 10000)
        self.check(b"GET m" + b" k" * 5000 + b"\r\n")

    def test_errors(self):
        self.check(b"WHAT IS THIS\r\n")

    def test_figures(self):
        self.check(b"STATS\r\nHELP\r\nNAMESPACES\r\n")

    def test_values_sent_to_the_deaf_stay_whole(self):
        # Fewer than may be pinned at once: the others would wait, and these be closed for it.
        peers = []
        for i in range(4):
            peer = self.kept(self.daemon.connect(receive_buffer=4096))
            peer.send(f"GET big k{i}\r\n" * 3)
            peers.append(peer)
        for i, peer in enumerate(peers):
            for _ in range(3):
                line, value = peer.reply()
                self.assertEqual(line, f"VALUE {4 * MIB}")
                self.assertTrue(value == bytes([65 + i]) * (4 * MIB))


class Slow(SharedCase):
    def test_a_byte_now_and_then(self):
        # Fifty such peers at once, each one byte a turn, while others are served.
        peers = [self.connect(self.daemon) for _ in range(50)]
        script = [f"PUT {self.ns} k{i} 1h 3\r\nabc\r\nGET {self.ns} k{i}\r\n".encode()
                  for i in range(50)]
        for at in range(max(map(len, script))):
            for peer, data in zip(peers, script):
                peer.send(data[at:at + 1])
            self.assertEqual(self.client.ask("PING"), "PONG")
            time.sleep(0.005)
        for peer in peers:
            peer.expect("STORED\r\nVALUE 3\r\nabc\r\n")

    def test_a_reader_of_little_pieces(self):
        value = bytes(range(256)) * 2000
        self.client.put(self.ns, "k", value)
        peer = self.kept(self.daemon.connect(receive_buffer=4096))
        peer.send(f"GET {self.ns} k\r\nPING\r\n")
        got = bytearray()
        wanted = b"VALUE %d\r\n%b\r\nPONG\r\n" % (len(value), value)
        while len(got) < len(wanted):
            piece = peer.socket.recv(1000)
            self.assertTrue(piece)
            got += piece
        self.assertTrue(got == wanted)


class Many(Case):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(4096, hard)
        if wanted < 2200:
            self.skipTest("too few file descriptors here for a thousand connections")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_thousand_at_once(self):
        daemon = self.start("max_connections = 2000;")
        clients = [self.connect(daemon) for _ in range(1000)]
        for i, client in enumerate(clients):
            client.send(f"PUT n k{i} 1h\r\nvalue {i}\r\nGET n k{(i * 7) % 1000} k{i}\r\n")
        for i, client in enumerate(clients):
            self.assertEqual(client.reply(), "STORED")
            other = client.reply()
            self.assertIn(other, ("NOT_FOUND", (f"VALUE {len(f'value {i * 7 % 1000}')}",
                                                f"value {i * 7 % 1000}".encode())))
            self.assertEqual(client.reply()[1], f"value {i}".encode())
        self.assertEqual(clients[0].stat("curr_connections"), 1000)
        self.assertEqual(clients[0].stat("curr_items"), 1000)
        for client in clients[1:]:
            client.close()
        wait_for(lambda: clients[0].stat("curr_connections") == 1, what="999 to be gone")

    def test_idle_connections_cost_little(self):
        daemon = self.start("max_connections = 2000;")
        first = self.connect(daemon)
        first.ask("PING")
        before = daemon.resident()
        clients = [self.connect(daemon) for _ in range(1000)]
        for client in clients:
            client.put("n", "k", "v" * 10000)
            client.get("n", "k")
        if not SANITIZER:  # what was overwritten is still being given back
            wait_for(lambda: daemon.resident() - before < 8 * MIB,
                     what="a thousand idle connections to cost little")

    def test_they_come_and_go(self):
        daemon = self.start()
        for i in range(1000):
            with Client(daemon.address) as client:
                self.assertEqual(client.ask("PING"), "PONG")
        client = self.connect(daemon)
        wait_for(lambda: client.stat("curr_connections") == 1, what="all to be gone")


class Rude(SharedCase):
    def all_gone(self):
        wait_for(lambda: self.client.stat("curr_connections") == 1, what="the rude to be gone")
        self.assertEqual(self.client.ask("PING"), "PONG")

    def test_resets_at_every_stage(self):
        self.client.put(self.ns, "k", b"v" * MIB)
        for data in ("", "PI", "PING\r\n", "GET a", f"PUT {self.ns} x 1m 5\r\nhe",
                     f"PUT {self.ns} x 1m 500000\r\nhe", f"GET {self.ns} k\r\n" * 20,
                     f"ALL {self.ns}\r\n" * 20, "WHAT\r\n" * 1000, "QUIT\r\n"):
            for _ in range(15):
                client = Client(self.daemon.address)
                client.send(data)
                client.reset()
        self.all_gone()

    def test_closed_with_answers_unread(self):
        self.client.put(self.ns, "k", b"v" * MIB)
        for _ in range(50):
            client = Client(self.daemon.address, receive_buffer=4096)
            client.send(f"GET {self.ns} k\r\n" * 10)
            client.close()
        self.all_gone()

    def test_reset_in_the_middle_of_an_answer(self):
        self.client.put(self.ns, "k", b"v" * MIB)
        for _ in range(50):
            client = Client(self.daemon.address, receive_buffer=4096)
            client.send(f"GET {self.ns} k\r\n" * 10)
            client.exact(100)
            client.reset()
        self.all_gone()

    def test_random_bytes(self):
        chance = random.Random(11)
        for _ in range(60):
            with Client(self.daemon.address) as client:
                try:
                    client.send(bytes(chance.choices(range(256), k=chance.randrange(1, 5000))))
                    client.finish()
                    client.rest()
                except OSError:
                    pass
        self.all_gone()


class Limits(Case):
    def test_idle_timeout(self):
        daemon = self.start('idle_timeout = "1s";')
        busy = self.connect(daemon)
        connected = time.monotonic()
        idle = self.connect(daemon)
        half = self.connect(daemon)
        half.send("GET a")
        done = set()
        while len(done) < 2:
            self.assertEqual(busy.ask("PING"), "PONG")
            self.assertLess(time.monotonic() - connected, seconds(4), "idle peers stay")
            for peer in {idle, half} - done:
                peer.socket.setblocking(False)
                try:
                    got = peer.socket.recv(1000)
                except BlockingIOError:
                    continue
                self.assertEqual(got, b"")
                self.assertGreater(time.monotonic() - connected, 0.98)
                done.add(peer)
            time.sleep(0.02)
        self.assertEqual(busy.ask("PING"), "PONG")

    def test_a_slow_reader_is_not_idle(self):
        # A Unix socket: the kernel's buffers are small, so that the daemon can see
        # that something goes on.
        daemon = self.start('idle_timeout = "500ms"; max_value = "4M";',
                            listen='listen = ( { path = "@/socket"; } );\n')
        size = 4 * MIB
        with self.connect(daemon) as client:
            self.assertEqual(client.put("n", "k", b"v" * size), "STORED")
        peer = self.connect(daemon)
        peer.send("GET n k\r\nPING\r\n")
        got = 0
        while got < len(f"VALUE {size}\r\n") + size + len("\r\nPONG\r\n"):
            piece = peer.socket.recv(1 << 17)
            self.assertTrue(piece, f"closed after {got} bytes")
            got += len(piece)
            time.sleep(0.03)

    def test_too_many_connections(self):
        daemon = self.start("max_connections = 4;")
        clients = [self.connect(daemon) for _ in range(4)]
        for client in clients:
            self.assertEqual(client.ask("PING"), "PONG")
        for _ in range(3):
            with self.connect(daemon) as more:
                more.expect("SERVER_ERROR too many connections\r\n")
                more.expect_closed()
        for client in clients:
            self.assertEqual(client.ask("PING"), "PONG")
        clients.pop().close()

        def admitted():
            with Client(daemon.address) as client:
                return client.ask("PING") == "PONG"
        wait_for(admitted, what="a place to become free")

    def test_a_crowd_at_the_door(self):
        daemon = self.start("max_connections = 10;")
        clients = [self.connect(daemon) for _ in range(100)]
        served = refused = 0
        for client in clients:
            try:
                client.send("PING\r\n")
                reply = client.line()
            except (OSError, EOFError):
                refused += 1
                continue
            served += reply == "PONG"
            refused += reply == "SERVER_ERROR too many connections"
        self.assertEqual((served, refused), (10, 90))


class Families(Case):
    def test_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("this machine has no ::1")
        daemon = self.start(listen='listen = ( { address = "::1"; port = 0; } );\n')
        self.assertEqual(daemon.address[0], "::1")
        self.assertEqual(self.connect(daemon).ask("PING"), "PONG")

    def test_several_listeners(self):
        daemon = self.start(listen='listen = ( { address = "127.0.0.1"; port = 0; },\n'
                                   '           { address = "127.0.0.1"; port = 0; } );\n')
        daemon.wait_listening(2)
        one, two = [self.kept(Client(address)) for address in daemon.addresses()]
        one.put("n", "k", "v")
        self.assertEqual(two.get("n", "k"), b"v")
        self.assertEqual(two.stat("curr_connections"), 2)


if __name__ == "__main__":
    unittest.main()
