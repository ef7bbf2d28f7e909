"""The cache backend and the sessions, after what Django documents of its caches and sessions.

Django's own test cases are in its source archive and not in its packages, so these are others.
"""

import importlib.util
import os
import pickle
import threading
import unittest
import warnings
from datetime import timedelta

from support import DEADLINE, environment, wait_until

HAVE_DJANGO = importlib.util.find_spec("django") is not None

if HAVE_DJANGO:
    import django
    from django.conf import settings

    OPTIONS = {"namespace": "dj", "session_namespace": "dj.sessions", "max_connections": 4,
               "timeout": DEADLINE}
    BACKEND = {"BACKEND": "kvcached.django.KvcachedCache",
               "LOCATION": os.environ.get("KVCACHED_ADDRESS", ""), "OPTIONS": OPTIONS}
    settings.configure(
        SECRET_KEY="of the tests",
        SESSION_ENGINE="kvcached.django.sessions",
        SESSION_SERIALIZER="django.contrib.sessions.serializers.JSONSerializer",
        USE_TZ=True,
        CACHES={
            "default": BACKEND,
            "prefix": {**BACKEND, "KEY_PREFIX": "other"},
            "v2": {**BACKEND, "VERSION": 2},
            "other": {**BACKEND, "OPTIONS": {**OPTIONS, "namespace": "dj.other"}},
            "short": {**BACKEND, "TIMEOUT": 60},
            "forever": {**BACKEND, "TIMEOUT": None},
            "json": {**BACKEND, "OPTIONS": {**OPTIONS, "namespace": "dj.json",
                                            "serializer": "django.core.signing.JSONSerializer"}},
            "users": {**BACKEND, "LOCATION": os.environ.get("KVCACHED_USERS_ADDRESS", ""),
                      "OPTIONS": {"user": os.environ.get("KVCACHED_USER"),
                                  "secret": os.environ.get("KVCACHED_PASSWORD")}},
            "tls": {**BACKEND, "LOCATION": os.environ.get("KVCACHED_TLS_ADDRESS", ""),
                    "OPTIONS": {"tls": os.environ.get("KVCACHED_TLS_CA")}},
            "unix": {**BACKEND, "LOCATION": os.environ.get("KVCACHED_SOCKET", "")},
            "memory": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        })
    django.setup()

    from django.contrib.sessions.backends.base import CreateError, UpdateError
    from django.core.cache import CacheKeyWarning, caches
    from django.core.cache.backends.base import InvalidCacheKey
    from django.core.exceptions import ImproperlyConfigured
    from django.test import override_settings

    from kvcached import NEVER
    from kvcached.django.sessions import SessionStore


class Thing:
    """Something that pickle takes."""

    def __init__(self, word):
        self.word = word

    def __eq__(self, other):
        return type(other) is Thing and other.word == self.word


@unittest.skipUnless(HAVE_DJANGO, "Django is not there")
class DjangoCase(unittest.TestCase):
    def setUp(self):
        environment("ADDRESS")
        self.cache = caches["default"]
        for name in ("default", "other"):
            caches[name].clear()

    def left(self, key, cache=None):
        """How long the record lives, as the daemon has it."""
        cache = cache or self.cache
        return cache.client.ttl(cache.namespace, cache.make_key(key))


