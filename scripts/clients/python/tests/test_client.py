"""Both clients against a daemon: over TCP, TLS and a Unix socket, and with users."""

import datetime
import os
import threading
import unittest

import kvcached
from kvcached import NEVER
from support import AIO, DEADLINE, SYNC, client_of, environment, wait_until


class Operations:
    """Every operation; `kind` and `open` come from the classes below."""

    kind = SYNC

    def setUp(self):
        self.ns = "py." + self.id().rsplit(".", 2)[-2] + "." + self.id().rsplit(".", 1)[-1]
        self.ns = self.ns[-64:]
        self.cache = self.open()
        self.addCleanup(self.cache.close)
        self.cache.flush(self.ns)

    def test_put_and_get(self):
        self.assertIsNone(self.cache.get(self.ns, "alice"))
        self.assertIsNone(self.cache.put(self.ns, "alice", b"hello"))
        self.assertEqual(self.cache.get(self.ns, "alice"), b"hello")
        self.cache.put(self.ns, "alice", b"")
        self.assertEqual(self.cache.get(self.ns, "alice"), b"")

    def test_values_of_any_kind(self):
        every = bytes(range(256)) * 3
        for value in (every, bytearray(every), memoryview(every)):
            self.cache.put(self.ns, "v", value)
            self.assertEqual(self.cache.get(self.ns, "v"), every)
        self.cache.put(self.ns, "v", "M\u00fcnchen")
        self.assertEqual(self.cache.get(self.ns, "v").decode(), "M\u00fcnchen")
        with self.assertRaises(TypeError):
            self.cache.put(self.ns, "v", 5)

    def test_large_values(self):
        value = os.urandom(1 << 20)
        self.cache.put(self.ns, "large", value)
        self.assertEqual(self.cache.get(self.ns, "large"), value)

    def test_value_that_is_too_large(self):
        with self.assertRaises(kvcached.ClientError) as caught:
            self.cache.put(self.ns, "large", bytes((1 << 20) + 1))
        self.assertIn("max_value", str(caught.exception))
        self.assertFalse(caught.exception.outcome_unknown)
        self.cache.ping()

    def test_keys_of_any_bytes(self):
        keys = [bytes((byte,)) + b"|" for byte in range(256)] + [b"\\x41", b"a b\r\nFLUSH x\r\n"]
        self.cache.put_many(self.ns, {key: key for key in keys})
        self.assertEqual(self.cache.get_many(self.ns, keys), {key: key for key in keys})
        listed = self.cache.list(self.ns)
        self.assertEqual(sorted(key.encode("utf-8", "surrogateescape") for key in listed),
                         sorted(keys))
        self.assertEqual(len(self.cache.get_many(self.ns, listed)), len(keys))
        self.assertEqual(self.cache.delete_many(self.ns, listed), [True] * len(keys))

    def test_many(self):
        records = {f"k{number}": str(number) for number in range(1000)}
        self.cache.put_many(self.ns, records, ttl=60)
        got = self.cache.get_many(self.ns, [*records, "other"])
        self.assertEqual(got, {key: value.encode() for key, value in records.items()})
        self.assertEqual(self.cache.delete_many(self.ns, ["k0", "other", "k1"]),
                         [True, False, True])
        self.assertEqual(self.cache.get_many(self.ns, []), {})
        self.assertEqual(self.cache.delete_many(self.ns, []), [])
        self.assertIsNone(self.cache.put_many(self.ns, {}))
        with self.assertRaises(TypeError):
            self.cache.get_many(self.ns, "key")

    def test_add(self):
        self.assertIs(self.cache.add(self.ns, "lock", "mine", ttl=60), True)
        self.assertIs(self.cache.add(self.ns, "lock", "other"), False)
        self.assertEqual(self.cache.get(self.ns, "lock"), b"mine")

    def test_delete(self):
        self.cache.put(self.ns, "k", "v")
        self.assertIs(self.cache.delete(self.ns, "k"), True)
        self.assertIs(self.cache.delete(self.ns, "k"), False)

    def test_times(self):
        self.assertIsNone(self.cache.ttl(self.ns, "k"))
        self.cache.put(self.ns, "k", "v")
        self.assertIs(self.cache.ttl(self.ns, "k"), NEVER)
        for ttl in (60, 60.0, datetime.timedelta(minutes=1)):
            self.cache.put(self.ns, "k", "v", ttl=ttl)
            left = self.cache.ttl(self.ns, "k")
            self.assertGreater(left, 0)
            self.assertLessEqual(left, 60)
        self.assertIs(self.cache.touch(self.ns, "k", NEVER), True)
        self.assertIs(self.cache.ttl(self.ns, "k"), NEVER)
        self.assertIs(self.cache.touch(self.ns, "k", 0.5), True)
        self.assertLessEqual(self.cache.ttl(self.ns, "k"), 0.5)
        self.assertIs(self.cache.touch(self.ns, "other", 1), False)

    def test_expiry(self):
        self.cache.put(self.ns, "k", "v", ttl=0.05)
        wait_until(lambda: self.cache.get(self.ns, "k") is None, "the record to expire")
        self.assertIsNone(self.cache.ttl(self.ns, "k"))

    def test_numbers(self):
        self.assertIsNone(self.cache.incr(self.ns, "n"))
        self.assertIsNone(self.cache.decr(self.ns, "n"))
        self.cache.put(self.ns, "n", "5")
        self.assertEqual(self.cache.incr(self.ns, "n"), 6)
        self.assertEqual(self.cache.incr(self.ns, "n", 10), 16)
        self.assertEqual(self.cache.decr(self.ns, "n", 6), 10)
        self.assertEqual(self.cache.decr(self.ns, "n", 11), 0)
        self.assertEqual(self.cache.incr(self.ns, "n", 2 ** 64 - 1), 2 ** 64 - 1)
        with self.assertRaises(kvcached.ClientError):
            self.cache.incr(self.ns, "n")

    def test_listings(self):
        self.assertEqual(self.cache.list(self.ns), [])
        self.cache.put_many(self.ns, {"a1": "x", "a2": "", "b c": "END\r\n"})
        self.assertEqual(sorted(self.cache.list(self.ns)), ["a1", "a2", "b c"])
        self.assertEqual(sorted(self.cache.list(self.ns, "a*")), ["a1", "a2"])
        self.assertEqual(sorted(self.cache.all(self.ns)),
                         [("a1", b"x"), ("a2", b""), ("b c", b"END\r\n")])
        self.assertEqual(self.cache.all(self.ns, "b\\x20*"), [("b c", b"END\r\n")])

    def test_flush_is_of_one_namespace(self):
        self.cache.put_many(self.ns, {"a": "1", "b": "2"})
        self.cache.put(self.ns[:62] + "-2", "a", "1")
        self.assertEqual(self.cache.flush(self.ns), 2)
        self.assertEqual(self.cache.flush(self.ns), 0)
        self.assertEqual(self.cache.flush(self.ns[:62] + "-2"), 1)

    def test_about_the_daemon(self):
        self.cache.put(self.ns, "a", "1")
        self.assertIn("uptime", self.cache.stats())
        self.assertEqual(self.cache.stats(self.ns)["items"], "1")
        self.assertIsNone(self.cache.stats("py.nothing"))
        self.assertRegex(self.cache.version(), r"^kvcached \d+\.\d+\.\d+")
        self.assertIsNone(self.cache.ping())

    def test_pipeline(self):
        pipeline = self.cache.pipeline()
        pipeline.put(self.ns, "n", "1").incr(self.ns, "n").get(self.ns, "n").get_many(self.ns, [])
        self.assertEqual(pipeline.execute(), [None, 2, b"2", {}])
        self.assertEqual(pipeline.execute(), [])

    def test_pipeline_with_an_error(self):
        pipeline = self.cache.pipeline()
        pipeline.put(self.ns, "n", "x").incr(self.ns, "n").get(self.ns, "n")
        results = pipeline.execute(raise_errors=False)
        self.assertIsInstance(results[1], kvcached.ClientError)
        self.assertEqual([results[0], results[2]], [None, b"x"])
        pipeline.incr(self.ns, "n").put(self.ns, "after", "1")
        with self.assertRaises(kvcached.ClientError):
            pipeline.execute()
        self.assertEqual(self.cache.get(self.ns, "after"), b"1")

    def test_pipeline_larger_than_all_buffers(self):
        # Replies of 100 MB and requests of 30 MB: to send first and to read then would not end.
        value = "v" * 100_000
        self.cache.put(self.ns, "v", value)
        pipeline = self.cache.pipeline()
        for _ in range(300):
            pipeline.put(self.ns, "w", value).get_many(self.ns, ["v", "v", "w"])
        results = pipeline.execute()
        self.assertEqual({len(value) for value in results[-1].values()}, {100_000})
        self.assertEqual(len(results), 600)

    def test_what_is_refused_before_it_is_sent(self):
        calls = [lambda: self.cache.get("a b", "k"), lambda: self.cache.get(self.ns, ""),
                 lambda: self.cache.get("n" * 65, "k"), lambda: self.cache.get("n\n", "k"),
                 lambda: self.cache.get(self.ns, "k" * 1025),
                 lambda: self.cache.put(self.ns, "k", "v", ttl=0),
                 lambda: self.cache.put(self.ns, "k", "v", ttl=-1),
                 lambda: self.cache.put(self.ns, "k", "v", ttl=float("nan")),
                 lambda: self.cache.put(self.ns, "k", "v", ttl=float("inf")),
                 lambda: self.cache.put(self.ns, "k", "v", flags=2 ** 32),
                 lambda: self.cache.incr(self.ns, "k", -1),
                 lambda: self.cache.incr(self.ns, "k", 2 ** 64),
                 lambda: self.cache.list(self.ns, "a b"), lambda: self.cache.list(self.ns, ""),
                 lambda: self.cache.put(self.ns, "\ud800", "v")]
        for call in calls:
            with self.assertRaises(kvcached.ArgumentError):
                call()
        self.assertEqual(self.cache.list(self.ns), [])


