"""A good client beside each of the attackers.

Whatever they do, its records are all there, it is answered, and when they have gone the
daemon's memory, descriptors and connections are what they were. How long it waits depends on
the machine, and is what `scripts/bench abuse` measures. Each test says its figures.

ABUSE=full has all attacks in full; else some are shorter.
"""

import os
import random
import resource
import sys
import time
import unittest

import attackers
from harness import SANITIZER, Case, wait_for
from memcache import Memcache

MIB = 1 << 20
FULL = os.environ.get("ABUSE") == "full"


class Good:
    """A client that knows what it has stored, and asks for it."""

    def __init__(self, client):
        self.client = client
        self.chance = random.Random(7)
        self.stored = {}
        self.slowest = 0.0
        for _ in range(500):
            self.store()

    def value(self, number):
        return b"value %d " % number + bytes([65 + number % 26]) * (number % 200)

    def store(self):
        number = len(self.stored)
        key = f"key{number}"
        assert self.client.put("good", key, self.value(number), "1h") == "STORED"
        self.stored[key] = self.value(number)

    def turn(self):
        """Stores something, and looks at some of what it has stored."""
        began = time.monotonic()
        self.store()
        for key in self.chance.sample(sorted(self.stored), 5):
            assert self.client.get("good", key) == self.stored[key], key
        self.slowest = max(self.slowest, time.monotonic() - began)

    def missing(self):
        return [key for key, value in self.stored.items()
                if self.client.get("good", key) != value]


class Abuse(Case):
    CONF = """
        memory = "64M"; max_connections = 12000;
        namespaces = ( { name = "good"; memory = "8M"; } );
    """
    # What may stay resident when all is over: blocks that the workers keep for the next
    # connections, and pages of the heap that are used in part.
    KEPT = 8 * MIB
    FREE = 10 * MIB  # and of the memory for records: an eighth is kept free, and a little

    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.connections = min(hard, 20000) - 1000
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.daemon = Memcache(self.CONF)
        self.addCleanup(self._end, self.daemon)
        self.good = Good(self.kept(self.daemon.connect()))

    def attack(self, name, turns, share=1.0, kept=KEPT):
        """An attack of that many turns, with the good client's in between; the attacker."""
        kind = attackers.ALL[name]
        share = min(share, self.connections / kind.COUNT)
        attacker = kind(self.daemon.address, self.daemon.memcache, share=share)
        self.addCleanup(attacker.end)
        before = self.figures()
        attacker.begin()
        for _ in range(turns):
            attacker.turn()
            self.good.turn()
        self.worst = self.figures()
        self.during(attacker)
        attacker.end()
        self.check_over(before, kept)
        print(f"\n  {name}: {attacker.count} connections, {turns} turns; memory "
              f"{self.worst['resident'] - before['resident'] >> 10:+} KiB during, "
              f"{self.daemon.resident() - before['resident'] >> 10:+} KiB after; the slowest turn "
              f"of the good client took {1000 * self.good.slowest:.1f} ms", file=sys.stderr, end=" ")
        return attacker

    def during(self, attacker):
        """For what a test wants to see at the end of the attack."""

    def figures(self):
        stats = self.good.client.stats()
        return {"resident": self.daemon.resident(), "descriptors": self.daemon.descriptors(),
                "connections": int(stats["curr_connections"]),
                "namespaces": int(stats["namespaces"]), "used": int(stats["memory_used"])}

    def unused_growth(self, before):
        """Resident bytes beyond those that are there for records."""
        return (self.after["resident"] - self.after["used"]) - (before["resident"] - before["used"])

    def check_over(self, before, kept):
        """All is as it was, but for the good client's records and a little."""
        client = self.good.client
        # What had come from them is still answered, and stored, when they are gone.
        wait_for(lambda: self.figures()["connections"] == before["connections"], 20)
        for name in attackers.OWN:
            self.assertRegex(client.ask(f"FLUSH {name}"), "^FLUSHED|^NOT_FOUND")

        def as_before():
            self.after = self.figures()
            return (self.after["connections"] == before["connections"] and
                    self.after["descriptors"] == before["descriptors"] and
                    self.after["namespaces"] <= before["namespaces"] and
                    self.after["used"] <= before["used"] + self.FREE and
                    (SANITIZER or self.unused_growth(before) <= kept))
        try:
            wait_for(as_before, 20)
        except AssertionError:
            self.fail(f"before: {before}\nat the end: {self.worst}\nafter: {self.after}\n"
                      f"namespaces: {client.ask_all('NAMESPACES')[:20]}")
        self.assertEqual(self.good.missing(), [])
        self.assertEqual(client.stat("evictions", "good"), 0)

    def test_ten_thousand_that_say_nothing(self):
        self.attack("silent", 20)
        if not SANITIZER:
            self.assertLess(self.worst["resident"], 128 * MIB)

    def test_ten_thousand_that_say_a_byte(self):
        self.attack("trickle", attackers.Trickle.PARTS * (60 if FULL else 15))

    def test_ten_thousand_that_do_not_read(self):
        self.attack("deaf", 10, share=1 if FULL else 0.1)

    def test_a_million_bad_lines(self):
        turns = 1000000 // attackers.Babble.LINES // (10 if SANITIZER else 1)
        attacker = self.attack("babble", turns)
        self.assertEqual(attacker.replies, attacker.said)
        self.assertEqual(attacker.errors, attacker.said)

    def test_pipelines_without_end(self):
        self.attack("endless", 300 if FULL else 60)

    def test_values_that_do_not_come(self):
        attacker = self.attack("announcer", 20)
        self.assertEqual(attacker.lost, 0)
        self.assertLess(self.worst["used"], 16 * MIB)

    def test_patterns_that_are_slow(self):
        self.attack("globber", 40)

    def test_namespaces_without_end(self):
        # The counters of a namespace stay in place for the next one: every thread has a table
        # of them, for 65536 namespaces at most.
        self.attack("founder", 400 if FULL else 100, kept=24 * MIB)

    def test_a_hundred_that_list_everything(self):
        self.attack("lister", 40)

    def test_large_values_to_and_fro(self):
        self.attack("hauler", 60)

    def test_thousands_of_keys_in_a_line(self):
        self.attack("asker", 60)

    def test_connections_that_are_gone_at_once(self):
        self.attack("knocker", 100)


if __name__ == "__main__":
    unittest.main()
