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
import encryption
from harness import SANITIZER, Case, wait_for
from memcache import MEMCACHE, NATIVE, Memcache
from test_tls import PAIR, TlsCase

MIB = 1 << 20
FULL = os.environ.get("ABUSE") == "full"


class Good:
    """A client that knows what it has stored, and asks for it."""

    def __init__(self, client, name="key"):
        self.client = client
        self.name = name
        self.chance = random.Random(7)
        self.stored = {}
        self.slowest = 0.0
        for _ in range(500):
            self.store()

    def value(self, number):
        return b"value %d " % number + bytes([65 + number % 26]) * (number % 200)

    def store(self):
        number = len(self.stored)
        key = f"{self.name}{number}"
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


class AbuseCase(Case):
    """`goods` are the good clients, `tls` where TLS is spoken, if it is."""

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
        self.tls = None
        self.begin()
        self.goods = [Good(self.kept(self.daemon.connect()))]

    def begin(self):
        self.daemon = Memcache(self.CONF)
        self.addCleanup(self._end, self.daemon)

    def attack(self, name, turns, share=1.0, kept=KEPT):
        """An attack of that many turns, with the good clients' in between; the attacker."""
        kind = attackers.ALL[name]
        share = min(share, self.connections / kind.COUNT)
        attacker = kind(*self.daemon.addresses()[:2], tls=self.tls, share=share)
        self.addCleanup(attacker.end)
        before = self.figures()
        attacker.begin()
        for _ in range(turns):
            attacker.turn()
            self.turn()
        self.worst = self.figures()
        self.during(attacker)
        attacker.end()
        self.check_over(before, kept)
        print(f"\n  {name}: {attacker.count} connections, {turns} turns; memory "
              f"{self.worst['resident'] - before['resident'] >> 10:+} KiB during, "
              f"{self.daemon.resident() - before['resident'] >> 10:+} KiB after; the slowest turn "
              f"of a good client took {1000 * max(good.slowest for good in self.goods):.1f} ms",
              file=sys.stderr, end=" ")
        return attacker

    def turn(self):
        for good in self.goods:
            good.turn()

    def during(self, attacker):
        """For what a test wants to see at the end of the attack."""

    def figures(self):
        stats = self.goods[0].client.stats()
        return {"resident": self.daemon.resident(), "descriptors": self.daemon.descriptors(),
                "connections": int(stats["curr_connections"]),
                "namespaces": int(stats["namespaces"]), "used": int(stats["memory_used"])}

    def unused_growth(self, before):
        """Resident bytes beyond those that are there for records."""
        return (self.after["resident"] - self.after["used"]) - (before["resident"] - before["used"])

    def check_over(self, before, kept):
        """All is as it was, but for the good client's records and a little."""
        client = self.goods[0].client
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
        for good in self.goods:
            self.assertEqual(good.missing(), [])
        self.assertEqual(client.stat("evictions", "good"), 0)


class Abuse(AbuseCase):
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


class AbuseOfTls(AbuseCase, TlsCase):
    """One listener more, which speaks TLS, and a good client behind it too."""

    UNFINISHED = 2 * 1024  # handshakes: HANDSHAKES_MAX (daemon/net/handshaker.h), for two threads
    COMES = 10  # turns until one more good client comes, and goes

    def setUp(self):
        TlsCase.setUp(self)
        AbuseCase.setUp(self)
        self.goods.append(Good(self.kept(self.talk(self.daemon, 2)), "secret"))
        self.turns = 0
        self.greeted = 1  # good clients

    def begin(self):
        listeners = ", ".join((NATIVE, MEMCACHE, NATIVE.replace(" }", " " + PAIR + " }")))
        self.daemon = self.start(self.CONF, listen=f"listen = ( {listeners} );\n", run=False)
        encryption.make_certificate(self.daemon.folder, "server")
        self.daemon.start()
        self.daemon.wait_listening(3)
        self.tls = self.daemon.addresses()[2]

    def turn(self):
        super().turn()
        self.turns += 1
        if self.turns % self.COMES == 0:
            with self.talk(self.daemon, 2) as client:
                self.assertEqual(client.ask("PING"), "PONG")
            self.greeted += 1

    def unfinished(self):
        return self.figures()["connections"] - len(self.goods)

    def during(self, attacker):
        wait_for(lambda: self.unfinished() <= self.UNFINISHED, 10, "handshakes to be cut short")
        stats = self.goods[0].client.stats()
        cut_short = int(stats["closed_handshake_overload"]) + int(stats["closed_handshake_timeout"])
        self.assertGreaterEqual(cut_short, attacker.count - self.UNFINISHED)
        self.assertEqual(int(stats["tls_handshakes"]), self.greeted)
        if not SANITIZER:
            self.assertLess(self.worst["resident"], 192 * MIB)

    def test_handshakes_that_are_left_at_that(self):
        # Blocks of OpenSSL that stay lie between those that go: parts of their pages are in use.
        self.attack("greeter", 300, share=15, kept=24 * MIB)


if __name__ == "__main__":
    unittest.main()
