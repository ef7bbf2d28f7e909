"""A wall clock that jumps: distances of time are measured by another one.

tests/support/wall_clock.c gives a daemon a wall clock of its own.
"""

import os
import struct
import time
import unittest

from harness import SANITIZER, Case, wait_for

LIBRARY = os.path.join(os.getcwd(), "tests", "support", "wall_clock.so")
HOURS = 3600


@unittest.skipIf(SANITIZER, "a sanitizer wants to be loaded first")
@unittest.skipUnless(os.path.exists(LIBRARY), "tests/support/wall_clock.so was not built")
class Jumps(Case):
    def start_with_clock(self, conf="", **options):
        daemon = self.start(conf, run=False, **options)
        daemon.environment.update(LD_PRELOAD=LIBRARY, WALL_CLOCK=daemon.path("clock"))
        self.jump(daemon, 0)
        daemon.start()
        return daemon

    @staticmethod
    def jump(daemon, seconds):
        """In place: the daemon has mapped it."""
        with open(daemon.path("clock"), "r+b" if os.path.exists(daemon.path("clock")) else "w+b",
                  0) as file:
            file.write(struct.pack("=q", seconds))

    def test_complaints_go_on(self):
        daemon = self.start_with_clock("max_connections = 1;")
        inside = self.connect(daemon)
        self.assertEqual(inside.ask("PING"), "PONG")

        def complaints():
            with self.connect(daemon) as client:
                client.rest()
            return daemon.log().count("max_connections (1) reached")
        wait_for(lambda: complaints() >= 1, what="the first complaint")
        self.jump(daemon, -2 * HOURS)
        # libevent, whose idea of the wall clock is some seconds old, would let a second one pass.
        wait_for(lambda: complaints() >= 3, 25, "the third complaint")

    def test_records_and_limits_go_on(self):
        daemon = self.start_with_clock('idle_timeout = "2s"; purge_interval = "100ms";')
        for jump in (-2 * HOURS, 2 * HOURS):
            with self.subTest(jump=jump), self.connect(daemon) as client, \
                    self.connect(daemon) as idle:
                self.assertEqual(idle.ask("PING"), "PONG")
                client.put("n", "long", "v", "1h")
                client.put("n", "short", "v", "1500ms")
                self.jump(daemon, jump)
                began = time.monotonic()
                self.assertEqual(client.get("n", "short"), b"v")
                self.assertLess(float(client.ask("TTL n long").split()[1]), HOURS + 1)
                self.assertGreater(float(client.ask("TTL n long").split()[1]), HOURS - 60)
                wait_for(lambda: client.get("n", "short") is None, what="the record to expire")
                self.assertGreater(time.monotonic() - began, 1)
                idle.expect_closed()

    def test_what_is_held_back_is_told(self):
        daemon = self.start_with_clock()
        for jump in (-2 * HOURS, 2 * HOURS):
            with self.subTest(jump=jump):
                before = len(daemon.log())
                self.jump(daemon, jump)
                for _ in range(100):
                    with self.connect(daemon) as client:
                        client.send("PUT a b c d e f\r\n")
                        client.rest()
                daemon.wait_log(r"begins: and \d+ more", after=before)


if __name__ == "__main__":
    unittest.main()
