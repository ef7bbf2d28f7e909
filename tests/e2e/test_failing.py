"""Memory, or a thread, that is refused once: at every point in turn.

tests/support/fail_alloc.c makes one request fail, the first, the second, and so on until a whole run
(a start, all verbs of both protocols, a reload, a stop) needs no more than that. Each run
either refuses to start, with a message and a status of <sysexits.h>, or goes on answering and
loses nothing that it said was stored; none crashes or hangs. Where there is no memory for a
new namespace, the store makes room: a record may be evicted, and is counted.
"""

import os
import signal
import sys
import unittest

from harness import SANITIZER, Case, Client, wait_for
from memcache import Memcache

LIBRARY = os.path.join(os.getcwd(), "tests", "support", "fail_alloc.so")
LARGE = b"large" * 40000
EXITS = {64, 66, 69, 70, 71, 73, 77, 78}  # what the manual page promises


class Patient:
    """A client that connects again where it was hung up on, as all do."""

    TRIES = 5

    def __init__(self, address):
        self.address = address
        self.client = None

    def ask(self, data, take):
        """What `take` makes of the reply of a request that may be sent twice."""
        for _ in range(self.TRIES):
            try:
                if self.client is None:
                    self.client = Client(self.address)
                self.client.send(data)
                return take(self.client)
            except (OSError, EOFError):
                self.close()
        raise AssertionError(f"hung up on {self.TRIES} times: {data[:60]!r}")

    def close(self):
        if self.client is not None:
            self.client.close()
        self.client = None


def listing(client):
    """Lines up to END, or the error that stands for them."""
    while True:
        line = client.line()
        if line == "END" or line.endswith("ERROR") or "ERROR " in line[:14]:
            return line
        words = line.split(" ")
        if words[0] in ("RECORD", "VALUE"):
            client.value(int(words[3 if words[0] == "VALUE" and len(words) > 3 else -1]))


class Run:
    """One run of everything; `stored` is what the daemon owes."""

    LISTS = ("LIST n", "ALL n k*", "LIST n " + "*[a-y]" * 170, "NAMESPACES", "STATS",
             "STATS n", "HELP", "LIST fresh")
    LINES = ("TTL n key1", "TOUCH n key2 2h", "DEL n gone", "GET n none", "FLUSH fresh", "WHAT",
             "PUT n key soon 1\r\nv", "ADD n key1 1h 1\r\nv", "VERSION", "GET n " + "x" * 1000)
    MEMCACHE = ("touch key 100", "delete none", "incr none 1", "verbosity 1", "mn", "mg none v",
                "ms meta 2\r\nab", "ma counter N100 J5", "md none", "version", "what",
                "append app 0 0 1\r\nx", "prepend app 0 0 1\r\nx", "cas none 0 0 1 5\r\nx")
    MEMCACHE_LISTS = ("get key large none", "gets key", "gat 100 key", "stats", "stats slabs",
                      "stats sizes", "stats cachedump 1 0", "stats settings", "help")

    def __init__(self, daemon):
        self.daemon = daemon
        self.native = Patient(daemon.address)
        self.memcache = Patient(daemon.memcache)
        self.stored = {}

    def put(self, ns, key, value):
        reply = self.native.ask(b"PUT %s %s 1h %d\r\n%s\r\n" % (ns, key, len(value), value),
                                lambda client: client.reply())
        assert reply == "STORED" or reply.startswith("SERVER_ERROR"), reply
        if reply == "STORED":
            self.stored[ns, key] = value

    def set(self, key, value):
        reply = self.memcache.ask(b"set %s 0 3600 %d\r\n%s\r\n" % (key, len(value), value),
                                  lambda client: client.line())
        assert reply == "STORED" or reply.startswith("SERVER_ERROR"), reply
        if reply == "STORED":
            self.stored[b"cache", key] = value
        else:  # a set that fails takes what was there along, as memcached has it
            self.stored.pop((b"cache", key), None)

    def everything(self):
        for i in range(1, 6):
            self.put(b"n", b"key%d" % i, b"value %d" % i)
        self.put(b"n", b"large", LARGE)
        self.put(b"fresh%d" % len(self.stored), b"key", b"value")
        for line in self.LINES:
            self.native.ask(line.encode() + b"\r\n", lambda client: client.reply())
        for line in self.LISTS:
            self.native.ask(line.encode() + b"\r\n", listing)
        self.set(b"key", b"value")
        self.set(b"large", LARGE)
        for line in self.MEMCACHE:
            self.memcache.ask(line.encode() + b"\r\n", lambda client: client.line())
        for line in self.MEMCACHE_LISTS:
            self.memcache.ask(line.encode() + b"\r\n", listing)

    def read(self, ns, key):
        """What is said to a GET; once more where it was the one that got no memory."""
        request = b"GET %s %s\r\n" % (ns, key)
        reply = self.native.ask(request, lambda client: client.reply())
        if str(reply).startswith("SERVER_ERROR"):
            reply = self.native.ask(request, lambda client: client.reply())
        return reply

    def lost(self):
        """What is owed, with what is said instead."""
        replies = {key: self.read(*key) for key in self.stored}
        return [(key, reply if isinstance(reply, str) else reply[0])
                for key, reply in replies.items() if reply[1] != self.stored[key]]

    def evictions(self):
        lines = self.native.ask(b"STATS\r\n", lambda client: client.until_end())
        return int(next(line for line in lines if line.startswith("STAT evictions ")).split()[2])

    def close(self):
        self.native.close()
        self.memcache.close()


