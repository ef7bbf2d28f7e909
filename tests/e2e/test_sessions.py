"""Caches and session stores of web frameworks: Django's two backends, and Express on npm's
memcached. Symfony's adapter is in test_clients_php.py; Rack's store on Debian's dalli speaks the
binary protocol only, which is in test_clients_node.py.
"""

import importlib.util
import sys
import unittest

from client_case import MANY, ClientCase

DJANGO = r"""
import sys
sys.path.append("/usr/lib/python3/dist-packages")
import django
from django.conf import settings
settings.configure(
    CACHES={"default": {"BACKEND": "django.core.cache.backends.memcached." + sys.argv[1],
                        "LOCATION": sys.argv[2]}},
    SESSION_ENGINE="django.contrib.sessions.backends.cache", SECRET_KEY="a test's",
    INSTALLED_APPS=["django.contrib.sessions"])
django.setup()
from django.core.cache import cache
many = {"%%030d" %% number: number for number in range(%d)}


def must(what, is_so):
    if not is_so:
        sys.exit(what)
""" % MANY

CACHE = r"""
cache.set("a", {"user": "alice"})
must("get", cache.get("a") == {"user": "alice"} and cache.get("nothing", "default") == "default")
must("add", not cache.add("a", 1) and cache.add("b", 1))
must("has_key", cache.has_key("a") and "a" in cache and "nothing" not in cache)
cache.set("n", 41)
must("incr", cache.incr("n") == 42 and cache.decr("n", 2) == 40)
try:
    cache.incr("nothing")
    must("incr of nothing", False)
except ValueError:
    pass
must("touch", cache.touch("a", 100) and not cache.touch("nothing", 100))
must("delete", cache.delete("a") and not cache.delete("a") and cache.get("a") is None)
must("get_or_set", cache.get_or_set("c", lambda: "made", 100) == "made" and cache.get("c") == "made")
cache.set("unicode", "Iñtërnâtiônàlizætiøn")
cache.set("bytes", b"\0\xff\r\n")
must("values", cache.get("unicode").startswith("I") and cache.get("bytes") == b"\0\xff\r\n")
cache.set("v", "old", version=1), cache.set("v", "new", version=2)
must("versions", cache.get("v", version=1) == "old" and cache.get("v", version=2) == "new")
must("incr_version", cache.incr_version("v") == 2 and cache.get("v", version=2) == "old")
cache.clear()
must("clear", cache.get("b") is None and cache.get_many(["c", "n"]) == {})
"""

TIMES = r"""
for timeout in (0, -1, -100):
    cache.set("k", "kept")
    cache.set("k", "not to be kept", timeout=timeout)
    must(f"timeout {timeout}", cache.get("k") is None)
    cache.add("l", "not to be kept", timeout=timeout)
    must(f"add with timeout {timeout}", cache.get("l") is None)
    cache.set("k", "kept")
    cache.touch("k", timeout)
    must(f"touch {timeout}", cache.get("k") is None)
    cache.set_many({"k": 1, "m": 2}, timeout=timeout)
    must(f"set_many with timeout {timeout}", cache.get_many(["k", "m"]) == {})
for timeout in (None, 1000, 60 * 60 * 24 * 31, 60 * 60 * 24 * 365):
    cache.set("k", "kept", timeout=timeout)
    must(f"timeout {timeout}", cache.get("k") == "kept")
    must(f"touch {timeout}", cache.touch("k", timeout) and cache.get("k") == "kept")
"""

THOUSANDS = r"""
must("set_many", cache.set_many(many) == [])
must("get_many", cache.get_many(many) == many)
cache.delete_many(many)
must("delete_many", cache.get_many(many) == {})
"""

LARGE = r"""
cache.set("other", "value")
for _ in range(20):
    cache.set("large", "small")
    try:
        cache.set("large", "v" * 2_000_000)
    except Exception:
        pass
    must("a large value is all there or gone", cache.get("large") in (None, "v" * 2_000_000))
    must("others are as they were", cache.get("other") == "value")
"""

