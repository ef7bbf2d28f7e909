"""Memory that is held: by replies that are not read, and by values that do not arrive.

Each counts where it belongs, is bounded, and takes nothing from clients that hold nothing; and
what waits for it is served in the end, whatever the others do.
"""

import selectors
import time
import unittest

from client import Client
from encryption import NOT_NOW
from harness import SANITIZER, Case, wait_for
from memcache import Memcache
from timing import seconds

KIB = 1 << 10
MIB = 1 << 20
PIECE = 64 * KIB
SLOW = "SERVER_ERROR the value came too slowly while memory was short; send it again"


class Sender:
    """A client that puts one value, in pieces that the test asks for."""

    def __init__(self, client, request, length, ending=b"\r\n"):
        self.client = client
        self.left = request + b"v" * length + ending
        self.socket = client.socket
        self.socket.setblocking(False)

    def push(self, most=PIECE):
        """Sends what is taken of the next piece; whether all is sent."""
        try:
            sent = self.socket.send(self.left[:most])
            self.left = self.left[sent:]
        except BlockingIOError:
            pass
        return not self.left

    def answer(self):
        self.socket.settimeout(seconds(30))
        return self.client.reply()


class PressureCase(Case):
    CONF = ""
    NEIGHBOURS = 2000

    def setUp(self):
        self.daemon = self.start(self.CONF)
        self.client = self.kept(self.daemon.connect())

    def deaf(self, request, receive_buffer=4096):
        """A client that asks, and does not read."""
        client = self.kept(Client(self.daemon.address, receive_buffer=receive_buffer))
        client.send(request)
        return client

    def put_neighbours(self, ns, count=None):
        for i in range(count or self.NEIGHBOURS):
            self.assertEqual(self.client.put(ns, f"k{i}", b"%d" % i + b"n" * 4000, "1h"), "STORED")

    def check_neighbours(self, ns, count=None):
        for i in range(count or self.NEIGHBOURS):
            self.assertEqual(self.client.get(ns, f"k{i}"), b"%d" % i + b"n" * 4000)
        self.assertEqual(self.client.stat("evictions", ns), 0)

    def rewrite_for_the_deaf(self, ns, length, count):
        """Versions of one value, each asked for by a client that does not read it."""
        for i in range(count):
            self.assertEqual(self.client.put(ns, "key", b"v" * length, "1h"), "STORED")
            self.deaf(f"GET {ns} key\r\n")
            # It has been asked for when this is answered, or waits until there is room.
            self.client.ask("PING")

    def check_reader_is_served(self, ns, length):
        """Though all that may be pinned is, for a while."""
        with self.daemon.connect() as reader:
            self.assertEqual(self.client.put(ns, "other", b"o" * length, "1h"), "STORED")
            self.assertEqual(len(reader.get(ns, "other")), length)


class Readers(PressureCase):
    CONF = """
        memory = "48M";
        namespaces = ( { name = "tight"; memory = "1M"; }, { name = "calm"; memory = "16M"; } );
    """

    def test_a_quota_binds_what_is_not_read(self):
        self.put_neighbours("calm")
        self.rewrite_for_the_deaf("tight", 200000, 300)
        self.assertLessEqual(self.client.stat("memory", "tight"), MIB)
        self.check_reader_is_served("tight", 200000)
        self.check_neighbours("calm")
        self.assertGreater(self.client.stat("closed_slow_reader"), 0)
        self.daemon.wait_log("closed: memory was short")

    def test_what_is_not_read_leaves_the_pool_to_others(self):
        self.put_neighbours("pool")
        self.rewrite_for_the_deaf("held", 200000, 480)
        self.check_neighbours("pool")
        self.check_reader_is_served("held", 200000)
        self.check_reader_is_served("pool", 200000)
        self.assertGreater(self.client.stat("closed_slow_reader"), 0)

    def test_a_slow_reader_is_not_closed(self):
        """Beside deaf ones; and a slow one is not taken for one of them."""
        length = 450000
        self.assertEqual(self.client.put("tight", "slow", b"s" * length, "1h"), "STORED")
        slow = self.deaf("GET tight slow\r\n", receive_buffer=64 * KIB)
        head = len(f"VALUE {length}\r\n")
        slow.exact(head)  # so it is before all others
        taken = 0

        def reads_on():
            nonlocal taken
            taken += len(slow.exact(10000))
            return self.client.stat("closed_slow_reader") > 0 or taken > length - 20000
        self.rewrite_for_the_deaf("tight", 200000, 4)
        wait_for(reads_on, 30, "those to be closed that do not read")
        self.assertEqual(slow.exact(length + 2 - taken)[-2:], b"\r\n")


