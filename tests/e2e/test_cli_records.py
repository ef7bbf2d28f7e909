"""kvcached-cli with many records: dump, restore and copy; imports from memcached and from Redis,
compared record by record."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
import unittest

from cli import CLI, DONE, NO_CONNECTION, REFUSED, CliCase
from harness import seconds, wait_for
from reference import MEMCACHED, start_memcached
from memcache import Wire
from test_cluster import free_ports

REDIS = shutil.which("redis-server", path=os.environ.get("PATH", "") + ":/usr/bin:/usr/sbin")
# What DUMP says, whose words are tested here.
HEAD = re.compile(rb"\A# kvcached dump, time (\d+\.\d{3})\r\n")
DUMPED = (b"PUT s alice never 5\r\nhello\r\n"
          b"PUT s a\\x20b 1800 4 42\r\n\r\n\r\n\r\n"
          b"PUT s soon 1500ms 1\r\nx\r\n"
          b"PUT s empty 3600 0\r\n\r\n"
          b"END\r\n")


def head(age=0.0):
    return b"# kvcached dump, time %.3f\r\n" % (time.time() - age)


class Records(CliCase):
    def fill(self, daemon, ns="s", count=3000):
        """Records of many kinds; returns value and whether there is a ttl, by key as it is sent."""
        chance = random.Random(7)
        records = {}
        with daemon.connect() as client:
            for number in range(count):
                key = f"k{number}" + ("\\x20" if number % 5 == 0 else "")
                length = chance.choice((0, 1, 20, 300, 5000))
                value = chance.randbytes(length)
                ttl = "1h" if number % 3 == 0 else "never"
                records[key] = (value, number % 3 == 0)
                client.send(f"PUT {ns} {key} {ttl} {length}\r\n".encode() + value + b"\r\n")
                if number % 100 == 99:
                    for _ in range(100):
                        self.assertEqual(client.line(), "STORED")
        return records

    def compare(self, daemon, records, ns="s"):
        with daemon.connect() as client:
            self.assertEqual(client.stat("items", ns), len(records))
            for key, (value, short) in records.items():
                self.assertEqual(client.get(ns, key), value, key)
                left = client.ask(f"TTL {ns} {key}").split()[1]
                if short:
                    self.assertTrue(3500 < float(left) <= 3600, left)
                else:
                    self.assertEqual(left, "never")


class Restore(Records):
    def start(self, *arguments, **options):
        daemon = super().start(*arguments, **options)
        self.needs(daemon, "<flags>")
        return daemon

    def test_a_dump(self):
        daemon = self.start()
        status, out, err = self.at(daemon, "restore", given=head() + DUMPED)
        self.assertEqual((status, out), (DONE, b""), err)
        self.assertEqual(err, "kvcached-cli: 4 stored, 0 had expired, 0 refused\n")
        with daemon.connect() as client:
            self.assertEqual(client.get("s", "alice"), b"hello")
            self.assertEqual(client.get("s", "a\\x20b"), b"\r\n\r\n")
            self.assertEqual(client.get("s", "empty"), b"")
            self.assertEqual(client.ask("TTL s alice"), "TTL never")

    def test_its_age_is_taken_off(self):
        daemon = self.start()
        status, _, err = self.at(daemon, "restore", given=head(age=600) + DUMPED)
        self.assertEqual(status, DONE)
        self.assertIn("3 stored, 1 had expired, 0 refused", err)
        with daemon.connect() as client:
            self.assertEqual(client.ask("GET s soon"), "NOT_FOUND")
            self.assertTrue(1100 < float(client.ask("TTL s a\\x20b").split()[1]) <= 1200)
            self.assertEqual(client.ask("TTL s alice"), "TTL never")

    def test_add(self):
        daemon = self.start()
        with daemon.connect() as client:
            client.put("s", "alice", "mine")
            status, _, err = self.at(daemon, "restore", "--add", given=head() + DUMPED)
            self.assertEqual(status, DONE)
            self.assertIn("3 stored, 1 were there, 0 had expired, 0 refused", err)
            self.assertEqual(client.get("s", "alice"), b"mine")
            self.at(daemon, "restore", given=head() + DUMPED)
            self.assertEqual(client.get("s", "alice"), b"hello")

    def test_what_is_refused(self):
        daemon = self.start("max_value = 4;")
        status, _, err = self.at(daemon, "restore", given=head() + DUMPED)
        self.assertEqual(status, REFUSED)
        self.assertRegex(err, "3 stored, 0 had expired, 1 refused: CLIENT_ERROR|SERVER_ERROR")

    def test_files_that_are_none(self):
        daemon = self.start()
        for given in (b"", b"hello\r\n", DUMPED, b"# kvcached dump, time x\r\n" + DUMPED,
                      b"# kvcached dump, time 17\r\n" + DUMPED):
            status, _, err = self.at(daemon, "restore", given=given)
            self.assertEqual(status, REFUSED)
            self.assertIn("standard input is no dump", err)
        with daemon.connect() as client:
            self.assertEqual(client.stat("cmd_set"), 0)
        for end, stored in ((len(DUMPED) - 5, 4), (len(DUMPED) - 6, 3), (30, 1), (3, 0), (0, 0)):
            status, _, err = self.at(daemon, "restore", given=head() + DUMPED[:end])
            self.assertEqual(status, REFUSED, end)
            self.assertIn(f"{stored} stored", err)
            self.assertIn("the dump ends in the middle", err)
        status, _, err = self.at(daemon, "restore", given=head() + DUMPED + b"FLUSH s\r\n")
        self.assertEqual(status, REFUSED)
        with daemon.connect() as client:
            self.assertEqual(client.get("s", "alice"), b"hello")

    def test_two_dumps_in_one_file(self):
        daemon = self.start()
        second = b"PUT t k never 1\r\nx\r\nEND\r\n"
        status, _, err = self.at(daemon, "restore", given=head() + DUMPED + head() + second)
        self.assertEqual(status, DONE)
        self.assertIn("5 stored", err)

    def test_usage(self):
        daemon = self.start()
        for words in (["restore", "x"], ["restore", "--frob"], ["dump"], ["dump", "a", "b", "c"],
                      ["copy", "s"], ["copy", "--to", "h:1"], ["import"], ["import", "ftp://h"],
                      ["import", "memcached://"], ["import", "redis://h/x"],
                      ["import", "memcached://h", "--match", "x"],
                      ["import", "redis://h", "--prefix", "::"]):
            status, out, err = self.at(daemon, *words)
            self.assertEqual((status, out), (REFUSED, b""), words)
            self.assertIn(f"write {words[0]} ", err)

    def test_interrupted(self):
        daemon = self.start()
        process = subprocess.Popen([CLI, *self.where(daemon), "restore"], stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        piece = b"".join(b"PUT s k%d never 1\r\nx\r\n" % number for number in range(5000))
        process.stdin.write(head() + piece)
        process.stdin.flush()
        with daemon.connect() as client:
            wait_for(lambda: client.stat("curr_items") >= 4096, 10, "records")
        process.send_signal(signal.SIGINT)
        try:
            process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        _, err = process.communicate(timeout=seconds(20))
        self.assertEqual(process.returncode, REFUSED)
        self.assertRegex(err, rb"\d+ stored.*\n.*interrupted")


class Progress(Records):
    def test_what_takes_long_says_how_far_it_is(self):
        daemon = self.start()
        said = open(os.path.join(self.home(), "said"), "w+b")
        self.addCleanup(said.close)
        process = subprocess.Popen([CLI, *self.where(daemon), "restore"], stdin=subprocess.PIPE,
                                   stderr=said)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        process.stdin.write(head())

        def told():
            process.stdin.write(b"PUT s k never 1\r\nx\r\n" * 2000)
            said.seek(0)
            return re.match(rb"\d+ records, \d+/s\n", said.read())
        wait_for(told, 20, "the progress")
        process.stdin.write(b"END\r\n")
        process.stdin.close()
        self.assertEqual(process.wait(seconds(20)), DONE)


class Dump(Records):
    """With a daemon that knows DUMP."""

    def start(self, *arguments, **options):
        daemon = super().start(*arguments, **options)
        self.needs(daemon, "DUMP <ns>")
        return daemon

    def test_dump_and_restore(self):
        daemon = self.start()
        records = self.fill(daemon)
        status, dumped, err = self.at(daemon, "dump", "s")
        self.assertEqual((status, err), (DONE, ""))
        self.assertTrue(HEAD.match(dumped))
        self.assertTrue(dumped.endswith(b"\r\nEND\r\n"))
        other = self.start()
        status, _, err = self.at(other, "restore", given=dumped)
        self.assertEqual(status, DONE)
        self.assertIn(f"{len(records)} stored, 0 had expired, 0 refused", err)
        self.compare(other, records)

    def test_a_pattern(self):
        daemon = self.start()
        self.at(daemon, "restore", given=head() + DUMPED)
        out = self.at(daemon, "dump", "s", "al*")[1]
        self.assertEqual(HEAD.sub(b"", out), b"PUT s alice never 5\r\nhello\r\nEND\r\n")

    def test_copy(self):
        one, two = self.start(), self.start()
        records, more = self.fill(one), self.fill(one, "t", 100)
        address = "{}:{}".format(*two.address)
        status, out, err = self.at(one, "copy", "--to", address, "s", "t")
        self.assertEqual((status, out), (DONE, b""), err)
        self.assertIn(f"{len(records) + len(more)} stored", err)
        self.compare(two, records)
        self.compare(two, more, "t")
        three = self.start()
        status, _, err = self.cli("copy", "--from", address, "--to",
                                  "{}:{}".format(*three.address), "t")
        self.assertEqual(status, DONE, err)
        self.compare(three, more, "t")
        two.stop()
        self.assertEqual(self.at(one, "copy", "--to", address, "s")[0], NO_CONNECTION)


@unittest.skipIf(MEMCACHED is None, "Debian: memcached")
class FromMemcached(Records):
    def test_every_record(self):
        theirs = start_memcached(self)
        wire = Wire(theirs.address)
        self.addCleanup(wire.close)
        chance = random.Random(8)
        records = {}
        for number in range(2000):
            ns = ("web", "bad/name", "", None)[number % 4]
            key = f"k%{number}" if ns is None else f"{ns}:k%{number}"
            value = chance.randbytes(chance.choice((0, 1, 100, 3000)))
            exptime = chance.choice((0, 3600))
            flags = chance.choice((0, 1, 4294967295))
            wire.send(f"set {key} {flags} {exptime} {len(value)}\r\n".encode() + value + b"\r\n")
            self.assertEqual(wire.file.readline(), b"STORED\r\n")
            place = ("web", f"k%{number}") if ns == "web" else ("other", key)
            records[place] = (value, flags, exptime)
        daemon = self.start('namespace = "other"; namespaces = ( { name = "web"; } );',
                            listen='listen = ( { address = "127.0.0.1"; port = 0; }, '
                                   '{ address = "127.0.0.1"; port = 0; protocol = "memcache"; '
                                   'prefix = ":"; namespace = "other"; } );\n')
        daemon.wait_listening(2)
        self.needs(daemon, "<flags>")
        url = "memcached://{}:{}".format(*theirs.address)
        status, out, err = self.at(daemon, "import", url, "--prefix", ":")
        self.assertEqual((status, out), (DONE, b""), err)
        self.assertIn("2000 stored, 0 had expired, 0 refused", err)
        ours = Wire(daemon.addresses()[1])
        self.addCleanup(ours.close)
        with daemon.connect() as client:
            self.assertEqual(client.stat("curr_items"), len(records))
            for (ns, key), (value, flags, exptime) in records.items():
                self.assertEqual(client.get(ns, key), value, (ns, key))
                left = client.ask(f"TTL {ns} {key}").split()[1]
                if exptime:
                    self.assertTrue(3500 < float(left) <= 3600, left)
                else:
                    self.assertEqual(left, "never")
                if ns == "web":
                    ours.send(f"get web:{key}\r\n".encode())
                    self.assertEqual(ours.file.readline(),
                                     f"VALUE web:{key} {flags} {len(value)}\r\n".encode())
                    ours.file.read(len(value) + 2 + len("END\r\n"))

    def test_without_flags(self):
        theirs = start_memcached(self)
        wire = Wire(theirs.address)
        self.addCleanup(wire.close)
        for number in range(500):
            wire.send(f"set k{number} 0 0 3\r\nv\r\n\r\n".encode())
            self.assertEqual(wire.file.readline(), b"STORED\r\n")
        daemon = self.start()
        url = "memcached://{}:{}".format(*theirs.address)
        status, _, err = self.at(daemon, "import", url, "--ns", "cache")
        self.assertEqual(status, DONE, err)
        with daemon.connect() as client:
            self.assertEqual(client.stat("items", "cache"), 500)
            self.assertEqual(client.get("cache", "k7"), b"v\r\n")

    def test_no_memcached(self):
        daemon = self.start()
        port = free_ports(1)[0]
        status, _, err = self.at(daemon, "import", f"memcached://127.0.0.1:{port}")
        self.assertEqual(status, NO_CONNECTION)
        self.assertIn("Connection refused", err)
        status, _, err = self.at(daemon, "import", "memcached://{}:{}".format(*daemon.address))
        self.assertEqual(status, REFUSED)
        self.assertIn("does not list its keys", err)


@unittest.skipIf(REDIS is None, "Debian: redis-server")
class FromRedis(Records):
    def serve(self):
        port = free_ports(1)[0]
        process = subprocess.Popen([REDIS, "--port", str(port), "--save", "", "--bind", "127.0.0.1",
                                    "--appendonly", "no", "--daemonize", "no"],
                                   stdout=subprocess.DEVNULL, cwd=self.home())
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)

        def ready():
            try:
                return Wire(("127.0.0.1", port))
            except ConnectionRefusedError:
                return None
        wire = wait_for(ready, 10, "Redis")
        self.addCleanup(wire.close)
        return port, wire

    def tell(self, wire, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        wire.send(b"*%d\r\n" % len(words) +
                  b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        return wire.file.readline()

    def test_every_record(self):
        port, wire = self.serve()
        chance = random.Random(9)
        records = {}
        self.tell(wire, "SELECT", 3)
        for number in range(3000):
            key = f"sess:k {number}".encode() if number % 2 else b"\xff\\x20k%d\n" % number
            value = chance.randbytes(chance.choice((0, 1, 100, 3000)))
            short = number % 3 == 0
            self.tell(wire, "SET", key, value, *(("PX", 3600000) if short else ()))
            escaped = b"k\\x20%d" % number if number % 2 else b"\xff\\x5cx20k%d\\x0a" % number
            records["sess" if number % 2 else "other", escaped] = (value, short)
        self.tell(wire, "RPUSH", "a list", "x")
        daemon = self.start('namespace = "other";')
        status, out, err = self.at(daemon, "import", f"redis://127.0.0.1:{port}/3", "--prefix", ":")
        self.assertEqual((status, out), (DONE, b""), err)
        self.assertIn("1 passed over: they are no strings", err)
        with daemon.connect() as client:
            self.assertEqual(client.stat("curr_items"), len(records))
            for (ns, key), (value, short) in records.items():
                client.send(b"GET %s %s\r\nTTL %s %s\r\n" % (ns.encode(), key, ns.encode(), key))
                self.assertEqual(client.line(), f"VALUE {len(value)}")
                self.assertEqual(client.value(len(value)), value)
                left = client.line().split()[1]
                self.assertTrue(3500 < float(left) <= 3600 if short else left == "never", left)

    def test_a_pattern_and_another_database(self):
        port, wire = self.serve()
        for number in range(100):
            self.tell(wire, "SET", f"sess:{number}", "x")
            self.tell(wire, "SET", f"page:{number}", "x")
        daemon = self.start()
        url = f"redis://127.0.0.1:{port}"
        status, _, err = self.at(daemon, "import", url, "--match", "sess:*", "--ns", "web")
        self.assertEqual(status, DONE, err)
        with daemon.connect() as client:
            self.assertEqual(client.stat("items", "web"), 100)
            self.assertEqual(client.get("web", "sess:7"), b"x")
        status, _, err = self.at(daemon, "import", url + "/5")
        self.assertEqual(status, DONE)
        self.assertIn("0 stored", err)
        status, _, err = self.at(daemon, "import", url + "/999")
        self.assertEqual(status, REFUSED)
        self.assertIn("out of range", err)

    def test_no_redis(self):
        daemon = self.start()
        status, _, err = self.at(daemon, "import", f"redis://127.0.0.1:{free_ports(1)[0]}")
        self.assertEqual(status, NO_CONNECTION)
        self.assertIn("Connection refused", err)
