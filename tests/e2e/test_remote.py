"""Requests that wait for a node of a cluster: what may happen meanwhile, and what a node may say.

Most tests have a node that answers when they want it.
"""

import random
import time
import unittest

from fake_node import NIL, FakeNode, array, text
from harness import Case, Client, wait_for
from nodes import Nodes, server_program
from test_users import user, users

PATIENT = 'patience = "60s";'
REMOTE = 'namespaces = ( { name = "s"; engine = "cluster"; }, { name = "here"; } );\n'
LOCAL = 'namespaces = ( { name = "s"; engine = "memory"; }, { name = "here"; } );\n'


def store(words):
    """The answers of a node where each record has its key as value."""
    name = words[0]
    if name == b"GET":
        return text(words[1].split(b"}", 1)[1])
    if name in (b"SET", b"READONLY"):
        return b"+OK\r\n"
    return b":1\r\n" if name in (b"UNLINK", b"EXISTS") else b"-ERR not scripted\r\n"


class WithNode(Case):
    MORE = ""
    LISTEN = None

    def begin(self, answer=store, spaces=REMOTE):
        self.node = FakeNode(answer)
        self.addCleanup(self.node.close)
        self.daemon = self.start("threads = 1;\n" + self.MORE + spaces + self.node.conf(PATIENT),
                                 listen=self.LISTEN)
        self.client = self.connect(self.daemon)
        self.wait_ready()

    def wait_ready(self):
        wait_for(lambda: not str(self.client.ask("GET s ready")).startswith("SERVER_ERROR"), 10,
                 "the node to be known")

    def change(self, spaces):
        self.daemon.configure("threads = 1;\n" + self.MORE + spaces + self.node.conf(PATIENT))
        self.daemon.reload("reloaded")

    def waiting(self, request, name=b"GET"):
        """A connection whose request waits for the node."""
        before = self.node.times(name)
        self.node.gate.clear()
        client = self.connect(self.daemon)
        client.send(request)
        wait_for(lambda: self.node.times(name) > before, 10, "the node to be asked")
        return client

    @staticmethod
    def words(line):
        return dict(word.split("=", 1) for word in line.split(" ")[1:])

    def connections(self):
        return self.client.stat("curr_connections")


class Waiting(WithNode):
    """What happens to a connection while it waits."""

    def test_a_client_that_has_no_more_requests(self):
        """It has shut down its side, as nc does, and has all the patience of the cluster."""
        self.begin()
        client = self.waiting("GET s a\r\nGET s b\r\n")
        client.finish()
        other = self.connect(self.daemon)
        other.send("GET / HTTP/1.1\r\n\r\n")  # it lingers, for longer than a client that hung up
        wait_for(lambda: self.connections() == 2, 20, "the connection that lingers to be closed")
        self.node.gate.set()
        self.assertEqual([client.reply(), client.reply()], [("VALUE 1", b"a"), ("VALUE 1", b"b")])

    def test_a_connection_that_waits_is_not_idle(self):
        self.MORE = 'idle_timeout = "1s";\n'
        self.begin()
        client = self.waiting("GET s a\r\n")
        other = self.connect(self.daemon)
        with self.assertRaises(EOFError):
            other.reply()
        self.node.gate.set()
        self.assertEqual(client.reply(), ("VALUE 1", b"a"))

    REQUESTS = ("GET s a\r\n", "GET s a b c\r\nGET s d\r\n", "INCR s a\r\nINCR s a\r\nGET s b\r\n",
                "PUT s a - 30000\r\n" + "x" * 30000 + "\r\n", "LIST s\r\n", "ALL s\r\n", "SURVEY s\r\n",
                "FLUSH s\r\n", "STATS s\r\n", "NAMESPACES\r\n")

    def all_waiting(self):
        """Connections of which each waits, and the ids that CLIENTS has for them."""
        self.node.gate.clear()
        clients = []
        for request in self.REQUESTS:
            client = self.connect(self.daemon)
            client.send(request)
            clients.append(client)
        wait_for(lambda: self.client.stat("cluster_questions") != 0, 10, "questions")
        return clients

    def test_a_daemon_that_stops(self):
        self.begin()
        self.all_waiting()
        self.daemon.stop()

    def test_connections_that_are_killed(self):
        self.begin()
        clients = self.all_waiting()
        wait_for(lambda: self.connections() == 1 + len(clients), 10, "all to be connected")
        lines = self.client.ask_all("CLIENTS")
        ids = [self.words(line)["id"] for line in lines]
        mine = min(ids, key=int)
        for one in ids:
            if one != mine:
                self.assertRegex(self.client.ask("KILL " + one), "KILLED|OK")
        for client in clients:
            with self.assertRaises(EOFError):
                client.exact(1)
        self.node.gate.set()
        self.wait_ready()

    def test_what_waits_in_memory_is_counted(self):
        """Values that have come for a client that does not read."""
        self.begin(lambda words: text(b"v" * (1 << 20)) if b"}k" in words[1] else store(words))
        before = self.node.times(b"GET")
        client = self.connect(self.daemon, receive_buffer=4096)
        client.send("GET s " + " ".join(f"k{i}" for i in range(12)) + "\r\n")
        wait_for(lambda: self.node.times(b"GET") >= before + 12, 10, "the node to be asked")
        wait_for(lambda: self.client.stat("buffer_bytes") > 8 << 20, 10, "the values to be counted")
        for _ in range(12):
            self.assertEqual(client.reply()[0], f"VALUE {1 << 20}")
        wait_for(lambda: self.client.stat("buffer_bytes") < 1 << 20, 10, "them to be forgotten")

    def test_slow_requests(self):
        """Those that are asked for together have times of their own."""
        self.MORE = 'slow_log = { threshold = "1ms"; };\n'
        self.begin()
        client = self.waiting("GET s c d e\r\nGET s a\r\nGET s b\r\n")
        began = time.monotonic()
        wait_for(lambda: time.monotonic() - began > 0.2, 10, "some time to pass")
        self.node.gate.set()
        for _ in range(5):
            client.reply()
        waited = time.monotonic() - began
        slow = [self.words(line) for line in self.client.ask_all("SLOW")]
        self.assertEqual([(one["verb"], one["keys"]) for one in slow if float(one["took"]) > 0.2],
                         [("GET", "3")], slow)
        self.assertLess(float(slow[0]["took"]), waited + 1, slow)
        self.assertEqual(self.client.ask("SLOW reset"), "OK")
        began = time.monotonic()
        client.send("GET s a\r\nGET s b\r\n")
        client.reply(), client.reply()
        took = time.monotonic() - began
        for line in self.client.ask_all("SLOW"):
            self.assertLess(float(self.words(line)["took"]), took + 0.01, line)



