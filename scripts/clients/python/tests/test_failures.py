"""What both clients do when the other side closes, is silent, or sends what makes no sense."""

import asyncio
import socket
import threading
import time
import unittest

import kvcached
import kvcached.aio
from support import AIO, DEADLINE, SYNC, Peer, client_of, wait_until


def reads(count):
    """Takes so many bytes and answers nothing; the client has to close."""
    return lambda peer: peer.read(count)


def closes(count, reply=b""):
    """Takes so many bytes, sends that, and closes."""
    def script(peer):
        peer.read(count)
        peer.send(reply)
        peer.close()
    return script


def answers(*pairs):
    """For each pair of a request and a reply: reads the one and sends the other. None closes."""
    def script(peer):
        for pair in pairs:
            if pair is None:
                peer.close()
                return
            peer.read(len(pair[0]))
            peer.send(pair[1])
    return script


GET = b"GET ns key\r\n"
PUT = b"PUT ns key - 1\r\nv\r\n"
FOUND = b"VALUE 5\r\nhello\r\n"


class Failures(unittest.TestCase):
    kind = SYNC

    def setUp(self):
        self.peer = Peer()
        self.peer.__enter__()
        self.addCleanup(self.peer.__exit__, None)

    def open(self, **options):
        cache = client_of(self.kind, self.peer.address, **options)
        self.addCleanup(cache.close)
        return cache

    def closed(self, cache):
        return not [connection for connection in cache._pool._idle if connection.is_usable()]

    # --- closed ---

    def test_read_is_sent_again_on_another_connection(self):
        for script in (closes(len(GET)), closes(len(GET), b"VALUE 5\r\nhel")):
            self.peer.on_connection(script, answers((GET, FOUND)))
            self.assertEqual(self.open().get("ns", "key"), b"hello")
        self.assertEqual([bytes(received) for received in self.peer.received], [GET] * 4)

    def test_read_is_sent_again_once(self):
        self.peer.on_connection(closes(len(GET)), closes(len(GET)), answers((GET, FOUND)))
        with self.assertRaises(kvcached.Disconnected) as caught:
            self.open().get("ns", "key")
        self.assertFalse(caught.exception.outcome_unknown)
        self.assertEqual(len(self.peer.received), 2)

    def test_write_is_not_sent_again(self):
        for number, (data, call) in enumerate((
                (PUT, lambda cache: cache.put("ns", "key", "v")),
                (b"DEL ns key\r\n", lambda cache: cache.delete("ns", "key")),
                (b"INCR ns key 1\r\n", lambda cache: cache.incr("ns", "key")),
                (GET + PUT, lambda cache: cache.pipeline().get("ns", "key")
                    .put("ns", "key", "v").execute()))):
            with self.subTest(data):
                self.peer.on_connection(closes(len(data)))
                with self.assertRaises(kvcached.Disconnected) as caught:
                    call(self.open())
                self.assertTrue(caught.exception.outcome_unknown)
                self.assertEqual(len(self.peer.received), number + 1)

    def test_next_call_has_a_new_connection(self):
        self.peer.on_connection(closes(len(PUT)), answers((PUT, b"STORED\r\n"), (GET, FOUND)))
        cache = self.open()
        with self.assertRaises(kvcached.Disconnected):
            cache.put("ns", "key", "v")
        cache.put("ns", "key", "v")
        self.assertEqual(cache.get("ns", "key"), b"hello")
        self.assertEqual(len(self.peer.received), 2)

    def test_connection_that_was_closed_while_it_was_idle(self):
        # A write would not be sent again: that it works shows that the end was noticed before.
        stored = PUT, b"STORED\r\n"
        self.peer.on_connection(answers(stored, None), answers(stored))
        cache = self.open()
        cache.put("ns", "key", "v")
        self.wait_until_closed(cache)
        cache.put("ns", "key", "v")

    def wait_until_closed(self, cache):
        def run_and_look():
            if self.kind == AIO:
                cache.run(asyncio.sleep(0.005))
            return self.closed(cache)
        wait_until(run_and_look, "the client to notice")

    def test_reply_that_was_not_asked_for(self):
        # It must not be taken for the reply to the next request.
        go_on = threading.Event()

        def script(peer):
            answers((PUT, b"STORED\r\n"))(peer)
            go_on.wait(DEADLINE)
            peer.send(b"VALUE 5\r\nother\r\n")
        self.peer.on_connection(script, answers((GET, FOUND)))
        cache = self.open()
        cache.put("ns", "key", "v")
        go_on.set()
        self.wait_until_closed(cache)
        self.assertEqual(cache.get("ns", "key"), b"hello")

    def test_no_listener(self):
        free = socket.create_server(("127.0.0.1", 0))
        address = free.getsockname()
        free.close()
        for where in (address, "/nonexistent/socket"):
            with client_of(self.kind, where, timeout=DEADLINE) as cache:
                with self.assertRaises(kvcached.Disconnected) as caught:
                    cache.put("ns", "key", "v")
                self.assertFalse(caught.exception.outcome_unknown)

    # --- silence ---

    def test_no_reply(self):
        self.peer.on_connection(reads(len(GET)), reads(len(PUT)))
        cache = self.open(timeout=0.2)
        began = time.monotonic()
        with self.assertRaises(kvcached.TimedOut) as caught:
            cache.get("ns", "key")
        self.assertGreaterEqual(time.monotonic() - began, 0.19)
        self.assertFalse(caught.exception.outcome_unknown)
        self.assertIsInstance(caught.exception, TimeoutError)
        with self.assertRaises(kvcached.TimedOut) as caught:
            cache.put("ns", "key", "v")
        self.assertTrue(caught.exception.outcome_unknown)
        self.assertTrue(self.closed(cache))

    def test_half_a_reply(self):
        self.peer.on_connection(answers((GET, b"VALUE 5\r\nhel")))
        cache = self.open(timeout=0.2)
        with self.assertRaises(kvcached.TimedOut):
            cache.get("ns", "key")
        self.assertTrue(self.closed(cache))

    def test_reply_that_comes_too_late(self):
        # Its connection is closed, so that the next request does not get it.
        late = threading.Event()

        def script(peer):
            peer.read(len(GET))
            late.wait(DEADLINE)
            try:
                peer.send(b"VALUE 5\r\nolder\r\n")
            except OSError:
                pass  # closed: this is what the test wants
        self.peer.on_connection(script)
        cache = self.open(timeout=0.2)
        with self.assertRaises(kvcached.TimedOut):
            cache.get("ns", "key")
        late.set()
        self.peer.on_connection(answers((GET, FOUND)))
        self.assertEqual(self.open().get("ns", "key"), b"hello")
        self.assertTrue(self.closed(cache))

    def test_reply_that_comes_a_byte_at_a_time(self):
        # The timeout is that of the whole call: each byte by itself would come in time.
        def script(peer):
            peer.read(len(GET))
            try:
                while True:
                    peer.send(b"V")
                    time.sleep(0.01)
            except OSError:
                pass  # closed: this is what the test wants
        self.peer.on_connection(script)
        with self.assertRaises(kvcached.TimedOut):
            self.open(timeout=0.2).get("ns", "key")

    def test_peer_that_takes_nothing(self):
        stop = threading.Event()
        self.addCleanup(stop.set)
        self.peer.on_connection(lambda peer: stop.wait(DEADLINE))
        cache = self.open(timeout=0.3)
        with self.assertRaises(kvcached.TimedOut) as caught:
            cache.put("ns", "key", bytes(50 << 20))
        self.assertTrue(caught.exception.outcome_unknown)
        stop.set()

    def test_peer_without_tls(self):
        self.peer.on_connection(lambda peer: None)
        with self.assertRaises((kvcached.TimedOut, kvcached.Disconnected)) as caught:
            self.open(timeout=0.3, tls=True, server_hostname="localhost").put("ns", "key", "v")
        self.assertFalse(caught.exception.outcome_unknown)

    # --- what makes no sense ---

    def test_garbage(self):
        for garbage in (b"\x00\xff\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"VALUE x\r\n",
                        b"VALUE 1\r\nabc\r\n", b"VALUE 99999999999999999999999\r\n", b"\n",
                        b"x" * 70000, b"VALUE 55\nhello\r\n", FOUND + b"more"):
            with self.subTest(garbage[:30]):
                self.peer.on_connection(answers((GET, garbage)))
                cache = self.open()
                with self.assertRaises(kvcached.ProtocolError):
                    cache.get("ns", "key")
                self.assertTrue(self.closed(cache))

    def test_garbage_as_answer_to_a_write(self):
        self.peer.on_connection(answers((PUT, b"FINE\r\n")))
        with self.assertRaises(kvcached.ProtocolError) as caught:
            self.open().put("ns", "key", "v")
        self.assertTrue(caught.exception.outcome_unknown)

    def test_refusal_leaves_the_connection_open(self):
        self.peer.on_connection(answers(
            (GET, b"SERVER_ERROR out of memory\r\n"), (GET, b"CLIENT_ERROR no\r\n"), (GET, FOUND)))
        cache = self.open()
        with self.assertRaisesRegex(kvcached.ServerError, "^out of memory$"):
            cache.get("ns", "key")
        with self.assertRaisesRegex(kvcached.ClientError, "^no$"):
            cache.get("ns", "key")
        self.assertEqual(cache.get("ns", "key"), b"hello")
        self.assertEqual(len(self.peer.received), 1)

    # --- authentication ---

    def test_auth_comes_first_on_each_connection(self):
        auth = b"AUTH web open-sesame\r\n"
        login = auth, b"OK\r\n"
        self.peer.on_connection(answers(login, (GET, b"VALUE 5\r\nhel"), None),
                                answers(login, (GET, FOUND)))
        cache = self.open(user="web", secret="open-sesame")
        self.assertEqual(cache.get("ns", "key"), b"hello")
        self.assertEqual([bytes(received) for received in self.peer.received], [auth + GET] * 2)

    def test_denied(self):
        auth = b"AUTH web wrong\r\n"
        self.peer.on_connection(answers((auth, b"DENIED\r\n")))
        with self.assertRaises(kvcached.AuthenticationError):
            self.open(user="web", secret="wrong").put("ns", "key", "v")
        self.assertEqual(bytes(self.peer.received[0]), auth)

    def test_no_answer_to_auth(self):
        self.peer.on_connection(reads(1))
        with self.assertRaises(kvcached.TimedOut) as caught:
            self.open(timeout=0.2, user="web", secret="x").put("ns", "key", "v")
        self.assertFalse(caught.exception.outcome_unknown)  # the put was not sent

    # --- the pool ---

    def test_all_connections_were_closed_while_they_were_idle(self):
        # A daemon that was restarted: the next write finds none of the old ones.
        stored = PUT, b"STORED\r\n"
        self.peer.on_connection(*[lambda peer: peer.close()] * 3, answers(stored))
        cache = self.open()
        acquire = cache._pool.acquire
        held = [cache.run(acquire(None)) if self.kind == AIO else acquire(None) for _ in range(3)]
        for connection in held:
            cache._pool.release(connection, True)
        self.wait_until_closed(cache)
        cache.put("ns", "key", "v")
        self.assertEqual(len(self.peer.received), 4)

    def test_closed_client(self):
        cache = client_of(self.kind, self.peer.address)
        if self.kind == AIO:
            cache.run(cache.client.close())
        else:
            cache.close()
        with self.assertRaises(kvcached.Disconnected):
            cache.get("ns", "key")
        cache.close()