class Cache(DjangoCase):
    def test_values(self):
        for value in ("text", "M\u00fcnchen", "", b"bytes\x00", 0, 1, -1, 2 ** 64 - 1, 2 ** 64, -5,
                      1.5, True, False, None, [1, {"a": (2,)}], Thing("x"), "5", b"5", "\u0663"):
            with self.subTest(repr(value)):
                self.cache.set("key", value)
                got = self.cache.get("key", "default")
                self.assertEqual(got, value)
                self.assertIs(type(got), type(value))

    def test_what_cannot_be_pickled(self):
        with self.assertRaises((AttributeError, pickle.PicklingError, TypeError)):
            self.cache.set("key", lambda: None)

    def test_get(self):
        self.assertIsNone(self.cache.get("nothing"))
        self.assertEqual(self.cache.get("nothing", "default"), "default")
        self.cache.set("none", None)
        self.assertIsNone(self.cache.get("none", "default"))

    def test_keys(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CacheKeyWarning)
            for key in ("a b", "M\u00fcnchen", "line\r\nend", "k" * 300, "\\x41"):
                self.cache.set(key, key)
                self.assertEqual(self.cache.get(key), key)
        with self.assertWarns(CacheKeyWarning):
            self.cache.set("a b", 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CacheKeyWarning)
            with self.assertRaises(InvalidCacheKey):
                self.cache.get("k" * 2000)

    def test_add(self):
        self.assertIs(self.cache.add("key", 1), True)
        self.assertIs(self.cache.add("key", 2), False)
        self.assertEqual(self.cache.get("key"), 1)
        self.assertIs(self.cache.add("key", 2, timeout=0), False)
        self.assertIs(self.cache.add("new", 2, timeout=0), True)
        self.assertIsNone(self.cache.get("new"))

    def test_get_or_set(self):
        self.assertEqual(self.cache.get_or_set("key", lambda: 5), 5)
        self.assertEqual(self.cache.get_or_set("key", 6), 5)

    def test_delete_and_has_key(self):
        self.cache.set("key", None)
        self.assertIs(self.cache.has_key("key"), True)
        self.assertIn("key", self.cache)
        self.assertIs(self.cache.delete("key"), True)
        self.assertIs(self.cache.delete("key"), False)
        self.assertIs(self.cache.has_key("key"), False)
        self.assertNotIn("key", self.cache)

    def test_many(self):
        self.assertEqual(self.cache.set_many({"a": 1, "b": "two", "c": None}), [])
        self.assertEqual(self.cache.get_many(["a", "b", "c", "d"]), {"a": 1, "b": "two", "c": None})
        self.assertEqual(self.cache.get_many(key for key in "ab"), {"a": 1, "b": "two"})
        self.cache.delete_many(["a", "d"])
        self.assertEqual(self.cache.get_many(["a", "b"]), {"b": "two"})
        self.cache.delete_many([])
        self.assertEqual(self.cache.get_many([]), {})
        self.assertEqual(self.cache.set_many({}), [])
        self.cache.set_many({"b": 3, "e": 4}, timeout=0)
        self.assertEqual(self.cache.get_many(["b", "e"]), {})

    def test_incr_and_decr(self):
        self.cache.set("n", 41, timeout=60)
        self.assertEqual(self.cache.incr("n"), 42)
        self.assertEqual(self.cache.incr("n", 10), 52)
        self.assertEqual(self.cache.incr("n", -10), 42)
        self.assertEqual(self.cache.decr("n"), 41)
        self.assertEqual(self.cache.decr("n", 2), 39)
        self.assertEqual(self.cache.decr("n", -1), 40)
        self.assertEqual(self.cache.incr("n", 0), 40)
        self.assertEqual(self.cache.get("n"), 40)
        self.assertLessEqual(self.left("n"), 60)
        self.assertEqual(self.cache.decr("n", 50), 0)
        for call in (self.cache.incr, self.cache.decr):
            with self.assertRaises(ValueError):
                call("nothing")

    def test_incr_of_numbers_that_the_daemon_has_not(self):
        self.cache.set("n", -5, timeout=60)
        self.assertEqual(self.cache.incr("n", 2), -3)
        self.assertLessEqual(self.left("n"), 60)
        self.assertEqual(self.cache.incr("n", 13), 10)
        self.assertEqual(self.cache.incr("n"), 11)
        self.cache.set("n", 2 ** 64 - 1, timeout=None)
        self.assertEqual(self.cache.incr("n"), 2 ** 64)
        self.assertIs(self.left("n"), NEVER)
        self.cache.set("n", "text")
        with self.assertRaises((TypeError, ValueError)):
            self.cache.incr("n")

    def test_incr_side_by_side(self):
        self.cache.set("n", 0)
        threads = [threading.Thread(target=lambda: [caches["default"].incr("n") for _ in range(50)])
                   for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.cache.get("n"), 400)

    def test_other_serializer(self):
        cache = caches["json"]
        for value in ({"a": [1, None, "x"]}, "5", 5, -5, True):
            cache.set("key", value)
            self.assertEqual(cache.get("key"), value)
        self.assertEqual(cache.client.get("dj.json", cache.make_key("key")), b"true")
        self.assertEqual(cache.incr_version("key"), 2)

    def test_other_connections(self):
        for name in ("users", "tls", "unix"):
            with self.subTest(name):
                caches[name].set("key", name)
                self.assertEqual(caches[name].get("key"), name)

    def test_threads_share_one_client(self):
        seen = []
        thread = threading.Thread(target=lambda: seen.append(caches["default"].client))
        thread.start()
        thread.join()
        self.assertIs(seen[0], self.cache.client)
        self.assertIsNot(caches["users"].client, self.cache.client)

    def test_close_leaves_the_connections(self):
        self.cache.set("key", 1)
        self.cache.close()
        self.assertEqual(self.cache.get("key"), 1)