class Reloads(WithNode):
    """A namespace whose records are to be elsewhere from now on, while a request is under way."""

    def listing(self, words):
        if words[:2] == [b"CLUSTER", b"GETKEYSINSLOT"]:
            return array(*(text(guard + b"k") for guard in self.guards))
        if words[0] == b"EXISTS":
            self.guards = [words[1]] if words[1].endswith(b"}") and words[1] == b"{s.5f}" else []
            return b":%d\r\n" % (len(words) - 1)
        return store(words)

    def test_a_listing_of_the_cluster(self):
        self.begin(self.listing)
        client = self.waiting("LIST s\r\nPING\r\n", b"EXISTS")
        self.change(LOCAL)
        self.node.gate.set()
        self.assertEqual(client.until_end(), ["KEY k"])
        self.assertEqual(client.reply(), "PONG")

    def test_a_listing_of_the_memory(self):
        self.begin(self.listing, LOCAL)
        count = 20000
        for i in range(0, count, 100):
            self.client.send("".join(f"PUT s {'k' * 100}{j} 1h 1\r\nx\r\n" for j in range(i, i + 100)))
            for _ in range(100):
                self.client.reply()
        client = self.connect(self.daemon, receive_buffer=4096)
        client.send("LIST s\r\nPING\r\n")
        first = client.reply()
        self.change(REMOTE)
        keys = [first, *client.until_end()]
        self.assertNotIn("KEY k", keys)
        self.assertEqual(len(set(keys)), len(keys))
        self.assertEqual(client.reply(), "PONG")

    def test_keys(self):
        self.begin()
        client = self.waiting("GET s a b\r\nGET s c\r\nPUT s d 1h 1\r\nx\r\nPING\r\n")
        self.change(LOCAL)
        self.node.gate.set()
        self.assertEqual([client.reply() for _ in range(3)],
                         [("VALUE 1", b"a"), ("VALUE 1", b"b"), ("VALUE 1", b"c")])
        self.assertEqual([client.reply() for _ in range(2)], ["STORED", "PONG"])

    def test_flush_and_figures(self):
        for request, reply in (("FLUSH s", "FLUSHED"), ("NAMESPACES", "NAMESPACE"),
                               ("STATS s", "STAT")):
            with self.subTest(request):
                self.begin(self.listing)
                client = self.waiting(request + "\r\nPING\r\n", b"EXISTS")
                self.change(LOCAL)
                self.node.gate.set()
                self.assertRegex(client.reply(), "^" + reply)
                while (line := client.reply()) != "PONG":
                    self.assertRegex(line, "^(STAT|NAMESPACE|END)")