class FailuresAio(Failures):
    kind = AIO


class PoolOfThreads(unittest.TestCase):
    def test_no_connection_free(self):
        with Peer() as peer:
            peer.on_connection(lambda peer: None)
            with kvcached.Client(peer.address, max_connections=1, timeout=DEADLINE) as cache:
                held = cache._pool.acquire(None)
                cache._settings.timeout = 0.1
                with self.assertRaisesRegex(kvcached.TimedOut, "became free"):
                    cache.get("ns", "key")
                cache._pool.release(held, False)

    def test_slot_of_a_connection_that_could_not_be_made(self):
        with kvcached.Client("/nonexistent/socket", max_connections=1, timeout=DEADLINE) as cache:
            for _ in range(3):
                with self.assertRaises(kvcached.Disconnected):
                    cache.ping()

    def test_close_while_a_call_waits(self):
        with Peer() as peer:
            peer.on_connection(lambda peer: None)
            cache = kvcached.Client(peer.address, max_connections=1, timeout=None)
            held = cache._pool.acquire(None)
            outcome = []

            def call():
                try:
                    cache.ping()
                except kvcached.KvcachedError as error:
                    outcome.append(error)
            thread = threading.Thread(target=call)
            thread.start()
            cache.close()
            thread.join(DEADLINE)
            self.assertIsInstance(outcome[0], kvcached.Disconnected)
            cache._pool.release(held, True)
            self.assertEqual(cache._pool._idle, [])