class ReadersOfMemcache(PressureCase):
    def test_a_quota_binds_what_is_not_read(self):
        daemon = Memcache('memory = "48M"; namespaces = ( { name = "cache"; memory = "1M"; } );')
        self.addCleanup(self._end, daemon)
        native, memcache = daemon.addresses()[:2]
        with Client(memcache) as writer, Client(native) as stats:
            for command in (b"get key\r\n", b"mg key v t\r\n"):
                for _ in range(60):
                    writer.send(b"set key 0 0 200000\r\n" + b"v" * 200000 + b"\r\n")
                    self.assertEqual(writer.line(), "STORED")
                    self.kept(Client(memcache, receive_buffer=4096)).send(command)
                with Client(memcache) as reader:
                    reader.send(command)
                    self.assertGreater(len(reader.exact(200000)), 0)
            self.assertLessEqual(stats.stat("memory", "cache"), MIB)
            wait_for(lambda: stats.stat("closed_slow_reader") > 0, 20, "those to be closed that are deaf")


class Uploads(PressureCase):
    CONF = 'namespaces = ( { name = "q"; memory = "1M"; } );'

    def sender(self, ns, key, length, announced=None, ending=b"\r\n"):
        client = self.kept(self.daemon.connect())
        head = f"PUT {ns} {key} 1h {announced or length}\r\n".encode()
        return Sender(client, head, length, ending)

    def send_all(self, senders, count=1):
        """Piece by piece, from each in turn."""
        for _ in range(count):
            while not all([sender.push() for sender in senders]):
                pass

    def stick(self, count, length, announced=MIB, ending=b""):
        """So many send that much of a MiB, and no more."""
        senders = [self.sender("evil", f"u{i}", length, announced, ending) for i in range(count)]
        deadline = time.monotonic() + seconds(1)
        while not all([sender.push() for sender in senders]) and time.monotonic() < deadline:
            pass
        return senders

    def check_stuck(self, senders):
        self.assertEqual(self.client.put("q", "k", b"q" * 9000, "1h"), "STORED")
        self.assertEqual(self.client.put("p", "k", b"p" * 9000, "1h"), "STORED")
        self.assertEqual(self.client.put("q", "k", b"q" * 200000, "1h"), "STORED")
        for key in range(30):
            self.assertEqual(self.client.put("evil", key_of(key), b"p" * MIB, "1h"), "STORED")
        self.assertGreater(self.client.stat("uploads_ended"), 0)
        self.assertEqual(self.client.get("q", "k"), b"q" * 200000)

    def test_values_that_are_not_finished_stop_no_other(self):
        senders = self.stick(34, 1000000)
        self.check_stuck(senders)
        # The client goes on with the next request as soon as the value is over.
        ended = next(sender for sender in senders if not sender.left)
        self.assertEqual(ended.answer(), SLOW)
        ended.client.send(b"x" * (MIB - 1000000) + b"\r\nPING\r\n")
        self.assertEqual(ended.client.reply(), "PONG")

    def test_values_whose_line_does_not_end_stop_no_other(self):
        senders = self.stick(34, MIB, ending=b"\r")
        self.check_stuck(senders)
        ended = next(sender for sender in senders if not sender.left)
        self.assertEqual(ended.answer(), SLOW)
        ended.client.send(b"\nPING\r\n")
        self.assertEqual(ended.client.reply(), "PONG")

    def test_a_trickle_is_no_progress(self):
        senders = self.stick(34, 900000)
        stop = time.monotonic() + seconds(60)
        waiting = self.sender("evil", "good", MIB)

        def trickles():
            for sender in senders:
                sender.left = sender.left or b"x"
                sender.push(1)
            return waiting.push()
        wait_for(trickles, 60, "a value to be taken beside those that trickle")
        self.assertEqual(waiting.answer(), "STORED")
        self.assertLess(time.monotonic(), stop)

    def test_slow_ones_are_not_refused(self):
        senders = [self.sender("slow", f"u{i}", MIB) for i in range(40)]
        self.send_all(senders)
        self.assertEqual([sender.answer() for sender in senders], ["STORED"] * 40)
        self.assertEqual(self.client.stat("uploads_ended"), 0)
        self.assertEqual(self.client.stat("items", "slow"), 40)

    def test_many_at_full_speed_are_not_refused(self):
        for ns in ("-", "q"):
            length = MIB if ns == "-" else 300000
            senders = [self.sender(ns, f"u{i}", length) for i in range(200)]
            left = {sender.socket: sender for sender in senders}
            with selectors.DefaultSelector() as ready:
                for connected in left:
                    ready.register(connected, selectors.EVENT_WRITE)
                while left:
                    for key, _ in ready.select():
                        if left[key.fileobj].push(MIB):
                            ready.unregister(key.fileobj)
                            del left[key.fileobj]
            self.assertEqual([sender.answer() for sender in senders], ["STORED"] * 200)


