"""Looking into a running daemon: SLOW, WATCH, CLIENTS, KILL; memcached's watch and stats conns."""

import re
import shutil
import statistics
import sys
import time
import unittest

from harness import Case, wait_for
from memcache import NATIVE, Memcache, Wire
from reference import MEMCACHED, start_memcached
from test_users import user, users
from web import basic, fetch

HTTP = '{ port = 0; protocol = "http"; open = "all"; }'
ADMIN = user("root", "top", read="*", write="*", admin="*")
KEEPER = user("keeper", "mine", read="own", write="own", admin="own")
WATCHER = user("watcher", "look", watch="*")


def fields(line):
    """{name: value} of a line of a reply, without its first word."""
    return dict(word.split("=", 1) for word in line.split(" ") if "=" in word)


def events(client, count):
    """So many events, which must all come."""
    lines = [client.line() for _ in range(count)]
    for line in lines:
        assert line.startswith("EVENT "), line
    return [fields(line) for line in lines]


def clients(client):
    return [fields(line) for line in client.ask_all("CLIENTS")]


def find(client, **wanted):
    """The id of the one connection that has these words; None: there is none."""
    found = [line["id"] for line in clients(client)
             if all(line[name] == value for name, value in wanted.items())]
    return found[0] if len(found) == 1 else None


def name_of(connection):
    return "%s:%d" % connection.socket.getsockname()[:2]