class Timeouts(DjangoCase):
    def test_default(self):
        self.cache.set("key", 1)
        self.assertTrue(200 < self.left("key") <= 300)
        caches["short"].set("key", 1)
        self.assertTrue(0 < self.left("key", caches["short"]) <= 60)
        caches["forever"].set("key", 1)
        self.assertIs(self.left("key"), NEVER)

    def test_given(self):
        for timeout, most in ((60, 60), (0.5, 0.5), (timedelta(minutes=1), 60)):
            self.cache.set("key", 1, timeout)
            self.assertTrue(0 < self.left("key") <= most)
            self.cache.set_many({"key": 1}, timeout)
            self.assertTrue(0 < self.left("key") <= most)
            self.cache.delete("key")
            self.cache.add("key", 1, timeout)
            self.assertTrue(0 < self.left("key") <= most)
        self.cache.set("key", 1, None)
        self.assertIs(self.left("key"), NEVER)

    def test_that_is_over(self):
        for timeout in (0, -1):
            self.cache.set("key", 1)
            self.cache.set("key", 2, timeout)
            self.assertIsNone(self.cache.get("key"))

    def test_expiry(self):
        self.cache.set("key", 1, timeout=0.05)
        wait_until(lambda: self.cache.get("key") is None, "the record to expire")
        self.assertNotIn("key", self.cache)
        self.assertIs(self.cache.add("key", 2), True)

    def test_touch(self):
        self.cache.set("key", 1, timeout=10)
        self.assertIs(self.cache.touch("key", 100), True)
        self.assertTrue(10 < self.left("key") <= 100)
        self.assertIs(self.cache.touch("key"), True)
        self.assertTrue(100 < self.left("key") <= 300)
        self.assertIs(self.cache.touch("key", None), True)
        self.assertIs(self.left("key"), NEVER)
        self.assertIs(self.cache.touch("key", 0), True)
        self.assertNotIn("key", self.cache)
        self.assertIs(self.cache.touch("key"), False)
        self.assertIs(self.cache.touch("key", 0), False)


class Separation(DjangoCase):
    def test_versions(self):
        self.cache.set("key", 1)
        self.cache.set("key", 2, version=2)
        self.assertEqual(self.cache.get("key"), 1)
        self.assertEqual(self.cache.get("key", version=2), 2)
        self.assertEqual(caches["v2"].get("key"), 2)
        self.assertEqual(caches["v2"].incr("key"), 3)
        self.assertEqual(self.cache.get("key"), 1)
        self.assertIsNone(self.cache.get("key", version=3))
        self.assertEqual(self.cache.get_many(["key"], version=2), {"key": 3})
        self.assertEqual(self.cache.incr_version("key", version=2), 3)
        self.assertEqual(self.cache.get("key", version=3), 3)
        self.assertIsNone(caches["v2"].get("key"))
        self.assertEqual(self.cache.decr_version("key", version=3), 2)
        with self.assertRaises(ValueError):
            self.cache.incr_version("nothing")

    def test_prefix(self):
        self.cache.set("key", 1)
        self.assertIsNone(caches["prefix"].get("key"))
        caches["prefix"].set("key", 2)
        self.assertEqual(self.cache.get("key"), 1)
        self.assertEqual(caches["prefix"].get("key"), 2)

    def test_clear_is_of_one_namespace(self):
        for name in ("default", "prefix", "v2", "other"):
            caches[name].set("key", name)
        session = SessionStore()
        session["user"] = "alice"
        session.save()
        self.cache.clear()
        self.assertEqual([caches[name].get("key") for name in ("default", "prefix", "v2", "other")],
                         [None, None, None, "other"])
        self.assertEqual(SessionStore(session.session_key)["user"], "alice")


