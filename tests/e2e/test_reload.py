"""Reloads of a daemon that has much to do: memory is full, namespaces are many, uploads are
under way. What is declared is there after each, with its settings, and others are served
meanwhile.
"""

import os
import signal
import threading

from harness import SANITIZER, Case, wait_for
from memcache import Memcache
from test_users import SECRET, user, users

FEW = SANITIZER is not None


def namespaces(count, rounds=0, before=()):
    """Settings follow from the number and the round."""
    return "namespaces = (\n" + ",\n".join([*before, *(
        '{ name = "n%d"; ttl = "%ds"; max_ttl = "%dm"; require_ttl = %s; }'
        % (i, 1000 + i % 100 + rounds, 100 + i % 10, "true" if i % 2 else "false")
        for i in range(count))]) + "\n);\n"


def expected(i, rounds=0):
    """The ttl and max_ttl of one of these, in seconds."""
    return 1000 + i % 100 + rounds, (100 + i % 10) * 60


class Writer(threading.Thread):
    """Writes more than the memory holds, until it is stopped."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.client = daemon.connect()
        self.over = threading.Event()
        self.wrong = None
        self.start()

    def run(self):
        turn = 0
        while not self.over.is_set() and self.wrong is None:
            turn += 1
            told = self.client.pipelined(
                "".join(f"PUT full k{turn}-{i} never\n{'v' * 2000}\nPUT tmp{turn % 50}-{i} k 1m\nv\n"
                        for i in range(200)), 400)
            self.wrong = next((line for line in told if line != "STORED"), None)

    def stop(self):
        self.over.set()
        self.join()
        self.client.close()
        if self.wrong is not None:
            raise AssertionError(f"a PUT beside the reloads was answered with {self.wrong}")


class ReloadCase(Case):
    def reload(self, daemon, conf):
        daemon.configure(conf)
        said = daemon.reload("reloaded the configuration|reload refused")
        self.assertIn("reloaded the configuration", said)
        return said

    def lifetimes(self, client, i):
        """ttl and max_ttl, in seconds."""
        figures = client.stats(f"n{i}")
        return float(figures["ttl"]), float(figures["max_ttl"])

    def names(self, client):
        return {line.split(" ")[1] for line in client.ask_all("NAMESPACES")}


class Declared(ReloadCase):
    def expect_all(self, client, count, rounds):
        there = self.names(client)
        self.assertEqual([i for i in range(count) if f"n{i}" not in there], [])
        for i in range(rounds % 7, count, count // 50):
            self.assertEqual(self.lifetimes(client, i), expected(i, rounds), f"n{i}")
            answer = client.put(f"n{i}", "k", "v", "never")
            if i % 2:
                self.assertRegex(answer, "^CLIENT_ERROR .*needs a ttl", f"n{i}")
            else:
                self.assertEqual(answer, "STORED", f"n{i}")

    def test_all_that_are_new_are_there_each_time(self):
        many = 400 if FEW else 2000
        daemon = self.start('memory = "32M";\n')
        client = self.connect(daemon)
        writer = Writer(daemon)
        for rounds in range(1, 11):
            before = client.stat("evictions")
            wait_for(lambda: client.stat("evictions") > before, 10, "memory to be full")
            self.reload(daemon, 'memory = "32M";\n' + namespaces(many * rounds, rounds=rounds))
            self.expect_all(client, many * rounds, rounds)
        writer.stop()

    def test_a_full_cache_takes_a_hundred_more(self):
        """And the users that come with them."""
        conf = 'memory = "16M";\n'
        daemon = self.start(conf)
        client = self.connect(daemon)
        while client.stat("evictions") < 1000:
            client.pipelined("".join(f"PUT full k{os.urandom(8).hex()} never\n{'v' * 5000}\n"
                                     for i in range(500)), 500)
        for turn in range(1, 11):
            said = self.reload(daemon, conf + namespaces(100 * turn))
            self.assertNotIn("could not be made", said)
            self.assertTrue(self.names(client) >= {f"n{i}" for i in range(100 * turn)})
            client.pipelined("".join(f"PUT full m{turn}-{i} never\n{'v' * 5000}\n"
                                     for i in range(4000)), 4000)
        self.reload(daemon, conf + namespaces(1100) + users(user("root", SECRET, admin="*")))
        self.assertRegex(client.ask("PING"), "authenticate first")

    def test_what_memory_cannot_hold_is_named_and_all_else_applies(self):
        root, web = user("root", SECRET, read="*", write="*", admin="*"), user("web", SECRET)
        quota = ['{ name = "q"; memory = "3M"; }']  # which is kept from others' pressure
        conf = 'memory = "4M"; max_value = "1M";\n'
        daemon = self.start(conf + users(user("web", SECRET, read="*"), root) +
                            namespaces(0, before=quota))
        client, other = self.connect(daemon), self.connect(daemon)
        self.assertEqual(client.ask(f"AUTH root {SECRET}"), "OK")
        self.assertEqual(other.ask(f"AUTH web {SECRET}"), "OK")
        self.assertEqual(other.get("x", "k"), None)
        while client.stat("evictions", "q") == 0:
            client.pipelined("".join(f"PUT q {os.urandom(8).hex()} never\n{'v' * 10000}\n"
                                     for _ in range(20)), 20)
        said = self.reload(daemon, conf + 'namespaces_policy = "declared";\n' + users(web, root)
                           + namespaces(6000, before=quota))
        self.assertRegex(said, r'namespaces: \d+ could not be made yet, the first is "n\d+": memory '
                               'is full, and nothing may be evicted')
        self.assertRegex(other.ask("GET x k"), "^CLIENT_ERROR not allowed")
        self.assertNotIn("n5998", self.names(client))
        self.assertRegex(client.put("n5999", "k", "v", "never"), "needs a ttl|out of memory")
        self.assertRegex(client.put("n5998", "k", "v"), "out of memory|STORED")
        self.assertEqual(client.get("n5997", "k"), None)
        self.assertRegex(client.ask("GET n6000 k"), "^CLIENT_ERROR .*is not declared")
        said = self.reload(daemon, conf + users(web, root) + namespaces(100, before=quota))
        self.assertNotIn("could not be made", said)
        wait_for(lambda: len(self.names(client)) == 101, 10, "the others to be gone")

    def test_what_finds_no_number_is_made_when_there_is_one(self):
        if FEW:
            self.skipTest("too many for a sanitizer")
        conf = 'memory = "128M"; undeclared_namespaces = 60000;\n'
        daemon = self.start(conf)
        client = self.connect(daemon)
        for start in range(0, 6000, 500):
            told = client.pipelined("".join(f"PUT tmp{i} k 1h\nv\n"
                                            for i in range(start, start + 500)), 500)
            self.assertEqual(set(told), {"STORED"})
        said = self.reload(daemon, conf + namespaces(60000))
        self.assertRegex(said, r'namespaces: 465 could not be made yet, the first is "n59535": '
                               'there are 65535 already')
        self.assertRegex(client.put("tmp", "k", "v"), "^SERVER_ERROR too many namespaces")
        before = len(daemon.log())
        for i in range(1000):
            self.assertEqual(client.ask(f"FLUSH tmp{i}"), "FLUSHED 1")
        daemon.wait_log("namespaces: all that are declared could be made now", 10, after=before)
        self.assertEqual(self.lifetimes(client, 59999), expected(59999))


class Meanwhile(ReloadCase):
    """While a reload goes on that has tens of thousands of namespaces."""

    MANY = 6000 if FEW else 60000

    def setUp(self):
        self.conf = 'memory = "128M";\n'
        self.daemon = self.start(self.conf)

    def begin(self, conf):
        self.daemon.configure(self.conf + conf)
        before = len(self.daemon.log())
        self.daemon.send_signal(signal.SIGHUP)
        return before

    def test_others_come_in_and_are_served(self):
        client = self.connect(self.daemon)
        for rounds in range(3):
            before = self.begin(namespaces(self.MANY, rounds=rounds))
            served = 0
            while "reloaded" not in self.daemon.log()[before:]:
                with self.daemon.connect() as other:
                    self.assertEqual(other.ask("PING"), "PONG")
                self.assertEqual(client.put("n7", "k", "v"), "STORED")
                self.assertEqual(client.put(f"new{served % 1000}", "k", "v"), "STORED")
                served += 1
            self.assertGreater(served, 3)

    def test_one_that_comes_meanwhile_is_done_too(self):
        client = self.connect(self.daemon)
        before = self.begin(namespaces(self.MANY))
        for rounds in range(1, 4):
            self.begin(namespaces(self.MANY // rounds, rounds=rounds))
        self.daemon.wait_log("reloaded the configuration", 10, after=before)
        wait_for(lambda: self.lifetimes(client, 7) == expected(7, 3), 10,
                 "the last one to be in force")
        last = self.MANY // 3 - 1
        wait_for(lambda: self.lifetimes(client, last) == expected(last, 3), 10, "all of it")

    def test_the_end_comes_meanwhile(self):
        self.begin(namespaces(self.MANY))
        self.daemon.stop()


class Undeclared(ReloadCase):
    """How many namespaces there may be beside the declared ones."""

    def test_there_is_a_bound_that_a_reload_changes(self):
        daemon = self.start("undeclared_namespaces = 100;\n" + namespaces(2))
        client = self.connect(daemon)
        told = [client.put(f"tmp{i}", "k", "v") for i in range(101)]
        self.assertEqual(told, ["STORED"] * 100 +
                         ['SERVER_ERROR too many namespaces to make "tmp100"; flush some that are '
                          "not declared"])
        self.assertEqual(client.put("tmp7", "more", "v"), "STORED")
        self.reload(daemon, "undeclared_namespaces = 101;\n" + namespaces(1000))
        self.assertEqual(client.put("n999", "k", "v"), "STORED")
        self.assertEqual(client.put("tmp100", "k", "v"), "STORED")
        self.assertRegex(client.put("tmp101", "k", "v"), "^SERVER_ERROR too many")
        self.assertEqual(client.ask("FLUSH tmp7"), "FLUSHED 2")
        wait_for(lambda: client.put("tmp101", "k", "v") == "STORED", what="a number to be free")

    def test_one_user_leaves_half_of_them_to_others(self):
        conf = "undeclared_namespaces = 100;\n" + users(user("one", SECRET, write="tmp*"),
                                                        user("two", SECRET, write="*"))
        daemon = self.start(conf)
        one, two = self.connect(daemon), self.connect(daemon)
        self.assertEqual(one.ask(f"AUTH one {SECRET}"), "OK")
        self.assertEqual(two.ask(f"AUTH two {SECRET}"), "OK")
        told = [one.put(f"tmp{i}", "k", "v") for i in range(51)]
        self.assertEqual(told, ["STORED"] * 50 +
                         ["SERVER_ERROR half of the namespaces that are not declared are yours, too "
                          'many to make "tmp50"; flush some of them'])
        self.assertEqual({two.put(f"tmp{i}", "k", "v") for i in range(50, 100)}, {"STORED"})
        self.reload(daemon, conf + namespaces(1000))
        self.assertRegex(one.put("tmp100", "k", "v"), "^SERVER_ERROR too many")
        self.assertEqual(two.put("n999", "k", "v"), "STORED")

    def test_a_value_that_comes_in_parts(self):
        daemon = self.start("undeclared_namespaces = 1;\n")
        client = self.connect(daemon)
        self.assertEqual(client.put("one", "k", "v" * 500000), "STORED")
        self.assertRegex(client.put("two", "k", "v" * 500000), "^SERVER_ERROR too many")
        self.assertEqual(client.ask("PING"), "PONG")


class Uploads(ReloadCase):
    """One that was begun before a reload is ended after it."""

    CONF = 'namespaces = ( { name = "sessions"; }, { name = "pages"; } );\n'
    SIZE = 500000

    def setUp(self):
        self.daemon = Memcache(self.CONF)
        self.addCleanup(self._end, self.daemon)
        self.wire = self.daemon.talk()
        self.addCleanup(self.wire.close)
        self.native = self.connect(self.daemon)

    def begin(self, key):
        before = self.native.stat("bytes_read")
        self.wire.send(f"set {key} 0 0 {self.SIZE}\r\n" + "v" * (self.SIZE // 2))
        wait_for(lambda: self.native.stat("bytes_read") > before + self.SIZE // 2,
                 what="half of the value to arrive")

    def end(self):
        self.wire.send("v" * (self.SIZE // 2) + "\r\n")
        return self.wire.line()

    def test_it_goes_where_it_began(self):
        self.begin("sessions:alice")
        self.reload(self.daemon, 'namespaces = ( { name = "pages"; } );\n')
        self.assertEqual(self.end(), "STORED")
        self.assertEqual(self.native.get("sessions", "alice"), b"v" * self.SIZE)
        self.assertEqual(self.native.get("cache", "sessions:alice"), None)
        self.begin("others:bob")
        self.reload(self.daemon, 'namespaces = ( { name = "others"; } );\n')
        self.assertEqual(self.end(), "STORED")
        self.assertEqual(self.native.get("cache", "others:bob"), b"v" * self.SIZE)
        self.assertEqual(self.native.get("others", "bob"), None)

    def test_what_is_declared_no_more_refuses_it(self):
        self.begin("sessions:alice")
        self.reload(self.daemon, 'namespaces_policy = "declared";\n'
                                 'namespaces = ( { name = "pages"; } );\n')
        self.assertEqual(self.end(), 'CLIENT_ERROR namespace "sessions" is not declared; NAMESPACES '
                                     "lists those that are")
        self.reload(self.daemon, self.CONF)
        self.assertEqual(self.native.get("sessions", "alice"), None)
        self.assertEqual(self.native.get("cache", "sessions:alice"), None)
        self.wire.send("get sessions:alice\r\n")
        self.assertEqual(self.wire.line(), "END")

    def test_rights_are_those_of_now_and_of_that_namespace(self):
        everywhere = user("web", SECRET, read="*", write="*", admin="*")
        self.reload(self.daemon, self.CONF + users(everywhere))
        self.native.ask(f"AUTH web {SECRET}")
        login = f"web {SECRET}"
        self.wire.send(f"set x 0 0 {len(login)}\r\n{login}\r\n")
        self.assertEqual(self.wire.line(), "STORED")
        for write, answer in (("sessions", "STORED"), ("cache", "CLIENT_ERROR not allowed")):
            self.reload(self.daemon, self.CONF + users(everywhere))
            self.begin("sessions:" + write)
            self.reload(self.daemon, 'namespaces = ( { name = "pages"; } );\n' +
                        users(user("web", SECRET, read="*", write=write, admin="*")))
            self.assertTrue(self.end().startswith(answer), answer)
        self.assertEqual(self.native.get("sessions", "sessions"), b"v" * self.SIZE)
        self.assertEqual(self.native.get("sessions", "cache"), None)
