"""Figures mean what memcached's of the same name mean: the same requests to both, the same
steps of every figure.

Where kvcached counts otherwise, and says so in kvcached-memcache(7), its own is given here.
"""

import re
import unittest

from harness import Case
from memcache import Memcache
from reference import MEMCACHED, NEWEST, start_memcached

NAMES = ("cmd_get get_hits get_misses cmd_set cmd_touch touch_hits touch_misses cmd_flush cmd_meta "
         "delete_hits delete_misses incr_hits incr_misses decr_hits decr_misses cas_hits "
         "cas_misses cas_badval store_too_large store_no_memory total_items").split()

# By what they try. There is a record `a` that holds 5, a `t` that holds text, and no `none`.
# {cas} is the version of `a`.
REQUESTS = {
    "get": ["get a", "get none", "get a none a"],
    "gets": ["gets a", "gets none a"],
    "gat": ["gat 100 a", "gat 100 none", "gat 0 a none a", "gats 100 a", "gats 100 none"],
    "set": ["set a 0 0 1\n1", "set none 0 0 1\n1", "set a 0 -1 1\n1"],
    "set that is refused": ["set a x 0 1\n1"],
    "add": ["add a 0 0 1\n1", "add none 0 0 1\n1"],
    "replace": ["replace a 0 0 1\n1", "replace none 0 0 1\n1"],
    "append and prepend": ["append a 0 0 1\n1", "append none 0 0 1\n1", "prepend a 0 0 1\n1",
                           "prepend none 0 0 1\n1"],
    "cas": ["cas a 0 0 1 {cas}\n1", "cas a 0 0 1 1{cas}\n1", "cas none 0 0 1 5\n1"],
    "too large": ["set a 0 0 1048577\n{large}", "set none 0 0 1048577\n{large}",
                  "add none 0 0 1048577\n{large}", "cas a 0 0 1048577 {cas}\n{large}",
                  "ms a 1048577\n{large}", "ms a 1048577 C{cas}\n{large}"],
    "delete": ["delete a", "delete none"],
    "incr": ["incr a 1", "incr none 1", "incr t 1", "incr a x"],
    "decr": ["decr a 1", "decr none 1", "decr t 1"],
    "touch": ["touch a 100", "touch none 100", "touch a x"],
    "flush_all": ["flush_all", "flush_all 1000"],
    "mg": ["mg a v", "mg none v", "mg a", "mg none", "mg a u v", "mg a k s t", "mg none q"],
    "mg that touches": ["mg a T100 v", "mg a T0"],
    "mg that vivifies what is there": ["mg a N100 v"],
    "mg that is refused": ["mg a v v", "mg"],
    "me": ["me a", "me none"],
    "ms": ["ms a 1\n1", "ms none 1 T100\n1", "ms a 1 MS\n1", "ms a 1 q\n1"],
    "ms as add": ["ms a 1 ME\n1", "ms none 1 ME\n1"],
    "ms as replace": ["ms a 1 MR\n1", "ms none 1 MR\n1"],
    "ms as append": ["ms a 1 MA\n1", "ms none 1 MA\n1", "ms a 1 MP\n1"],
    "ms that compares": ["ms a 1 C{cas}\n1", "ms a 1 C1{cas}\n1", "ms none 1 C5\n1"],
    "ms that compares and replaces": ["ms a 1 MR C{cas}\n1", "ms a 1 MR C1{cas}\n1",
                                      "ms none 1 MR C5\n1"],
    "ms that compares and adds": ["ms a 1 ME C{cas}\n1", "ms none 1 ME C5\n1"],
    "ms that compares and appends": ["ms a 1 MA C{cas}\n1", "ms a 1 MA C1{cas}\n1"],
    "ms that may be stale": ["ms a 1 I C1\n1"],
    "md": ["md a", "md none", "md a C{cas}", "md a C1{cas}", "md none C5"],
    "md that marks": ["md a I", "md none I", "md a I T100", "md a I C{cas}", "md a I C1{cas}"],
    "ma": ["ma a", "ma none", "ma t", "ma a MD", "ma none MD", "ma a C{cas}", "ma a C1{cas}"],
    "ma that makes": ["ma none N0", "ma none N100 J13 v", "ma none N0 MD", "ma a N0"],
    "others": ["version", "verbosity 1", "foo"],
}

# What the newest memcached has and Debian's has not.
NEWER = ["ms none 1 MA N0\n1", "ms none 1 MP N0\n1", "ms a 1 MA N0\n1", "mg a C5 v", "mg none C5 v",
         "mg a C{cas} v", "md a x", "md none x", "md a x C{cas}", "md a x C1{cas}", "md a x I",
         "ma a P L", "get none a none"]


def bytes_of(request, cas):
    text = request.replace("{cas}", cas).replace("{large}", "x" * 1048577)
    return text.replace("\n", "\r\n").encode() + b"\r\n"


