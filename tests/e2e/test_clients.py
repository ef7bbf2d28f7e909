"""Real client libraries do their work: what they were written for is memcached, and
nothing in them knows of kvcached. Each is a program of its own where it is not
Python's. Those that are not installed are passed over, and said so.
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

from harness import Case, seconds, wait_for
from memcache import Memcache
from test_users import user, users

# Debian's modules, for a python3 that is not Debian's.
sys.path.append("/usr/lib/python3/dist-packages")

try:
    import pymemcache
    from pymemcache.client.hash import HashClient
except ImportError:
    pymemcache = None
try:
    import pylibmc
except ImportError:
    pylibmc = None

NPM = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                   "kvcached", "npm", "node_modules")


class ClientCase(Case):
    def node(self, conf='max_value = "4M";'):
        daemon = Memcache(conf)
        self.addCleanup(self._end, daemon)
        return daemon

    def program(self, command, text, *arguments, **environment):
        """Runs a script; what it prints, when it ended well."""
        if shutil.which(command[0]) is None:
            raise unittest.SkipTest(f"{command[0]} is not installed")
        done = subprocess.run([*command, *arguments], input=text, capture_output=True, text=True,
                              timeout=seconds(30), env=dict(os.environ, **environment))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout


@unittest.skipIf(pymemcache is None, "Debian: python3-pymemcache")
class Pymemcache(ClientCase):
    def test_everything_it_does(self):
        daemon = self.node()
        client = pymemcache.Client(daemon.memcache, default_noreply=False,
                                   serde=pymemcache.serde.pickle_serde)
        self.addCleanup(client.close)
        session = {"user": "alice", "cart": [1, 2, 3]}
        self.assertTrue(client.set("s:1", session, expire=100))
        self.assertEqual(client.get("s:1"), session)
        value, cas = client.gets("s:1")
        self.assertTrue(client.cas("s:1", "other", cas))
        self.assertFalse(client.cas("s:1", "late", cas))
        self.assertFalse(client.add("s:1", "x"))
        self.assertTrue(client.replace("s:1", "y"))
        self.assertFalse(client.replace("nothing", "y"))
        raw = pymemcache.Client(daemon.memcache)
        self.addCleanup(raw.close)
        raw.set("text", b"b")
        raw.append("text", b"c", noreply=False)
        raw.prepend("text", b"a", noreply=False)
        self.assertEqual(raw.get("text"), b"abc")
        raw.set("n", b"5", noreply=False)
        self.assertEqual((raw.incr("n", 3), raw.decr("n", 100)), (8, 0))
        self.assertTrue(client.touch("s:1", 50))
        many = {f"key{i}": f"value{i}" for i in range(200)}
        self.assertEqual(client.set_many(many), [])
        self.assertEqual(client.get_many(list(many) + ["nothing"]), many)
        self.assertTrue(client.delete("s:1"))
        self.assertIsNone(client.get("s:1"))
        self.assertIn(b"curr_items", client.stats())
        self.assertRegex(client.version(), rb"\A\d+\.\d+\.\d+\Z")
        self.assertTrue(client.flush_all())
        self.assertEqual(client.get_many(list(many)), {})

    def test_it_can_be_taught_to_say_who_it_is(self):
        """As kvcached-memcache(7) shows it."""
        class Known(pymemcache.Client):
            def _connect(self):
                super()._connect()
                self.set("auth", "web open-sesame", noreply=False)

        daemon = self.node(users(user("web", "open-sesame", read="cache", write="cache")))
        stranger = pymemcache.Client(daemon.memcache)
        self.addCleanup(stranger.close)
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


def node_items(node):
    wire = node.talk()
    try:
        return wire.stats()["curr_items"]
    finally:
        wire.close()


@unittest.skipIf(pylibmc is None, "Debian: python3-pylibmc")
class Pylibmc(ClientCase):
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


PERL = r"""
use strict; use warnings; use Cache::Memcached;
my $m = Cache::Memcached->new({ servers => [ $ARGV[0] ], compress_threshold => 1000 });
sub must { my ($what, $is) = @_; die "$what\n" unless $is; }
must("set", $m->set("a", { user => "alice", list => [1, 2, 3] }, 100));
must("get", $m->get("a")->{list}[2] == 3);
must("add", !$m->add("a", 1));
must("replace", $m->replace("a", "text"));
must("large", $m->set("large", "abc" x 50000) && $m->get("large") eq "abc" x 50000);
must("incr", $m->set("n", 5) && $m->incr("n", 2) == 7 && $m->decr("n") == 6);
$m->set("k$_", $_) for 1 .. 50;
my $all = $m->get_multi(map { "k$_" } 1 .. 60);
must("multi", keys %$all == 50 && $all->{k50} == 50);
must("delete", $m->delete("a") && !defined $m->get("a"));
must("stats", $m->stats(["misc"])->{hosts}{$ARGV[0]}{misc}{curr_items} > 50);
must("flush", $m->flush_all && !defined $m->get("k1"));
print "done";
"""


class Perl(ClientCase):
    def test_cache_memcached(self):
        if subprocess.run(["perl", "-MCache::Memcached", "-e1"], capture_output=True).returncode:
            raise unittest.SkipTest("Debian: libcache-memcached-perl")
        self.assertEqual(self.program(["perl", "-"], PERL, self.node().server), "done")


PHP = r"""<?php
session_start();
if ($argv[1] === "login") { $_SESSION["user"] = "alice"; $_SESSION["visits"] = 0; }
if (isset($_SESSION["user"])) { $_SESSION["visits"]++; }
echo json_encode([session_id(), $_SESSION["user"] ?? null, $_SESSION["visits"] ?? null]);
"""


class Php(ClientCase):
    def visit(self, daemon, what, session="", lifetime=100):
        done = self.program(
            ["php", "-d", "session.save_handler=memcached", "-d",
             f"session.save_path={daemon.server}", "-d", f"session.gc_maxlifetime={lifetime}",
             "-d", "session.use_cookies=0", "-d", "session.use_only_cookies=0", "-d",
             "session.use_trans_sid=0", "-d", "session.cache_limiter=", "-d",
             "memcached.sess_binary_protocol=0", "-r",
             (f'session_id("{session}"); ' if session else "") + PHP[6:]], "", "--", what)
        return json.loads(done)

    def setUp(self):
        if shutil.which("php") is None or "memcached" not in subprocess.run(
                ["php", "-m"], capture_output=True, text=True).stdout.split():
            raise unittest.SkipTest("Debian: php-cli php-memcached")

    def test_a_session_outlives_php(self):
        daemon = self.node()
        session, user, visits = self.visit(daemon, "login")
        self.assertEqual((user, visits), ("alice", 1))
        self.assertEqual(self.visit(daemon, "come", session), [session, "alice", 2])
        self.assertEqual(self.visit(daemon, "come", session), [session, "alice", 3])

    def test_a_session_ends_at_its_time(self):
        daemon = self.node()
        session, user, _ = self.visit(daemon, "login", lifetime=2)
        self.assertEqual(user, "alice")
        wire = daemon.talk()
        self.addCleanup(wire.close)
        key = f"memc.sess.key.{session}"
        self.assertTrue(wire.ask(f"mg {key} u").startswith("HD"))
        wait_for(lambda: wire.stats()["curr_items"] == "0", 10, "the session to end")
        self.assertIsNone(self.visit(daemon, "come", session)[1])


RUBY = r"""
require "dalli"
client = Dalli::Client.new(ARGV[0])
begin
  client.set("a", 1)
  print "stored"
