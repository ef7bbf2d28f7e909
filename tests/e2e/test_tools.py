"""Tools that were written for memcached: memcached-tool, memcdump and memcstat, PHP's
getAllKeys, npm's memcached, and what Prometheus' memcached_exporter makes of the figures.

MEMCACHED_TOOL names another memcached-tool than Debian's.
"""

import json
import os
import re
import unittest

from client_case import ClientCase
from memcache import Memcache

TOOL = os.environ.get("MEMCACHED_TOOL", "/usr/share/memcached/scripts/memcached-tool")
CONF = 'namespaces = ( { name = "sessions"; } );'


class ToolCase(ClientCase):
    """With records in two namespaces."""

    KEYS = {f"key{i}" for i in range(100)} | {f"sessions:user%{i}" for i in range(20)}

    def setUp(self):
        self.daemon = Memcache(CONF)
        self.addCleanup(self._end, self.daemon)
        self.wire = self.kept(self.daemon.talk())
        for key in self.KEYS:
            self.wire.send(f"set {key} 3 0 {len(key)} noreply\r\n{key}\r\n")
        self.assertEqual(self.wire.ask("mn"), "MN")

    def told(self, *command):
        """What a command says when it ended well."""
        return self.program(command, "")


@unittest.skipUnless(os.path.exists(TOOL), "Debian: memcached, which brings memcached-tool")
class MemcachedTool(ToolCase):
    def tool(self, *mode):
        return self.told("perl", TOOL, self.daemon.server, *mode)

    def table(self, mode):
        """Lines of two words, by the first."""
        return dict(line.split(None, 1) for line in self.tool(mode).splitlines()[1:])

    def test_display(self):
        lines = self.tool("display").splitlines()
        self.assertIn("Item_Size", lines[0])
        rows = [line.split() for line in lines[1:]]
        self.assertEqual(sorted(int(row[4]) for row in rows), [20, 100])
        for row in rows:
            self.assertRegex(row[1], r"\A\d+B\Z")
            self.assertIn(row[5], ("yes", "no"))

    def test_stats(self):
        told = self.table("stats")
        self.assertEqual(told["curr_items"].strip(), "120")
        self.assertRegex(told["version"], r"\A\d+\.\d+\.\d+\s*\Z")

    def test_settings(self):
        told = self.table("settings")
        self.assertEqual(told["tcpport"].strip(), str(self.daemon.memcache[1]))
        self.assertEqual(told["evictions"].strip(), "on")

    def test_sizes(self):
        told = self.table("sizes")
        self.assertEqual(sum(int(count) for count in told.values()), 120)

    def test_keys(self):
        lines = self.tool("keys").splitlines()
        found = {re.match(r"key=(\S+) exp=-1 ", line).group(1) for line in lines}
        self.assertEqual(found, {key.replace("%", "%25").replace(":", "%3A")
                                 for key in self.KEYS})

    def test_dump_is_what_brings_it_back(self):
        dumped = self.tool("dump")
        other = Memcache(CONF)
        self.addCleanup(self._end, other)
        wire = self.kept(other.talk())
        wire.send(dumped.replace("\n", "\r\n").replace("\r\r", "\r") + "mn\r\n")
        answers = [wire.line()]
        while answers[-1] not in ("MN", ""):
            answers.append(wire.line())
        self.assertEqual(answers, ["STORED"] * 120 + ["MN"])
        for key in sorted(self.KEYS)[::37]:
            self.assertEqual(wire.ask(f"get {key}", lines=3),
                             [f"VALUE {key} 3 {len(key)}", key, "END"])


class Libmemcached(ToolCase):
    """Debian: libmemcached-tools."""

    def test_memcdump(self):
        told = self.told("memcdump", f"--servers={self.daemon.server}")
        self.assertEqual(set(told.split()), self.KEYS)

    def test_memcstat(self):
        told = self.told("memcstat", f"--servers={self.daemon.server}")
        self.assertRegex(told, r"curr_items: 120\b")
        self.assertRegex(told, r"\bversion: \d+\.\d+\.\d+\s")


PHP = r"""
$m = new Memcached();
[$host, $port] = explode(":", $argv[1]);
$m->addServer($host, (int)$port);
$keys = $m->getAllKeys();
$stats = array_values($m->getStats())[0];
$items = array_values($m->getStats("items"))[0];
echo json_encode([$keys, $stats["curr_items"], array_values($m->getVersion())[0], $items]);
"""


class Php(ToolCase):
    def test_get_all_keys(self):
        if "memcached" not in self.told("php", "-m").split():
            raise unittest.SkipTest("Debian: php-memcached")
        told = self.told("php", "-r", PHP, "--", self.daemon.server)
        keys, items, version, by_class = json.loads(told)
        self.assertEqual(set(keys), self.KEYS)
        self.assertEqual(items, 120)
        self.assertRegex(version, r"\A\d+\.\d+\.\d+\Z")
        self.assertEqual(sum(int(value) for name, value in by_class.items()
                             if name.endswith(":number")), 120)


