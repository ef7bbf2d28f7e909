"""The manual pages know every figure that STATS gives, and no other.

They are read from the sources, beside which this file lies.
"""

import os
import re
import subprocess
import unittest

from harness import Case
from memcache import Memcache

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def page(path):
    with open(os.path.join(SOURCES, path)) as file:
        return file.read()


def section(text, heading):
    """What stands below a heading of either kind, up to the next section."""
    found = re.search(rf"^\.S[hs] {heading}\n(.*?)(?=^\.Sh |\Z)", text, re.M | re.S)
    assert found, heading
    return found.group(1)


def items(text):
    """The names that the items of lists are about."""
    return [name for line in re.findall(r"^\.It Li (.*)$", text, re.M)
            for name in line.split(" , ")]


class Figures(Case):
    def setUp(self):
        self.text = section(page("daemon/kvcached-stats.7"), "FIGURES")
        self.of_daemon, self.of_namespace = self.text.split(".Ss Of a namespace\n")

    def names(self, client, request):
        return [line.split()[1] for line in client.ask_all(request)]

    def test_those_of_the_daemon(self):
        client = self.connect(self.start())
        self.assertEqual(sorted(items(self.of_daemon)), sorted(self.names(client, "STATS")))

    def test_those_of_a_namespace(self):
        client = self.connect(self.start())
        client.put("sessions", "alice", "hello")
        self.assertEqual(sorted(items(self.of_namespace)),
                         sorted(self.names(client, "STATS sessions")))

    def test_those_that_only_memcached_has(self):
        daemon = Memcache()
        self.addCleanup(self._end, daemon)
        wire = self.kept(daemon.talk())
        self.assertEqual(wire.ask("set a 0 0 1\n1"), "STORED")
        text = page("protocol/kvcached-memcache.7")
        for topic in ("settings", "items", "slabs"):
            told = re.search(rf"^\.It Li stats {topic}\n(.*?)^\.It", text, re.M | re.S).group(1)
            words = set(re.findall(r"\w+", told))
            for name in wire.stats(topic):
                with self.subTest(topic=topic, name=name):
                    self.assertIn(name.rsplit(":", 1)[-1], words)


class Metrics(unittest.TestCase):
    def test_the_table_is_made_from_families_def(self):
        page_of = os.path.join(SOURCES, "daemon", "kvcached-stats.7")
        made = subprocess.run(
            [os.path.join(SOURCES, "daemon", "http", "families-to-mdoc"),
             os.path.join(SOURCES, "daemon", "base", "families.def"), page_of],
            stdout=subprocess.PIPE, check=True, text=True).stdout
        self.assertEqual(made, page("daemon/kvcached-stats.7"), "make figure-documents")
        self.assertGreaterEqual(len(items(section(made, "METRICS"))), 50)

    def test_each_figure_has_a_family_that_there_is(self):
        families = set(re.findall(r"^(?:NAMESPACE_)?FAMILY\((\w+),",
                                  page("daemon/base/families.def"), re.M)) | {"NONE"}
        used = set(re.findall(r'^(?:NAMESPACE_)?(?:FIGURE|LIFETIME)\((?:NULL|"\w+"), (\w+)',
                              page("daemon/base/figures.def"), re.M))
        used |= set(re.findall(r'^METRIC\(\w+, "\w+", (\w+)', page("daemon/base/metrics.def"), re.M))
        self.assertLessEqual(used, families)
        self.assertGreater(len(used), 25)


if __name__ == "__main__":
    unittest.main()