class Tasks(unittest.TestCase):
    """What only asyncio has: tasks side by side, and tasks that are cancelled."""

    def test_more_tasks_than_connections(self):
        def script(peer):
            while True:
                try:
                    answers((GET, FOUND))(peer)
                except EOFError:
                    return

        async def main(address):
            async with kvcached.aio.Client(address, max_connections=2) as cache:
                return await asyncio.gather(*[cache.get("ns", "key") for _ in range(10)])
        with Peer() as one:
            one.on_connection(script)
            one.on_connection(script)
            self.assertEqual(asyncio.run(main(one.address)), [b"hello"] * 10)

    def test_no_connection_free(self):
        async def main(address):
            async with kvcached.aio.Client(address, max_connections=1, timeout=DEADLINE) as cache:
                held = await cache._pool.acquire(None)
                cache._settings.timeout = 0.1
                try:
                    await cache.get("ns", "key")
                finally:
                    cache._pool.release(held, False)
        with Peer() as peer:
            peer.on_connection(lambda peer: None)
            with self.assertRaisesRegex(kvcached.TimedOut, "became free"):
                asyncio.run(main(peer.address))

    def test_cancelled_in_the_middle(self):
        asked = threading.Event()

        def silent(peer):
            peer.read(len(GET))
            asked.set()

        async def main(address):
            async with kvcached.aio.Client(address, max_connections=1, timeout=DEADLINE) as cache:
                task = asyncio.ensure_future(cache.get("ns", "key"))
                while not asked.is_set():
                    await asyncio.sleep(0.001)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                return await cache.get("ns", "key")  # on a connection of its own
        with Peer() as peer:
            peer.on_connection(silent, answers((GET, FOUND)))
            self.assertEqual(asyncio.run(main(peer.address)), b"hello")

    def test_cancelled_while_it_waits(self):
        async def main(address):
            async with kvcached.aio.Client(address, max_connections=1, timeout=DEADLINE) as cache:
                held = await cache._pool.acquire(None)
                first = asyncio.ensure_future(cache.get("ns", "key"))
                second = asyncio.ensure_future(cache.get("ns", "key"))
                await asyncio.sleep(0)
                cache._pool.release(held, True)  # hands the slot to the first task
                first.cancel()  # which is told at once that it is over
                with self.assertRaises(asyncio.CancelledError):
                    await first
                return await second
        with Peer() as peer:
            peer.on_connection(answers((GET, FOUND)))
            self.assertEqual(asyncio.run(main(peer.address)), b"hello")

    def test_other_event_loop(self):
        with Peer() as peer:
            peer.on_connection(answers((GET, FOUND)))
            with client_of(AIO, peer.address) as cache:
                self.assertEqual(cache.get("ns", "key"), b"hello")
                with self.assertRaisesRegex(RuntimeError, "one event loop"):
                    asyncio.run(cache.client.get("ns", "key"))
