"""PHP's two extensions do their work, and Symfony's cache on one of them."""

import json
import os
import unittest

from client_case import MANY, ClientCase, succeeds
from harness import wait_for

SYMFONY = "/usr/share/php/Symfony/Component/Cache/autoload.php"
HEAD = r"""<?php
error_reporting(E_ALL);
set_error_handler(function ($number, $text) {
    if ($number !== E_DEPRECATED) { echo $text; exit(1); }
});
function must($what, $is) { if (!$is) { echo $what; exit(1); } }
[$host, $port] = explode(":", $argv[1]);
$keys = [];
for ($i = 0; $i < %d; $i++) { $keys[] = sprintf("k%%029d", $i); }
""" % MANY


def has_extension(name):
    return succeeds("php", "-r", f"exit(extension_loaded('{name}') ? 0 : 1);")


class PhpCase(ClientCase):
    def php(self, script, daemon, *arguments):
        """The script ends by saying "done"."""
        said = self.program(["php"], HEAD + script + '\necho "done";', "--", daemon.server, *arguments)
        self.assertEqual(said, "done")


SESSION = r"""
session_start();
if ($argv[1] === "login") { $_SESSION["user"] = "alice"; $_SESSION["visits"] = 0; }
if (isset($_SESSION["user"])) { $_SESSION["visits"]++; }
if ($argv[1] === "leave") { session_destroy(); }
echo json_encode([session_id(), $_SESSION["user"] ?? null, $_SESSION["visits"] ?? null]);
"""


class SessionCase(PhpCase):
    def visit(self, daemon, what, session="", lifetime=100):
        options = {"session.save_handler": self.HANDLER, "session.save_path": self.PATH % daemon.server,
                   "session.gc_maxlifetime": lifetime, "session.use_cookies": 0,
                   "session.use_only_cookies": 0, "session.use_trans_sid": 0,
                   "session.cache_limiter": "", "memcached.sess_binary_protocol": 0}
        words = [word for name, value in options.items() for word in ("-d", f"{name}={value}")]
        script = (f'session_id("{session}"); ' if session else "") + SESSION
        return json.loads(self.program(["php", *words, "-r", script], "", "--", what))

    def come_and_go(self):
        daemon = self.node()
        session, user, visits = self.visit(daemon, "login")
        self.assertEqual((user, visits), ("alice", 1))
        self.assertEqual(self.visit(daemon, "come", session), [session, "alice", 2])
        self.assertEqual(self.visit(daemon, "come", session), [session, "alice", 3])
        self.visit(daemon, "leave", session)
        self.assertIsNone(self.visit(daemon, "come", session)[1])


@unittest.skipUnless(has_extension("memcached"), "Debian: php-cli php-memcached")
class MemcachedSessions(SessionCase):
    HANDLER, PATH = "memcached", "%s"

    def test_a_session_outlives_php(self):
        self.come_and_go()

    def test_a_session_ends_at_its_time(self):
        daemon = self.node()
        session, user, _ = self.visit(daemon, "login", lifetime=2)
        self.assertEqual(user, "alice")
        wire = daemon.talk()
        self.addCleanup(wire.close)
        key = f"memc.sess.key.{session}"
        self.assertTrue(wire.ask(f"mg {key} u").startswith("HD"))
        wait_for(lambda: wire.ask(f"mg {key} u") == "EN", 10, "the session to end")
        self.assertIsNone(self.visit(daemon, "come", session)[1])


