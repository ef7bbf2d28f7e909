"""Python's clients do their work: what they were written for is memcached.

With noreply no reply is ever taken for another one's, and a get of 3,000 keys finds them all.
"""

import contextlib
import importlib.util
import os
import unittest

from client_case import MANY, ClientCase, many_keys, node_items
from test_users import user, users

try:
    import pymemcache
    from pymemcache.client.hash import HashClient
except ImportError:
    pymemcache = None
try:
    import pylibmc
except ImportError:
    pylibmc = None


def load_python_memcached():
    """Its module has the name of one of these tests' own."""
    path = "/usr/lib/python3/dist-packages/memcache.py"
    if not os.path.exists(path):
        return None
    spec = importlib.util.spec_from_file_location("python_memcached", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@unittest.skipIf(pymemcache is None, "Debian: python3-pymemcache")
class Pymemcache(ClientCase):
    def client(self, daemon, **options):
        client = pymemcache.Client(daemon.memcache, **options)
        self.addCleanup(client.close)
        return client

    def test_everything_it_does(self):
        daemon = self.node()
        client = self.client(daemon, default_noreply=False, serde=pymemcache.serde.pickle_serde)
        session = {"user": "alice", "cart": [1, 2, 3]}
        self.assertTrue(client.set("s:1", session, expire=100))
        self.assertEqual(client.get("s:1"), session)
        value, cas = client.gets("s:1")
        self.assertTrue(client.cas("s:1", "other", cas))
        self.assertFalse(client.cas("s:1", "late", cas))
        self.assertIsNone(client.cas("nothing", "x", cas))
        self.assertFalse(client.add("s:1", "x"))
        self.assertTrue(client.replace("s:1", "y"))
        self.assertFalse(client.replace("nothing", "y"))
        raw = self.client(daemon)
        raw.set("text", b"b")
        raw.append("text", b"c", noreply=False)
        raw.prepend("text", b"a", noreply=False)
        self.assertEqual(raw.get("text"), b"abc")
        raw.set("n", b"5", noreply=False)
        self.assertEqual((raw.incr("n", 3), raw.decr("n", 100)), (8, 0))
        self.assertIsNone(raw.incr("nothing", 1))
        self.assertRaises(pymemcache.MemcacheClientError, raw.incr, "text", 1, False)
        self.assertTrue(client.touch("s:1", 50))
        self.assertFalse(client.touch("nothing", 50))
        many = {f"key{i}": f"value{i}" for i in range(200)}
        self.assertEqual(client.set_many(many), [])
        self.assertEqual(client.get_many(list(many) + ["nothing"]), many)
        self.assertEqual(client.gets_many(["key7"])["key7"][0], "value7")
        self.assertTrue(client.delete_many(["key7"]))
        self.assertTrue(client.delete("s:1"))
        self.assertFalse(client.delete("s:1"))
        self.assertIsNone(client.get("s:1"))
        self.assertTrue(client.flush_all(delay=100))
        self.assertEqual(len(client.get_many(list(many))), 199)
        self.assertTrue(client.flush_all())
        self.assertEqual(client.get_many(list(many)), {})

    def test_what_it_asks_of_the_server(self):
        daemon = self.node()
        client = self.client(daemon, default_noreply=False)
        self.assertRegex(client.version(), rb"^\d+\.\d+\.\d+$")
        stats = client.stats()
        self.assertEqual(stats[b"version"], client.version())
        self.assertIsInstance(stats[b"curr_items"], int)
        self.assertTrue(client.cache_memlimit(128))
        self.assertEqual(client.stats()[b"limit_maxbytes"], 128 << 20)
        self.assertEqual(client.stats("settings")[b"maxbytes"], 128 << 20)
        self.assertIn(b"verbosity", client.stats("settings"))
        client.set("a", "1")
        self.assertTrue(client.stats("items"))
        self.assertTrue(client.stats("slabs"))
        self.assertEqual(client.get("a"), b"1")

    def test_nothing_is_said_where_no_reply_is_wanted(self):
        client = self.client(self.node("memory = \"64M\";"), default_noreply=True)
        many = {f"key{number}": b"%d" % number for number in range(300)}
        client.set_many(many)
        large = b"v" * 2_000_000
        for number in range(20):
            for store in (client.set, client.add, client.replace, client.append, client.prepend):
                self.assertTrue(store("large", large))
            client.cas("large", large, b"1", noreply=True)
            client.incr(f"key{number}", 1, noreply=True)
            client.decr("large", 1, noreply=True)
            client.touch("nothing", 5, noreply=True)
            client.delete("nothing")
            client.set("text", "text")
            client.incr("text", 1, noreply=True)
            self.assertEqual(client.get(f"key{number}"), b"%d" % (number + 1))
            self.assertEqual(client.get("key100"), b"100")
        client.delete_many(list(many)[:100])
        self.assertEqual(client.get_many(list(many)), dict(list(many.items())[100:]))
        client.flush_all()
        self.assertEqual(client.get_many(list(many)), {})

    def test_thousands_of_keys_at_once(self):
        client = self.client(self.node())
        keys = many_keys()
        client.set_many({key: key.encode() for key in keys})
        self.assertEqual(client.get_many(keys), {key: key.encode() for key in keys})
        self.assertEqual(len(client.gets_many(keys)), MANY)
        self.assertEqual(client.get_many(["none" + key for key in keys]), {})
        client.delete_many(keys)
        self.assertEqual(client.get_many(keys), {})

    def test_keys_of_any_bytes(self):
        client = self.client(self.node(), default_noreply=False, allow_unicode_keys=True)
        for key in ("größe", "ключ", "鍵" * 50):
            self.assertTrue(client.set(key, "value"))
            self.assertEqual(client.get_many([key]), {key: b"value"})
            self.assertTrue(client.delete(key))

    def test_it_can_be_taught_to_say_who_it_is(self):
        """As kvcached-memcache(7) shows it."""
        class Known(pymemcache.Client):
            def _connect(self):
                super()._connect()
                self.set("auth", "web open-sesame", noreply=False)

        daemon = self.node(users(user("web", "open-sesame", read="cache", write="cache")))
        stranger = self.client(daemon)
        self.assertRaises(pymemcache.MemcacheClientError, stranger.get, "a")
        client = Known(daemon.memcache, default_noreply=False)
        self.addCleanup(client.close)
        self.assertTrue(client.set("a", "1"))
        client.close()
        self.assertEqual(client.get("a"), b"1")

    def test_keys_over_three_nodes(self):
        nodes = [self.node() for _ in range(3)]
        client = HashClient([node.memcache for node in nodes], use_pooling=True,
                            default_noreply=False)
        for i in range(300):
            self.assertTrue(client.set(f"key{i}", b"%d" % i))
        self.assertEqual(len(client.get_many([f"key{i}" for i in range(300)])), 300)
        counts = [int(node_items(node)) for node in nodes]
        self.assertEqual(sum(counts), 300)
        self.assertGreater(min(counts), 20)
        client.close()


@unittest.skipIf(pylibmc is None, "Debian: python3-pylibmc")
class Pylibmc(ClientCase):
    def quietly(self, method, *arguments):
        """It may have an opinion of its own about what was not answered."""
        with contextlib.suppress(pylibmc.Error):
            method(*arguments)

    def test_ketama_over_three_nodes(self):
        nodes = [self.node() for _ in range(3)]
        client = pylibmc.Client([node.server for node in nodes],
                                behaviors={"ketama": True, "cas": True, "tcp_nodelay": True})
        many = {f"key{i}": {"number": i, "text": "x" * (i % 50)} for i in range(500)}
        self.assertEqual(client.set_multi(many, time=100), [])
        self.assertEqual(client.get_multi(list(many)), many)
        self.assertGreater(min(int(node_items(node)) for node in nodes), 50)
        large = os.urandom(300_000) * 3
        self.assertTrue(client.set("large", large, min_compress_len=1000))
        self.assertEqual(client.get("large"), large)
        value, cas = client.gets("key1")
        self.assertTrue(client.cas("key1", "new", cas))
        self.assertRaises((pylibmc.NotFound, pylibmc.Error), client.incr, "nothing")
        client.set("n", 1)
        self.assertEqual(client.incr("n", 41), 42)
        self.assertTrue(client.delete("key1"))
        self.assertIsNone(client.get("key1"))
        self.assertTrue(client.flush_all())
        self.assertEqual(client.get_multi(list(many)), {})

    def test_nothing_is_said_where_no_reply_is_wanted(self):
        """One refused set, and each later get would have the value of the key before."""
        for behaviors in ({"_noreply": True}, {"_noreply": True, "no_block": True},
                          {"_noreply": True, "buffer_requests": True}):
            client = pylibmc.Client([self.node('memory = "64M";').server], behaviors=behaviors)
            for number in range(100):
                client.set(f"key{number}", b"%d" % number)
            for number in range(20):
                for store in (client.set, client.add, client.replace):
                    store("large", b"v" * 2_000_000)
                self.quietly(client.append, "large", "v" * 2_000_000)
                self.quietly(client.delete, "nothing")
                self.quietly(client.incr, "nothing")
                client.set("k" * 250, "long")
                self.assertEqual(client.get(f"key{number}"), b"%d" % number)
                self.assertEqual(client.get("key50"), b"50")
            self.assertEqual(len(client.get_multi([f"key{number}" for number in range(100)])), 100)

    def test_thousands_of_keys_at_once(self):
        client = pylibmc.Client([self.node().server])
        keys = many_keys()
        self.assertEqual(client.set_multi({key: key for key in keys}), [])
        self.assertEqual(client.get_multi(keys), {key: key for key in keys})
        self.assertTrue(client.delete_multi(keys))
        self.assertEqual(client.get_multi(keys), {})

    def test_times_as_it_prints_them(self):
        """-1 comes as 4294967295: what is not to be kept is not."""
        client = pylibmc.Client([self.node().server])
        for over in (-1, -100, 4294967295, 2147483648):
            client.set("key", "there")
            self.assertTrue(client.set("key", "over", time=over))
            self.assertIsNone(client.get("key"), over)
        for time in (0, 100, 2592000, 2147483647):
            self.assertTrue(client.set("key", "there", time=time))
            self.assertEqual(client.get("key"), "there", time)
        self.assertTrue(client.touch("key", 50))

    def test_what_it_asks_of_the_server(self):
        client = pylibmc.Client([self.node().server])
        client.set("key", "value")
        (server, stats), = client.get_stats()
        self.assertRegex(stats["version"], rb"^\d+\.\d+\.\d+$")
        self.assertEqual(stats["curr_items"], b"1")
        self.assertTrue(client.get_stats("items")[0][1])
        self.assertTrue(client.get_stats("settings")[0][1])


PYTHON_MEMCACHED = load_python_memcached()


@unittest.skipIf(PYTHON_MEMCACHED is None, "Debian: python3-memcache")
class PythonMemcached(ClientCase):
    def client(self, conf='max_value = "4M";'):
        client = PYTHON_MEMCACHED.Client([self.node(conf).server], cache_cas=True,
                                         server_max_value_length=8 << 20)
        self.addCleanup(client.disconnect_all)
        return client

    def test_everything_it_does(self):
        client = self.client()
        self.assertTrue(client.set("a", {"user": "alice"}, time=100))
        self.assertEqual(client.gets("a"), {"user": "alice"})
        self.assertTrue(client.cas("a", "new"))
        self.assertFalse(client.add("a", "x"))
        self.assertTrue(client.set("n", 5))
        self.assertEqual((client.incr("n", 3), client.decr("n", 100)), (8, 0))
        self.assertTrue(client.set("text", "b"))
        self.assertTrue(client.append("text", "c") and client.prepend("text", "a"))
        self.assertEqual(client.get("text"), "abc")
        self.assertTrue(client.touch("a", 50))
        self.assertTrue(client.delete("a"))
        self.assertIsNone(client.get("a"))
        (_, stats), = client.get_stats()
        self.assertRegex(stats["version"], r"^\d+\.\d+\.\d+$")
        client.flush_all()
        self.assertIsNone(client.get("text"))

    def test_thousands_of_keys_at_once(self):
        client = self.client()
        keys = many_keys()
        self.assertEqual(client.set_multi({key: key for key in keys}), [])
        self.assertEqual(client.get_multi(keys), {key: key for key in keys})
        self.assertTrue(client.delete_multi(keys))
        self.assertEqual(client.get_multi(keys), {})
        self.assertTrue(client.servers[0]._check_dead() == 0)

    def test_nothing_is_said_where_no_reply_is_wanted(self):
        client = self.client('memory = "64M";')
        for number in range(50):
            client.set(f"key{number}", number, noreply=True)
            client.set("large", "v" * 2_000_000, noreply=True)
            client.add("large", "v" * 2_000_000, noreply=True)
            client.incr("nothing", noreply=True)
            client.touch("nothing", noreply=True)
            client.delete("nothing", noreply=True)
            client.delete("nothing", 10, noreply=True)
            self.assertEqual(client.get(f"key{number}"), number)