class Watch(Case):
    def setUp(self):
        self.daemon = self.start("threads = 3; memory = \"16M\";\n")
        self.client = self.connect(self.daemon)

    def watch(self, words):
        watcher = self.connect(self.daemon)
        self.assertEqual(watcher.ask(f"WATCH {words}"), "OK")
        return watcher

    def test_reads_and_writes(self):
        watcher = self.watch("*")
        self.client.put("ns", "alice", "hello", "1h")
        self.client.get("ns", "alice")
        self.client.get("other", "bob")
        self.client.ask("DEL ns alice")
        self.client.ask("INCR ns alice")
        got = events(watcher, 5)
        self.assertEqual([event["kind"] for event in got],
                         ["write", "read", "read", "write", "write"])
        self.assertEqual([event["key"] for event in got],
                         ["alice", "alice", "bob", "alice", "alice"])
        self.assertEqual([event.get("hit") for event in got], [None, "1", "0", None, None])
        self.assertEqual([event.get("verb") for event in got], ["PUT", None, None, "DEL", "INCR"])
        self.assertEqual([event["bytes"] for event in got], ["5", "5", "0", "0", "0"])
        self.assertEqual([event["ns"] for event in got], ["ns", "ns", "other", "ns", "ns"])
        for event in got:
            self.assertEqual(event["peer"], name_of(self.client))
            self.assertEqual(event["user"], "-")
            self.assertLess(abs(float(event["ts"]) - time.time()), 60)

    def test_only_what_was_asked_for(self):
        reads, writes = self.watch("ns reads"), self.watch("ns writes")
        self.client.put("other", "a", "x")
        self.client.put("ns", "b", "x")
        self.client.get("ns", "c")
        self.assertEqual(events(reads, 1)[0]["key"], "c")
        self.assertEqual(events(writes, 1)[0]["key"], "b")
        self.assertEqual(reads.ask("PING"), "PONG")  # requests go on meanwhile
        reads.send("QUIT\r\n")
        reads.expect_closed()

    def test_a_key_is_escaped_and_a_value_is_not_shown(self):
        watcher = self.watch("ns")
        self.client.put("ns", "a\\x20b\\x0a\"=\\c", "secret")
        line = watcher.line()
        self.assertIn(' key=a\\x20b\\n\\x22=\\\\c ', line)
        self.assertNotIn("secret", line)

    def test_many_keys_and_large_values(self):
        watcher = self.watch("ns")
        self.client.put("ns", "big", b"x" * 500000)
        self.client.send("GET ns " + " ".join(f"k{i}" for i in range(1000)) + "\r\n")
        for _ in range(1000):
            self.assertEqual(self.client.reply(), "NOT_FOUND")
        got = events(watcher, 1001)
        self.assertEqual((got[0]["kind"], got[0]["bytes"]), ("write", "500000"))
        self.assertEqual([event["key"] for event in got[1:]], [f"k{i}" for i in range(1000)])

    def test_expirations_and_evictions(self):
        watcher = self.watch("* evictions expirations")
        self.client.put("ns", "short", "x", "10ms")
        event, = events(watcher, 1)
        self.assertEqual((event["kind"], event["ns"], event["key"]), ("expiration", "ns", "short"))
        before = self.client.stats()
        for i in range(60):
            self.client.put("ns", f"big{i}", b"x" * 900000, "1h")
        evicted = int(self.client.stats()["evictions"]) - int(before["evictions"])
        self.assertGreater(evicted, 0)
        got = events(watcher, evicted)
        self.assertEqual({event["kind"] for event in got}, {"eviction"})
        self.assertTrue(all(event["key"].startswith("big") for event in got))

    def test_connections(self):
        self.client.ask("PING")  # its worker has it: it opens before the watcher comes
        watcher = self.watch("connections")
        other = self.connect(self.daemon)
        name = name_of(other)
        other.ask("PING")
        other.send("QUIT\r\n")
        opened, closed = events(watcher, 2)
        self.assertEqual((opened["kind"], opened["peer"]), ("opened", name))
        self.assertEqual((closed["kind"], closed["peer"], closed["reason"]),
                         ("closed", name, "quit"))
        self.assertEqual(opened["id"], closed["id"])

    def test_a_sample(self):
        watcher = self.watch("ns reads 1/16")
        for _ in range(100):
            self.client.send("GET ns k\r\n" * 100)
            self.client.exact(100 * len("NOT_FOUND\r\n"))
        self.client.put("end", "k", "x")
        watcher.send("PING\r\n")
        seen = 0
        while watcher.line() != "PONG":
            seen += 1
        watcher.ask("WATCH none")
        self.assertLess(seen, 900)  # 625, with a deviation of 25

    def test_the_ninth(self):
        watchers = [self.watch("ns") for _ in range(8)]
        ninth = self.connect(self.daemon)
        self.assertIn("8 connections watch already", ninth.ask("WATCH ns"))
        self.assertEqual(watchers[0].ask("WATCH ns"), "OK")  # in place of its own
        watchers.pop().close()
        wait_for(lambda: ninth.ask("WATCH ns") == "OK", what="the place to be free")

    def test_mistakes(self):
        for words, text in (("", "namespace missing"), (" a b", 'bad kind of event "b"'),
                            (" a/b", "bad namespace"), (" a 1/0", "bad kind"),
                            (" a 1/1000001", "bad kind")):
            self.assertIn(text, self.client.ask("WATCH" + words))

    def test_an_idle_watcher_stays(self):
        daemon = self.start("idle_timeout = \"100ms\";\n")
        watcher, other = self.connect(daemon), self.connect(daemon)
        self.assertEqual(watcher.ask("WATCH connections"), "OK")
        other.expect_closed()
        while events(watcher, 1)[0].get("reason") != "idle":
            pass


