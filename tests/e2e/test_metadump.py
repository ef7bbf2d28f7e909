"""Listings in memcached's protocol: lru_crawler metadump and mgdump, stats cachedump and
sizes. What is listed can be asked for again as it is listed; nothing else is.
"""

import re
import socket
import time
import unittest
import urllib.parse

from harness import Case, seconds, wait_for
from memcache import LISTEN, Memcache
from reference import NEWEST, start_memcached
from test_users import user, users

DETAILS = re.compile(r"key=(\S+) exp=(-1|\d+) la=(\d+) cas=(\d+) fetch=(yes|no) cls=(\d+) "
                     r"size=(\d+) flags=(\d+) \Z")
DECLARED = 'namespaces = ( { name = "sessions"; }, { name = "pages"; } );'
LISTINGS = ("lru_crawler metadump all", "lru_crawler mgdump all", "lru_crawler metadump 1",
            "stats cachedump 1 0", "stats sizes")


def listed(wire, request):
    """The lines of a listing, up to its end."""
    wire.send(request + "\r\n")
    lines = []
    while not lines or lines[-1] not in ("END", "EN", ""):
        lines.append(wire.line())
    return lines[:-1]


def details(wire, what="all"):
    """A metadump, by key."""
    lines = listed(wire, f"lru_crawler metadump {what}")
    assert lines[0] == "OK", lines
    found = {}
    for line in lines[1:]:
        words = DETAILS.match(line)
        assert words, line
        key = urllib.parse.unquote_to_bytes(words.group(1))
        assert key not in found, key
        found[key] = words.groups()[1:]
    return found


class DumpCase(Case):
    CONF = DECLARED

    def setUp(self):
        self.daemon = Memcache(self.CONF)
        self.addCleanup(self._end, self.daemon)
        self.wire = self.talk()
        self.native = self.connect(self.daemon)

    def talk(self):
        wire = self.daemon.talk()
        self.addCleanup(wire.close)
        return wire

    def numbers(self):
        """By name."""
        return {value: name.split(":")[0]
                for name, value in self.wire.stats("namespaces").items()}


class Details(DumpCase):
    def test_what_is_told_of_a_record(self):
        before = time.time()
        self.wire.ask("set a 7 100 5\nvalue")
        self.wire.ask("set b%c 0 0 1\nx")
        self.wire.ask("get a", lines=3)
        found = details(self.wire)
        self.assertEqual(set(found), {b"a", b"b%c"})
        exp, la, cas, fetch, cls, size, flags = found[b"a"]
        self.assertTrue(before + 99 <= int(exp) <= time.time() + 101, exp)
        self.assertTrue(int(before) - 1 <= int(la) <= time.time(), la)
        self.assertEqual((fetch, flags, cls), ("yes", "7", self.numbers()["cache"]))
        self.assertEqual(found[b"b%c"][0], "-1")
        self.assertEqual(found[b"b%c"][3], "no")
        self.assertEqual(self.wire.ask("me a").split(" ", 2)[2].split(" ", 2)[2],
                         f"cas={cas} fetch=yes cls={cls} size={size}")
        self.assertEqual(self.wire.ask("mg a c f"), f"HD c{cas} f7")

    def test_a_date_comes_back_as_it_was_given(self):
        dates = [int(time.time()) + 100000 + i for i in range(50)]
        for date in dates:
            self.wire.ask(f"set k{date} 0 {date} 1\nx")
        self.assertEqual({key: value[0] for key, value in details(self.wire).items()},
                         {b"k%d" % date: str(date) for date in dates})

    def test_all_and_hash_and_numbers(self):
        self.wire.ask("set own 0 0 1\nx")
        self.wire.ask("set sessions:alice 0 0 1\nx")
        self.wire.ask("set pages:home 0 0 1\nx")
        numbers = self.numbers()
        self.assertEqual(set(details(self.wire, "hash")), set(details(self.wire)))
        self.assertEqual(set(details(self.wire, numbers["pages"])), {b"pages:home"})
        two = f'{numbers["pages"]},{numbers["cache"]}'
        self.assertEqual(set(details(self.wire, two)), {b"pages:home", b"own"})
        self.assertEqual(details(self.wire, "65535"), {})

    def test_what_is_over_is_not_listed(self):
        self.wire.ask("set a 0 -1 1\nx")
        self.wire.ask("set b 0 0 1\nx")
        self.wire.ask("delete b")
        self.assertEqual(details(self.wire), {})


