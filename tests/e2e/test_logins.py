"""Logins beside many that cannot log in: crowds at max_connections, and waiting at the gate."""

import socket
import time

from harness import Case, Client, seconds, wait_for
from memcache import Memcache
from test_users import FIRST, LISTEN_UNIX, ROOT, SECRET, WEB, user, users


class Crowds(Case):
    """Strangers cannot keep those out who may come in."""

    FULL = "max_connections = 8;\n"

    def join(self, daemon):
        client = self.connect(daemon)
        self.assertEqual(client.ask(f"AUTH web {SECRET}"), "OK")
        return client

    def crowd(self, daemon, count):
        crowd = [self.connect(daemon) for _ in range(count)]
        for stranger in crowd:
            self.assertEqual(stranger.ask("PING"), f"CLIENT_ERROR {FIRST}")
        return crowd

    def test_the_oldest_stranger_makes_room(self):
        daemon = self.start(self.FULL + "threads = 1;\n" + users(WEB, ROOT))
        inside = [self.join(daemon)]
        crowd = self.crowd(daemon, 7)
        for stranger in crowd:  # they go in the order in which they came
            inside.append(self.join(daemon))
            stranger.expect_closed()
        refused = self.connect(daemon)
        self.assertEqual(refused.reply(), "SERVER_ERROR too many connections")
        refused.expect_closed()
        for client in inside:
            self.assertEqual(client.ask("PING"), "PONG")
        inside.pop().close()
        root = wait_for(lambda: self.root(daemon), what="a place that was left")
        self.assertEqual(root.stat("closed_replaced"), 7)
        self.assertEqual(root.stat("curr_connections"), 8)

    def root(self, daemon):
        client = self.connect(daemon)
        try:
            return client if client.ask("AUTH root top") == "OK" else None
        except (EOFError, OSError):
            return None

    def test_whichever_worker_has_them(self):
        daemon = self.start(self.FULL + "threads = 4;\n" + users(WEB, ROOT))
        root = self.root(daemon)
        inside = [self.join(daemon) for _ in range(6)]
        for _ in range(10):
            crowd = self.crowd(daemon, 1)
            inside.append(self.join(daemon))
            crowd[0].expect_closed()
            inside.pop().close()
            wait_for(lambda: root.stat("curr_connections") == 7, what="the place to be free")

    def test_those_that_are_about_to_end_make_room_first(self):
        """A stranger's garbage has been refused, and it does not go: it lingers."""
        for threads in (1, 4):
            daemon = self.start(self.FULL + f"threads = {threads};\n" + users(WEB, ROOT))
            root = self.root(daemon)
            stranger = self.crowd(daemon, 1)[0]
            for _ in range(5):
                lingering = [self.connect(daemon) for _ in range(6)]
                for client in lingering:
                    client.send("x" * 5000)
                    client.rest()
                inside = [self.join(daemon) for _ in range(6)]
                self.assertEqual(stranger.ask("PING"), f"CLIENT_ERROR {FIRST}")
                for client in [stranger, *lingering, *inside]:
                    client.close()
                wait_for(lambda: root.stat("curr_connections") == 1, what="them to be gone")
                stranger = self.crowd(daemon, 1)[0]
            self.assertEqual(root.stat("closed_replaced"), 0)
            self.assertEqual(root.stat("rejected_connections"), 0)

    def test_whoever_has_asked_stays_longer(self):
        daemon = self.start(self.FULL + "threads = 1;\n" + users(WEB, ROOT))
        asked = self.connect(daemon)
        self.assertEqual(asked.ask("AUTH web wrong"), "DENIED")
        for number in range(3):  # from now on it waits
            self.assertEqual(asked.ask(f"AUTH web wrong{number}"), "DENIED")
        asked.send(f"AUTH web {SECRET}\r\n")
        crowd = self.crowd(daemon, 7)
        newcomers = self.crowd(daemon, 7)
        self.assertEqual(asked.reply(), "OK")
        for stranger in crowd:
            stranger.expect_closed()
        for stranger in newcomers:
            self.assertEqual(stranger.ask("PING"), f"CLIENT_ERROR {FIRST}")

    def test_those_that_have_hung_up_make_room_first(self):
        """They wait for the gate no more than those that are silent, and for a while it cannot
        be known that they have gone."""
        daemon = self.start(self.FULL + "threads = 1;\n" + users(WEB, ROOT))
        root = self.root(daemon)
        asked = self.connect(daemon)
        for number in range(4):  # from now on it waits
            self.assertEqual(asked.ask(f"AUTH web wrong{number}"), "DENIED")
        asked.send(f"AUTH web {SECRET}\r\n")
        for _ in range(6):
            with self.connect(daemon) as gone:
                gone.send(f"AUTH web {SECRET}\r\n")
        wait_for(lambda: root.stat("auth_cmds") == 12, what="them to be on their way")
        self.assertEqual(root.ask("PING"), "PONG")  # the worker has seen that they hung up
        newcomers = self.crowd(daemon, 6)
        self.assertEqual(asked.reply(), "OK")
        for stranger in newcomers:
            self.assertEqual(stranger.ask("PING"), f"CLIENT_ERROR {FIRST}")
        self.assertEqual(root.stat("closed_replaced"), 6)