NODE = r"""
const Memcached = require("memcached");
const client = new Memcached(process.argv[2]);
const call = (name, ...rest) => new Promise((good, bad) =>
  client[name](...rest, (error, data) =>
    error ? bad(new Error(name + ": " + error)) : good(data.slice()))); // it empties its own
(async () => {
  const [items] = await call("items");
  const keys = [];
  for (const number of Object.keys(items).filter((name) => name !== "server")) {
    const dumped = await call("cachedump", items.server, Number(number), items[number].number);
    for (const one of [].concat(dumped)) if (one && one.key) keys.push(one.key);
  }
  const [stats] = await call("stats");
  const [slabs] = await call("slabs");
  const [settings] = await call("settings");
  client.end();
  console.log(JSON.stringify({ keys, items: stats.curr_items, slabs, settings }));
})().catch((error) => { console.error(error); process.exit(1); });
"""


class Node(ToolCase):
    """It loses what does not come in one piece; so few keys do."""

    def test_items_and_their_dump(self):
        self.needs_npm("memcached")
        told = json.loads(self.npm(NODE, self.daemon.server))
        self.assertEqual(set(told["keys"]), self.KEYS)
        self.assertEqual(told["items"], 120)
        self.assertEqual(told["settings"]["prefix_delimiter"], ":")
        used = [slab["used_chunks"] for slab in told["slabs"].values() if isinstance(slab, dict)
                and "used_chunks" in slab]
        self.assertEqual(sorted(number for number in used if number), [20, 100])


class Exporter:
    """What memcached_exporter asks of the answers, before it calls a server up: lines of the
    form that its client reads, numbers under the names that it knows, and some that it cannot
    do without."""

    COUNTERS = ("uptime time cas_badval cmd_flush bytes limit_maxbytes curr_items total_items "
                "bytes_read bytes_written curr_connections total_connections rejected_connections "
                "conn_yields listen_disabled_num evictions reclaimed store_too_large "
                "store_no_memory direct_reclaims accepting_conns").split()
    OPERATIONS = ("get", "delete", "incr", "decr", "cas", "touch")
    OF_SLABS = ("chunk_size chunks_per_page total_pages total_chunks used_chunks free_chunks "
                "free_chunks_end mem_requested cas_badval").split()

    def __init__(self, wire):
        self.stats = wire.stats()
        self.items = self.by_class(wire.stats("items"), r"items:(\d+):(\w+)\Z")
        self.slabs = self.by_class(wire.stats("slabs"), r"(\d+):(\w+)\Z")
        self.settings = wire.stats("settings")

    @staticmethod
    def by_class(stats, form):
        """The client takes every value of a class for a number of 64 bits without a sign."""
        found = {}
        for name, value in stats.items():
            words = re.match(form, name)
            if words:
                assert re.fullmatch(r"\d{1,20}", value) and int(value) < 2**64, (name, value)
                found.setdefault(int(words.group(1)), {})[words.group(2)] = int(value)
        return found

    def commands(self):
        """Requests by what they were, as the exporter tells them; ends in KeyError or
        ValueError where it would say that the server is down."""
        stats = self.stats
        told = {f"{name}_{end}": float(stats[f"{name}_{end}"]) for name in self.OPERATIONS
                for end in ("hits", "misses")}
        told["set"] = (float(stats["cmd_set"]) - float(stats["cas_misses"]) -
                       float(stats["cas_hits"]) - float(stats["cas_badval"]))
        for name in self.COUNTERS:
            told[name] = float(stats[name])
        for name in ("rusage_user", "rusage_system"):
            told[name] = [int(part) for part in stats[name].split(".")]
        return told

    def commands_of(self, number):
        slab = self.slabs[number]
        told = {name: slab[name] for name in self.OF_SLABS}
        for name in self.OPERATIONS:
            told[name] = slab[f"{name}_hits"]
        told["set"] = slab["cmd_set"] - slab["cas_hits"] - slab["cas_badval"]
        return told


class MemcachedExporter(ToolCase):
    def test_the_server_is_up(self):
        self.wire.ask("gets key1", lines=3)
        self.wire.ask("cas key1 0 0 1 1\nx")
        self.wire.ask("cas nothing 0 0 1 1\nx")
        exporter = Exporter(self.wire)
        told = exporter.commands()
        self.assertEqual(told["set"], 120)
        self.assertEqual((told["accepting_conns"], told["listen_disabled_num"]), (1, 0))
        self.assertEqual(len(exporter.items), 2)
        self.assertEqual(sum(exporter.commands_of(number)["set"] for number in exporter.slabs),
                         120 + 1)  # what finds no record is no class's, to memcached
        for number, slab in exporter.slabs.items():
            with self.subTest(number=number):
                items = exporter.items.get(number, {"number": 0})
                self.assertEqual(slab["used_chunks"], items["number"])
                self.assertEqual(slab["used_chunks"] + slab["free_chunks"], slab["total_chunks"])
                self.assertGreaterEqual(slab["total_chunks"] * slab["chunk_size"],
                                        slab["mem_requested"])
        for name in ("lru_crawler", "lru_maintainer_thread"):
            self.assertIn(exporter.settings[name], ("yes", "no"))
        for name in ("maxconns", "lru_crawler_sleep", "lru_crawler_tocrawl"):
            self.assertRegex(exporter.settings[name], r"\A\d+\Z")


if __name__ == "__main__":
    unittest.main()