class Sessions(DjangoCase):
    def setUp(self):
        super().setUp()
        self.client = self.cache.client
        self.client.flush("dj.sessions")

    def saved(self, **items):
        session = SessionStore()
        session.update(items)
        session.save()
        return session

    def test_save_and_load(self):
        session = self.saved(user="alice", count=1)
        again = SessionStore(session.session_key)
        self.assertEqual(dict(again.items()), {"user": "alice", "count": 1})
        again["count"] += 1
        again.save()
        self.assertEqual(SessionStore(session.session_key)["count"], 2)
        self.assertEqual(self.client.list("dj.sessions"), [session.session_key])

    def test_session_that_is_not_there(self):
        session = SessionStore("nosuchsession")
        self.assertIsNone(session.get("user"))
        self.assertIsNone(session.session_key)
        self.assertTrue(session.is_empty())

    def test_keys_that_a_cookie_may_have(self):
        for key in ("k" * 5000, "a b\r\nFLUSH dj.sessions\r\n", "\ud800" * 8):
            session = SessionStore(key)
            self.assertIsNone(session.get("user"))
            self.assertFalse(session.exists(key))
        self.assertFalse(SessionStore().exists(None))

    def test_data_that_was_changed(self):
        session = self.saved(user="alice")
        for data in (b"", b"garbage", b"\xff\x00", b"a:b:c"):
            self.client.put("dj.sessions", session.session_key, data)
            self.assertIsNone(SessionStore(session.session_key).get("user"))

    def test_create(self):
        session = SessionStore()
        session.create()
        self.assertTrue(session.exists(session.session_key))
        other = SessionStore(session.session_key)
        with self.assertRaises(CreateError):
            other.save(must_create=True)

    def test_delete(self):
        session = self.saved(user="alice")
        session.delete()
        self.assertFalse(session.exists(session.session_key))
        session.delete("nosuchsession")
        SessionStore().delete()

    def test_session_that_was_deleted_meanwhile_stays_deleted(self):
        session = self.saved(user="alice")
        again = SessionStore(session.session_key)
        again["user"] = "bob"
        session.delete()
        with self.assertRaises(UpdateError):
            again.save()
        self.assertEqual(self.client.list("dj.sessions"), [])

    def test_flush_and_cycle_key(self):
        session = self.saved(user="alice")
        before = session.session_key
        session.cycle_key()
        self.assertNotEqual(session.session_key, before)
        self.assertEqual(session["user"], "alice")
        self.assertFalse(session.exists(before))
        session.flush()
        self.assertEqual(self.client.list("dj.sessions"), [])

    def test_times(self):
        session = SessionStore()
        session.set_expiry(60)
        session.save()
        self.assertTrue(0 < self.client.ttl("dj.sessions", session.session_key) <= 60)
        session.set_expiry(600)
        session.save()
        self.assertTrue(60 < self.client.ttl("dj.sessions", session.session_key) <= 600)
        session.set_expiry(-1)
        session.save()
        self.assertFalse(session.exists(session.session_key))
        SessionStore.clear_expired()

    def test_cache_of_another_backend(self):
        with override_settings(SESSION_CACHE_ALIAS="memory"):
            with self.assertRaises(ImproperlyConfigured):
                SessionStore()
