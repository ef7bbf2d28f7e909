"""npm's clients do their work, and those of the binary protocol are told at once that they cannot."""

import unittest

from client_case import MANY, ClientCase, succeeds

HEAD = r"""
const must = (what, is) => { if (!is) throw new Error(what); };
const [host, port] = process.argv[2].split(":");
const keys = Array.from({ length: %d }, (unused, at) => String(at).padStart(30, "0"));
const run = (work) => work().then(() => { console.log("done"); process.exit(0); })
  .catch((error) => { console.error(error); process.exit(1); });
""" % MANY


class NodeCase(ClientCase):
    def node_program(self, script, daemon):
        self.assertEqual(self.npm(HEAD + script, daemon.server), "done")


class Memcached(NodeCase):
    NEW = r"""
        const Memcached = require("memcached");
        const client = new Memcached(process.argv[2], { retries: 0, timeout: 20000 });
        const call = (name, ...rest) => new Promise((good, bad) => client[name](...rest,
          (error, data) => error ? bad(new Error(name + ": " + error))
            : good(Array.isArray(data) ? [...data] : data))); // it empties its list afterwards
    """

    def setUp(self):
        self.needs_npm("memcached")

    def test_everything_it_does(self):
        self.node_program(self.NEW + r"""
            run(async () => {
              must("set", await call("set", "a", { user: "alice" }, 100));
              must("get", (await call("get", "a")).user === "alice");
              const { cas } = await call("gets", "a");
              must("cas", await call("cas", "a", "new", cas, 100));
              must("late", !await call("cas", "a", "late", cas, 100));
              must("add", await call("add", "b", "x", 100));
              must("append", await call("append", "b", "y") && await call("prepend", "b", "w"));
              must("joined", await call("get", "b") === "wxy");
              must("incr", await call("set", "n", 5, 100) && await call("incr", "n", 2) === 7);
              must("decr", await call("decr", "n", 9) === 0);
              must("touch", await call("touch", "a", 50));
              must("delete", await call("del", "a") && await call("get", "a") === undefined);
              must("large", await call("set", "l", "z".repeat(300000), 100));
              must("version", /^\d+\.\d+\.\d+$/.test((await call("version"))[0].version));
              must("stats", (await call("stats"))[0].curr_items === 3);
              must("settings", (await call("settings"))[0].maxbytes > 0);
              must("items", (await call("items")).length === 1);
              must("slabs", (await call("slabs"))[0]);
              must("flush", await call("flush") && await call("get", "b") === undefined);
            });
        """, self.node())

    def test_every_key_there_is(self):
        """As it is done with what stats items says, and cachedump.

        The client drops the lines of a reply that it reads in more than one piece, and a busy
        server sends what it has at the end of its turn. So it is asked until it was one piece.
        """
        self.node_program(self.NEW + r"""
            async function dump() {
              const found = [];
              for (const figures of await call("items"))
                for (const slab of Object.keys(figures).filter((name) => name !== "server")) {
                  const dump = await call("cachedump", figures.server, Number(slab), 0);
                  for (const one of [].concat(dump)) if (one && one.key) found.push(one.key);
                }
              return found.sort().join();
            }
            run(async () => {
              const some = keys.slice(0, 200);
              let found, tries = 0;
              for (const key of some) await call("set", key, 1, 100);
              do found = await dump(); while (found !== some.join() && ++tries < 100);
              must("all of them: " + found, found === some.join());
            });
        """, self.node())

    def test_thousands_of_keys_at_once(self):
        self.node_program(self.NEW + r"""
            run(async () => {
              for (const key of keys) await call("set", key, key, 100);
              const all = await call("getMulti", keys);
              must("multi", keys.every((key) => all[key] === key));
              must("after", await call("get", keys[2999]) === keys[2999]);
            });
        """, self.node())

    def test_what_is_refused_is_one_reply(self):
        """Behind a SERVER_ERROR it leaves the server alone for some time."""
        self.node_program(self.NEW + r"""
            run(async () => {
              for (let i = 0; i < 100; i++) must("set", await call("set", "key" + i, "v" + i, 100));
              for (let i = 0; i < 20; i++) {
                const refused = await call("incr", "key50", 1).catch((error) => "refused");
                must("refused", refused === "refused");
                must("incr", await call("incr", "nothing", 1) === false);
                must("get", await call("get", "key" + i) === "v" + i);
              }
            });
        """, self.node())