class Server:
    def __init__(self, wire):
        self.wire = wire

    def figures(self):
        stats = self.wire.stats()
        return {name: int(stats[name]) for name in NAMES}

    def begin(self):
        self.wire.ask("flush_all")
        self.wire.ask("set a 0 0 1\n5")
        self.wire.ask("set t 0 0 4\ntext")
        self.wire.send("gets a\r\n")
        cas = self.wire.line().split()[-1]
        self.wire.line()
        self.wire.line()
        return cas

    def steps(self, request):
        """What each figure rises by, those that stay left out."""
        cas = self.begin()
        before = self.figures()
        self.wire.send(bytes_of(request, cas) + b"mn\r\n")
        while self.wire.line() != "MN":
            pass
        after = self.figures()
        return {name: after[name] - before[name] for name in NAMES if after[name] != before[name]}


class Ours(Case):
    def setUp(self):
        self.daemon = Memcache()
        self.addCleanup(self._end, self.daemon)
        wire = self.daemon.talk()
        self.addCleanup(wire.close)
        self.ours = Server(wire)


@unittest.skipIf(MEMCACHED is None, "Debian: memcached, or name one in MEMCACHED")
class Beside(Ours):
    def setUp(self):
        super().setUp()
        self.theirs = Server(start_memcached(self).wire)

    def compare(self, requests):
        for request in requests:
            with self.subTest(request=request):
                self.assertEqual(self.ours.steps(request), self.theirs.steps(request))

    def test_each_request_moves_the_same_figures(self):
        for kind, requests in REQUESTS.items():
            with self.subTest(kind=kind):
                self.compare(requests)

    @unittest.skipUnless(NEWEST, "a newer memcached, named in MEMCACHED")
    def test_the_same_of_what_is_newer(self):
        self.compare(NEWER)


class Alone(Ours):
    """What is counted otherwise than memcached does, and what it has no figure for."""

    def test_what_was_missing_is_a_miss_though_it_was_made(self):
        self.assertEqual(self.ours.steps("mg none N100 v"),
                         {"cmd_get": 1, "get_misses": 1, "total_items": 1})

    def test_a_touch_of_what_is_missing_is_a_touch(self):
        self.assertEqual(self.ours.steps("mg none T100"), {"cmd_touch": 1, "touch_misses": 1})

    def test_a_number_that_grows_is_no_new_record(self):
        self.assertEqual(self.ours.steps("incr a 100000"), {"incr_hits": 1})

    def test_the_hit_ratio_is_that_of_reads(self):
        wire = self.ours.wire
        self.ours.begin()
        wire.ask("stats reset")
        wire.send("gat 100 none\r\nme a\r\nmg a T10\r\nget a\r\nget none\r\nmn\r\n")
        while wire.line() != "MN":
            pass
        stats = wire.stats()
        self.assertEqual([stats[name] for name in ("cmd_get", "get_hits", "get_misses")],
                         ["2", "1", "1"])

    def test_what_a_quota_refuses_is_too_large(self):
        daemon = Memcache('namespaces = ( { name = "small"; memory = "256K"; } );')
        self.addCleanup(self._end, daemon)
        ours = Server(self.kept(daemon.talk()))
        self.assertEqual(ours.steps("set small:a 0 0 500000\n" + "x" * 500000),
                         {"store_too_large": 1})

    def test_native_values_that_are_too_large(self):
        client = self.connect(self.daemon)
        before = client.stat("store_too_large")
        client.send("PUT ns key - 1048577\n" + "x" * 1048577 + "\n")
        self.assertIn("larger than max_value", client.line())
        self.assertEqual(client.stat("store_too_large"), before + 1)


class ByNamespace(Ours):
    """stats slabs has the same figures, of each namespace."""

    def of(self, number):
        slabs = self.ours.wire.stats("slabs")
        return {name.split(":")[1]: int(value) for name, value in slabs.items()
                if name.startswith(f"{number}:")}

    def test_they_add_up_to_those_of_the_daemon(self):
        wire = self.ours.wire
        number = next(name.split(":")[0] for name, value in wire.stats("namespaces").items()
                      if value == "cache")
        before, whole = self.of(number), self.ours.figures()
        for requests in REQUESTS.values():
            for request in requests:
                if not re.match("flush_all|mn", request):
                    self.ours.steps(request)
        after, then = self.of(number), self.ours.figures()
        for name in ("get_hits", "cmd_set", "delete_hits", "incr_hits", "decr_hits", "cas_hits",
                     "cas_badval", "touch_hits"):
            with self.subTest(name=name):
                self.assertGreater(after[name], before[name])
                self.assertEqual(after[name] - before[name], then[name] - whole[name])


if __name__ == "__main__":
    unittest.main()