class NeverReads(Case):
    def turns(self, client, count):
        """How long each took, in ms."""
        took = []
        for i in range(count):
            began = time.monotonic()
            self.assertEqual(client.put("ns", f"key{i}", b"x" * 100), "STORED")
            self.assertEqual(client.get("ns", f"key{i}"), b"x" * 100)
            took.append(1000 * (time.monotonic() - began))
        return took

    def test_a_good_client_beside_it(self):
        daemon = self.start("threads = 2;\n")
        good = self.connect(daemon)
        before = self.turns(good, 2000)
        watcher = self.connect(daemon, receive_buffer=4096)
        self.assertEqual(watcher.ask("WATCH *"), "OK")
        resident = daemon.resident()
        pipeline = b"GET ns a-key-of-which-there-is-no-record\r\n" * 1000
        for _ in range(60):  # more events than there is room for anywhere
            good.send(pipeline)
            good.exact(1000 * len("NOT_FOUND\r\n"))
        during = self.turns(good, 2000)
        self.assertLess(daemon.resident() - resident, 8 << 20)
        watcher.send("PING\r\n")  # answered when it has read what is in front of that
        skipped, told = 0, 0
        while told + skipped < 64000:
            line = watcher.line()
            if line.startswith("EVENT skipped="):
                skipped += int(line.split("=")[1])
            elif line != "PONG":
                told += 1
        self.assertGreater(skipped, 0)
        self.assertEqual(told + skipped, 64000)
        print(f"\n  a watcher that does not read: {skipped} of {told + skipped} events lost; the "
              f"median turn of a good client took {statistics.median(before):.3f} ms before and "
              f"{statistics.median(during):.3f} during, the slowest {max(before):.1f} and "
              f"{max(during):.1f}", file=sys.stderr, end=" ")


class Kill(Case):
    """Connections in each state."""

    def setUp(self):
        self.daemon = self.start("threads = 2; memory = \"64M\"; max_value = \"16M\";\n" +
                                 users(ADMIN))
        self.root = self.enter()

    def enter(self, **options):
        client = self.connect(self.daemon, **options)
        self.assertEqual(client.ask("AUTH root top"), "OK")
        return client

    def kill(self, victim, state):
        """It is listed in that state, is killed, and has gone then."""
        name = name_of(victim)
        number = wait_for(lambda: find(self.root, peer=name, state=state), what=f"it to be {state}")
        killed = self.root.stat("closed_killed")
        self.assertEqual(self.root.ask(f"KILL {number}"), "KILLED")
        self.assertEqual(self.root.ask(f"KILL {number}"), "NOT_FOUND")
        self.assertIsNone(find(self.root, peer=name))
        return self.root.stat("closed_killed") - killed

    def is_gone(self, victim):
        try:
            while victim.socket.recv(1 << 20):
                pass
        except ConnectionResetError:
            pass

    def test_idle(self):
        victim = self.enter()
        self.assertEqual(self.kill(victim, "idle"), 1)
        self.is_gone(victim)

    def test_stalled(self):
        self.root.put("ns", "big", b"x" * (8 << 20))
        victim = self.enter(receive_buffer=4096)
        victim.send("GET ns big\r\n" * 20)
        self.assertEqual(self.kill(victim, "stalled"), 1)
        self.is_gone(victim)

    def test_uploading(self):
        victim = self.enter()
        victim.send(b"PUT ns big 1h 8000000\r\n" + b"x" * 1000000)
        self.assertEqual(self.kill(victim, "uploading"), 1)
        self.is_gone(victim)
        self.assertIsNone(self.root.get("ns", "big"))

    def test_reading(self):
        victim = self.enter()
        victim.send("GET ns half-a-li")
        self.assertEqual(self.kill(victim, "reading"), 1)
        self.is_gone(victim)

    def test_watching(self):
        victim = self.enter()
        self.assertEqual(victim.ask("WATCH *"), "OK")
        self.assertEqual(self.kill(victim, "watching"), 1)
        self.is_gone(victim)

    def test_lingering(self):
        victim = self.enter()
        victim.send("PUT a\tb 1h x y z\r\n" + "x" * 100000)
        self.assertEqual(self.kill(victim, "lingering"), 0)

    def test_awaiting_the_authenticator(self):
        crowd = [self.connect(self.daemon) for _ in range(20)]
        for client in crowd:  # each wrong secret makes those behind it wait longer
            client.send("AUTH root wrong\r\n")
        name = name_of(crowd[-1])
        number = wait_for(lambda: find(self.root, peer=name, state="awaits_auth"))
        self.assertEqual(self.root.ask(f"KILL {number}"), "KILLED")
        self.is_gone(crowd[-1])
        self.assertIsNone(find(self.root, peer=name))

    def test_itself(self):
        victim = self.enter()
        number = find(victim, peer=name_of(victim))
        victim.send(f"PING\r\nKILL {number}\r\nPING\r\n")
        self.assertEqual([victim.line(), victim.line()], ["PONG", "KILLED"])
        self.is_gone(victim)
        self.assertEqual(self.root.stat("closed_killed"), 1)

    def test_what_is_listed(self):
        other = self.enter()
        other.get("ns", "k")
        line, = [line for line in clients(self.root) if line["peer"] == name_of(other)]
        self.assertEqual((line["user"], line["last"], line["protocol"], line["tls"]),
                         ("root", "GET", "native", "-"))
        self.assertEqual(line["door"], "%s:%d" % self.daemon.address)
        self.assertEqual(int(line["in"]), len("AUTH root top\r\nGET ns k\r\n"))
        self.assertEqual(int(line["out"]), len("OK\r\nNOT_FOUND\r\n"))

    def test_many_are_each_listed_once(self):
        crowd = [self.connect(self.daemon) for _ in range(700)]
        self.enter()
        wait_for(lambda: len(clients(self.root)) >= 700)
        listed = clients(self.root)
        self.assertEqual(len(listed), len({line["id"] for line in listed}))
        self.assertEqual(len({line["peer"] for line in listed} & {name_of(c) for c in crowd}), 700)