@unittest.skipUnless(has_extension("memcached"), "Debian: php-cli php-memcached")
class Memcached(PhpCase):
    NEW = '$m = new Memcached(); $m->addServer($host, $port);'

    def test_everything_it_does(self):
        self.php(self.NEW + r"""
            must("set", $m->set("a", ["user" => "alice"], 100));
            must("get", $m->get("a") === ["user" => "alice"]);
            must("add", !$m->add("a", 1) && $m->getResultCode() === Memcached::RES_NOTSTORED);
            must("replace", $m->replace("a", "text") && !$m->replace("nothing", 1));
            $m->setOption(Memcached::OPT_COMPRESSION, false);
            must("append", $m->set("t", "b") && $m->append("t", "c") && $m->prepend("t", "a"));
            must("joined", $m->get("t") === "abc");
            $cas = $m->get("a", null, Memcached::GET_EXTENDED)["cas"];
            must("cas", $m->cas($cas, "a", "new") && !$m->cas($cas, "a", "late"));
            must("exists", $m->getResultCode() === Memcached::RES_DATA_EXISTS);
            must("incr", $m->set("n", 5) && $m->increment("n", 3) === 8 && $m->decrement("n", 9) === 0);
            must("touch", $m->touch("a", 50) && !$m->touch("nothing", 50));
            must("delete", $m->delete("a") && $m->get("a") === false);
            must("not found", $m->getResultCode() === Memcached::RES_NOTFOUND);
            must("version", preg_match('/^\d+\.\d+\.\d+$/', current($m->getVersion())));
            must("stats", current($m->getStats())["curr_items"] === 2);
            must("items", count(current($m->getStats("items"))) > 0);
            must("settings", count(current($m->getStats("settings"))) > 0);
            must("flush", $m->flush() && $m->get("t") === false);
        """, self.node())

    def test_times_as_it_prints_them(self):
        self.php(self.NEW + r"""
            foreach ([-1, -100, 2147483648, 4294967295] as $over) {
                must("before", $m->set("a", "there"));
                must("set $over", $m->set("a", "over", $over) && $m->get("a") === false);
            }
            foreach ([0, 100, 2592000, time() + 100, 2147483647] as $time) {
                must("set $time", $m->set("a", "there", $time) && $m->get("a") === "there");
            }
        """, self.node())

    def test_thousands_of_keys_at_once(self):
        self.php(self.NEW + r"""
            $many = array_combine($keys, $keys);
            must("setMulti", $m->setMulti($many));
            must("getMulti", $m->getMulti($keys) === $many);
            must("extended", count($m->getMulti($keys, Memcached::GET_EXTENDED)) === count($keys));
            must("delayed", $m->getDelayed($keys) && count($m->fetchAll()) === count($keys));
            must("deleteMulti", !in_array(false, $m->deleteMulti($keys), true));
            must("none", $m->getMulti($keys) === []);
        """, self.node())

    def test_nothing_is_said_where_no_reply_is_wanted(self):
        self.php(self.NEW + r"""
            foreach ([[], [Memcached::OPT_NO_BLOCK => true], [Memcached::OPT_BUFFER_WRITES => true]]
                     as $options) {
                must("options", $m->setOptions([Memcached::OPT_NOREPLY => true,
                                                Memcached::OPT_COMPRESSION => false] + $options));
                for ($i = 0; $i < 100; $i++) { $m->set("key$i", "value$i"); }
                for ($i = 0; $i < 20; $i++) {
                    $large = str_repeat("v", 2000000);
                    $m->set("large", $large); $m->add("large", $large);
                    $m->replace("large", $large); $m->append("large", $large);
                    $m->delete("nothing"); $m->increment("nothing"); $m->touch("nothing", 5);
                    must("get $i", $m->get("key$i") === "value$i" && $m->get("key50") === "value50");
                }
                must("multi", count($m->getMulti(array_map(fn($i) => "key$i", range(0, 99)))) === 100);
            }
        """, self.node('memory = "64M";'))

    def test_every_key_there_is(self):
        self.php(self.NEW + r"""
            must("none", $m->getAllKeys() === [] || $m->getAllKeys() === false);
            $some = array_slice($keys, 0, 200);
            foreach ($some as $key) { $m->set($key, 1); }
            $all = $m->getAllKeys();
            must("all", is_array($all));
            sort($all);
            must("the same", $all === $some);
        """, self.node())