rescue Dalli::RingError
  print "refused"
end
"""


class Ruby(ClientCase):
    def test_a_client_of_the_binary_protocol_is_told_so_at_once(self):
        """Debian's dalli, 3.0, speaks nothing else; from 3.2 on it has protocol: :meta."""
        if shutil.which("ruby") is None or subprocess.run(
                ["ruby", "-rdalli", "-e1"], capture_output=True).returncode:
            raise unittest.SkipTest("Debian: ruby-dalli")
        version = self.program(["ruby", "-rdalli", "-e", "print Dalli::VERSION"], "")
        if not version.startswith("3.0."):
            raise unittest.SkipTest(f"dalli {version} is not the one that this is about")
        daemon = self.node()
        self.assertTrue(self.program(["ruby", "-"], RUBY, daemon.server).endswith("refused"))
        daemon.wait_log("closed after an error")


NODE = r"""
const Memcached = require("memcached");
const client = new Memcached(process.argv[2], { retries: 0, timeout: 20000 });
const call = (name, ...rest) => new Promise((good, bad) =>
  client[name](...rest, (error, data) => error ? bad(new Error(name + ": " + error)) : good(data)));
const must = (what, is) => { if (!is) throw new Error(what); };
(async () => {
  must("set", await call("set", "a", { user: "alice" }, 100));
  must("get", (await call("get", "a")).user === "alice");
  const { cas } = await call("gets", "a");
  must("cas", await call("cas", "a", "new", cas, 100));
  must("add", await call("add", "b", "x", 100));
  must("append", await call("append", "b", "y") && await call("prepend", "b", "w"));
  must("joined", await call("get", "b") === "wxy");
  must("incr", await call("set", "n", 5, 100) && await call("incr", "n", 2) === 7);
  must("touch", await call("touch", "a", 50));
  for (let i = 0; i < 50; i++) await call("set", "k" + i, i, 100);
  must("multi", Object.keys(await call("getMulti", ["k0", "k49", "k50"])).length === 2);
  must("delete", await call("del", "a") && await call("get", "a") === undefined);
  must("large", await call("set", "l", "z".repeat(300000), 100));
  must("flush", await call("flush") && await call("get", "k1") === undefined);
  client.end();
  console.log("done");
})().catch((error) => { console.error(error); process.exit(1); });
"""


class Node(ClientCase):
    def test_npm_memcached(self):
        if shutil.which("node") is None or not os.path.isdir(os.path.join(NPM, "memcached")):
            raise unittest.SkipTest(f"npm's memcached is not in {NPM}; scripts/setup check puts it there")
        self.assertEqual(self.program(["node", "-"], NODE, self.node().server,
                                      NODE_PATH=NPM).strip(), "done")