SESSIONS = r"""
from importlib import import_module
SessionStore = import_module(settings.SESSION_ENGINE).SessionStore
first = SessionStore()
first["user"] = "alice"
first.set_expiry(100)
first.create()
again = SessionStore(first.session_key)
must("load", again["user"] == "alice" and again.exists(first.session_key))
again["visits"] = 2
again.save()
must("save", SessionStore(first.session_key)["visits"] == 2)
old = again.session_key
again.cycle_key()
must("cycle", again["visits"] == 2 and not again.exists(old))
again.flush()
must("flush", not SessionStore(again.session_key or "none").exists(old))
gone = SessionStore(first.session_key)
must("gone", "user" not in gone)
"""


class Django(ClientCase):
    BACKENDS = {"PyMemcacheCache": "pymemcache", "PyLibMCCache": "pylibmc"}

    def each(self, script, conf='max_value = "4M";'):
        for backend, client in self.BACKENDS.items():
            with self.subTest(backend):
                for module in ("django", client):
                    if importlib.util.find_spec(module) is None:
                        raise unittest.SkipTest(f"Debian: python3-{module}")
                self.program([sys.executable, "-"], DJANGO + script, backend, self.node(conf).server)

    def test_the_cache(self):
        self.each(CACHE)

    def test_what_is_not_to_be_kept_is_not(self):
        self.each(TIMES)

    def test_thousands_of_keys_at_once(self):
        self.each(THOUSANDS)

    def test_a_value_that_is_too_large(self):
        self.each(LARGE, 'memory = "64M";')

    def test_sessions(self):
        self.each(SESSIONS)


EXPRESS = r"""
const express = require("express"), session = require("express-session"), http = require("http");
const MemcachedStore = require("connect-memcached")(session);
const must = (what, is) => { if (!is) throw new Error(what); };
const start = () => new Promise((good) => {
  const app = express();
  app.use(session({ secret: "a test's", resave: false, saveUninitialized: false,
                    cookie: { maxAge: 100000 },
                    store: new MemcachedStore({ hosts: [process.argv[2]], prefix: "sess." }) }));
  app.get("/login", (request, reply) => {
    request.session.user = "alice"; request.session.visits = 0; reply.json(request.session);
  });
  app.get("/", (request, reply) => {
    if (request.session.user) request.session.visits++;
    reply.json(request.session);
  });
  app.get("/logout", (request, reply) => request.session.destroy(() => reply.json({})));
  const server = app.listen(0, "127.0.0.1", () => good(server));
});
const visit = (server, path, cookie) => new Promise((good, bad) =>
  http.get({ port: server.address().port, path, headers: cookie ? { cookie } : {} }, (reply) => {
    let text = "";
    reply.on("data", (part) => text += part);
    reply.on("end", () => good({ body: JSON.parse(text), cookie: reply.headers["set-cookie"] }));
  }).on("error", bad));
(async () => {
  const one = await start(), other = await start();
  must("a stranger", (await visit(one, "/")).body.user === undefined);
  const cookie = (await visit(one, "/login")).cookie[0].split(";")[0];
  must("first", (await visit(one, "/", cookie)).body.visits === 1);
  must("another process", (await visit(other, "/", cookie)).body.visits === 2);
  must("user", (await visit(one, "/", cookie)).body.user === "alice");
  const many = await Promise.all(Array.from({ length: 50 }, () => visit(one, "/login")));
  must("many", new Set(many.map((one) => one.cookie[0])).size === 50);
  await visit(one, "/logout", cookie);
  must("gone", (await visit(other, "/", cookie)).body.user === undefined);
  console.log("done"); process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
"""


class Express(ClientCase):
    def test_sessions(self):
        self.needs_npm("express", "express-session", "connect-memcached")
        daemon = self.node()
        self.assertEqual(self.npm(EXPRESS, daemon.server), "done")
        wire = daemon.talk()
        self.addCleanup(wire.close)
        self.assertEqual(wire.stats()["curr_items"], "50")