@unittest.skipUnless(has_extension("memcache"), "Debian: php-cli php-memcache")
class Memcache(SessionCase):
    HANDLER, PATH = "memcache", "tcp://%s"
    NEW = '$m = new Memcache(); $m->addServer($host, (int) $port, false);'

    def test_a_session_outlives_php(self):
        self.come_and_go()

    def test_everything_it_does(self):
        self.php(self.NEW + r"""
            must("set", $m->set("a", ["user" => "alice"], 0, 100));
            must("get", $m->get("a") === ["user" => "alice"]);
            must("add", !$m->add("a", 1) && $m->replace("a", "text") && !$m->replace("nothing", 1));
            must("append", $m->set("t", "b") && $m->append("t", "c") && $m->prepend("t", "a"));
            must("joined", $m->get("t") === "abc");
            must("incr", $m->set("n", 5) && $m->increment("n", 3) === 8 && $m->decrement("n", 9) === 0);
            must("delete", $m->delete("a") && $m->get("a") === false && !$m->delete("a"));
            $m->setCompressThreshold(1000, 0.2);
            must("large", $m->set("l", str_repeat("abc", 100000)) && strlen($m->get("l")) === 300000);
            must("version", preg_match('/^\d+\.\d+\.\d+$/', $m->getVersion()));
            must("flush", $m->flush() && $m->get("t") === false);
        """, self.node())

    def test_thousands_of_keys_at_once(self):
        self.php(self.NEW + r"""
            foreach ($keys as $key) { must("set", $m->set($key, $key)); }
            must("get", $m->get($keys) === array_combine($keys, $keys));
            must("none", $m->get(array_map(fn($key) => "x$key", $keys)) === []);
        """, self.node())

    def test_what_it_asks_of_the_server_is_answered(self):
        """With the words that its getExtendedStats takes, there is an end or an error."""
        self.php(self.NEW + r"""
            for ($i = 0; $i < 10; $i++) { $m->set("key$i", "value$i"); }
            must("stats", $m->getStats()["curr_items"] === "10");
            must("items", is_array(current($m->getExtendedStats("items"))));
            must("slabs", is_array(current($m->getExtendedStats("slabs"))));
            set_error_handler(fn() => true);
            foreach (["malloc", "sizes", "maps", "reset"] as $what) {
                $m->getExtendedStats($what);
                $m = new Memcache();  // it takes ERROR for the end of the server
                $m->addServer($host, (int) $port, false);
                must("after $what", $m->get("key5") === "value5");
            }
            $found = 0;
            foreach (current($m->getExtendedStats("items"))["items"] ?? [] as $slab => $figures) {
                $dump = current($m->getExtendedStats("cachedump", (int) $slab, 100));
                $found += is_array($dump) ? count($dump) : 0;
            }
            must("cachedump", $found === 10);
            must("after cachedump", $m->get("key5") === "value5");
        """, self.node())


@unittest.skipUnless(has_extension("memcached"), "Debian: php-cli php-memcached")
@unittest.skipUnless(os.path.exists(SYMFONY), "Debian: php-symfony-cache")
class Symfony(PhpCase):
    def test_its_adapter(self):
        self.php(r"""
            restore_error_handler(); error_reporting(E_ALL & ~E_DEPRECATED);
            require $argv[2];
            use Symfony\Component\Cache\Adapter\MemcachedAdapter;
            $client = MemcachedAdapter::createConnection("memcached://$argv[1]",
                                                         ["binary_protocol" => false]);
            $pool = new MemcachedAdapter($client, "app", 3600);
            $item = $pool->getItem("alice");
            must("miss", !$item->isHit());
            must("save", $pool->save($item->set(["visits" => 1])->expiresAfter(100)));
            must("hit", $pool->getItem("alice")->get() === ["visits" => 1]);
            must("computed", $pool->get("bob", fn($item) => "made") === "made");
            must("kept", $pool->get("bob", fn($item) => "other") === "made");
            foreach ($keys as $key) { $pool->saveDeferred($pool->getItem($key)->set($key)); }
            must("commit", $pool->commit());
            $found = 0;
            foreach ($pool->getItems($keys) as $key => $item) { $found += $item->get() === $key; }
            must("many", $found === count($keys));
            must("over", $pool->save($pool->getItem("bob")->expiresAfter(-1)) || true);
            must("gone", !$pool->getItem("bob")->isHit());
            must("delete", $pool->deleteItems($keys) && !$pool->hasItem($keys[0]));
            must("clear", $pool->clear() && !$pool->hasItem("alice"));
        """, self.node(), SYMFONY)