class Mixed(WithNode):
    """A listener that reaches namespaces of both kinds."""

    LISTEN = ('listen = ( { address = "127.0.0.1"; port = 0; }, { address = "127.0.0.1"; port = 0; '
              'protocol = "memcache"; namespace = "here"; prefix = ":"; } );\n')

    def talk(self):
        return self.kept(Client(self.daemon.addresses()[1]))

    def test_keys_that_are_elsewhere_since_a_reload(self):
        self.begin()
        before = self.node.times(b"GET")
        self.node.gate.clear()
        client = self.talk()
        client.send("get s:a t:b\r\n")
        wait_for(lambda: self.node.times(b"GET") > before, 10, "the node to be asked")
        self.change(REMOTE.replace(" );", ', { name = "t"; engine = "cluster"; } );'))
        self.node.gate.set()
        self.assertEqual([client.line() for _ in range(5)],
                         ["VALUE s:a 0 1", "a", "VALUE t:b 0 1", "b", "END"])

    def begin(self):
        super().begin(spaces=REMOTE.replace(" );", ', { name = "t"; } );'))

    def test_a_flush_at_a_time_to_come(self):
        """Nodes have none; so it is refused before any namespace is to be flushed."""
        self.begin()
        client = self.talk()
        client.send("set x 0 0 1\r\nx\r\nset t:x 0 0 1\r\nx\r\nflush_all 1\r\n")
        self.assertEqual([client.line(), client.line()], ["STORED", "STORED"])
        self.assertEqual(client.line(),
                         'CLIENT_ERROR not in namespace "s": its records are in the cluster')
        self.assertEqual(self.client.put("t", "later", "x", "1500ms"), "STORED")
        wait_for(lambda: self.client.get("t", "later") is None, 10, "the time to have come")
        self.assertEqual([self.client.get("here", "x"), self.client.get("t", "x")], [b"x", b"x"])


class Rights(WithNode):
    """Users whose requests are asked ahead, and who lose their rights while they wait."""

    ALL = (user("web", "open-sesame", read="s", write="s"),
           user("root", "top", read="*", write="*", admin="*"))

    def begin_rights(self):
        self.MORE = users(*self.ALL)
        self.begin()

    def wait_ready(self):
        self.assertEqual(self.client.ask("AUTH root top"), "OK")
        super().wait_ready()

    def test_logins_among_many_requests(self):
        self.begin_rights()
        client = self.connect(self.daemon)
        client.send("GET s a\r\nAUTH web open-sesame\r\n" +
                    "GET s b\r\nGET here x\r\nPUT s c 1h 1\r\nx\r\nGET s d e\r\n" * 20 + "AUTH root top\r\nGET here x\r\nGET s f\r\nAUTH web wrong\r\nGET s g\r\nPING\r\n")
        self.assertRegex(client.reply(), "authenticate first")
        self.assertEqual(client.reply(), "OK")
        for _ in range(20):
            self.assertEqual(client.reply(), ("VALUE 1", b"b"))
            self.assertRegex(client.reply(), 'not allowed: user "web"')
            self.assertEqual(client.reply(), "STORED")
            self.assertEqual([client.reply(), client.reply()], [("VALUE 1", b"d"), ("VALUE 1", b"e")])
        self.assertEqual([client.reply() for _ in range(3)], ["OK", "NOT_FOUND", ("VALUE 1", b"f")])
        self.assertEqual(client.reply(), "DENIED")
        self.assertRegex(client.reply(), "authenticate first")

    def test_a_user_that_is_gone(self):
        self.begin_rights()
        self.node.gate.clear()
        before, clients, sent = self.node.times(b"GET"), [], self.client.stat("bytes_read")
        for request in ("GET s a\r\nGET s b c\r\nPUT s d 1h 1\r\nx\r\n",
                        "GET s a b c\r\n", "LIST s\r\n",
                        "PUT s large 1h 30000\r\n" + "x" * 30000 + "\r\n"):
            client = self.connect(self.daemon)
            client.send("AUTH root top\r\n" + request)
            sent += len("AUTH root top\r\n" + request)
            self.assertEqual(client.reply(), "OK")
            clients.append(client)
        wait_for(lambda: self.node.times(b"GET") > before, 10, "the node to be asked")
        wait_for(lambda: self.client.stat("bytes_read") >= sent, 10, "all requests to be read")
        self.MORE = users(self.ALL[0])
        self.change(REMOTE)
        self.node.gate.set()
        for client in clients:
            self.assertRegex(client.reply(), "authenticate first|STORED")