class MemcachePlus(NodeCase):
    NEW = r"""
        const MemcachePlus = require("memcache-plus");
        const client = new MemcachePlus({ hosts: [process.argv[2]], netTimeout: 20000 });
    """

    def setUp(self):
        self.needs_npm("memcache-plus")

    def test_everything_it_does(self):
        self.node_program(self.NEW + r"""
            run(async () => {
              await client.set("a", { user: "alice" }, 100);
              must("get", (await client.get("a")).user === "alice");
              const [, cas] = await client.gets("a");
              must("cas", await client.cas("a", "new", cas) && !await client.cas("a", "late", cas));
              await client.add("b", "x");
              await client.append("b", "y");
              await client.prepend("b", "w");
              must("joined", await client.get("b") === "wxy");
              await client.replace("b", "z");
              await client.set("n", 5);
              must("incr", await client.incr("n", 2) === 7 && await client.decr("n", 9) === 0);
              must("delete", await client.delete("a") && await client.get("a") === null);
              await client.set("l", "z".repeat(300000));
              must("large", (await client.get("l")).length === 300000);
              must("version", /^\d+\.\d+\.\d+$/.test(await client.version()));
              must("items", await client.items());
              await client.flush();
              must("flush", await client.get("b") === null);
            });
        """, self.node())

    def test_every_key_there_is(self):
        self.node_program(self.NEW + r"""
            run(async () => {
              for (let i = 0; i < 10; i++) await client.set("key" + i, "value");
              const items = await client.items(), found = [];
              for (const { slab_id } of items)
                for (const { key } of await client.cachedump(slab_id)) found.push(key);
              must("all of them", found.length === 10 && new Set(found).size === 10);
            });
        """, self.node())

    def test_thousands_of_keys_at_once(self):
        self.node_program(self.NEW + r"""
            run(async () => {
              await Promise.all(keys.map((key) => client.set(key, key)));
              const all = await client.getMulti(keys);
              must("multi", keys.every((key) => all[key] === key));
              await client.deleteMulti(keys);
              must("none", await client.get(keys[7]) === null);
            });
        """, self.node())


class Memcache(NodeCase):
    NEW = r"""
        const { Memcache } = require("memcache");
        const client = new Memcache({ nodes: [process.argv[2]], timeout: 20000 });
    """

    def setUp(self):
        self.needs_npm("memcache")

    def test_everything_it_does(self):
        self.node_program(self.NEW + r"""
            run(async () => {
              must("set", await client.set("a", "text", 100) && await client.get("a") === "text");
              must("add", !await client.add("a", "x") && await client.replace("a", "new"));
              must("append", await client.append("a", "y") && await client.prepend("a", "w"));
              must("joined", await client.get("a") === "wnewy");
              must("touch", await client.touch("a", 50));
              must("incr", await client.set("n", "5") && await client.incr("n", 2) === 7);
              must("decr", await client.decr("n", 9) === 0);
              must("delete", await client.delete("a") && await client.get("a") === undefined);
              const [version] = [...(await client.version()).values()];
              must("version", /^VERSION \d+\.\d+\.\d+$/.test(version));
              for (const what of [undefined, "items", "slabs", "settings"])
                must("stats " + what, [...(await client.stats(what)).values()][0]);
              must("flush", await client.flush() && await client.get("n") === undefined);
            });
        """, self.node())

    def test_thousands_of_keys_at_once(self):
        self.node_program(self.NEW + r"""
            run(async () => {
              await client.connect();
              await Promise.all(keys.map((key) => client.set(key, key)));
              const all = await client.gets(keys);
              must("multi", all.size === keys.length && keys.every((key) => all.get(key) === key));
              must("after", await client.get(keys[2999]) === keys[2999]);
            });
        """, self.node())


class BinaryProtocol(NodeCase):
    """Which memcached itself calls deprecated: refused at once, so that nothing waits."""

    def test_memjs(self):
        self.needs_npm("memjs")
        daemon = self.node()
        said = self.npm(r"""
            const client = require("memjs").Client.create(process.argv[2], { retries: 0 });
            client.set("a", "1", {}, (error, done) => {
              console.log(error || !done ? "refused" : "stored"); process.exit(0);
            });
        """, daemon.server)
        self.assertIn(said, ("refused", ""))  # it ends where nothing is left to wait for
        daemon.wait_log("closed after an error")

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

    def test_debians_dalli(self):
        """3.0, and with it Rack's sessions; from 3.2 on it has protocol: :meta."""
        if not succeeds("ruby", "-rdalli", "-e1"):
            raise unittest.SkipTest("Debian: ruby-dalli")
        version = self.program(["ruby", "-rdalli", "-e", "print Dalli::VERSION"], "")
        if not version.startswith("3.0."):
            raise unittest.SkipTest(f"dalli {version} is not the one that this is about")
        daemon = self.node()
        self.assertTrue(self.program(["ruby", "-"], self.RUBY, daemon.server).endswith("refused"))
        daemon.wait_log("closed after an error")