class Reached(DumpCase):
    """Listed are the listener's namespace and the declared ones, as its clients know them."""

    def setUp(self):
        super().setUp()
        self.wire.ask("set own 0 0 3\nown")
        self.wire.ask("set sessions:alice 0 0 5\nalice")
        self.native.put("elsewhere", "unreached", "x")
        self.native.put("cache", "k" * 251, "too long for a request")
        self.native.put("cache", "sessions:bob", "taken for another namespace's")
        self.native.put("cache", "other:bob", "own")
        self.native.put("sessions", "a:b", "of sessions")
        self.native.put("sessions", "k" * 250, "too long with the name before it")
        self.keys = {b"own", b"sessions:alice", b"other:bob", b"sessions:a:b"}

    def test_by_details_and_by_items(self):
        self.assertEqual(set(details(self.wire)), self.keys)
        items = [line.split(" ")[1] for number in self.numbers().values()
                 for line in listed(self.wire, f"stats cachedump {number} 0")]
        self.assertEqual({item.encode() for item in items}, self.keys)

    def test_requests_find_the_records(self):
        lines = listed(self.wire, "lru_crawler mgdump all")
        self.assertEqual(lines[0], "OK")
        self.assertEqual({line.split(" ")[1].encode() for line in lines[1:]}, self.keys)
        for line in lines[1:]:
            self.assertTrue(self.wire.ask(line + " s").startswith("HD s"), line)

    def test_without_a_prefix_only_its_own(self):
        daemon = Memcache(DECLARED, listen=LISTEN.replace('prefix = ":"; ', ""))
        self.addCleanup(self._end, daemon)
        wire = self.kept(daemon.talk())
        wire.ask("set sessions:a 0 0 1\nx")
        self.connect(daemon).put("sessions", "b", "x")
        self.assertEqual(set(details(wire)), {b"sessions:a"})

    def test_keys_of_bytes(self):
        self.wire.ask("ms AAEgLw== 2 b\nhi")
        self.assertIn(b"\0\x01 /", details(self.wire))
        lines = listed(self.wire, "lru_crawler mgdump all")
        self.assertIn("mg AAEgLw== b", lines)
        self.assertEqual(self.wire.ask("mg AAEgLw== b s"), "HD s2")
        shown = listed(self.wire, f"stats cachedump {self.numbers()['cache']} 0")
        self.assertEqual(len(shown), 2, shown)


class Items(DumpCase):
    def test_size_and_expiry(self):
        self.wire.ask("set a 0 0 5\nvalue")
        date = int(time.time()) + 5000
        self.wire.ask(f"set b 0 {date} 1\nx")
        number = self.numbers()["cache"]
        self.assertEqual(set(listed(self.wire, f"stats cachedump {number} 0")),
                         {"ITEM a [5 b; 0 s]", f"ITEM b [1 b; {date} s]"})
        self.assertEqual(len(listed(self.wire, f"stats cachedump {number} 1")), 1)
        self.assertEqual(listed(self.wire, "stats cachedump 60000 0"), [])

    def test_two_megabytes_at_most(self):
        self.native.pipelined("".join(f"PUT cache {'k' * 240}{i:05}\nv\n" for i in range(12000)),
                              12000)
        lines = listed(self.wire, f"stats cachedump {self.numbers()['cache']} 0")
        size = sum(len(line) + 2 for line in lines)
        self.assertTrue(1500000 < size <= 2 << 20, size)