class Waiting(Case):
    """At the gate, where nobody holds anything up."""

    def wait_at_the_gate(self, daemon, count):
        """Failures make their address wait; so do these then."""
        first = self.connect(daemon)
        for number in range(5):
            self.assertEqual(first.ask(f"AUTH web wrong{number}"), "DENIED")
        waiting = [self.connect(daemon) for _ in range(count)]
        for client in waiting:
            self.assertEqual(client.ask("PING"), f"CLIENT_ERROR {FIRST}")
            client.send(f"AUTH web {SECRET}\r\nPING\r\n")
        return waiting

    def test_the_end_of_the_daemon(self):
        daemon = self.start(users(WEB, ROOT))
        waiting = self.wait_at_the_gate(daemon, 10)
        waiting[0].close()
        waiting[1].reset()
        daemon.stop()
        for client in waiting[2:]:
            self.assertNotIn(b"PONG", client.rest())

    def test_idle_timeout(self):
        daemon = self.start('idle_timeout = "2s";\n' + users(WEB, ROOT), listen=LISTEN_UNIX)
        root = self.kept(Client(daemon.address))
        self.assertEqual(root.ask("AUTH root top"), "OK")
        start = len(daemon.log())
        first = self.kept(Client(daemon.addresses()[1]))
        for number in range(6):  # the next one would wait for 3.2 seconds
            self.assertEqual(first.ask(f"AUTH web wrong{number}"), "DENIED")
        waiting = [self.kept(Client(daemon.addresses()[1])) for _ in range(5)]
        for client in waiting:
            client.send(f"AUTH web {SECRET}\r\n")
        self.assertEqual([client.rest() for client in waiting], [b""] * 5)
        daemon.wait_log("idle_timeout", after=start)
        self.kept(Client(daemon.address)).ask("PING")

    def test_who_left_takes_nothing_along(self):
        daemon = self.start("threads = 1;\n" + users(WEB, ROOT))
        root = self.connect(daemon)
        self.assertEqual(root.ask("AUTH root top"), "OK")
        for client in self.wait_at_the_gate(daemon, 10):
            client.reset()
        wait_for(lambda: root.stat("curr_connections") == 2, 30, "them to be gone")
        self.assertEqual(root.ask("PING"), "PONG")

    def test_who_hangs_up_waits_no_more(self):
        """From many addresses, and as most go: without a reset."""
        daemon = self.start("threads = 2;\n" + users(WEB, ROOT))
        gone = []
        for number in range(500):
            there = socket.socket()
            self.addCleanup(there.close)
            there.bind((f"127.0.1.{number % 250 + 1}", 0))
            there.connect(daemon.address)
            there.sendall(f"AUTH web wrong{number}\r\n".encode())
            gone.append(there)
        for there in gone:
            there.close()
        root = self.connect(daemon)
        start = time.monotonic()
        self.assertEqual(root.ask("AUTH root top"), "OK")
        self.assertLess(time.monotonic() - start, seconds(2))
        wait_for(lambda: root.stat("curr_connections") == 1, 4, "them to be gone")

    def test_who_has_said_its_last_is_answered(self):
        daemon = self.start(users(WEB, ROOT))
        for number in range(3):
            client = self.connect(daemon)
            client.send(f"AUTH web {SECRET}{'x' * (number % 2)}\r\nPING\r\n")
            client.finish()
            self.assertEqual(client.rest(), b"OK\r\nPONG\r\n" if number % 2 == 0 else
                             f"DENIED\r\nCLIENT_ERROR {FIRST}\r\n".encode())

    def test_a_right_secret_beside_many_that_try_an_old_one(self):
        daemon = self.start(users(WEB, ROOT))
        daemon.configure(users(user("web", "another"), ROOT))
        daemon.reload("reloaded")
        old = [self.connect(daemon, timeout=60) for _ in range(20)]
        for client in old:
            client.send(f"AUTH web {SECRET}\r\n" * 50)
        self.assertEqual(old[0].reply(), "DENIED")
        for client in old[1:4]:  # these begin anew, as most do
            client.close()
            client = self.connect(daemon)
            client.send(f"AUTH web {SECRET}\r\n" * 50)
        start = time.monotonic()
        self.assertEqual(self.connect(daemon).ask("AUTH web another"), "OK")
        self.assertEqual(self.connect(daemon).ask("AUTH root top"), "OK")
        self.assertLess(time.monotonic() - start, seconds(2))

    def test_users_come_and_go_meanwhile(self):
        """What was said to prove who somebody is never becomes a record."""
        daemon = Memcache(users(WEB, ROOT))
        self.addCleanup(self._end, daemon)
        root = self.kept(daemon.connect())
        self.assertEqual(root.ask("AUTH root top"), "OK")
        said = f"root {SECRET}"
        for conf in ("users = ();", users(ROOT), users(WEB, ROOT)):
            wire = self.kept(daemon.talk())
            self.assertEqual(wire.ask("version"), "CLIENT_ERROR unauthenticated")
            before = root.stat("auth_cmds")
            wire.send(f"set x 0 0 {len(said)}\r\n{said}\r\n")
            wait_for(lambda: root.stat("auth_cmds") > before, what="it to be on its way")
            daemon.configure(conf)
            daemon.reload("reloaded")
            self.assertEqual(wire.line(), "CLIENT_ERROR authentication failure")
            daemon.configure(users(WEB, ROOT))
            daemon.reload("reloaded")
            self.assertEqual(root.ask("AUTH root top"), "OK")
        self.assertEqual(root.get("cache", "x"), None)
