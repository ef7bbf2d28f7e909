"""Memcached's protocol, where kvcached has a meaning of its own for it: where keys
live, how long, what a flush reaches, and what is never taken for a command.
"""

import subprocess
import time
import unittest

from harness import Case, seconds, wait_for
from memcache import Memcache
from nodes import in_memory

CONF = """
memory = "32M"; max_value = "256K"; ttl = "never";
namespaces = ( { name = "sessions"; ttl = "30m"; },
               { name = "short"; ttl = "10s"; max_ttl = "1m"; },
               { name = "small"; memory = "256K"; } );
"""


class MemcacheCase(Case):
    def setUp(self):
        self.daemon = Memcache(CONF)
        self.addCleanup(self._end, self.daemon)
        self.wire = self.talk()
        self.native = self.connect(self.daemon)

    def talk(self):
        wire = self.daemon.talk()
        self.addCleanup(wire.close)
        return wire

    def say(self, request, *answers):
        """Every line of the answer."""
        got = self.wire.ask(request, len(answers))
        self.assertEqual(got, answers[0] if len(answers) == 1 else list(answers), request)

    def asked(self, line):
        self.native.send(line + "\r\n")
        return self.native.line()


class WhereKeysLive(MemcacheCase):
    def test_a_prefix_names_a_declared_namespace(self):
        self.say("set sessions:alice 0 0 2\nhi", "STORED")
        self.assertEqual(self.native.get("sessions", "alice"), b"hi")
        self.assertEqual(self.native.put("sessions", "bob", b"yes"), "STORED")
        self.say("get sessions:bob", "VALUE sessions:bob 0 3", "yes", "END")
        self.say("mg sessions:bob k v", "VA 3 ksessions:bob", "yes")

    def test_other_prefixes_are_part_of_the_key(self):
        self.say("set user:1 0 0 1\nx", "STORED")
        self.assertEqual(self.native.get("cache", "user:1"), b"x")
        self.say("set sessions: 0 0 1\ny", "STORED")
        self.assertEqual(self.native.get("cache", "sessions:"), b"y")
        self.say("get user:1 nothing sessions:", "VALUE user:1 0 1", "x",
                 "VALUE sessions: 0 1", "y", "END")

    def test_client_flags_outlive_a_native_touch(self):
        self.say("set sessions:a 4294967295 0 1\nx", "STORED")
        self.assertEqual(self.asked("TOUCH sessions a 5m"), "TOUCHED")
        self.say("get sessions:a", "VALUE sessions:a 4294967295 1", "x", "END")

    def test_client_flags_of_a_native_write(self):
        large = b"x" * 200000
        self.native.send(b"PUT cache a 1h 2 7\r\nhi\r\nADD cache b never 2 4294967295\r\nhi\r\n"
                         b"PUT cache c - %d 5\r\n%b\r\nPUT cache d 1h 2 9\r\nhi\r\n"
                         b"PUT cache d 1h 2\r\nhi\r\n" % (len(large), large))
        self.native.expect("STORED\r\n" * 5)
        for key, flags in (("a", 7), ("b", 4294967295), ("d", 0)):
            self.assertEqual(self.wire.ask(f"get {key}", 3),
                             [f"VALUE {key} {flags} 2", "hi", "END"])
            self.assertRegex(self.wire.ask(f"gets {key}", 3)[0], rf"^VALUE {key} {flags} 2 \d+$")
            self.assertEqual(self.wire.ask(f"mg {key} f"), f"HD f{flags}")
        self.assertEqual(self.wire.ask("mg c f s"), f"HD f5 s{len(large)}")

    def test_the_native_protocol_sees_other_clients_numbers(self):
        self.say("set n 0 0 1\n7", "STORED")
        self.assertEqual(self.asked("INCR cache n 3"), "NUMBER 10")
        self.say("incr n 1", "11")

    def test_a_key_of_250_bytes_and_none_of_251(self):
        self.say(f"set {'k' * 250} 0 0 1\nx", "STORED")
        self.say(f"get {'k' * 250}", f"VALUE {'k' * 250} 0 1", "x", "END")
        self.say(f"get {'k' * 251}", "CLIENT_ERROR bad command line format")