class Rights(Case):
    def setUp(self):
        self.daemon = Memcache(users(ADMIN, KEEPER, WATCHER))
        self.addCleanup(self._end, self.daemon)

    def enter(self, name, secret):
        client = self.connect(self.daemon)
        self.assertEqual(client.ask(f"AUTH {name} {secret}"), "OK")
        return client

    def test_admin_everywhere(self):
        for request in ("SLOW", "SLOW reset", "WATCH *", "WATCH connections", "CLIENTS", "KILL 1"):
            for name, secret in (("keeper", "mine"), ("watcher", "look")):
                answer = self.enter(name, secret).ask(request)
                self.assertIn('needs the right "admin" everywhere', answer, request)
            self.assertIn("authenticate first", self.connect(self.daemon).ask(request))

    def test_admin_in_a_namespace(self):
        self.assertEqual(self.enter("keeper", "mine").ask("WATCH own"), "OK")
        self.assertIn('needs the right "admin" in "other"',
                      self.enter("keeper", "mine").ask("WATCH other"))

    def test_memcached(self):
        wire = self.daemon.talk()
        self.assertEqual(wire.ask("set a 0 0 11\nkeeper mine"), "STORED")
        self.assertTrue(wire.ask("watch").startswith("CLIENT_ERROR not allowed"))
        self.assertTrue(wire.ask("stats conns").startswith("CLIENT_ERROR not allowed"))
        wire.close()

    def test_a_right_that_is_lost(self):
        watcher, root = self.enter("keeper", "mine"), self.enter("root", "top")
        self.assertEqual(watcher.ask("WATCH own"), "OK")
        self.daemon.configure(users(ADMIN, user("keeper", "mine", read="own")))
        self.daemon.reload()
        root.put("own", "k", "x")
        self.assertIn('needs the right "admin" in "own"', watcher.line())
        root.put("own", "k", "x")
        self.assertEqual(watcher.ask("PING"), "PONG")