class Sizes(DumpCase):
    def test_all_records_by_their_size(self):
        for i, size in enumerate([1, 1, 100, 1000, 60000, 70000, 500000, 1000000]):
            self.wire.ask(f"set k{i} 0 0 {size}\n{'x' * size}")
        self.native.put("sessions", "a", "x")
        self.native.put("elsewhere", "a", "x")
        sizes = {int(size): int(count) for size, count in self.wire.stats("sizes").items()}
        self.assertEqual(sum(sizes.values()), 9)
        self.assertTrue(all(size % 32 == 0 for size in sizes))
        self.assertEqual(sizes[32], 3)
        for wanted in (100, 1000, 60000, 70000, 500000, 1000000):
            self.assertTrue(any(wanted <= size <= wanted * 1.02 + 64 for size in sizes), wanted)
        told = sum(size * count for size, count in sizes.items())
        stats = self.wire.stats()
        self.assertTrue(int(stats["bytes"]) - 100 <= told <= int(stats["bytes"]) * 1.02 + 500)


class Streams(DumpCase):
    COUNT = 60000

    def setUp(self):
        super().setUp()
        for name in ("cache", "sessions"):
            self.native.pipelined("".join(f"PUT {name} key{i:06} 1h\nvalue {i}\n"
                                          for i in range(self.COUNT)), self.COUNT)
        self.names = ({b"key%06d" % i for i in range(self.COUNT)} |
                      {b"sessions:key%06d" % i for i in range(self.COUNT)})

    def test_every_record_once(self):
        self.assertEqual(set(details(self.wire)), self.names)

    def test_others_are_served_while_the_peer_does_not_read(self):
        before = self.daemon.resident()
        slow = [self.talk() for _ in range(10)]
        for peer in slow:
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            peer.send("lru_crawler metadump all\r\nlru_crawler mgdump all\r\nmn\r\n")
        wait_for(lambda: int(self.wire.stats()["conn_stalls"]) >= 10, 10, "all to stall")
        started = time.monotonic()
        for i in range(300):
            self.assertEqual(self.wire.ask(f"set other{i} 0 0 1\nx"), "STORED")
        self.assertLess(time.monotonic() - started, seconds(2))
        self.assertLess(self.daemon.resident() - before, 32 << 20)
        found = {key for key in details(slow[0]) if not key.startswith(b"other")}
        self.assertEqual(found, self.names)

    def test_who_goes_in_the_middle_leaves_nothing_behind(self):
        for request in LISTINGS:
            for _ in range(20):
                wire = self.daemon.talk()
                wire.send(request + "\r\n")
                wire.file.read(3)
                wire.close()
        self.wire.ask("flush_all")
        wait_for(lambda: self.wire.stats()["curr_items"] == "0", 10, "all memory to come free")
        wait_for(lambda: self.wire.stats()["segments"] == "0", 10, "all segments to come free")

    def test_flushed_in_the_middle(self):
        self.wire.send("lru_crawler metadump all\r\n")
        self.assertEqual(self.wire.line(), "OK")
        other = self.talk()
        self.assertEqual(other.ask("flush_all"), "OK")
        lines = 0
        while self.wire.line() != "END":
            lines += 1
        self.assertLessEqual(lines, 2 * self.COUNT)
        self.assertEqual(self.wire.ask("mn"), "MN")

    def test_listings_behind_each_other(self):
        self.wire.send("stats sizes\r\nlru_crawler mgdump 65535\r\nmn\r\nstats cachedump 1 2\r\n")
        lines = []
        while len(lines) < 8:
            lines.append(self.wire.line())
        self.assertEqual(lines[1:5], ["END", "OK", "EN", "MN"])
        self.assertEqual(lines[7], "END")


