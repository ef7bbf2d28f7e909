"""The manual pages know every figure that STATS gives, and no other.

They are read from the sources, beside which this file lies.
"""

import os
import re
import subprocess
import unittest

import nodes
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
        self.of_daemon, self.of_cluster = self.of_daemon.split(".Ss Of the cluster\n")

    def names(self, client, request):
        return [line.split()[1] for line in client.ask_all(request)]

    def test_those_of_the_daemon(self):
        client = self.connect(self.start())
        told = items(self.of_daemon) + (items(self.of_cluster) if nodes.WANTED else [])
        self.assertEqual(sorted(told), sorted(self.names(client, "STATS")))

    def test_those_of_the_cluster(self):
        """Without nodes that answer there are figures all the same."""
        client = self.connect(self.start('cluster = { nodes = ( "127.0.0.1:1" ); };'))
        self.assertEqual(sorted(items(self.of_daemon) + items(self.of_cluster)),
                         sorted(self.names(client, "STATS")))

    @unittest.skipIf(nodes.WANTED, "a namespace in a cluster has others")
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


class Verbs(Case):
    """kvcached-protocol(7) has what HELP says about each verb, which is what verbs.def says."""

    LITERAL = set("Ic Ns 1/ reset connections reads writes evictions expirations".split())

    def setUp(self):
        text = section(page("protocol/kvcached-protocol.7"), "REQUESTS")
        self.told = {}
        for heads, body in re.findall(r"((?:^\.It Ic .*\n)+)((?:(?!\.It ).*\n)*)", text, re.M):
            for verb, words in re.findall(r"^\.It Ic (\w+)(.*)", heads, re.M):
                words = re.sub(r" , No (then|and) .*", "", words)
                self.told.setdefault(verb, []).append((words, body))
        self.client = self.connect(self.start())
        lines = self.client.ask_all("HELP")
        usages = [line.split(": ")[0].split() for line in lines if re.match("[A-Z]+( <| \\[|:)", line)]
        self.usages = {usage[0]: re.findall(r"<(\w+)>", " ".join(usage)) for usage in usages}

    def test_every_verb_is_in_it(self):
        self.assertEqual(sorted(self.told), sorted(self.usages))

    def test_their_words(self):
        for verb, words in self.usages.items():
            told = " ".join(line for line, _ in self.told[verb])
            told = told.replace("Ar ... , No as Ic PUT", self.told["PUT"][1][0])
            arguments = set(told.split()) - {"Ar", "Op", "Oo", "Oc", "..."} - self.LITERAL
            with self.subTest(verb=verb):
                self.assertEqual(arguments, set(words))

    def test_their_replies(self):
        for verb in self.usages:
            lines = self.client.ask_all(f"HELP {verb}")
            reply = next(line for line in lines if line.startswith("Reply: "))
            told = " ".join(body for _, body in self.told[verb])
            for word in re.findall(r"\b[A-Z_]{2,}\b", reply):
                with self.subTest(verb=verb, word=word):
                    self.assertIn(f".Li {word}", told)


if __name__ == "__main__":
    unittest.main()