class Slow(Case):
    RECORDS = 200000

    def fill(self, client):
        for first in range(0, self.RECORDS, 1000):
            client.send("".join(f"PUT pages k{i} 1h 1\r\nx\r\n" for i in range(first, first + 1000)))
            client.exact(1000 * len("STORED\r\n"))

    def test_a_list_over_many_records(self):
        daemon = self.start('slow_log = { threshold = "1ms"; entries = 3; };\n',
                            listen=f"listen = ( {NATIVE}, {HTTP} );\n")
        client = self.connect(daemon)
        self.fill(client)
        for i in range(5):
            client.ask_all(f"LIST pages none{i}*")
        slow = [fields(line) for line in client.ask_all("SLOW") if "verb=LIST" in line]
        self.assertEqual([line["pattern"] for line in slow], ["none2*", "none3*", "none4*"])
        for line in slow:
            self.assertEqual((line["ns"], line["peer"], line["user"]),
                             ("pages", name_of(client), "-"))
            self.assertGreater(int(line["turns"]), 1)
            self.assertGreaterEqual(float(line["took"]), float(line["worked"]))
            self.assertGreaterEqual(float(line["took"]), 0.001)
        newest, = client.ask_all("SLOW 1")
        self.assertEqual(fields(newest), slow[-1])
        answer = fetch(daemon.addresses()[1], "/slow")
        self.assertEqual(answer.body.splitlines()[-1], newest[len("SLOW "):])
        self.assertGreaterEqual(client.stat("slow_requests"), 5)
        self.assertIn("kvcached_slow_requests_total", fetch(daemon.addresses()[1]).body)
        self.assertEqual(client.ask("SLOW reset"), "OK")
        self.assertEqual(client.ask_all("SLOW"), [])

        daemon.configure('slow_log = { threshold = "never"; };\n')
        daemon.reload()
        client.ask_all("LIST pages none*")
        self.assertEqual(client.ask_all("SLOW"), [])

    def test_many_keys(self):
        daemon = self.start('slow_log = { threshold = "1ms"; }; memory = "64M";\n')
        client = self.connect(daemon)
        value = b"x" * 40000
        client.put("ns", "big", value)

        def slow():
            """16 MB of replies: no machine moves them in a millisecond."""
            client.send("GET ns" + 400 * " big" + "\r\n")
            client.exact(400 * len(b"VALUE 40000\r\n" + value + b"\r\n"))
            return [fields(entry) for entry in client.ask_all("SLOW")]
        found = wait_for(slow, 20, "one of them to take a millisecond")
        self.assertEqual({entry["verb"] for entry in found}, {"GET"})
        self.assertTrue(all(int(entry["keys"]) > 100 for entry in found), found)

    def test_mistakes(self):
        client = self.connect(self.start())
        for request in ("SLOW x", "SLOW 0", "SLOW 1 2", "KILL", "KILL x", "KILL 1 2", "CLIENTS 1"):
            self.assertTrue(client.ask(request).startswith("CLIENT_ERROR "), request)
        self.assertEqual(client.ask("KILL 18446744073709551615"), "NOT_FOUND")


class Web(Case):
    def test_rights(self):
        daemon = self.start(users(ADMIN, WATCHER), listen=f"listen = ( {NATIVE}, {HTTP} );\n")
        door = daemon.addresses()[1]
        for path in ("/clients", "/slow"):
            self.assertEqual(fetch(door, path).status, 401)
            self.assertEqual(fetch(door, path, headers=basic("watcher", "look")).status, 403)
            self.assertEqual(fetch(door, path, headers=basic("root", "top")).status, 200)

    def test_clients(self):
        daemon = self.start("threads = 3;\n", listen=f"listen = ( {NATIVE}, {HTTP} );\n")
        crowd = [self.connect(daemon) for _ in range(400)]
        for client in crowd:
            client.ask("PING")
        answer = fetch(daemon.addresses()[1], "/clients")
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))
        listed = {fields(line)["peer"]: line for line in answer.body.splitlines()}
        self.assertEqual(set(listed), {name_of(client) for client in crowd})
        self.assertTrue(all(re.match(r"id=\d+ peer=", line) for line in listed.values()))