class Rights(DumpCase):
    CONF = DECLARED + users(user("all", "p", read="*", write="*", admin="*"),
                            user("own", "p", read="*", write="*", admin="cache"),
                            user("reached", "p", admin=["cache", "sessions", "pages", "default"]),
                            user("none", "p", read="*", write="*"))

    def setUp(self):
        self.daemon = Memcache(self.CONF)
        self.addCleanup(self._end, self.daemon)

    def known(self, name):
        wire = self.daemon.talk()
        self.addCleanup(wire.close)
        value = f"{name} p"
        self.assertEqual(wire.ask(f"set auth 0 0 {len(value)}\n{value}"), "STORED")
        return wire

    def test_who_may_list_what_is_reached_may(self):
        for name in ("all", "reached"):
            wire = self.known(name)
            for request in LISTINGS:
                with self.subTest(name=name, request=request):
                    self.assertNotIn("CLIENT_ERROR", " ".join(listed(wire, request)))

    def test_others_get_one_error_line(self):
        for name, what in (("none", 'needs the right "admin" in "cache"'),
                           ("own", 'needs the right "admin" in every namespace that is declared')):
            wire = self.known(name)
            for request in LISTINGS:
                with self.subTest(name=name, request=request):
                    self.assertEqual(wire.ask(request), f'CLIENT_ERROR not allowed: user "{name}" '
                                     + what)
                    self.assertEqual(wire.ask("mn"), "MN")

    def test_strangers_learn_nothing(self):
        for request in LISTINGS + ("help", "lru_crawler enable", "stats conns"):
            wire = self.daemon.talk()
            self.addCleanup(wire.close)
            with self.subTest(request=request):
                self.assertEqual(wire.ask(request), "CLIENT_ERROR unauthenticated")


# What clients and tools are known to send, and what is like it.
ASKED = ["stats", "help", "version", "verbosity", "verbosity 1", "verbosity x", "lru_crawler",
         *LISTINGS, *(f"lru_crawler {word}" for word in (
             "enable", "disable", "crawl all", "crawl 1", "crawl x", "sleep 100", "sleep",
             "tocrawl 0", "metadump", "mgdump x")),
         *(f"stats {word}" for word in (
             "reset", "settings", "items", "slabs", "conns", "namespaces", "malloc", "maps",
             "cachedump", "cachedump 1", "cachedump a b", "cachedump 99999 1", "sizes_enable",
             "detail", "detail on", "detail off", "detail dump", "detail foo", "extstore",
             "proxy", "tap", "hash", "topkeys", "reset all", "cachedump 1 1 1", "noreply"))]
LAST = re.compile(r"(END|EN|OK|RESET|ERROR|VERSION .*|CLIENT_ERROR .*|SERVER_ERROR .*|BADCLASS .*)\Z")