class HowLong(MemcacheCase):
    def test_no_exptime_is_the_namespaces_own(self):
        self.say("set sessions:a 0 0 1\nx", "STORED")
        self.say("set a 0 0 1\nx", "STORED")
        self.say("mg sessions:a t", "HD t1800")
        self.say("mg a t", "HD t-1")

    def test_max_ttl_holds(self):
        self.say("set short:a 0 3600 1\nx", "STORED")
        self.say("mg short:a t", "HD t60")
        self.say("touch short:a 2000000", "TOUCHED")
        self.say("mg short:a t", "HD t60")

    def test_a_date_does_not_wait_for_a_value_that_is_slow(self):
        then, value = int(time.time()) + 100, b"v" * 250000
        self.wire.send(f"set k 0 {then} {len(value)}\r\n")
        self.wire.send(value[:150000])
        wait_for(lambda: self.native.stat("bytes_read") >= 150000, 5, "it to begin")
        late = time.monotonic() + 0.5
        wait_for(lambda: time.monotonic() > late, 5, "some time to pass")
        self.wire.send(value[150000:] + b"\r\n")
        self.assertEqual(self.wire.line(), "STORED")
        most = then - time.time()
        self.assertLess(float(self.asked("TTL cache k").split(" ")[1]), most + 0.1)

    def test_more_than_thirty_days_is_a_date(self):
        then = int(time.time()) + 100
        self.say(f"set a 0 {then} 1\nx", "STORED")
        left = int(self.wire.ask("mg a t")[4:])
        self.assertTrue(95 <= left <= 100, left)
        self.say(f"set a 0 {then - 1000} 1\nx", "STORED")
        self.say("get a", "END")

    def test_negative_is_over_at_once(self):
        self.say("set a 0 0 1\nx", "STORED")
        self.say("set a 0 -1 1\ny", "STORED")
        self.say("get a", "END")
        self.say("set b 0 0 1\nx", "STORED")
        self.say("gat -1 b", "VALUE b 0 1", "x", "END")
        self.say("get b", "END")

    def test_expiry_is_exact(self):
        self.say("set a 0 1 1\nx", "STORED")
        began = time.monotonic()
        wait_for(lambda: self.wire.ask("mg a") == "EN", 5, "the record to expire")
        self.assertGreaterEqual(time.monotonic() - began, 0.98)


class Flushing(MemcacheCase):
    def test_it_reaches_what_the_listener_reaches(self):
        self.say("set a 0 0 1\nx", "STORED")
        self.say("set sessions:a 0 0 1\nx", "STORED")
        self.native.put("elsewhere", "a", b"stays")
        self.say("flush_all", "OK")
        self.say("get a sessions:a", "END")
        self.assertEqual(self.native.get("elsewhere", "a"), b"stays")

    @in_memory("nodes flush at once")
    def test_it_may_come_later_and_be_taken_back(self):
        self.say("set a 0 0 1\nx", "STORED")
        self.say("flush_all 1", "OK")
        began = time.monotonic()
        self.say("set b 0 0 1\nx", "STORED")
        self.say("get a", "VALUE a 0 1", "x", "END")
        wait_for(lambda: self.wire.ask("mg a") == "EN", 5, "the flush")
        self.assertGreaterEqual(time.monotonic() - began, 0.98)
        self.say("get a b", "END")
        self.say("flush_all 3600", "OK")
        self.say("set a 0 0 1\nx", "STORED")
        self.say("get a", "VALUE a 0 1", "x", "END")

    def test_many_records(self):
        batch = b"".join(b"set key%d 0 0 5 noreply\r\nvalue\r\n" % i for i in range(50000))
        self.wire.send(batch)
        self.say("mn", "MN")
        self.say("flush_all", "OK")
        self.say("get key0 key49999", "END")
        self.assertEqual(self.wire.stats()["curr_items"], "0")