class Tcp(Operations, unittest.TestCase):
    def open(self, **options):
        return client_of(self.kind, environment("ADDRESS"), **options)


class Unix(Operations, unittest.TestCase):
    def open(self, **options):
        return client_of(self.kind, environment("SOCKET"), **options)


class Tls(Operations, unittest.TestCase):
    def open(self, **options):
        options.setdefault("tls", environment("TLS_CA"))
        return client_of(self.kind, environment("TLS_ADDRESS"), **options)

    def test_daemon_of_another_authority(self):
        with self.open(tls=True) as cache, self.assertRaises(kvcached.Disconnected) as caught:
            cache.ping()
        self.assertIn("certificate", str(caught.exception).lower())

    def test_daemon_of_another_name(self):
        with self.open(server_hostname="elsewhere.example") as cache:
            with self.assertRaises(kvcached.Disconnected):
                cache.ping()

    def test_tls_where_there_is_none(self):
        address = environment("ADDRESS")
        with client_of(self.kind, address, tls=environment("TLS_CA")) as cache:
            with self.assertRaises(kvcached.Disconnected):
                cache.ping()


class TcpAio(Tcp):
    kind = AIO


class UnixAio(Unix):
    kind = AIO


class TlsAio(Tls):
    kind = AIO


class Users(unittest.TestCase):
    kind = SYNC

    def open(self, user=None, secret=None, **options):
        cache = client_of(self.kind, environment("USERS_ADDRESS"), user=user, secret=secret,
                          **options)
        self.addCleanup(cache.close)
        return cache

    def everything(self):
        return self.open(environment("USER"), environment("PASSWORD"))

    def test_user_with_all_rights(self):
        cache = self.everything()
        cache.put("users", "a", "1")
        self.assertEqual(cache.get("users", "a"), b"1")
        cache.flush("users")

    def test_over_tls(self):
        with client_of(self.kind, environment("USERS_TLS_ADDRESS"), tls=environment("TLS_CA"),
                       user=environment("USER"), secret=environment("PASSWORD")) as cache:
            cache.put("users", "tls", "1")
            self.assertEqual(cache.get("users", "tls"), b"1")

    def test_user_that_may_only_read(self):
        self.everything().put("users", "read", "1")
        cache = self.open(environment("READER"), environment("READER_PASSWORD"))
        self.assertEqual(cache.get("users", "read"), b"1")
        for call in (lambda: cache.put("users", "read", "2"), lambda: cache.flush("users"),
                     lambda: cache.delete_many("users", ["read", "b", "c"])):
            with self.assertRaises(kvcached.ClientError):
                call()
        self.assertEqual(cache.get("users", "read"), b"1")

    def test_without_a_user(self):
        with self.assertRaises(kvcached.ClientError):
            self.open().get("users", "a")

    def test_wrong_secret(self):
        cache = self.open(environment("USER"), "wrong")
        with self.assertRaises(kvcached.AuthenticationError):
            cache.get("users", "a")

    def test_what_cannot_be_sent(self):
        for user, secret in (("a b", "c"), ("", "c"), ("a", "b\n")):
            with self.assertRaises(kvcached.ArgumentError):
                client_of(self.kind, environment("USERS_ADDRESS"), user=user, secret=secret)
        with self.assertRaises(ValueError):
            client_of(self.kind, environment("USERS_ADDRESS"), user="a")