class Nonsense(WithNode):
    """A node that answers data commands with what is no answer to them."""

    REPLIES = (b"+OK\r\n", b":-9223372036854775808\r\n", b":7\r\n", NIL, b"*-1\r\n", b"*0\r\n",
               text(""), text("x" * 30), text("x" * 30000), array(b":1\r\n"), array(b":-4\r\n"),
               array(b":1\r\n", NIL, NIL), array(b":1\r\n", *[text("99999999999999999999999")] * 4),
               array(b":1\r\n", *[b":1\r\n"] * 4), array(array(), array(array(NIL))),
               array(*[b":1\r\n"] * 3000), array(*[text("k" * 5000)] * 3),
               b"-ODD " + b"e" * 3000 + b"\r\n",
               b"-\r\n", b"-WRONGTYPE a\x01\nb\r\n", b":1\r\n", b":0\r\n")
    REQUESTS = ("PUT s a 1h 1 x", "GET s a", "GET s a b c", "ADD s a 1h 1 x", "DEL s a", "TTL s a",
                "TOUCH s a 1h", "TOUCH s a never", "INCR s a 1", "DECR s a 1", "LIST s", "ALL s",
                "DUMP s", "SURVEY s", "FLUSH s", "STATS s", "NAMESPACES")

    def begin_nonsense(self):
        chance = random.Random(5)

        def answer(words):
            if words[0] == b"EXISTS" and words[1].endswith(b"}") and len(words) == 2:
                return b":0\r\n"
            if words[:2] == [b"CLUSTER", b"GETKEYSINSLOT"] and chance.random() < 0.9:
                return array(*(text(b"{s.%02x}k" % i) for i in range(256)))
            return chance.choice(self.REPLIES) if self.ready else store(words)
        self.ready = False
        self.begin(answer)
        self.ready = True

    def test_an_error_that_is_no_line(self):
        self.begin(lambda words: b"-ODD a\x01b\nSTORED\x7f\r\n" if words[0] == b"SET" else store(words))
        self.assertEqual(self.client.put("s", "a", "x"),
                         "SERVER_ERROR the cluster has refused this: ODD a?b?STORED?")
        self.assertEqual(self.client.ask("PING"), "PONG")

    def test_a_touch_that_was_done(self):
        """It is not said that nothing was changed, where the read behind it fails."""
        self.LISTEN = Mixed.LISTEN.replace('"here"', '"s"')
        self.begin(lambda words: text("x") if words[0] == b"GETEX" else
                   None if words[0] == b"PTTL" else store(words))
        client = self.kept(Client(self.daemon.addresses()[1]))
        client.send("mg k T30 t v\r\n")
        self.assertEqual(client.line(), "SERVER_ERROR the part of the cluster that has this key does "
                                        "not answer")

    def test_native_requests(self):
        self.begin_nonsense()
        for number in range(40):
            for request in self.REQUESTS:
                if request.startswith(("PUT", "ADD")):
                    request = request[:-2] + "\r\nx"
                with self.daemon.connect() as client:
                    client.send(request + "\r\nPING\r\nQUIT\r\n")
                    received = b""
                    while piece := client.socket.recv(1 << 18):
                        received += piece
                self.assertTrue(received.endswith(b"\r\nPONG\r\n"), (request, received[-200:]))


@unittest.skipUnless(server_program(), "there is no valkey-server and no redis-server")
class Foreign(Case):
    """Records that other clients of the cluster have written."""

    @classmethod
    def setUpClass(cls):
        cls.nodes = Nodes(replicas=0)
        cls.addClassCleanup(cls.nodes.close)

    def setUp(self):
        self.nodes.clear()
        self.daemon = self.start(REMOTE + self.nodes.conf())
        self.client = self.connect(self.daemon)

    def put(self, key, *words):
        """Writes as another client does."""
        tag = key[1:key.index("}")]
        slot = self.nodes.masters()[0].ask("CLUSTER", "KEYSLOT", "{" + tag + "}")
        self.nodes.owner(slot).ask(words[0], key, *words[1:])

    def test_keys_that_no_request_can_name(self):
        """They are no records of the namespace."""
        for length in (1, 1024, 1025, 2000, 5000, 100000):
            self.put("{s.00}" + "k" * length, "SET", "value")
        expected = ["KEY " + "k" * length for length in (1, 1024)]
        self.assertEqual(sorted(self.client.ask_all("LIST s")), expected)
        self.assertEqual(len(self.client.ask_all("ALL s")), 2)
        for request in ("SURVEY s", "DUMP s"):
            self.client.send(request + "\r\nPING\r\n")
            while (line := self.client.line()) != "PONG":
                self.assertLess(len(line), 1200)
        self.assertEqual(self.client.ask("FLUSH s"), "FLUSHED 2")
        self.assertEqual(self.client.ask_all("LIST s"), [])

    def test_records_of_another_type(self):
        self.put("{s.b0}h", "HSET", "field", "x")
        self.assertRegex(self.client.ask("ALL s"),
                         "SERVER_ERROR the cluster has refused this: WRONGTYPE")
        self.assertEqual(self.client.ask_all("LIST s"), ["KEY h"])
        self.assertEqual(self.client.ask("FLUSH s"), "FLUSHED 1")


if __name__ == "__main__":
    unittest.main()