class Answered(DumpCase):
    def test_nobody_waits_in_vain(self):
        """Whatever is asked ends in a line that clients know as an end, and only there."""
        for request in ASKED:
            with self.subTest(request=request):
                self.wire.send(request + "\r\nmn\r\n")
                lines = [self.wire.line()]
                while lines[-1] not in ("MN", ""):
                    lines.append(self.wire.line())
                self.assertGreater(len(lines), 1)
                self.assertRegex(lines[-2], LAST)

    def test_no_figure_is_without_a_value(self):
        bare = LISTEN.replace('prefix = ":"; ', "").replace('namespace = "cache"; ', "")
        for listen in (LISTEN, bare):
            daemon = Memcache(DECLARED, listen=listen)
            self.addCleanup(self._end, daemon)
            wire = self.kept(daemon.talk())
            wire.ask("set a 0 0 1\nx")
            for topic in ("", "settings", "items", "slabs", "sizes", "conns", "namespaces"):
                for line in wire.until_end(f"stats {topic}".rstrip()):
                    with self.subTest(topic=topic, line=line):
                        self.assertRegex(line, r"\ASTAT \S+ \S.*\Z")

    def test_classes_have_nothing_but_numbers(self):
        self.wire.ask("set a 0 0 1\nx")
        for topic, form in (("items", r"items:\d+:\w+\Z"), ("slabs", r"(\d+:)?\w+\Z"),
                            ("sizes", r"\d+\Z")):
            for name, value in self.wire.stats(topic).items():
                with self.subTest(topic=topic, name=name):
                    self.assertRegex(name, form)
                    self.assertRegex(value, r"\A\d+\Z")

    def test_the_version_is_numbers_and_the_same_everywhere(self):
        version = self.wire.ask("version")
        self.assertRegex(version, r"\AVERSION \d+\.\d+\.\d+\Z")
        stats = self.wire.stats()
        self.assertEqual("VERSION " + stats["version"], version)
        native = self.native.stats()
        self.assertEqual(self.native.ask("VERSION"), "VERSION kvcached " + native["version"])
        self.assertEqual(stats["kvcached_version"], native["version"])
        self.assertEqual(native["kvcached_version"], native["version"])

    def test_settings_are_those_of_the_configuration(self):
        settings = self.wire.stats("settings")
        for name, value in {"tcpport": str(self.daemon.memcache[1]), "inter": "127.0.0.1",
                            "udpport": "0", "domain_socket": "NULL", "namespace": "cache",
                            "prefix_delimiter": ":", "stat_key_prefix": ":", "num_threads": "2",
                            "auth_enabled_ascii": "no", "idle_timeout": "0"}.items():
            with self.subTest(name=name):
                self.assertEqual(settings[name], value)

    def test_settings_of_a_socket(self):
        daemon = self.start('idle_timeout = "90500ms"; log = { level = "debug"; };'
                            + users(user("all", "p", read="*", admin="*")),
                            listen='listen = ( { path = "@/socket"; protocol = "memcache"; } );')
        client = self.connect(daemon)
        client.send("set auth 0 0 5\r\nall p\r\n")
        self.assertEqual(client.line(), "STORED")
        client.send("stats settings\r\nstats conns\r\n")
        settings = {}
        for _ in range(2):
            line = client.line()
            while line != "END":
                _, name, value = line.split(" ", 2)
                settings[name] = value
                line = client.line()
        for name, value in {"tcpport": "0", "inter": "NULL", "prefix_delimiter": "NULL",
                            "domain_socket": daemon.path("socket"), "idle_timeout": "91",
                            "auth_enabled_ascii": "yes", "verbosity": "2"}.items():
            with self.subTest(name=name):
                self.assertEqual(settings[name], value)
        address = next(value for name, value in settings.items() if name.endswith(":addr"))
        self.assertEqual(address, "unix:" + daemon.path("socket"))

    def test_the_connection_that_asks(self):
        conns = self.wire.stats("conns")
        number = next(iter(conns)).split(":")[0]
        self.assertEqual(conns[f"{number}:addr"],
                         "tcp:%s:%d" % self.wire.socket.getsockname()[:2])
        self.assertEqual(conns[f"{number}:listen_addr"], "tcp:%s:%d" % self.daemon.memcache)
        self.assertEqual(conns[f"{number}:secs_since_last_cmd"], "0")


# Of caches that hold nothing.
ALIKE = ["verbosity", "verbosity x", "verbosity -1", "verbosity 1", "verbosity 1 x",
         "stats detail", "stats detail x", "stats detail on", "stats detail off", "stats reset",
         "stats reset x", "stats malloc", "stats foo", "stats cachedump", "stats cachedump 1",
         "stats cachedump x 1", "stats cachedump 1 x", "stats cachedump 1 -1",
         "stats cachedump 1 0", "stats cachedump 1 0 0", "stats cachedump 70000 0",
         *(f"lru_crawler {words}".rstrip() for words in (
             "", "x", "enable x", "crawl", "crawl x", "crawl 0", "crawl 70000", "tocrawl",
             "tocrawl x", "tocrawl -1", "tocrawl 5", "tocrawl 4294967296", "sleep", "sleep x",
             "sleep 1000001", "sleep 1000000", "metadump", "metadump x", "metadump 0",
             "metadump 70000", "metadump 1 2", "metadump all", "metadump hash", "metadump 1",
             "metadump 1,2", "mgdump", "mgdump x", "mgdump all", "mgdump hash", "mgdump 3"))]


class Alike(DumpCase):
    CONF = ""

    def answer(self, wire, request):
        wire.send(request + "\r\n")
        lines = [wire.line()]
        while lines[-1] == "OK" and re.search("(meta|mg)dump", request):
            lines.append(wire.line())
        return lines

    @unittest.skipUnless(NEWEST, "a newer memcached, named in MEMCACHED")
    def test_words_are_those_of_memcached(self):
        theirs = start_memcached(self).wire
        for request in ALIKE:
            with self.subTest(request=request):
                self.assertEqual(self.answer(self.wire, request), self.answer(theirs, request))