@unittest.skipIf(SANITIZER, "a sanitizer has an allocator of its own")
@unittest.skipUnless(os.path.exists(LIBRARY), "tests/support/fail_alloc.so was not built")
class Failing(Case):
    CONF = 'threads = 1;\nmemory = "16M"; namespaces = ( { name = "n"; }, { name = "m"; } );\n'

    def begin(self, number, conf):
        self.tells = None
        daemon = Memcache(conf, run=False, environment={"LD_PRELOAD": LIBRARY,
                                                        "FAILING_AT": str(number)})
        self.addCleanup(daemon.clean)
        self.tells = daemon.environment["FAILING_TELLS"] = daemon.path("tells")
        daemon.start(ready=False)
        wait_for(lambda: not daemon.running() or len(daemon.LISTENING.findall(daemon.log_bytes()))
                 >= 2, 10, "the daemon to start, or not to")
        return daemon

    def told(self):
        """What the library said."""
        try:
            with open(self.tells) as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def check_refusal(self, daemon):
        status = daemon.wait_exit()
        self.assertIn(status, EXITS, daemon.log())
        self.assertRegex(daemon.log(), r"\w+: .*\w|memory", "it said nothing")

    def check_run(self, daemon):
        run = Run(daemon)
        try:
            run.everything()
            before = len(daemon.log())
            daemon.send_signal(signal.SIGHUP)
            daemon.wait_log("reloaded|refused", after=before)
            run.everything()
            lost = run.lost()
            self.assertLessEqual(len(lost), run.evictions(), lost)
            self.assertEqual({reply for _, reply in lost} - {"NOT_FOUND"}, set())
        finally:
            run.close()
        daemon.stop()

    def try_all(self, conf):
        number, self.said = 0, "refused"
        while "refused" in self.said:
            number += 1
            with self.subTest(at=number):
                self.one(self.begin(number, conf))
        self.assertGreater(number, 100, "hardly anything was refused")
        print(f"\n  {number} runs", end=" ", file=sys.stderr, flush=True)

    def one(self, daemon):
        try:
            if daemon.running():
                self.check_run(daemon)
            else:
                self.check_refusal(daemon)
        except BaseException as failure:
            raise AssertionError(f"{self.told()}{failure}\n{daemon.log()}") from failure
        finally:
            self.said = self.told()
            daemon.clean()  # a thousand folders would be many

    def test_records_in_memory(self):
        self.try_all(self.CONF)

    def test_records_in_a_file(self):
        self.try_all(self.CONF + 'arena = { file = "@/arena"; };')


if __name__ == "__main__":
    unittest.main()