def key_of(number):
    return f"key{number}"


class UploadsOfMemcache(PressureCase):
    def test_values_that_are_not_finished_stop_no_other(self):
        daemon = Memcache('namespaces = ( { name = "q"; memory = "1M"; } );')
        self.addCleanup(self._end, daemon)
        native, memcache = daemon.addresses()[:2]
        senders = []
        for i in range(34):
            client = self.kept(Client(memcache))
            senders.append(Sender(client, b"set u%d 0 0 %d\r\n" % (i, MIB), 1000000, b""))
        deadline = time.monotonic() + seconds(1)
        while not all([sender.push() for sender in senders]) and time.monotonic() < deadline:
            pass
        with Client(memcache) as client, Client(native) as other:
            self.assertEqual(other.put("q", "k", b"q" * 9000, "1h"), "STORED")
            for i in range(10):
                client.send(b"set k%d 0 0 %d\r\n" % (i, MIB) + b"v" * MIB + b"\r\n")
                self.assertEqual(client.line(), "STORED")
            self.assertGreater(other.stat("uploads_ended"), 0)


class Buffers(PressureCase):
    CONF = 'buffers = "8M"; max_connections = 2000;'

    def test_buffers_are_bounded(self):
        self.put_neighbours("-", 200)
        before = self.daemon.resident()
        asked = b"GET - k1\r\n" * 2000
        for _ in range(600):
            client = self.deaf(b"")
            client.socket.setblocking(False)
            try:
                client.socket.send(asked)
            except BlockingIOError:
                pass
        wait_for(lambda: self.client.stat("closed_buffers") > 0, 20, "some to be closed")
        if not SANITIZER:
            self.assertLess(self.daemon.resident() - before, 24 * MIB)
        self.check_neighbours("-", 200)
        self.daemon.wait_log("closed at the limit of buffers")
        # The bound follows a reload: nothing is closed where there is room.
        self.assertEqual(self.client.ask("PING"), "PONG")


class Joins(Case):
    """What is appended to a large value does not keep others waiting."""

    CONF = """
threads = 1;
memory = "256M"; max_value = "64M";
    """
    LENGTH = 48 * MIB

    def setUp(self):
        self.daemon = Memcache(self.CONF)
        self.addCleanup(self._end, self.daemon)
        self.native, self.memcache = self.daemon.addresses()[:2]
        self.client = self.kept(Client(self.native))
        self.old = b"v" * self.LENGTH
        self.assertEqual(self.client.put("cache", "large", self.old, "1h"), "STORED")

    def yields_meanwhile(self, request):
        """How often the connection lets others go first, of which one is answered meanwhile."""
        before = self.client.stat("conn_yields")
        self.assertGreater(self.turns_meanwhile(request), 0)
        return self.client.stat("conn_yields") - before

    def turns_meanwhile(self, request):
        """How often another client is answered before this is done."""
        appender = self.kept(Client(self.memcache))
        appender.send(request)
        appender.socket.setblocking(False)
        turns = 0
        while True:
            self.assertEqual(self.client.ask("PING"), "PONG")
            try:
                if appender._fill():
                    break
            except NOT_NOW + (BlockingIOError,):
                turns += 1
        appender.socket.settimeout(seconds(30))
        self.assertEqual(appender.line(), "STORED")
        return turns

    def test_others_are_answered_meanwhile(self):
        added = b"w" * 300000
        head = b"append large 0 0 %d\r\n" % len(added)
        self.assertGreater(self.yields_meanwhile(b"append large 0 0 1\r\na\r\n"), 10)
        self.assertGreater(self.yields_meanwhile(b"prepend large 0 0 1\r\nb\r\n"), 10)
        self.assertGreater(self.yields_meanwhile(head + added + b"\r\n"), 10)
        self.assertEqual(self.client.get("cache", "large"), b"b" + self.old + b"a" + added)

    def test_many_at_once(self):
        """Each is done, one after the other; and one that goes away does no harm."""
        appenders = [self.kept(Client(self.memcache)) for _ in range(8)]
        for number, appender in enumerate(appenders):
            appender.send(b"append large 0 0 1\r\n%d\r\n" % number)
        gone = Client(self.memcache)
        gone.send(b"append large 0 0 1\r\n9\r\n")
        gone.reset()
        self.assertEqual([appender.line() for appender in appenders], ["STORED"] * 8)
        value = self.client.get("cache", "large")
        self.assertEqual(value[:self.LENGTH], self.old)
        self.assertLessEqual(set(b"01234567"), set(value[self.LENGTH:]))
        self.assertIn(len(value), (self.LENGTH + 8, self.LENGTH + 9))


if __name__ == "__main__":
    unittest.main()