class UsersAio(Users):
    kind = AIO


class Addresses(unittest.TestCase):
    def test_forms(self):
        for address, path, host, port in (
                ("cache:7000", None, "cache", 7000), ("cache", None, "cache", 7171),
                ("[::1]:7000", None, "::1", 7000), ("[::1]", None, "::1", 7171),
                (("::1", 7000), None, "::1", 7000), ("/run/kv", "/run/kv", "", 0),
                ("unix:/run/kv", "/run/kv", "", 0)):
            settings = kvcached.Client(address)._settings
            self.assertEqual((settings.path, settings.host, settings.port), (path, host, port))

    def test_what_is_none(self):
        for address in ("", "::1", "cache:", "cache:http", ":7171", "cache:65536", "cache:0"):
            with self.assertRaises(ValueError, msg=address):
                kvcached.Client(address)


class Threads(unittest.TestCase):
    """One client for many threads, and after a fork."""

    def test_more_threads_than_connections(self):
        address = environment("ADDRESS")
        with kvcached.Client(address, max_connections=3, timeout=DEADLINE) as cache:
            cache.put("py.threads", "n", "0")
            failed = []

            def work(number):
                try:
                    for turn in range(100):
                        key = f"{number}-{turn}"
                        cache.put("py.threads", key, key)
                        if cache.get("py.threads", key) != key.encode():
                            failed.append(key)
                        cache.incr("py.threads", "n")
                except Exception as error:
                    failed.append(error)
            threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(failed, [])
            self.assertEqual(cache.get("py.threads", "n"), b"1200")
            self.assertLessEqual(len(cache._pool._idle), 3)

    def test_fork(self):
        for tls in (False, True):
            address = environment("TLS_ADDRESS" if tls else "ADDRESS")
            with kvcached.Client(address, tls=environment("TLS_CA") if tls else None,
                                 timeout=DEADLINE) as cache:
                cache.put("py.fork", "k", "parent")
                child = os.fork()
                if child == 0:
                    status = 1
                    try:  # on a connection of its own: this one is the parent's
                        fresh = not cache._pool._idle
                        cache.put("py.fork", "k", "child")
                        status = 0 if fresh and cache.get("py.fork", "k") == b"child" else 2
                    finally:
                        os._exit(status)
                self.assertEqual(os.waitpid(child, 0)[1], 0)
                connection, = cache._pool._idle
                self.assertEqual(cache.get("py.fork", "k"), b"child")
                self.assertEqual(cache._pool._idle, [connection])