class Refusals(MemcacheCase):
    @in_memory("there are no quotas")
    def test_a_refused_set_takes_the_old_value_along(self):
        for size in (256 * 1024 + 1, 3_000_000):
            self.say("set a 0 0 1\nx", "STORED")
            self.say(f"set a 0 0 {size}\n{'v' * size}",
                     "SERVER_ERROR object too large for cache")
            self.say("get a", "END")
            self.say("set a 0 0 1\nx", "STORED")
            self.say(f"ms a {size}\n{'v' * size}", "SERVER_ERROR object too large for cache")
            self.say("mg a", "EN")

    def test_a_refused_add_does_not(self):
        self.say("set a 0 0 1\nx", "STORED")
        self.say(f"append a 0 0 300000\n{'v' * 300000}",
                 "SERVER_ERROR object too large for cache")
        self.say("get a", "VALUE a 0 1", "x", "END")

    def test_a_value_is_never_a_command(self):
        self.say("set canary 0 0 1\nx", "STORED")
        for line in ("set a x 0 {}", "set a 0 x {}", f"set {'k' * 251} 0 0 {{}}", "ms a {} Z",
                     "cas a 0 0 {} x", "set a 0 0 {}"):
            value = "delete canary\r\nflush_all"
            self.wire.send(line.format(len(value)) + "\r\n" + value + "\r\n")
            self.wire.line()
            self.say("get canary", "VALUE canary 0 1", "x", "END")

    def test_what_cannot_be_counted_ends_the_connection(self):
        for line in ("set a 0 0 x", "set a 0 0", "set a 0 0 -1", "ms a x", "set a 0 0 3\r\nabcdef"):
            wire = self.talk()
            wire.send(line + "\r\nflush_all\r\n")
            self.assertIn(wire.line().split()[0], ("ERROR", "CLIENT_ERROR"))
            self.assertTrue(wire.is_closed(), line)

    def test_browsers_are_refused(self):
        for line in ("POST / HTTP/1.1", "GET / HTTP/1.1", "Host: localhost"):
            wire = self.talk()
            wire.send(line + "\r\n\r\n")
            self.assertEqual(wire.line(), "HTTP/1.1 400 Bad Request", line)
            while wire.line() != "":
                pass
            self.assertEqual(wire.line(), "this listener speaks memcached's protocol, not HTTP; the live page and "
                             "/metrics need a listener with protocol = http")
            self.assertTrue(wire.is_closed(), line)

    def test_typed_with_line_feeds_only(self):
        self.wire.send("set a 0 0 2\nhi\nget a\n")
        self.assertEqual([self.wire.line() for _ in range(4)], ["STORED", "VALUE a 0 2", "hi", "END"])


class Versions(MemcacheCase):
    def version(self, key):
        return self.wire.ask(f"gets {key}", 3)[0].split()[-1]

    @in_memory("versions follow from values")
    def test_it_never_comes_back_for_a_key(self):
        seen = set()
        for i in range(200):
            self.say("set a 0 0 1\nx", "STORED")
            seen.add(self.version("a"))
            self.say("delete a", "DELETED")
        self.assertEqual(len(seen), 200)

    @in_memory("versions follow from values")
    def test_it_outlives_that_records_are_moved(self):
        versions = {}
        for i in range(200):
            self.say(f"set mine{i} 0 0 5\nvalue", "STORED")
            versions[i] = self.version(f"mine{i}")
            for j in range(20):
                self.wire.send(f"set other{i}x{j} 0 0 100 noreply\r\n{'v' * 100}\r\n")
        for i in range(200):
            for j in range(20):
                self.wire.send(f"delete other{i}x{j} noreply\r\n")
        wait_for(lambda: int(self.wire.stats()["compactions"]) > 0, 10, "compaction")
        for i in range(200):
            self.assertEqual(self.version(f"mine{i}"), versions[i])
            self.say(f"cas mine{i} 0 0 3 {versions[i]}\nnew", "STORED")
            self.say(f"cas mine{i} 0 0 3 {versions[i]}\nbad", "EXISTS")

    @in_memory("versions follow from values")
    def test_a_large_value_has_one(self):
        value = "v" * 200000
        self.say(f"set a 0 0 {len(value)}\n{value}", "STORED")
        version = self.version("a")
        answer = self.wire.ask(f"ms a {len(value)} C{version} O7 k c\n{value}")
        self.assertRegex(answer, r"^HD O7 ka c\d+$")
        self.assertNotEqual(answer.split("c")[-1], version)
        self.say(f"cas a 0 0 1 {version}\nx", "EXISTS")

    def test_append_and_prepend_to_a_large_value(self):
        self.say("set a 9 100 1\nm", "STORED")
        self.say(f"append a 0 0 100000\n{'e' * 100000}", "STORED")
        self.say(f"prepend a 0 0 100000\n{'b' * 100000}", "STORED")
        self.say("get a", "VALUE a 9 200001", "b" * 100000 + "m" + "e" * 100000, "END")
        self.say("mg a t", "HD t100")