@unittest.skipUnless(shutil.which(MEMCACHED), "there is no memcached")
class AsMemcached(Case):
    """The same requests to both: the same lines, but for times and numbers."""

    REQUESTS = ["set a 5 100 3\nabc", "get a b", "gets a", "mg a v", "mg zz v", "add a 0 0 1\n1",
                "replace zzz 0 0 1\n1", "cas a 0 0 1 77777777\n1", "append a 0 0 1\n1", "touch a 300",
                "ms Zm9v 1 b\na", "set a%b 0 0 1\na", "set \x80\xff 0 0 1\na"]

    def setUp(self):
        self.peer = start_memcached(self)
        self.daemon = Memcache("threads = 1;\n")
        self.addCleanup(self._end, self.daemon)

    def ours(self):
        wire = self.daemon.talk()
        self.addCleanup(wire.close)
        return wire

    def theirs(self):
        wire = Wire(self.peer.address)
        self.addCleanup(wire.close)
        return wire

    @staticmethod
    def general(line):
        """Without what must differ. memcached looks a record up before it writes it, and says so."""
        line = re.sub(r"^ts=\d+\.\d+ gid=\d+ ", "ts= gid= ", line)
        return re.sub(r"\b(cfd|rport|clsid)=\d+", r"\1=", line)

    def seen_by(self, watcher, client, end):
        """The lines up to the end: a record that is stored last."""
        lines = []
        for request in self.REQUESTS:
            client.send(request.replace("\n", "\r\n").encode("latin-1") + b"\r\n")
        client.send(f"set {end} 0 0 1\r\n1\r\n")
        while True:
            line = watcher.line()
            if f"type=item_store key={end}" in line:
                return lines
            lines.append(self.general(line))

    def test_their_lines(self):
        their_watcher, our_watcher = self.theirs(), self.ours()
        for watcher in (their_watcher, our_watcher):
            watcher.send("watch fetchers mutations\r\n")
            self.assertEqual(watcher.line(), "OK")
        theirs = self.seen_by(their_watcher, self.theirs(), "the-end")
        ours = self.seen_by(our_watcher, self.ours(), "the-end")
        self.assertIn("ts= gid= type=item_store key=a status=stored cmd=set ttl=100 clsid= cfd= size=3",
                      ours)
        stores = [line for line in theirs if "item_store" in line]
        ends = " size=.*|(?<=cmd=append) ttl=\\d+"  # what append does not say
        self.assertEqual([re.sub(ends, "", line) for line in ours if "item_store" in line],
                         [re.sub(ends, "", line) for line in stores])
        for line in ours:
            if "item_get" in line and "size=0" not in line:
                self.assertIn(line, theirs)

    def test_connections(self):
        watcher = self.ours()
        self.assertEqual(watcher.ask("watch connevents deletions"), "OK")
        client = self.ours()
        port = client.socket.getsockname()[1]
        client.ask("set a 0 0 1\n1")
        client.ask("delete a")
        client.send("quit\r\n")
        lines = [watcher.line() for _ in range(3)]
        self.assertRegex(lines[0], rf"^ts=\d+\.\d+ gid=1 type=conn_new rip=127\.0\.0\.1 rport={port} "
                                   r"transport=tcp cfd=\d+$")
        self.assertRegex(lines[1], r" gid=2 type=deleted key=a cmd=delete clsid=\d+ size=\d+$")
        self.assertRegex(lines[2], rf" gid=3 type=conn_close rip=127\.0\.0\.1 rport={port} "
                                   r"transport=tcp reason=normal cfd=\d+$")

    def test_their_words(self):
        for words in ("", " fetchers", " fetchers mutations evictions connevents", " foo",
                      " fetchers foo", " rawcmds", " sysevents"):
            theirs, ours = self.theirs(), self.ours()
            self.assertEqual(ours.ask(f"watch{words}"), theirs.ask(f"watch{words}"), words)
            theirs.close()
            ours.close()

    def test_conns(self):
        native = self.connect(self.daemon)
        native.ask("PING")
        wire = self.ours()
        listed = {}
        for name, value in wire.stats("conns").items():
            number, word = name.split(":", 1)
            listed.setdefault(number, {})[word] = value
        self.assertEqual(sorted(line["state"] for line in listed.values()),
                         ["conn_parse_cmd", "conn_read"])
        self.assertIn("tcp:" + name_of(native), [line["addr"] for line in listed.values()])
        for line in listed.values():
            self.assertEqual(list(line), ["addr", "listen_addr", "state", "secs_since_last_cmd"])


if __name__ == "__main__":
    unittest.main()