class Meta(MemcacheCase):
    @in_memory("nodes keep no notes")
    def test_one_client_renews_what_is_stale(self):
        self.say("ms a 3 T100\nold", "HD")
        self.say("md a I T30", "HD")
        self.say("mg a v t", "VA 3 t30 X W", "old")
        self.say("mg a v", "VA 3 Z X", "old")
        self.say("ms a 3\nnew", "HD")
        self.say("mg a v", "VA 3", "new")

    @in_memory("nodes keep no notes")
    def test_one_client_fills_a_miss(self):
        self.say("mg a N30 v t", "VA 0 t30 W", "")
        self.say("mg a N30 v", "VA 0 Z", "")
        self.say("mg a R40", "HD Z")

    @in_memory("nodes keep no notes")
    def test_hits_and_idle_time(self):
        self.say("set a 0 0 1\nx", "STORED")
        self.say("mg a h l u", "HD h0 l0")
        self.say("get a", "VALUE a 0 1", "x", "END")
        self.say("mg a h l", "HD h1 l0")
        wait_for(lambda: self.wire.ask("mg a l u") == "HD l1", 5, "a second without a read")
        self.say("mg a l", "HD l1")
        self.say("mg a l", "HD l0")

    def test_quiet_pipelines_keep_their_order(self):
        self.wire.send(b"ms a 1 q\r\nx\r\nmg b v q O1\r\nmg a v O2 q\r\nmd c q\r\nma n q N0 J5\r\n"
                       b"ma n v O3\r\nget a noreply\r\nmn\r\n")
        got = [self.wire.line() for _ in range(9)]
        self.assertEqual(got, ["VA 1 O2", "x", "NF", "VA 1 O3", "6", "VALUE a 0 1", "x", "END", "MN"])

    def test_keys_of_bytes(self):
        self.say("ms AAEgLw== 2 b k\nhi", "HD kAAEgLw== b")
        self.say("mg AAEgLw== b v k s", "VA 2 kAAEgLw== b s2", "hi")
        self.wire.send("md AAEgLw== b q\r\n")
        self.say("mg AAEgLw== b", "EN")


class Stats(MemcacheCase):
    def test_what_clients_look_for(self):
        self.say("set a 0 0 1\nx", "STORED")
        self.say("get a b", "VALUE a 0 1", "x", "END")
        stats = self.wire.stats()
        for name in ("pid", "uptime", "time", "version", "pointer_size", "rusage_user",
                     "curr_connections", "total_connections", "cmd_get", "cmd_set", "cmd_flush",
                     "cmd_touch", "get_hits", "get_misses", "delete_hits", "incr_hits", "cas_hits",
                     "cas_badval", "bytes", "bytes_read", "bytes_written", "limit_maxbytes",
                     "threads", "curr_items", "total_items", "evictions"):
            self.assertIn(name, stats)
        self.assertEqual((stats["get_hits"], stats["get_misses"]), ("1", "1"))

    def test_reset(self):
        self.say("get a", "END")
        self.say("stats reset", "RESET")
        stats = self.wire.stats()
        self.assertEqual((stats["cmd_get"], stats["get_misses"]), ("0", "0"))

    @in_memory("it has few figures")
    def test_by_namespace(self):
        self.say("set sessions:a 0 0 1\nx", "STORED")
        self.say("get sessions:a sessions:b", "VALUE sessions:a 0 1", "x", "END")
        self.say("stats detail on", "OK")
        self.assertIn("PREFIX sessions get 2 hit 1 set 1 del 0", self.wire.until_end("stats detail dump"))
        numbers = {value: name.split(":")[0]
                   for name, value in self.wire.stats("namespaces").items()}
        items = self.wire.stats("items")
        self.assertEqual(items[f"items:{numbers['sessions']}:number"], "1")
        self.assertEqual(len({name.split(":")[1] for name in items}), 1)  # of those that hold some
        self.assertIn("active_slabs", self.wire.stats("slabs"))
        self.assertEqual(self.wire.stats("settings")["maxbytes"], str(32 << 20))


class Memccapable(MemcacheCase):
    def test_every_ascii_test_passes(self):
        host, port = self.daemon.memcache
        try:
            done = subprocess.run(["memccapable", "-h", host, "-p", str(port), "-a"],
                                  capture_output=True, text=True, timeout=seconds(60))
        except FileNotFoundError:
            raise unittest.SkipTest("memccapable is not here; Debian: libmemcached-tools") from None
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"All tests passed|\[pass\]")
        self.assertNotIn("[FAIL]", done.stdout)
